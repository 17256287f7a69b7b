// `cdp status`: the last run, what is wrong, and where every sync stands, each read from the engine's own state.
import { kysely } from '../warehouse/kysely.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'

export interface RunStatus {
  readonly run: string
  readonly command: string
  readonly status: string
  readonly started_at: string
  readonly finished_at: string | null
  readonly exit_code: number | null
}

/** The newest run of each command, newest first. */
export const lastRuns = (warehouse: Warehouse): Promise<RunStatus[]> =>
  kysely(warehouse)
    .selectFrom('cdp.runs as r')
    .select(['r.run_id as run', 'r.command', 'r.status', 'r.started_at', 'r.finished_at', 'r.exit_code'])
    .where((of) =>
      of.eb(
        'r.run_id',
        'in',
        of
          .selectFrom('cdp.runs as n')
          .select(({ fn }) => fn.max('n.run_id').as('newest'))
          .groupBy('n.command'),
      ),
    )
    .orderBy('r.run_id', 'desc')
    .execute()

export interface WrongStatus {
  readonly what: 'model' | 'stream' | 'quarantine'
  readonly name: string
  readonly detail: string
}

/** What needs somebody: failed models and loads, open quarantine rows. */
export const wrongNow = async (warehouse: Warehouse): Promise<WrongStatus[]> => {
  const db = kysely(warehouse)
  // Joined to the newest, because a subquery that looks back at the row outside of it is not taken everywhere.
  const models = await db
    .selectFrom('cdp.versions as v')
    .leftJoin(
      (of) =>
        of
          .selectFrom('cdp.run_steps as n')
          .select(({ fn }) => ['n.step as newest_of', fn.max('n.run_id').as('newest')])
          .groupBy('n.step')
          .as('l'),
      (join) => join.onRef('l.newest_of', '=', 'v.relation'),
    )
    .leftJoin('cdp.run_steps as s', (join) =>
      join.onRef('s.step', '=', 'l.newest_of').onRef('s.run_id', '=', 'l.newest'),
    )
    .select(['v.relation as name', 's.detail'])
    .where('v.status', '=', 'failed')
    .orderBy('v.relation')
    .execute()
  const loads = await db
    .selectFrom('cdp.loads as l')
    .innerJoin(
      (of) =>
        of
          .selectFrom('cdp.loads as o')
          .select(({ fn }) => ['o.stream as newest_of', fn.max('o.load_id').as('newest')])
          .groupBy('o.stream')
          .as('n'),
      (join) => join.onRef('n.newest_of', '=', 'l.stream').onRef('n.newest', '=', 'l.load_id'),
    )
    .select(['l.stream as name', 'l.error as detail'])
    .where('l.status', '=', 'failed')
    .orderBy('l.stream')
    .execute()
  const quarantine = await db
    .selectFrom('cdp.quarantine')
    .select(({ fn }) => ['stream as name', fn.countAll<number>().as('rows'), fn.min('reason').as('first')])
    .where('status', '=', 'open')
    .groupBy('stream')
    .orderBy('stream')
    .execute()
  return [
    ...models.map(({ name, detail }) => ({ what: 'model' as const, name, detail: detail ?? 'failed' })),
    ...loads.map(({ name, detail }) => ({ what: 'stream' as const, name, detail: detail ?? 'failed' })),
    ...quarantine.map(({ name, rows, first }) => ({
      what: 'quarantine' as const,
      name,
      detail: `${rows} open row${rows === 1 ? '' : 's'}, among them: ${first}`,
    })),
  ]
}

export interface SyncState {
  readonly sync: string
  readonly last: string | null
  readonly at: string | null
  readonly in_sync: number
  readonly rejected: number
  readonly retry: number
  readonly unknown: number
  readonly pending: number
  readonly skipped: number
  /** The most frequent reason of rows that are not delivered. */
  readonly top_reason: string | null
  readonly due_at: string | null
}

/** Where every sync stands, those gone from the project but with members at their destination among them. */
export const syncStates = async (warehouse: Warehouse): Promise<SyncState[]> => {
  const db = kysely(warehouse)
  const syncs = await db
    .selectFrom('cdp.syncs as s')
    .leftJoin('cdp.sync_runs as r', (join) => join.onRef('r.sync', '=', 's.sync').onRef('r.epoch', '=', 's.epoch'))
    .select(['s.sync', 's.due_at', 'r.status as last', 'r.started_at', 'r.finished_at'])
    .orderBy('s.sync')
    .execute()
  const rows = await db
    .selectFrom('cdp.sync_rows')
    .select(({ fn }) => ['sync', 'status', 'reason', fn.countAll<number>().as('rows')])
    .groupBy(['sync', 'status', 'reason'])
    .execute()
  const skipped = await db
    .selectFrom('cdp.sync_skipped')
    .select(({ fn }) => ['sync', fn.countAll<number>().as('rows')])
    .groupBy('sync')
    .execute()
  return syncs.map(({ sync, due_at, last, started_at, finished_at }) => {
    const own = rows.filter((row) => row.sync === sync)
    const count = (status: string): number =>
      own.filter((row) => row.status === status).reduce((sum, row) => sum + row.rows, 0)
    const reasons = own.filter((row) => row.status !== 'delivered' && row.reason !== null)
    return {
      sync,
      last,
      at: finished_at ?? started_at,
      in_sync: count('delivered'),
      rejected: count('rejected'),
      retry: count('retry'),
      unknown: count('unknown'),
      pending: count('pending'),
      skipped: skipped.find((row) => row.sync === sync)?.rows ?? 0,
      top_reason: reasons.toSorted((a, b) => b.rows - a.rows)[0]?.reason ?? null,
      due_at,
    }
  })
}
