// What a dead owner left. Finished outcomes are folded as if it had lived; rows that were on their way count as unknown: where state is
// kept they are sent again or removed, and a message is never sent again by itself.
import type { Warehouse } from '../warehouse/warehouse.ts'
import { finishRun, type RunCounts } from './finish.ts'
import { apply, foldParts, journalRows } from './fold.ts'
import { cutTornTail, findJournals, removeFiles, type JournalFile } from './journal.ts'
import type { SyncPaths } from './paths.ts'
import type { Seam } from './seam.ts'
import { isMessage, type SyncSpec } from './spec.ts'

export interface RecoverFacts {
  readonly spec: SyncSpec
  readonly paths: SyncPaths
  /** ISO. */
  readonly now: string
  readonly seam: Seam
}

/** Whether anything is left of a run of this sync, by its files or in the ledger. */
export const hasLeftovers = async (warehouse: Warehouse, sync: string, paths: SyncPaths): Promise<boolean> =>
  (await openRun(warehouse, sync)) !== undefined || (await findJournals(paths.journals)).length > 0

const openRun = async (warehouse: Warehouse, sync: string): Promise<number | undefined> => {
  const [run] = await warehouse.all<{ epoch: number }>({
    sql: `select epoch from cdp.sync_runs where sync = $1 and status = 'running' order by epoch desc limit 1`,
    parameters: [sync],
  })
  return run?.epoch
}

/** Settles what an earlier run left. The caller holds the sync's lease. Returns how many rows became unknown. */
export const recover = async (warehouse: Warehouse, { spec, paths, now, seam }: RecoverFacts): Promise<number> => {
  const epoch = await openRun(warehouse, spec.id)
  const journals = await findJournals(paths.journals)
  let unknown = 0
  if (epoch !== undefined) {
    const facts = { sync: spec.id, epoch, isMessage: isMessage(spec) }
    const parts = journals.filter((journal) => journal.epoch === epoch)
    for (const { path } of parts) await cutTornTail(path)
    seam('commit')
    await foldParts(
      warehouse,
      facts,
      parts.map((journal) => journal.path),
    )
    unknown = await settleOpen(warehouse, spec, epoch, parts, now)
    await finishRun(warehouse, {
      sync: spec.id,
      epoch,
      now,
      status: 'interrupted',
      reason: 'its process ended before it had finished',
      counts: await countsOf(warehouse, spec.id, epoch),
      lookAgain: true,
    })
  }
  await removeFiles([...journals.map((journal) => journal.path), paths.spool], seam)
  return unknown
}

/** Rows on their way when the process ended become unknown outcomes, in the log as any other. */
const settleOpen = async (
  warehouse: Warehouse,
  spec: SyncSpec,
  epoch: number,
  parts: readonly JournalFile[],
  now: string,
): Promise<number> => {
  const open = await openRows(warehouse, spec, epoch, parts)
  const sync = warehouse.literal(spec.id)
  return warehouse.transaction(async () => {
    const { changed } = await warehouse.run(
      `insert into cdp.sync_journal (sync, epoch, seq, plan_seq, event, happened_at, status, reason)
       select sync, epoch, (select folded_seq from cdp.syncs where sync = ${sync}) + row_number() over (order by seq), seq, 'outcome',
         cast('${now}' as timestamptz), 'unknown', 'the process ended while this was on its way'
       from cdp.sync_plan where sync = ${sync} and epoch = ${epoch} and action = 'send' and ${open}`,
    )
    await apply(warehouse, { sync: spec.id, epoch, isMessage: isMessage(spec) })
    return changed
  })
}

const openRows = async (
  warehouse: Warehouse,
  spec: SyncSpec,
  epoch: number,
  parts: readonly JournalFile[],
): Promise<string> => {
  const last = (event: string): string => `coalesce(max(seq) filter (event = '${event}'), 0)`
  const log = `select key_hash from cdp.sync_log where sync = ${warehouse.literal(spec.id)} and epoch = ${epoch}`
  const unsettled = `key_hash not in (${log} and event = 'outcome')`
  // Without its journal nobody knows what was sent: all of it may have been.
  if (parts.length === 0) return unsettled
  if (isMessage(spec)) return `key_hash in (${log} group by key_hash having ${last('intent')} > ${last('outcome')})`
  const marks = await warehouse.reader.all<{ k: string; p: string | null; h: number | null }>(
    `select k, p, max(h) as h from ${journalRows(
      warehouse,
      parts.map((journal) => journal.path),
    )} where k in ('w', 'e') group by k, p`,
  )
  if (marks.some((mark) => mark.k === 'e')) return 'false'
  const upTo = (phase: string): number => marks.find((mark) => mark.p === phase)?.h ?? 0
  return `seq <= case when operation = 'remove' then ${upTo('remove')} else ${upTo('write')} end and ${unsettled}`
}

/** What a run came to, from the log: the last outcome of each key. */
const countsOf = async (warehouse: Warehouse, sync: string, epoch: number): Promise<RunCounts> => {
  const rows = await warehouse.all<{ removes: boolean; status: string; n: number }>({
    sql: `select operation = 'remove' as removes, status, count(*) as n from (
            select operation, status from cdp.sync_log where sync = $1 and epoch = $2 and event = 'outcome'
            qualify row_number() over (partition by key_hash order by seq desc) = 1) group by 1, 2`,
    parameters: [sync, epoch],
  })
  const of = (status: string, removes?: boolean): number =>
    rows.reduce(
      (total, row) =>
        row.status === status && (removes === undefined || row.removes === removes) ? total + row.n : total,
      0,
    )
  const [planned] = await warehouse.all<{ n: number; calls: number }>({
    sql: `select (select count(*) from cdp.sync_plan where sync = $1 and epoch = $2) as n,
            (select count(distinct attempt) from cdp.sync_log where sync = $1 and epoch = $2) as calls`,
    parameters: [sync, epoch],
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
