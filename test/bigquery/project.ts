// A whole project on one engine, by the functions that the commands call. Both engines get the same run ids and a clock that stands still
// while nothing sleeps, so that all they write down may be compared.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DAY_1_NOW, DAY_2_NOW, generateDay1, generateDay2 } from '../../demo/generate/index.ts'
import { systemClock, type Clock } from '../../src/core/clock.ts'
import { loadProject } from '../../src/project/load.ts'
import { instantOf, type RunOptions } from '../../src/run/options.ts'
import { performRun, type RunResult } from '../../src/run/run.ts'
import { performSyncs, type SyncResult } from '../../src/run/sync.ts'
import { discoverTwins, startSandbox } from '../../src/sandbox/server.ts'
import { openWarehouse, type Warehouse } from '../../src/warehouse/warehouse.ts'
import { bigquery, type BigQuerySettings } from '../../src/warehouse/define-bigquery.ts'
import { duckdb } from '../../src/warehouse/define-duckdb.ts'
import { audienceServer } from '../packed/packed.ts'
import { storyOf } from './harness.ts'

const database = '.cdp/parity.duckdb'

const repository = new URL('../..', import.meta.url).pathname

interface Vendors {
  readonly env: Readonly<Record<string, string>>
  /** What they hold, by vendor, without the ids that they gave out. */
  readonly holds: () => Promise<unknown>
  /** What an id that a vendor gave out stands for. Calls are made side by side, and who comes first gets the first. */
  readonly whose?: (id: string) => string
  readonly close: () => Promise<void>
}

/** A project that can be tried on both engines. */
export interface Story {
  readonly name: string
  readonly days: readonly [string, string]
  /** Fills a folder with the project and its first day. */
  readonly begin: (folder: string) => Promise<void>
  readonly secondDay: (folder: string) => Promise<void>
  readonly vendors: () => Promise<Vendors>
  /** Folder of files that syncs write. */
  readonly out: string
}

export const example: Story = {
  name: 'the example',
  days: ['2026-11-01T16:00:00Z', '2026-11-02T16:00:00Z'],
  begin: async (folder) => cpSync(join(repository, 'test/fixtures/example'), folder, { recursive: true }),
  secondDay: async (folder) => cpSync(join(folder, 'day2'), join(folder, 'data'), { recursive: true }),
  vendors: async () => {
    const server = await audienceServer('phone')
    return {
      env: { AUDIENCE_URL: server.url },
      holds: async () => Object.fromEntries([...server.holds].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      close: () => server.close(),
    }
  },
  out: 'out',
}

export const demo: Story = {
  name: 'the demo',
  days: [DAY_1_NOW, DAY_2_NOW],
  begin: async (folder) => {
    for (const part of ['cdp.config.ts', 'models', 'syncs']) {
      cpSync(join(repository, part), join(folder, part), { recursive: true })
    }
    for (const file of await readdir(join(folder, 'syncs'))) rewrite(join(folder, 'syncs', file), byPackage)
    rewrite(join(folder, 'cdp.config.ts'), byPackage)
    await generateDay1(join(folder, '.cdp/lotus'))
    thinTraffic(folder)
  },
  secondDay: async (folder) => {
    await generateDay2(join(folder, '.cdp/lotus'))
    thinTraffic(folder)
  },
  vendors: async () => {
    const sandbox = await startSandbox({ port: 0, twins: await discoverTwins([join(repository, 'connectors')]) })
    const held = async <T>(twin: string): Promise<T> => (await fetch(`${sandbox.url}/_sandbox/${twin}`)).json() as T
    const contacts = new Map<string, string>()
    const whose = (id: string): string => contacts.get(id) ?? `nobody known as ${id}`
    return {
      env: { HUBSPOT_URL: `${sandbox.url}/hubspot`, CAMPAIGN_URL: `${sandbox.url}/webhook` },
      holds: async () => {
        const portal = await held<Portal>('hubspot')
        const { audiences, ...counts } = await held<Receiver>('webhook')
        // Those that are gone stay known.
        for (const { id, email } of portal.contacts) contacts.set(id ?? '', email ?? '')
        return {
          contacts: portal.contacts.map(({ id: _, ...properties }) => ordered(properties)).toSorted(),
          lists: portal.lists.flatMap(({ name, members }) => members.map((id) => `${name}: ${whose(id)}`)).toSorted(),
          archived: portal.archived,
          audiences: Object.entries(audiences)
            .flatMap(([name, members]) =>
              Object.entries(members).map(([key, record]) => `${name}: ${key} ${ordered(record)}`),
            )
            .toSorted(),
          ...counts,
        }
      },
      whose,
      close: () => sandbox.close(),
    }
  },
  out: '.cdp/lotus/out',
}

// The sandbox's snapshots.
interface Portal {
  readonly contacts: readonly Readonly<Record<string, string>>[]
  readonly lists: readonly { readonly name: string; readonly members: readonly string[] }[]
  readonly archived: number
}

interface Receiver {
  readonly audiences: Readonly<Record<string, Readonly<Record<string, object>>>>
  readonly changes: number
  readonly repeated: number
}

const ordered = (record: object): string =>
  JSON.stringify(Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1))))

