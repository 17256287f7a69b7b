// Syncs on BigQuery as on DuckDB: the same rows of the same models give the same plans, the same changes to the destination, the same ledger
// and the same log, whatever happens on the way.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { CdpError } from '../../src/core/errors.ts'
import type { Change, Outcome } from '../../src/sync/destination.ts'
import type { SeamPoint } from '../../src/sync/seam.ts'
import type { SyncSummary } from '../../src/run/sync.ts'
import type { SyncPlan } from '../../src/sync/plan.ts'
import type { RelationName, Warehouse } from '../../src/warehouse/warehouse.ts'
import { createLab, type Lab, persons, type LabSettings, type SyncPart } from '../sync/lab.ts'
import { timesRun, type Seen } from './proxy.ts'
import { describeBigQuery, openBoth, patience, sameRows, storyOf, type Both } from './harness.ts'

const state = ['syncs', 'sync_runs', 'sync_rows', 'sync_log', 'sync_skipped', 'sync_plan'] as const

// What is an engine's own: its fast hashes, and in which order rows of one kind go out.
const except: Readonly<Partial<Record<(typeof state)[number], readonly string[]>>> = {
  syncs: ['hashing'],
  sync_rows: ['match', 'seen', 'seq'],
  sync_log: ['seq'],
  sync_plan: ['match', 'seen', 'seq'],
}

const cdp = (name: string): RelationName => ({ schema: 'cdp', name })

const emptied = async (warehouse: Warehouse): Promise<void> => {
  const names = [...state, 'sync_journal', 'versions', 'runs', 'run_steps']
  for (const name of names) await warehouse.run(`delete from ${warehouse.name(cdp(name))} where true`)
}

/** What a plan says, without the errors that it may hold. */
const said = ({ error: _, ...plan }: SyncPlan): unknown => plan

const told = ({ plan, error, seconds: _, ...summary }: SyncSummary): unknown => ({
  ...summary,
  plan: said(plan),
  error: error instanceof CdpError ? error.code : error,
})

const keyOf = ({ key, operation }: Change): string => JSON.stringify([operation, key])
const byKey = (changes: readonly Change[]): readonly string[] =>
  changes.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)).map((change) => JSON.stringify(change))

