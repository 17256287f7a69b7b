// The way to BigQuery fails at every stage of a project, in every way it can, on the first day and on the second: what comes out is what
// DuckDB gives, and no statement runs twice.
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { systemClock, type Clock } from '../../src/core/clock.ts'
import { bigquery } from '../../src/warehouse/define-bigquery.ts'
import { openWarehouse, type Warehouse } from '../../src/warehouse/warehouse.ts'
import { audienceServer } from '../packed/packed.ts'
import { exceptions } from './exceptions.ts'
import { losing, nameOf, refusals, refusing, type Place, type Plan } from './fault-plan.ts'
import { describeBigQuery, differenceOf, freshProject, patience, relationsOf, rowsOf } from './harness.ts'
import { example, openProject, type ProjectOn, type Story } from './project.ts'
import { timesRun } from './proxy.ts'

const timeout = patience

// The example, with an incremental model, a customer who moved and one who got the money back, and so is no spender any more.
const story: Story = {
  ...example,
  begin: async (folder) => {
    await example.begin(folder)
    const header = 'kind: incremental\nkey: receipt_no\ncursor: paid_at\nlookback: 12d\npartition_by: paid_at'
    const select = 'select receipt_no, amount, paid_at from raw.till_receipts where paid_at is not null'
    writeFileSync(join(folder, 'models/payments.sql'), `/*\n${header}\n*/\n${select}\n`)
    appendFileSync(
      join(folder, 'day2/shop-customers-2.csv'),
      '3,  CHI@Example.com ,,"Lê, Chi",Vinh,2026-10-20T10:00:00Z,\n',
    )
    appendFileSync(join(folder, 'day2/till-2026-10b.csv'), 'R4,0909111222,Dung,0,2026-10-20T11:00:00Z\n')
  },
  // Also what was sent: nothing is delivered twice because a statement about it had to be.
  vendors: async () => {
    const server = await audienceServer('phone')
    return {
      env: { AUDIENCE_URL: server.url },
      holds: async () =>
        [
          ...[...server.holds].map(([key, record]) => `${key} ${JSON.stringify(record)}`),
          ...server.requests.flatMap(({ changes }) => changes.map(({ op, key }) => `${op} ${JSON.stringify(key)}`)),
        ].toSorted((a, b) => (a < b ? -1 : 1)),
      close: () => server.close(),
    }
  },
}

// Which places the stages have, over both days.
const model: readonly Place[] = ['query', 'change', 'table']
const transaction: readonly Place[] = ['in transaction', 'commit']
const places: Readonly<Record<string, readonly Place[]>> = {
  landing: ['query', 'change', 'table', 'load', ...transaction],
  identity: ['query', 'table', 'load', ...transaction],
  profile: [...model, ...transaction],
  table: model,
  incremental: ['query', 'table', 'copy', ...transaction],
  segment: ['query', 'table', 'copy', ...transaction],
  'file sync': [...model, 'load', ...transaction],
  'webhook sync': [...model, 'load', ...transaction],
}

const everyPlace = (faults: (place: Place) => readonly string[]): string[] =>
  Object.entries(places).flatMap(([stage, own]) =>
    own.flatMap((place) => faults(place).map((fault) => `${stage}: ${place}: ${fault}`)),
  )

// What is written once a run, and so another number of times where a run is repeated.
const ofRuns = /^cdp\.(?:runs|run_steps|loads|load_files|sync_runs|sync_log|segment_sizes|versions|syncs)$/

const withoutRuns = (line: string): string =>
  line.replaceAll(/\d{8}T\d{6}\.\d{3}Z-[ab]\d+/g, 'a run').replaceAll(/\bepoch=\d+/g, 'epoch')

interface State {
  readonly rows: ReadonlyMap<string, readonly string[]>
  /** What the vendor holds and was sent, and the files. */
  readonly delivered: unknown
}

const stateOf = async (project: ProjectOn): Promise<State> => {
  const warehouse = await project.open()
  const rows = new Map<string, readonly string[]>()
  try {
    for (const relation of await relationsOf(warehouse)) {
      rows.set(relation, await rowsOf(warehouse, relation, { except: exceptions[relation]?.columns ?? [] }))
    }
  } finally {
    await warehouse.close()
  }
  return { rows, delivered: await project.delivered() }
}

