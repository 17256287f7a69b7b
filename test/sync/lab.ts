// A small project with one sync, a real DuckDB file and a destination that is a map in memory: what every test of the engine stands on.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, type Clock } from '../../src/core/clock.ts'
import type { RunEvent } from '../../src/core/events.ts'
import type { Json } from '../../src/core/json.ts'
import type { CompiledProject } from '../../src/project/compiled.ts'
import { performSyncs, planSyncs, type SyncOptions, type SyncResult, type SyncSummary } from '../../src/run/sync.ts'
import type { SyncPlan } from '../../src/sync/plan.ts'
import type {
  Change,
  Destination,
  Outcome,
  SnapshotContext,
  WriteContext,
  Writer,
  WriteResult,
} from '../../src/sync/destination.ts'
import { duckdb } from '../../src/warehouse/define-duckdb.ts'
import { syncOf, type SyncPart } from './sync-of.ts'
import { openWarehouse, type Row, type Warehouse } from '../../src/warehouse/warehouse.ts'

/** A clock that stands still but for sleeping, which takes no time. */
export const virtualClock = (start = '2026-11-01T00:00:00Z'): Clock & { advance(ms: number): void } => {
  let now = Date.parse(start)
  return {
    now: () => now,
    advance: (ms) => {
      now += ms
    },
    sleep: async (ms, signal) => {
      signal?.throwIfAborted()
      const until = now + ms
      await new Promise<void>((resolve) => setImmediate(resolve))
      signal?.throwIfAborted()
      now = Math.max(now, until)
    },
  }
}

export type { SyncPart } from './sync-of.ts'

/** What a destination does with a call; `undefined` means that it takes everything. */
export type Behaviour = (changes: readonly Change[], call: number) => WriteResult | Promise<WriteResult> | undefined

/** The destination: what it holds by key, and every call it got. */
export interface Memory {
  readonly held: Map<string, Record<string, Json>>
  readonly calls: (readonly Change[])[]
  readonly contexts: WriteContext[]
  readonly polls: { job: string; changes: readonly Change[] }[]
  /** Called before anything is taken; what it returns stands for the answer. Delivered outcomes are still taken. */
  behave: Behaviour
  poll: ((job: string, changes: readonly Change[]) => readonly Outcome[]) | undefined
  /** Thrown when it is opened. */
  refuse: Error | undefined
  replace: ((rows: Record<string, Json>[], context: SnapshotContext) => void) | undefined
}

/** The text of a key, as `held` has it: its values, joined. */
export const keyOf = (key: Readonly<Record<string, Json>>): string => Object.values(key).map(String).join('|')

/** A destination of state keeps fields that are not sent, as vendors do. */
export const take = (memory: Memory, change: Change): void => {
  const key = keyOf(change.key)
  if (change.operation === 'remove') memory.held.delete(key)
  else memory.held.set(key, { ...memory.held.get(key), ...(change.record as Record<string, Json>) })
}

const writerOf = (memory: Memory): Writer => ({
  write: async (changes, context) => {
    memory.calls.push(changes)
    memory.contexts.push(context)
    const answer = await memory.behave(changes, memory.calls.length)
    const outcomes: WriteResult = answer ?? changes.map(() => ({ status: 'delivered' }))
    if (Array.isArray(outcomes)) {
      const rows = outcomes as readonly Outcome[]
      for (const [at, change] of changes.entries()) if (rows[at]?.status === 'delivered') take(memory, change)
    }
    return outcomes
  },
  replace: async (rows, context) => {
    memory.calls.push([])
    const all: Record<string, Json>[] = []
    for await (const row of rows) all.push({ ...row })
    memory.replace?.(all, context)
    memory.held.clear()
    for (const row of all) {
      const [key = ''] = Object.values(row).map(String)
      memory.held.set(key, row)
    }
    return all.length
  },
  poll: async (job, changes) => {
    memory.polls.push({ job, changes })
    // Whoever scripts the polls says what arrives.
    if (memory.poll !== undefined) return memory.poll(job, changes)
    for (const change of changes) take(memory, change)
    return changes.map(() => ({ status: 'delivered' }))
  },
})

export interface Lab {
  readonly root: string
  readonly memory: Memory
  readonly clock: ReturnType<typeof virtualClock>
  readonly events: RunEvent[]
  /** Changes the sync; its state stays. */
  sync(part: SyncPart): void
  /** Gives a model these rows and a new version. */
  model(name: string, select: string | ((warehouse: Warehouse) => string)): Promise<void>
  people(rows: readonly Record<string, string | number | boolean | null>[]): Promise<void>
  run(options?: Partial<SyncOptions>): Promise<SyncSummary>
  runAll(options?: Partial<SyncOptions>): Promise<SyncResult>
  plan(options?: Partial<SyncOptions>): Promise<SyncPlan>
  query<T = Row>(sql: string): Promise<T[]>
  open(mode?: 'read' | 'write'): Promise<Warehouse>
  options(options?: Partial<SyncOptions>): SyncOptions
  close(): Promise<void>
}

export interface LabSettings {
  readonly consent?: string
  readonly freshnessMs?: number
  /** In a real file, opened and closed as a program does. */
  readonly file?: boolean
  /** One that is open, of any engine, in place of a DuckDB of its own; it stays open. */
  readonly warehouse?: Warehouse
  readonly live?: (memory: Memory) => Destination
}

type Cell = string | number | boolean | null

