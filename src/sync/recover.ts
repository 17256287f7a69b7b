// What a dead owner left. Finished outcomes are folded as if it had lived; rows that were on their way count as unknown: where state is
// kept they are sent again or removed, and a message is never sent again by itself.
import type { Warehouse } from '../warehouse/warehouse.ts'
import { finishRun, type RunCounts } from './finish.ts'
import { apply, foldParts, journalRows, stagedList, stagedName } from './fold.ts'
import { cutTornTail, findJournals, removeFiles, type JournalFile } from './journal.ts'
import { instantOf, stateTable } from '../warehouse/state-sql.ts'
import { restoreJournal } from './mirror.ts'
import type { SyncPaths } from './paths.ts'
import type { Seam } from './seam.ts'
import { isMessage, type SyncSpec } from './spec.ts'
import type { SyncState } from './state.ts'

export interface RecoverFacts {
  readonly spec: SyncSpec
  readonly paths: SyncPaths
  /** ISO. */
  readonly now: string
  readonly seam: Seam
}

/** Whether anything is left of a run of this sync, by the ledger or by its files. */
export const hasLeftovers = async (state: SyncState | undefined, paths: SyncPaths): Promise<boolean> =>
  state?.is_open === true || (await findJournals(paths.journals)).length > 0

interface OpenRun {
  readonly epoch: number
  readonly run_id: string
  readonly started_at: string
}

const openRun = async (warehouse: Warehouse, sync: string): Promise<OpenRun | undefined> => {
  const [run] = await warehouse.all<OpenRun>({
    sql: `select epoch, run_id, started_at from ${stateTable(warehouse, 'sync_runs')} where sync = $1 and status = 'running'
      order by epoch desc limit 1`,
    parameters: [sync],
  })
  return run
}

const dayMs = 86_400_000

/** What the log says of a run. Its entries are not older than the run, by a clock that may have been set back since. */
const logOf = (warehouse: Warehouse, sync: string, { epoch, started_at }: OpenRun): string =>
  `${stateTable(warehouse, 'sync_log')} as g where g.sync = ${warehouse.literal(sync)} and g.epoch = ${epoch}
    and g.happened_at >= ${instantOf(warehouse, new Date(Date.parse(started_at) - dayMs).toISOString())}`

/** Settles what an earlier run left. The caller holds the sync's lease. Returns how many rows became unknown. */
export const recover = async (warehouse: Warehouse, { spec, paths, now, seam }: RecoverFacts): Promise<number> => {
  const run = await openRun(warehouse, spec.id)
  const journals = await journalsOf(warehouse, spec.id, run, paths.journals)
  let unknown = 0
  if (run !== undefined) {
    const { epoch } = run
    const facts = { sync: spec.id, epoch, isMessage: isMessage(spec) }
    const parts = journals.filter((journal) => journal.epoch === epoch)
    for (const { path } of parts) await cutTornTail(path)
    seam('commit')
    await foldParts(
      warehouse,
      facts,
      parts.map((journal) => journal.path),
    )
    unknown = await settleOpen(warehouse, spec, run, parts, now)
    await finishRun(warehouse, {
      sync: spec.id,
      epoch,
      now,
      status: 'interrupted',
      reason: 'its process ended before it had finished',
      counts: await countsOf(warehouse, spec.id, run),
      lookAgain: true,
    })
  }
  await removeFiles([...journals.map((journal) => journal.path), paths.spool], seam)
  return unknown
}

// Of a run that was not on this machine, what the warehouse has of its journal.
const journalsOf = async (
  warehouse: Warehouse,
  sync: string,
  run: OpenRun | undefined,
  folder: string,
): Promise<JournalFile[]> => {
  const journals = await findJournals(folder)
  if (run === undefined || journals.some((journal) => journal.epoch === run.epoch)) return journals
  const restored = await restoreJournal(warehouse, sync, run, folder)
  return restored === undefined ? journals : findJournals(folder)
}

