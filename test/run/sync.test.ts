// Several syncs in one command: planned together, delivered side by side, one in trouble and the others not.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { CdpError } from '../../src/core/errors.ts'
import type { RunEvent } from '../../src/core/events.ts'
import type { CompiledProject, CompiledSync } from '../../src/project/compiled.ts'
import { performSyncs, planSyncs, selectedSyncs, type SyncOptions } from '../../src/run/sync.ts'
import type { Change, Destination } from '../../src/sync/destination.ts'
import { duckdb } from '../../src/warehouse/define-duckdb.ts'
import { openWarehouse, type Warehouse } from '../../src/warehouse/warehouse.ts'
import { syncOf } from '../sync/sync-of.ts'

let root: string
let opened: string[]
let statements: string[]
let loaded: number
let events: RunEvent[]
let behave: Record<string, (changes: readonly Change[]) => void | Promise<void>>
let got: Record<string, number>

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'cdp-run-sync-'))
  opened = []
  statements = []
  loaded = 0
  events = []
  behave = {}
  got = {}
  await people(5)
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const definition = duckdb({ path: 'syncs.duckdb', threads: 1 })
const open = (mode: 'read' | 'write'): Promise<Warehouse> =>
  openWarehouse(definition, { root, mode, waitMs: 2000, clock: systemClock })
const counted = async (mode: 'read' | 'write'): Promise<Warehouse> => {
  opened.push(mode)
  const warehouse = await open(mode)
  const note = (statement: string | { readonly sql: string }): void => {
    statements.push(typeof statement === 'string' ? statement : statement.sql)
  }
  return {
    ...warehouse,
    run: (statement) => {
      note(statement)
      return warehouse.run(statement)
    },
    all: (statement) => {
      note(statement)
      return warehouse.all(statement)
    },
  }
}
const sql = async <T>(text: string): Promise<T[]> => {
  const warehouse = await open('write')
  try {
    return await warehouse.all<T>(text)
  } finally {
    await warehouse.close()
  }
}
const people = async (count: number): Promise<void> => {
  await sql(`create or replace table main.people as
    select 'p' || i as person_id, 'u' || i || '@x.vn' as email, 'Name ' || i as name from range(1, ${count + 1}) r(i)`)
  await sql(`delete from cdp.versions`)
  await sql(
    `insert into cdp.versions (relation, version, fingerprint, status, built_at) values ('people', 'v${count}', '', 'good', now())`,
  )
}

const projectOf = (syncs: readonly CompiledSync[]): CompiledProject => ({
  madeBy: 'test',
  root,
  name: 'several',
  region: 'VN',
  timeZone: 'UTC',
  target: 'local',
  warehouse: definition,
  streams: [],
  models: [],
  syncs,
  consent: undefined,
  requirePurpose: false,
  schedule: {},
  inputs: [],
  warnings: [],
})

let runs = 0
const options = (syncs: readonly CompiledSync[], given: Partial<SyncOptions> = {}): SyncOptions => ({
  project: projectOf(syncs),
  openWarehouse: counted,
  live: () => {
    loaded += 1
    return Promise.resolve({
      pages: () => {
        throw new Error('no pages')
      },
      destination: (id) =>
        ({
          open: () =>
            Promise.resolve({
              write: async (changes: readonly Change[]) => {
                await behave[id]?.(changes)
                got[id] = (got[id] ?? 0) + changes.length
                return changes.map(() => ({ status: 'delivered' }))
              },
            }),
        }) as unknown as Destination,
    })
  },
  runId: `run-${++runs}`,
  instant: new Date().toISOString(),
  clock: systemClock,
  signal: new AbortController().signal,
  emit: (event) => events.push(event),
  allow: new Set(),
  selected: undefined,
  ...given,
})

const refuse = (): never => {
  throw new CdpError('DESTINATION_AUTH', { destination: 'memory', target: 'memory', reason: '401' })
}