await describeBigQuery('syncs on BigQuery and on DuckDB', (emulator) => {
  let both: Both
  let duck: Lab
  let bigquery: Lab
  beforeAll(async () => {
    both = await openBoth(emulator)
  }, patience)
  afterAll(() => both.close())
  beforeEach(async () => {
    await emptied(both.duck)
    await emptied(both.bigquery)
  }, patience)
  afterEach(async () => {
    await duck.close()
    await bigquery.close()
  })

  const start = (part: SyncPart = {}, settings: LabSettings = {}): void => {
    const limits = { batch: 100, inFlight: 1 }
    const whole = { ...part, destination: { limits, ...part.destination } }
    duck = createLab(whole, { ...settings, warehouse: both.duck })
    bigquery = createLab(whole, { ...settings, warehouse: both.bigquery })
  }

  /** Does the same on both and compares what it gives. */
  const each = async <T>(work: (lab: Lab) => Promise<T>): Promise<T> => {
    const ours = await work(duck)
    const theirs = await work(bigquery).catch((thrown: unknown) => {
      throw new Error(storyOf(thrown), { cause: thrown })
    })
    expect(theirs).toEqual(ours)
    return ours
  }
  const people = async (rows: Parameters<Lab['people']>[0]): Promise<void> => {
    await duck.people(rows)
    await bigquery.people(rows)
  }
  const run = async (options: Parameters<Lab['run']>[0] = {}): Promise<SyncSummary> => {
    let summary: SyncSummary | undefined
    await each(async (lab) => {
      const before = lab.memory.calls.length
      const got = await lab.run(options)
      summary ??= got
      if (
        got.error !== undefined &&
        !(got.error instanceof CdpError && got.error.kind !== 'bug' && got.error.code !== 'QUERY_FAILED')
      )
        throw got.error
      return { told: told(got), calls: lab.memory.calls.slice(before).map(byKey), held: heldOf(lab) }
    })
    if (summary === undefined) throw new Error('nothing was told')
    return summary
  }
  const heldOf = ({ memory }: Lab): unknown =>
    [...memory.held].toSorted(([a], [b]) => (a < b ? -1 : 1)).map((entry) => JSON.stringify(entry))
  const advance = (minutes: number): void => {
    for (const lab of [duck, bigquery]) lab.clock.advance(minutes * 60_000)
  }
  const behave = (how: Lab['memory']['behave']): void => {
    for (const lab of [duck, bigquery]) lab.memory.behave = how
  }
  const sync = (part: SyncPart): void => {
    const whole = { ...part, destination: { limits: { batch: 100, inFlight: 1 }, ...part.destination } }
    for (const lab of [duck, bigquery]) lab.sync(whole)
  }
  const compare = async (): Promise<void> => {
    for (const name of state) {
      await sameRows(both.duck, both.bigquery, cdp(name), { except: except[name] ?? [] })
    }
  }
  const only = (email: string, outcome: Outcome): void =>
    behave((changes) => changes.map((change) => (change.key['email'] === email ? outcome : { status: 'delivered' })))

  it('first, changed, removed, and nothing to do', { timeout: patience }, async () => {
    start({ map: { name: 'name', id: 'person_id', tier: { value: { level: 'gold', since: 2026 } } } })
    await people(persons(5))
    await each(async (lab) => said(await lab.plan()))
    expect(await run()).toMatchObject({ delivered: 5 })
    await compare()
    expect(await run()).toMatchObject({ reason: 'nothing changed and nothing is due' })
    await people([
      ...persons(3),
      { person_id: 'p4', email: 'u4@x.vn', name: 'Đặng "Thùy" \\ \n/ Trâm' },
      ...persons(2, 7),
    ])
    expect(await run()).toMatchObject({ delivered: 3, removed: 1 })
    await compare()
    await people(persons(4))
    await run()
    // The rows changed, and nothing of what is sent.
    await people(persons(4).map((row) => ({ ...row, more: 1 })))
    expect(await run()).toMatchObject({ status: 'unchanged' })
    await compare()
  })

  it('keys that are none, and keys of several rows', { timeout: patience }, async () => {
    start({ map: { name: 'name' } })
    await people([
      ...persons(3),
      { person_id: 'a', email: null, name: 'no key' },
      { person_id: null, email: ' ', name: 'blank' },
      { person_id: 'b', email: 'u2@x.vn', name: 'again' },
      { person_id: 'c', email: 'd@x.vn', name: 'one' },
      { person_id: 'd', email: 'd@x.vn', name: 'two' },
    ])
    expect(await run()).toMatchObject({ skipped: 6, delivered: 2 })
    await compare()
    await people([...persons(4), { person_id: 'e', email: 'u1@x.vn', name: 'again' }])
    expect(await run()).toMatchObject({ skipped: 2, plan: { rows: { frozen: 1 } } })
    await compare()
  })

  it('nulls, fields to clear, and another map', { timeout: patience }, async () => {
    start({ map: { name: 'name', city: 'city' }, clear: ['city'] })
    await people(
      persons(3).map((row, at) => ({ ...row, name: at === 1 ? null : row.name, city: at === 2 ? null : 'Huế' })),
    )
    await run()
    await people(
      persons(3).map((row, at) => ({ ...row, name: at === 0 ? null : row.name, city: at === 1 ? null : 'Huế' })),
    )
    await run()
    await compare()
    sync({ map: { name: 'name' } })
    expect(await run()).toMatchObject({ sent: { upsert: 0 } })
    await compare()
    // Nothing is known of one but the key.
    await people([
      ...persons(3).map((row) => ({ ...row, city: 'Huế' })),
      { person_id: 'p4', email: 'u4@x.vn', name: null, city: null },
    ])
    await run()
    await compare()
    sync({ map: { name: 'name', town: 'city', 'odd "one"': 'person_id' } })
    await run()
    await compare()
    expect(await run()).toMatchObject({ reason: 'nothing changed and nothing is due' })
  })

  it('refusals, pauses and what comes back', { timeout: patience }, async () => {
    start()
    await people(persons(4))
    only('u2@x.vn', { status: 'rejected', reason: 'bad "mailbox"' })
    expect(await run()).toMatchObject({ delivered: 3, rejected: 1 })
    await compare()
    expect(await run()).toMatchObject({ requests: 0 })
    advance(16)
    expect(await run()).toMatchObject({ rejected: 1 })
    await compare()
    only('u3@x.vn', { status: 'retry', reason: 'locked', afterMs: 3_600_000 })
    await people(persons(4).map((row) => ({ ...row, name: `${row.name} x` })))
    expect(await run()).toMatchObject({ delivered: 3, retry: 1 })
    await compare()
    // What is there is wanted again.
    await people(persons(4).map((row) => (row.email === 'u3@x.vn' ? row : { ...row, name: `${row.name} x` })))
    expect(await run()).toMatchObject({ requests: 0 })
    await compare()
    only('u4@x.vn', { status: 'rejected', reason: 'gone' })
    await people([...persons(3), ...persons(1, 9)])
    await run()
    await compare()
    behave(() => undefined)
    expect(await run({ retryRejected: true })).toMatchObject({ removed: 1 })
    await compare()
  })

  it('jobs that end later', { timeout: patience }, async () => {
    start({ mode: 'mirror' })
    await people(persons(3))
    behave((changes) => changes.map(() => ({ status: 'pending', job: 'job/1' })))
    for (const lab of [duck, bigquery])
      lab.memory.poll = (_job, changes) => changes.map(() => ({ status: 'pending', job: 'job/1' }))
    expect(await run()).toMatchObject({ pending: 3 })
    await compare()
    behave(() => undefined)
    for (const lab of [duck, bigquery]) lab.memory.poll = undefined
    advance(10)
    expect(await run()).toMatchObject({ pending: 0 })
    await compare()
    await each(async (lab) =>
      lab.memory.polls
        .at(-1)
        ?.changes.map((change) => JSON.stringify(change.key))
        .toSorted(),
    )
  })

  it('consent', { timeout: patience }, async () => {
    start({ purpose: 'mail', guard: { allowEmpty: true } }, { consent: 'consent' })
    const consent = async (rows: Readonly<Record<string, boolean | null>>): Promise<void> => {
      const text = Object.entries(rows).map(
        ([person, granted]) =>
          (w: Warehouse) =>
            `select cast('${person}' as ${w.typeName('text')}) as person_id, 'mail' as purpose, cast(${granted} as ${w.typeName('boolean')}) as granted`,
      )
      for (const lab of [duck, bigquery])
        await lab.model('consent', (w) => text.map((one) => one(w)).join(' union all '))
    }
    await people(persons(5))
    await consent({ p1: true, p2: true, p3: false, p4: null })
    expect(await run()).toMatchObject({ delivered: 2, withheld: 3 })
    await compare()
    await consent({ p1: true, p2: false, p3: true })
    await people([...persons(5), { person_id: 'p2', email: 'u1@x.vn', name: 'shared' }])
    await run()
    await compare()
    await consent({ other: true })
    await run()
    await compare()
  })

  it('messages, and what nobody can say of them', { timeout: patience }, async () => {
    start({ mode: 'append', destination: { semantics: 'message' } })
    await people(persons(3))
    expect(await run()).toMatchObject({ status: 'guarded' })
    await compare()
    only('u2@x.vn', { status: 'unknown', reason: 'time-out' })
    expect(await run({ allow: new Set(['first-run']) })).toMatchObject({ delivered: 2, unknown: 1 })
    await compare()
    behave(() => undefined)
    await people(persons(4).map((row) => ({ ...row, name: 'other' })))
    expect(await run()).toMatchObject({ delivered: 1 })
    await compare()
  })

  it('a whole set at once', { timeout: patience }, async () => {
    start({ map: { name: 'name', city: 'city' }, destination: { takes: 'snapshot' } })
    const written: string[][] = [[], []]
    for (const [at, lab] of [duck, bigquery].entries())
      lab.memory.replace = (rows, context) => written[at]?.push(JSON.stringify([rows, context.fields]))
    const rows = persons(4).map((row, at) => ({ ...row, city: at === 2 ? null : 'Huế' }))
    await people(rows.toReversed())
    expect(await run()).toMatchObject({ written: true })
    await compare()
    await people(rows)
    expect(await run()).toMatchObject({ status: 'unchanged' })
    await people(rows.slice(1))
    await run()
    await compare()
    expect(written[1]).toEqual(written[0])
  })

  class Death extends Error {}

  /** Runs until the process dies at a point; the next run takes over. */
  const dies = async (point: SeamPoint, times: number): Promise<void> => {
    for (const lab of [duck, bigquery]) {
      let met = 0
      const seam = (at: SeamPoint): void => {
        if (at === point) met += 1
        if (met >= times) throw new Death()
      }
      const owners = { self: { host: 'here', pid: 1, began: '1' }, isAlive: () => false }
      await lab.run({ seam, owners }).then(
        (summary) => expect(summary.error).toBeDefined(),
        (error: unknown) => expect(error).toBeInstanceOf(Death),
      )
    }
  }

  it.each([
    ['before a call', 'call', 1],
    ['after the start was written', 'commit', 2],
    ['before the end is folded', 'commit', 3],
    ['after it was folded', 'commit', 4],
  ] as const)('a death %s', { timeout: patience }, async (_what, point, times) => {
    start()
    await people(persons(3))
    await run()
    await people([...persons(2), ...persons(2, 8)].map((row) => ({ ...row, name: `${row.name} x` })))
    await dies(point, times)
    const owners = { self: { host: 'here', pid: 2, began: '2' }, isAlive: () => false }
    await run({ owners })
    await compare()
    expect(heldOf(bigquery)).toEqual(heldOf(duck))
    expect([...duck.memory.held.keys()].toSorted()).toEqual(['u1@x.vn', 'u2@x.vn', 'u8@x.vn', 'u9@x.vn'])
  })

  it('a death among messages', { timeout: patience }, async () => {
    start({ mode: 'append', destination: { semantics: 'message', limits: { batch: 1, inFlight: 1 } }, guard: {} })
    await people(persons(1))
    await run({ allow: new Set(['first-run']) })
    await people(persons(4))
    await dies('answer', 2)
    const owners = { self: { host: 'here', pid: 2, began: '2' }, isAlive: () => false }
    await duck.run({ owners })
    await bigquery.run({ owners })
    for (const lab of [duck, bigquery]) {
      const emails = lab.memory.calls.flat().map((change) => change.key['email'])
      expect(new Set(emails).size).toBe(emails.length)
      expect(
        await lab.query(`select status, count(*) as n from cdp.sync_rows group by status order by status`),
      ).toEqual([
        { status: 'delivered', n: 3 },
        { status: 'unknown', n: 1 },
      ])
    }
  })

  it(
    'a death on a machine whose disk is gone, where the warehouse keeps the journal',
    { timeout: patience },
    async () => {
      start({ mode: 'append', destination: { semantics: 'message', limits: { batch: 1, inFlight: 1 } } })
      const keeping = {
        ...both.bigquery,
        supports: { ...both.bigquery.supports, journals: true },
        close: () => Promise.resolve(),
      }
      const openWarehouse = (): Promise<Warehouse> => Promise.resolve(keeping)
      await bigquery.people(persons(4))
      let answers = 0
      const dying = bigquery.run({
        openWarehouse,
        allow: new Set(['first-run']),
        owners: { self: { host: 'here', pid: 1, began: '1' }, isAlive: () => false },
        seam: (at) => {
          if (at === 'answer') answers += 1
          if (answers >= 2) throw new Death()
        },
      })
      await expect(dying).rejects.toBeInstanceOf(Death)
      rmSync(join(bigquery.root, '.cdp'), { recursive: true })
      const owners = { self: { host: 'there', pid: 2, began: '2' }, isAlive: () => false }
      await bigquery.run({ owners, openWarehouse })
      // Only the message that was on its way is in doubt.
      expect(bigquery.memory.calls.flat()).toHaveLength(4)
      expect(
        await bigquery.query(`select status, count(*) as n from cdp.sync_rows group by status order by status`),
      ).toEqual([
        { status: 'delivered', n: 3 },
        { status: 'unknown', n: 1 },
      ])
    },
  )

  it('requests that fail on the way', { timeout: patience }, async () => {
    const { proxy } = both
    const query =
      (pattern: RegExp) =>
      (seen: Seen): boolean =>
        pattern.test(seen.job?.query ?? '')
    start()
    await people(persons(3))
    proxy.clear()
    proxy.fail(query(/^create or replace table \S*plan/), { status: 429, reason: 'rateLimitExceeded' })
    proxy.fail(query(/^insert into \S*sync_plan/), 'lost')
    proxy.fail((seen) => seen.job?.load !== undefined, 'lost')
    proxy.fail(query(/^merge/), 'cut', 'lost')
    proxy.fail(query(/^insert into \S*sync_log/), { status: 503, reason: 'backendError' })
    expect(await run()).toMatchObject({ delivered: 3 })
    expect(proxy.unmet()).toBe(0)
    expect([...timesRun(proxy.seen)].filter(([, times]) => times > 1)).toEqual([])
    await compare()
  })

  it('a death between the ledger and the log', { timeout: patience }, async () => {
    start()
    await people(persons(3))
    only('u2@x.vn', { status: 'rejected', reason: 'bad mailbox' })
    both.proxy.fail((seen) => /^insert into \S*sync_log/.test(seen.job?.query ?? ''), {
      status: 400,
      reason: 'invalidQuery',
    })
    await duck.run()
    expect(await bigquery.run()).toMatchObject({ delivered: 2, error: { code: 'QUERY_FAILED' } })
    const counts = `select (select count(*) from cdp.sync_rows) as ledger, (select count(*) from cdp.sync_log) as log`
    expect(await bigquery.query(counts)).toEqual([{ ledger: 3, log: 0 }])
    await bigquery.run({ owners: { self: { host: 'here', pid: 2, began: '2' }, isAlive: () => false } })
    for (const name of ['sync_rows', 'sync_log'] as const) {
      await sameRows(both.duck, both.bigquery, cdp(name), { except: except[name] ?? [] })
    }
  })

  it('hashes of another version of the engine', { timeout: patience }, async () => {
    start({ key: { email: 'email', 'person id': 'person_id' } })
    await people(persons(3))
    await run()
    for (const warehouse of [both.duck, both.bigquery]) {
      await warehouse.run(`update ${warehouse.name(cdp('sync_rows'))} set match = match + 1, seen = 7 where true`)
      await warehouse.run(`update ${warehouse.name(cdp('syncs'))} set hashing = 'older' where true`)
    }
    await people(persons(4))
    expect(await run()).toMatchObject({ sent: { upsert: 1, remove: 0 } })
    await compare()
  })

  it('values of every type', { timeout: patience }, async () => {
    start({ map: { i: 'i', d: 'd', f: 'f', b: 'b', day: 'day', at: 'at', bytes: 'bytes', list: 'list' } })
    const select = (w: Warehouse): string => {
      const cast = (text: string, type: Parameters<Warehouse['typeName']>[0]): string =>
        `cast('${text}' as ${w.typeName(type)})`
      const columns = [
        `'a@x.vn' as email`,
        `${cast('9007199254740993', 'integer')} as i`,
        `${cast('1250.50', 'decimal(18,2)')} as d`,
        `${cast('0.1', 'double')} as f`,
        `true as b`,
        `${cast('2026-10-01', 'date')} as day`,
        `${cast('2026-10-01 08:00:00.25+00', 'timestamp')} as ${w.quote('at')}`,
        `cast('ab' as ${w.typeName('bytes')}) as bytes`,
        `['x', 'y "z"'] as list`,
      ]
      return `select ${columns.join(', ')}`
    }
    for (const lab of [duck, bigquery]) await lab.model('people', select)
    await run()
    expect(duck.memory.calls.flat()[0]?.record).toEqual({
      i: '9007199254740993',
      d: 1250.5,
      f: 0.1,
      b: true,
      day: '2026-10-01',
      at: '2026-10-01T08:00:00.25Z',
      bytes: 'YWI=',
      list: ['x', 'y "z"'],
    })
    await compare()
    for (const lab of [duck, bigquery]) await lab.model('people', (w) => `${select(w)}, 1 as more`)
    expect(await run()).toMatchObject({ status: 'unchanged' })
  })

  it('plans in a warehouse that is opened to read', { timeout: patience }, async () => {
    start()
    await people(persons(2))
    const reading = await both.reopen({ mode: 'read' })
    const openWarehouse = (): Promise<Warehouse> => Promise.resolve({ ...reading, close: () => Promise.resolve() })
    expect(said(await bigquery.plan({ openWarehouse }))).toEqual(said(await duck.plan()))
  })

  it('says nothing that is not GoogleSQL', () => {
    // How a session is ended is the service's own procedure, of which the analyzer does not know.
    expect(both.judge.refused().filter(({ statement }) => statement !== 'call BQ.ABORT_SESSION()')).toEqual([])
    expect(both.judge.accepted()).toBeGreaterThan(40)
  })
})