/** What differs, by relation. `repeated`: runs go by other names where there were more of them. */
const differences = (duck: State, other: State, repeated: boolean): Readonly<Record<string, unknown>> => {
  const found: Record<string, unknown> = {}
  const relations = differenceOf([...duck.rows.keys()], [...other.rows.keys()])
  if (relations.length > 0) found['relations'] = relations
  for (const [relation, ours] of duck.rows) {
    if (repeated && ofRuns.test(relation)) continue
    const theirs = other.rows.get(relation) ?? []
    const [left, right] = repeated ? [ours.map(withoutRuns), theirs.map(withoutRuns)] : [ours, theirs]
    const difference = differenceOf(left, right)
    if (difference.length > 0) found[relation] = difference
  }
  return found
}

// Waits between tries are the adapter's to choose, and shown elsewhere.
const impatient: Clock = { now: () => systemClock.now(), sleep: (ms, signal) => systemClock.sleep(ms / 500, signal) }

const runsOfDay = 15

/** Again until it goes well, when what went wrong is what was meant to: the number of failures. */
const again = async (work: () => Promise<unknown>): Promise<number> => {
  for (let failures = 0; ; failures++) {
    try {
      await work()
      return failures
    } catch (error) {
      if (failures === runsOfDay || !/the job was not completed|took effect is not known/.test(String(error)))
        throw error
    }
  }
}

await describeBigQuery('a project on BigQuery when the way to it fails', (emulator) => {
  const duck: State[] = []
  beforeAll(async () => {
    const project = await openProject(story)
    for (const day of [1, 2] as const) {
      if (day === 2) await project.secondDay()
      await project.run(day)
      await project.sync(day)
      duck.push(await stateOf(project))
    }
    await project.close()
  }, timeout)

  /** Both days while `plan` fails; `command` does a run or a sync. `repeated`: as often as it takes. */
  const live = async (
    plan: Plan,
    repeated: boolean,
    command: (work: () => Promise<unknown>) => Promise<void>,
  ): Promise<void> => {
    const judged = await freshProject(emulator)
    const project = await openProject(story, judged.settings)
    const more = {
      openWarehouse: (mode: 'read' | 'write'): Promise<Warehouse> =>
        openWarehouse(bigquery(judged.settings), { root: project.folder, mode, waitMs: 0, clock: impatient }),
    }
    try {
      for (const day of [1, 2] as const) {
        if (day === 2) await project.secondDay()
        const stop = judged.proxy.hook(plan.hook)
        await command(() => project.run(day, more))
        await command(() => project.sync(day, more))
        stop()
        plan.nextDay()
        const state = await stateOf(project)
        const wanted = duck[day - 1] ?? { rows: new Map(), delivered: '' }
        expect.soft(differences(wanted, state, repeated), `day ${day}`).toEqual({})
        expect.soft(state.delivered, `day ${day}`).toEqual(wanted.delivered)
      }
      const { steps } = await project.run(2, more)
      const { summaries } = await project.sync(2, more)
      expect(new Set([...steps, ...summaries].map(({ status }) => status))).toEqual(new Set(['unchanged']))
      expect([...timesRun(judged.proxy.seen)].filter(([, times]) => times > 1)).toEqual([])
      expect(judged.judge.refused()).toEqual([])
    } finally {
      await project.close()
      await judged.close()
    }
  }

  it('goes on through requests that are refused, cut off, torn or not answered', { timeout }, async () => {
    const plan = refusing()
    await live(plan, false, async (work) => void (await work()))
    const meant = everyPlace((place) => [...refusals, ...(place === 'load' ? [nameOf('torn')] : [])])
    expect(meant.filter((one) => !plan.met.has(one))).toEqual([])
  })

  it('comes to the same when jobs fail and steps are run again', { timeout }, async () => {
    const plan = losing()
    await live(plan, true, async (work) => expect(await again(work)).toBeGreaterThan(0))
    const meant = everyPlace((place) => ['job fails', ...(place === 'commit' ? ['unknown'] : [])])
    meant.push('webhook sync: begin: job fails', 'other: script: job fails')
    expect(meant.filter((one) => !plan.met.has(one))).toEqual([])
  })
})