describe('several syncs', () => {
  const three = ['a', 'b', 'c'].map((id) => syncOf(id))

  it('are planned in one opening of the warehouse and written down in another', async () => {
    const result = await performSyncs(options(three))
    expect(result.summaries.map(({ sync, status, delivered }) => [sync, status, delivered])).toEqual([
      ['a', 'done', 5],
      ['b', 'done', 5],
      ['c', 'done', 5],
    ])
    expect(result.exitKind).toBeUndefined()
    expect(opened).toEqual(['write', 'write'])
    expect(await sql('select command, status, exit_code from cdp.runs')).toEqual([
      { command: 'sync', status: 'done', exit_code: 0 },
    ])
    expect(await sql('select step, kind, status, rows, detail from cdp.run_steps order by step')).toEqual(
      ['a', 'b', 'c'].map((step) => ({ step, kind: 'sync', status: 'done', rows: 5, detail: '5 delivered' })),
    )
    expect(events.filter((event) => event.type === 'step-started')).toHaveLength(3)
    expect(events.filter((event) => event.type === 'step-finished')).toHaveLength(3)
  })

  it('with nothing to do cost two statements, and load no code of the project', async () => {
    await performSyncs(options(three))
    opened = []
    statements = []
    loaded = 0
    const result = await performSyncs(options(three))
    expect(result.summaries.map((summary) => [summary.status, summary.requests])).toEqual(
      three.map(() => ['unchanged', 0]),
    )
    expect(opened).toEqual(['write'])
    expect(statements).toHaveLength(2)
    expect(loaded).toBe(0)
    expect(await sql('select count(*) as n from cdp.runs')).toEqual([{ n: 1 }])
  })

  it('are delivered side by side: a slow destination does not hold up another', async () => {
    let release: () => void = () => undefined
    const waiting = new Promise<void>((resolve) => (release = resolve))
    behave['a'] = () => waiting
    behave['b'] = () => release()
    const result = await performSyncs(options(three.slice(0, 2)))
    expect(result.summaries.map((summary) => summary.status)).toEqual(['done', 'done'])
  })

  it('do not stop each other, and the worst of their troubles is the exit', async () => {
    behave['b'] = refuse
    const syncs = [
      three[0],
      three[1],
      syncOf('c', { map: { name: 'nmae' } }),
      syncOf('d', { guard: { maxAdditions: 1 } }),
    ]
    const result = await performSyncs(options(syncs.filter((sync) => sync !== undefined)))
    expect(result.summaries.map((summary) => [summary.sync, summary.status])).toEqual([
      ['a', 'done'],
      ['b', 'failed'],
      ['c', 'failed'],
      ['d', 'guarded'],
    ])
    expect(result.exitKind).toBe('auth')
    expect(got).toEqual({ a: 5 })
    expect(await sql('select status from cdp.run_steps order by step')).toEqual(
      ['done', 'failed', 'failed', 'failed'].map((status) => ({ status })),
    )
  })

  it('are chosen by name, in plans too', async () => {
    const selected = new Set(['b'])
    expect((await planSyncs(options(three, { selected }))).map((plan) => plan.sync)).toEqual(['b'])
    expect((await performSyncs(options(three, { selected }))).summaries.map((summary) => summary.sync)).toEqual(['b'])
    expect(selectedSyncs(projectOf(three), new Set(['nothing']))).toEqual([])
    expect(await performSyncs(options(three, { selected: new Set() }))).toMatchObject({
      summaries: [],
      exitKind: undefined,
    })
  })

  it('that are interrupted before they begin say so', async () => {
    const signal = AbortSignal.abort(new CdpError('INTERRUPTED', { what: 'by hand' }))
    expect(await performSyncs(options(three, { signal }))).toMatchObject({ summaries: [], exitKind: 'interrupted' })
    expect(got).toEqual({})
  })
})

describe('a plan', () => {
  it('reads only, and says what is planned, who is kept out and what it costs', async () => {
    const sync = syncOf('a', { destination: { limits: { batch: 2, inFlight: 1, rate: { calls: 1, perMs: 500 } } } })
    await sql(`insert into main.people values ('x', null, 'No key'), ('y', 'u1@x.vn', 'Twin')`)
    const [plan] = await planSyncs(options([sync]))
    expect(opened).toEqual(['read'])
    expect(plan).toMatchObject({
      sync: 'a',
      status: 'ready',
      calls: 2,
      leastMs: 500,
      rows: { source: 7, skipped: 3, eligible: 4, toSend: 4 },
      skipped: { 'null key': 1, 'duplicate key': 2 },
      samples: [{ operation: 'upsert', key: { email: 'u2@x.vn' }, record: { name: 'Name 2' } }],
    })
    expect(await sql('select count(*) as n from cdp.syncs')).toEqual([{ n: 0 }])
  })
})