/** Rows as a SELECT that every engine reads; a column that has no value, or a text, is of texts. */
const selectOf = (
  warehouse: Warehouse,
  names: readonly string[],
  rows: readonly Readonly<Record<string, Cell>>[],
): string => {
  const isText = (name: string): boolean => rows.every((row) => typeof (row[name] ?? '') === 'string')
  const cell = (value: Cell, name: string): string => {
    const sql = typeof value === 'string' ? warehouse.literal(value) : String(value)
    return `${isText(name) ? `cast(${sql} as ${warehouse.typeName('text')})` : sql} as ${name}`
  }
  const selects = rows.map((row) => `select ${names.map((name) => cell(row[name] ?? null, name)).join(', ')}`)
  const none = `select ${names.map((name) => cell(null, name)).join(', ')}`
  return rows.length === 0 ? `select * from (${none}) as t where false` : selects.join(' union all ')
}

export const createLab = (part: SyncPart = {}, settings: LabSettings = {}): Lab => {
  const root = mkdtempSync(join(tmpdir(), 'cdp-sync-'))
  const path = settings.file === true ? 'lab.duckdb' : ':memory:'
  const definition = duckdb({ path, threads: 1 })
  const clock = virtualClock()
  const memory: Memory = {
    held: new Map(),
    calls: [],
    contexts: [],
    polls: [],
    behave: () => undefined,
    poll: undefined,
    refuse: undefined,
    replace: undefined,
  }
  const events: RunEvent[] = []
  let compiled = syncOf('vips', part)
  let runs = 0
  let versions = 0
  const openNow = (mode: 'read' | 'write'): Promise<Warehouse> =>
    openWarehouse(definition, { root, mode, waitMs: 0, clock: systemClock })
  // In memory there is one warehouse, and closing it means nothing until the end.
  let shared: Promise<Warehouse> | undefined
  const open = async (mode: 'read' | 'write' = 'write'): Promise<Warehouse> => {
    if (settings.file === true) return openNow(mode)
    if (settings.warehouse !== undefined) return { ...settings.warehouse, close: () => Promise.resolve() }
    return { ...(await (shared ??= openNow('write'))), close: () => Promise.resolve() }
  }
  const within = async <T>(work: (warehouse: Warehouse) => Promise<T>): Promise<T> => {
    const warehouse = await open()
    try {
      return await work(warehouse)
    } finally {
      await warehouse.close()
    }
  }
  const project = (): CompiledProject => ({
    madeBy: 'test',
    root,
    name: 'lab',
    region: 'VN',
    timeZone: 'UTC',
    target: 'local',
    warehouse: definition,
    streams: [],
    models:
      settings.freshnessMs === undefined
        ? []
        : [
            {
              name: settings.consent ?? 'people',
              file: 'm.sql',
              kind: 'view',
              description: '',
              owner: undefined,
              tags: [],
              header: {},
              sql: [],
              sqlLine: 1,
              sqlColumn: 1,
              reads: [],
              readsClock: false,
              refresh: 'run',
              tests: [],
              freshnessMs: settings.freshnessMs,
              fingerprint: 'm',
            },
          ],
    syncs: [compiled],
    consent: settings.consent,
    requirePurpose: false,
    schedule: {},
    inputs: [],
    warnings: [],
  })
  const options = (given: Partial<SyncOptions> = {}): SyncOptions => ({
    project: project(),
    openWarehouse: open,
    live: () =>
      Promise.resolve({
        pages: () => {
          throw new Error('no pages here')
        },
        destination: () =>
          settings.live?.(memory) ??
          ({
            ...compiled.destination,
            open: () => {
              if (memory.refuse !== undefined) throw memory.refuse
              return Promise.resolve(writerOf(memory))
            },
          } as unknown as Destination),
      }),
    runId: `run-${++runs}`,
    instant: new Date(clock.now()).toISOString(),
    clock,
    signal: new AbortController().signal,
    emit: (event) => events.push(event),
    allow: new Set(),
    selected: undefined,
    random: () => 0.5,
    ...given,
  })
  const runAll = (given?: Partial<SyncOptions>): Promise<SyncResult> => performSyncs(options(given))
  const lab: Lab = {
    root,
    memory,
    clock,
    events,
    sync: (next) => {
      compiled = syncOf('vips', next)
    },
    model: (name, select) =>
      within(async (warehouse) => {
        versions += 1
        const sql = typeof select === 'string' ? select : select(warehouse)
        await warehouse.run(`create or replace table ${warehouse.name({ schema: 'models', name })} as ${sql}`)
        const table = warehouse.name({ schema: 'cdp', name: 'versions' })
        await warehouse.run({ sql: `delete from ${table} where relation = $1`, parameters: [name] })
        await warehouse.run({
          sql: `insert into ${table} (relation, version, fingerprint, status, built_at) values ($1, $2, '', 'good', $3)`,
          parameters: [name, `v${versions}`, new Date(clock.now())],
        })
      }),
    people: (rows) => {
      const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
      const names = columns.length === 0 ? ['person_id', 'email', 'name'] : columns
      return lab.model('people', (warehouse) => selectOf(warehouse, names, rows))
    },
    runAll,
    run: async (given) => {
      const [summary] = (await runAll(given)).summaries
      if (summary === undefined) throw new Error('no summary')
      return summary
    },
    plan: async (given) => {
      const [plan] = await planSyncs(options(given))
      if (plan === undefined) throw new Error('no plan')
      return plan
    },
    query: (sql) => within((warehouse) => warehouse.all(sql)),
    open,
    options,
    close: async () => {
      await (await shared)?.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
  return lab
}

/** Rows `p1 … pn` with e-mail and name. */
export const persons = (count: number, from = 1): { person_id: string; email: string; name: string }[] =>
  Array.from({ length: count }, (_, at) => ({
    person_id: `p${from + at}`,
    email: `u${from + at}@x.vn`,
    name: `Name ${from + at}`,
  }))
