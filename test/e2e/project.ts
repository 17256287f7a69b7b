// A project in a folder of its own and the real program working on it: what the tests of whole commands share.
import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { systemClock } from '../../src/core/clock.ts'
import { duckdb } from '../../src/warehouse/define-duckdb.ts'
import { openWarehouse, type Row, type Warehouse } from '../../src/warehouse/warehouse.ts'
import { crashEnv, type Crash } from './crash.ts'

export const repository = new URL('../..', import.meta.url).pathname

// The build that `npm test` makes first, unless another one is named.
const built = process.env['CDP_TEST_DIST'] ?? join(repository, 'dist')
export const program = join(built, 'src/cli/main.js')

/** Milliseconds for a test of processes: a busy machine may take ten times what an idle one does. */
export const patience = 180_000

export interface Ran {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** Its stdout as NDJSON. */
  readonly rows: readonly Readonly<Record<string, unknown>>[]
}

export interface Running {
  readonly pid: number
  readonly ended: Promise<Ran>
  kill(signal: NodeJS.Signals): void
  /** Resolves with the match when what it wrote so far, on either stream, matches; rejects when it ends first. */
  said(pattern: RegExp): Promise<RegExpExecArray>
  /** Closes our end of a stream of its. */
  hangUp(stream?: 'stdout' | 'stderr'): void
}

export interface RunSettings {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Where the process is to die. */
  readonly crash?: Crash
}

export interface Project {
  readonly folder: string
  write(file: string, text: string): void
  text(file: string): string
  has(file: string): boolean
  remove(file: string): void
  /** `cdp …` to its end. */
  cdp(args: readonly string[], settings?: RunSettings): Promise<Ran>
  /** `cdp …`, which must exit 0. */
  must(args: readonly string[], settings?: RunSettings): Promise<Ran>
  /** `cdp …`, to be watched or killed. */
  start(args: readonly string[], settings?: RunSettings): Running
  /** Reads its warehouse, from this process. */
  read<T>(work: (warehouse: Warehouse) => Promise<T>): Promise<T>
  all<T = Row>(sql: string): Promise<T[]>
}

const folders: string[] = []
const running = new Set<ChildProcess>()

/** Ends processes and removes folders; for afterEach or afterAll. */
export const cleanUp = async (): Promise<void> => {
  await Promise.all(
    [...running].map(
      (child) =>
        new Promise<void>((done) => {
          child.once('close', () => done())
          child.kill('SIGKILL')
        }),
    ),
  )
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

export const emptyFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'cdp-e2e-'))
  folders.push(folder)
  return folder
}

const rowsOf = (stdout: string): Ran['rows'] => {
  try {
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
  } catch {
    return []
  }
}

const startProgram = (args: readonly string[], cwd: string, settings: RunSettings): Running => {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: settings.cwd ?? cwd,
    env: { ...process.env, ...settings.env, ...(settings.crash ? crashEnv(settings.crash) : {}) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let stdout = ''
  let stderr = ''
  let over = false
  const watchers = new Set<() => void>()
  const look = (): void => {
    for (const watch of watchers) watch()
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    look()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    look()
  })
  const ended = new Promise<Ran>((done) => {
    child.once('close', (code, signal) => {
      running.delete(child)
      over = true
      done({ code, signal, stdout, stderr, rows: rowsOf(stdout) })
      look()
    })
  })
  return {
    pid: child.pid ?? 0,
    ended,
    kill: (signal) => void child.kill(signal),
    said: (pattern) =>
      new Promise((done, fail) => {
        const watch = (): void => {
          const found = pattern.exec(stdout) ?? pattern.exec(stderr)
          if (found) done(found)
          else if (over) fail(new Error(`it ended without saying ${String(pattern)}: ${stderr}${stdout}`))
          else return
          watchers.delete(watch)
        }
        watchers.add(watch)
        watch()
      }),
    hangUp: (stream = 'stdout') => void child[stream].destroy(),
  }
}

const projectAt = (folder: string): Project => {
  const at = (file: string): string => join(folder, file)
  const read: Project['read'] = async (work) => {
    const path = at('.cdp/test.duckdb')
    const options = { root: folder, mode: 'read', waitMs: 10_000, clock: systemClock } as const
    const warehouse = await openWarehouse(duckdb({ path }), options)
    try {
      return await work(warehouse)
    } finally {
      await warehouse.close()
    }
  }
  const start: Project['start'] = (args, settings = {}) => startProgram(args, folder, settings)
  return {
    folder,
    write: (file, text) => {
      mkdirSync(dirname(at(file)), { recursive: true })
      writeFileSync(at(file), text)
    },
    text: (file) => readFileSync(at(file), 'utf8'),
    has: (file) => existsSync(at(file)),
    remove: (file) => rmSync(at(file), { recursive: true }),
    start,
    cdp: (args, settings) => start(args, settings).ended,
    must: async (args, settings) => {
      const ran = await start(args, settings).ended
      if (ran.code !== 0) throw new Error(`cdp ${args.join(' ')} ended with ${ran.code ?? ran.signal}: ${ran.stderr}`)
      return ran
    },
    read,
    all: (sql) => read((warehouse) => warehouse.all(sql)),
  }
}

/** A project written from texts. Its warehouse must be `.cdp/test.duckdb` for `all` to find it. */
export const projectOf = (files: Readonly<Record<string, string>>): Project => {
  const project = projectAt(emptyFolder())
  for (const [file, text] of Object.entries(files)) project.write(file, text)
  return project
}

/** A copy of a project's folder. */
export const projectFrom = (folder: string): Project => {
  const project = projectAt(emptyFolder())
  cpSync(folder, project.folder, { recursive: true })
  return project
}