/** Rows on their way when the process ended become unknown outcomes, in the log as any other. */
const settleOpen = async (
  warehouse: Warehouse,
  spec: SyncSpec,
  run: OpenRun,
  parts: readonly JournalFile[],
  now: string,
): Promise<number> => {
  const open = await openRows(warehouse, spec, run, parts)
  const sync = warehouse.literal(spec.id)
  const entries = stagedList(warehouse, {
    seq: `(select s.folded_seq from ${stateTable(warehouse, 'syncs')} as s where s.sync = ${sync}) + row_number() over (order by p.seq)`,
    plan_seq: 'p.seq',
    event: `'outcome'`,
    happened_at: instantOf(warehouse, now),
    status: `'unknown'`,
    reason: `'the process ended while this was on its way'`,
  })
  await warehouse.makeScratch(
    stagedName(spec.id),
    `as select ${entries} from ${stateTable(warehouse, 'sync_plan')} as p
     where p.sync = ${sync} and p.epoch = ${run.epoch} and p.action = 'send' and ${open}`,
  )
  const [staged] = await warehouse.all<{ n: number }>(
    `select count(*) as n from ${warehouse.name({ schema: 'scratch', name: stagedName(spec.id) })} as e`,
  )
  if (staged === undefined || staged.n === 0) return 0
  await apply(warehouse, { sync: spec.id, epoch: run.epoch, isMessage: isMessage(spec) })
  return staged.n
}

const openRows = async (
  warehouse: Warehouse,
  spec: SyncSpec,
  run: OpenRun,
  parts: readonly JournalFile[],
): Promise<string> => {
  const last = (event: string): string => `coalesce(max(case when g.event = '${event}' then g.seq end), 0)`
  const log = `select g.key_hash from ${logOf(warehouse, spec.id, run)}`
  const unsettled = `p.key_hash not in (${log} and g.event = 'outcome')`
  // Without its journal nobody knows what was sent: all of it may have been.
  if (parts.length === 0) return unsettled
  if (isMessage(spec)) return `p.key_hash in (${log} group by g.key_hash having ${last('intent')} > ${last('outcome')})`
  const marks = await warehouse.reader.all<{ k: string; p: string | null; h: number | null }>(
    `select k, p, max(h) as h from ${journalRows(
      warehouse,
      parts.map((journal) => journal.path),
    )} where k in ('w', 'e') group by k, p`,
  )
  if (marks.some((mark) => mark.k === 'e')) return 'false'
  const upTo = (phase: string): number => marks.find((mark) => mark.p === phase)?.h ?? 0
  return `p.seq <= case when p.operation = 'remove' then ${upTo('remove')} else ${upTo('write')} end and ${unsettled}`
}

/** What a run came to, from the log: the last outcome of each key. */
const countsOf = async (warehouse: Warehouse, sync: string, run: OpenRun): Promise<RunCounts> => {
  const rows = await warehouse.all<{ removes: boolean; status: string; n: number }>(
    `select o.operation = 'remove' as removes, o.status, count(*) as n from (
       select g.operation, g.status from ${logOf(warehouse, sync, run)} and g.event = 'outcome'
       qualify row_number() over (partition by g.key_hash order by g.seq desc) = 1) as o group by 1, 2`,
  )
  const of = (status: string, removes?: boolean): number =>
    rows.reduce(
      (total, row) =>
        row.status === status && (removes === undefined || row.removes === removes) ? total + row.n : total,
      0,
    )
  const [planned] = await warehouse.all<{ n: number; calls: number }>({
    sql: `select (select count(*) from ${stateTable(warehouse, 'sync_plan')} as p where p.sync = $1 and p.epoch = $2) as n,
            (select count(distinct g.attempt) from ${logOf(warehouse, sync, run)}) as calls`,
    parameters: [sync, run.epoch],
  })
  const settled = rows.reduce((total, row) => total + row.n, 0)
  return {
    deliveredUpserts: of('delivered', false),
    deliveredRemoves: of('delivered', true),
    rejected: of('rejected'),
    retrying: of('retry'),
    unknown: of('unknown'),
    pending: of('pending'),
    waiting: Math.max(0, (planned?.n ?? 0) - settled),
    calls: planned?.calls ?? 0,
  }
}