// Nine in ten events are views of pages, of which one in twenty says as much and takes the stand-in seconds less.
const thinTraffic = (folder: string): void => {
  const web = join(folder, '.cdp/lotus/data/web')
  for (const name of readdirSync(web)) {
    rewrite(join(web, name), (text) =>
      text
        .split('\n')
        .filter((line) => !/"event":"(?:page|product)_view"/.test(line) || /"event_id":"E\d+[02468]0"/.test(line))
        .join('\n'),
    )
  }
}

export interface ProjectOn {
  readonly folder: string
  secondDay(): Promise<void>
  /** `cdp run --now …`; throws with the whole story when a step fails. */
  run(day: 1 | 2, options?: Partial<RunOptions>): Promise<RunResult>
  /** `cdp sync --now …`; throws with the whole story when a sync fails. */
  sync(day: 1 | 2, options?: Partial<RunOptions>): Promise<SyncResult>
  /** To look at it. */
  open(): Promise<Warehouse>
  /** What the vendors hold and the files say. */
  delivered(): Promise<unknown>
  /** What an id that a vendor gave out stands for, once `delivered` has looked. */
  readonly whose: (id: string) => string
  close(): Promise<void>
}

/** The story's project in a folder of its own; on BigQuery where settings are given, else on DuckDB. `looking`: what `open` goes by. */
export const openProject = async (
  story: Story,
  settings?: BigQuerySettings,
  looking = settings,
): Promise<ProjectOn> => {
  const folder = mkdtempSync(join(tmpdir(), 'cdp-parity-'))
  const vendors = await story.vendors()
  await story.begin(folder)
  rewrite(join(folder, 'cdp.config.ts'), (text) => withWarehouses(text, settings))
  dateFiles(folder, story.days.slice(0, 1))
  const target = settings ? 'production' : 'local'
  const commands = { run: 0, sync: 0 }

  const options = async (command: 'run' | 'sync', day: 1 | 2): Promise<RunOptions> => {
    const { compiled, live } = await loadProject(folder, target)
    const instant = instantOf(story.days[day - 1], systemClock)
    commands[command] += 1
    return {
      project: compiled,
      openWarehouse: (mode) => openWarehouse(compiled.warehouse, { root: folder, mode, waitMs: 0, clock: systemClock }),
      live: async () => live,
      runId: `${instant.replaceAll(/[-:]/g, '')}-${command === 'run' ? 'a' : 'b'}${commands[command]}`,
      instant,
      clock: standing(Date.parse(instant)),
      signal: new AbortController().signal,
      emit: () => undefined,
      allow: new Set(),
      selected: undefined,
    }
  }

  return {
    folder,
    secondDay: async () => {
      await story.secondDay(folder)
      dateFiles(folder, story.days)
    },
    run: (day, more) =>
      withEnvironment(vendors.env, async () => {
        const result = await performRun({
          ...(await options('run', day)),
          fullRefresh: false,
          strict: false,
          tempDir: join(folder, '.cdp', 'tmp'),
          ...more,
        }).catch(retold)
        throwFirst(result.steps.map(({ step, error }) => [step, error]))
        return result
      }),
    sync: (day, more) =>
      withEnvironment(vendors.env, async () => {
        const result = await performSyncs({ ...(await options('sync', day)), ...more }).catch(retold)
        throwFirst(result.summaries.map(({ sync, error }) => [sync, error]))
        return result
      }),
    open: async () => {
      const warehouse = looking ? bigquery(looking) : duckdb({ path: database })
      return openWarehouse(warehouse, { root: folder, mode: 'read', waitMs: 0, clock: systemClock })
    },
    delivered: async () => ({ vendors: await vendors.holds(), files: await linesIn(join(folder, story.out)) }),
    whose: vendors.whose ?? ((id) => id),
    close: async () => {
      await vendors.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const rewrite = (file: string, change: (text: string) => string): void => {
  const before = readFileSync(file, 'utf8')
  const after = change(before)
  if (after !== before) writeFileSync(file, after)
}

// When a file was last written is kept by the ledger: by the day it came with.
const dateFiles = (folder: string, days: readonly string[]): void => {
  const times = days.map((day) => Date.parse(day))
  const time = new Date(times.at(-1) ?? 0)
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = join(folder, name)
    const found = statSync(file)
    if (/(?:^|\/)data\//.test(name) && found.isFile() && !times.includes(found.mtimeMs)) utimesSync(file, time, time)
  }
}

// The demo lives in the repository and imports its connectors as files.
const byPackage = (text: string): string =>
  text.replaceAll(/'\.{1,2}\/connectors\/(\w+)\.ts'/g, `'composable-cdp/connectors/$1'`)

const withWarehouses = (text: string, settings: BigQuerySettings | undefined): string => {
  const production = settings ? `production: bigquery(${JSON.stringify(settings)}),` : ''
  const changed = text
    .replace(
      /import \{[^}]*\} from 'composable-cdp'/,
      `import { bigquery, defineProject, duckdb, env } from 'composable-cdp'`,
    )
    .replace(
      /warehouses: \{[^]*?\},\n {2}sources:/,
      `warehouses: { local: duckdb({ path: '${database}' }), ${production} },\n  sources:`,
    )
  if (!changed.includes(database)) throw new Error('the warehouses of the project were not found')
  return changed
}

// Time passes only by being slept through.
const standing = (start: number): Clock => {
  let now = start
  return {
    now: () => now,
    sleep: async (ms, signal) => {
      const until = now + ms
      await systemClock.sleep(ms, signal)
      now = Math.max(now, until)
    },
  }
}

const withEnvironment = async <T>(env: Readonly<Record<string, string>>, work: () => Promise<T>): Promise<T> => {
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const)
  Object.assign(process.env, env)
  try {
    return await work()
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = value
    }
  }
}

// The story has all of it: the statement, what was said of it, and the way through our files.
const told = (prefix: string, thrown: unknown): Error => {
  const error = new Error(`${prefix}${storyOf(thrown)}`)
  error.stack = error.message
  return error
}

const retold = (thrown: unknown): never => {
  throw told('', thrown)
}

const throwFirst = (all: readonly (readonly [name: string, error: unknown])[]): void => {
  const failed = all.filter(([, error]) => error !== undefined)
  const [first] = failed
  if (!first) return
  const names = failed.map(([name]) => name).join(', ')
  throw told(`${names} failed. ${first[0]}: `, first[1])
}

const linesIn = async (folder: string): Promise<Readonly<Record<string, readonly string[]>>> => {
  const names = await readdir(folder).catch(() => [])
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  return Object.fromEntries(names.map((name, at) => [name, (texts[at] ?? '').split('\n')]))
}
