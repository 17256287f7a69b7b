// Folding: journal entries become rows of cdp.sync_log, and what they say becomes cdp.sync_rows, in one transaction. An entry is known
// by (sync, epoch, seq) and a watermark says how far they are in, so folding the same part again changes nothing.
import type { Warehouse } from '../warehouse/warehouse.ts'

export interface FoldFacts {
  readonly sync: string
  readonly epoch: number
  readonly isMessage: boolean
}

const readerColumns = `{k: 'VARCHAR', q: 'BIGINT', n: 'BIGINT', t: 'BIGINT', a: 'BIGINT', s: 'VARCHAR', r: 'VARCHAR', f: 'VARCHAR', j: 'VARCHAR', w: 'DOUBLE', p: 'VARCHAR', h: 'BIGINT'}`

/** A journal part as rows, in the reader's words. */
export const journalRows = (warehouse: Warehouse, paths: readonly string[]): string =>
  `read_json([${paths.map((path) => warehouse.literal(path)).join(', ')}], format = 'newline_delimited', columns = ${readerColumns})`

/** Minutes after which a rejected row is tried again: 15, 30, 60 … up to a day. */
const backoff = (attempts: string): string => `least(1440, 15 * power(2, least(${attempts}, 8) - 1))`

/** Folds finished parts of a journal, oldest first. */
export const foldParts = async (warehouse: Warehouse, facts: FoldFacts, paths: readonly string[]): Promise<void> => {
  for (const path of paths) {
    await warehouse.transaction(async () => {
      await stage(warehouse, facts, path)
      await apply(warehouse, facts)
    })
  }
}

const stage = async (warehouse: Warehouse, { sync, epoch }: FoldFacts, path: string): Promise<void> => {
  const [state] = await warehouse.all<{ folded_seq: number }>({
    sql: 'select folded_seq from cdp.syncs where sync = $1 and epoch = $2',
    parameters: [sync, epoch],
  })
  await warehouse.load(
    { schema: 'cdp', name: 'sync_journal' },
    [
      'sync',
      'epoch',
      'seq',
      'plan_seq',
      'event',
      'happened_at',
      'status',
      'reason',
      'attempt',
      'reference',
      'job',
      'wait_ms',
    ],
    `select ${warehouse.literal(sync)}, ${epoch}, q, n, case when k = 'i' then 'intent' else 'outcome' end, make_timestamptz(t * 1000),
       s, r, ${epoch} || '-' || a, f, j, cast(w as bigint)
     from ${journalRows(warehouse, [path])} where k in ('i', 'o') and q > ${state?.folded_seq ?? 0}`,
  )
}

/** Moves staged entries into the log and the ledger. The caller holds a transaction. */
export const apply = async (warehouse: Warehouse, facts: FoldFacts): Promise<void> => {
  const sync = warehouse.literal(facts.sync)
  const entries = `cdp.sync_journal j join cdp.sync_plan p on p.sync = j.sync and p.epoch = j.epoch and p.seq = j.plan_seq`
  await warehouse.run(
    `insert into cdp.sync_log (sync, epoch, seq, event, happened_at, key_hash, operation, change_id, row_hash, status, reason, attempt, detail)
     select j.sync, j.epoch, j.seq, j.event, j.happened_at, p.key_hash, p.operation, p.change_id, p.row_hash, j.status,
       coalesce(j.reason, case when j.status = 'delivered' then p.why end), j.attempt,
       case when coalesce(j.reference, j.job) is not null or j.wait_ms is not null
         then json_object('reference', j.reference, 'job', j.job, 'wait_ms', j.wait_ms) end
     from ${entries} where j.sync = ${sync}`,
  )
  await warehouse.run(mergeStatement(facts, sync, entries))
  await warehouse.run(
    `update cdp.syncs set folded_seq = greatest(folded_seq, coalesce((select max(seq) from cdp.sync_journal where sync = ${sync}), 0))
     where sync = ${sync} and epoch = ${facts.epoch}`,
  )
  await warehouse.run(`delete from cdp.sync_journal where sync = ${sync}`)
}

const lastOutcomes = (sync: string): string =>
  `select max(seq) from cdp.sync_journal where sync = ${sync} and event = 'outcome' group by plan_seq`

// Rejected and put-off attempts leave what is held as it was. After an attempt of which nobody knows the end, nobody knows what is
// there: the hashes go, so that whatever is wanted next is sent.
const mergeStatement = ({ isMessage }: FoldFacts, sync: string, entries: string): string => {
  const attempts = `case when o.status = 'delivered' then 0 when t.planned_hash is not distinct from o.row_hash and t.wanted = o.operation then t.attempts + 1 else 1 end`
  const next = (tries: string): string => `case o.status
    when 'rejected' then o.happened_at + to_minutes(cast(${backoff(tries)} as bigint))
    when 'retry' then o.happened_at + to_milliseconds(coalesce(o.wait_ms, 0))
    when 'pending' then o.happened_at + to_seconds(30)
    when 'unknown' then ${isMessage ? 'cast(null as timestamptz)' : 'o.happened_at'} end`
  const held = `o.status in ('delivered', 'unknown', 'pending')`
  const confirmed = (column: string): string =>
    `${column} = case when o.status = 'delivered' then o.${column} when ${held} then null else t.${column} end`
  return `merge into cdp.sync_rows as t
using (
  select p.*, j.status, j.reason, j.happened_at, j.reference, j.job, j.wait_ms, j.seq as log_seq
  from ${entries} where j.sync = ${sync} and j.seq in (${lastOutcomes(sync)})
) as o on t.sync = ${sync} and t.match = o.match
when matched and o.status = 'delivered' and o.operation = 'remove' then delete
when matched then update set
  status = o.status, wanted = o.operation, held = t.held or ${held},
  key = case when o.status = 'delivered' then o.key else t.key end,
  key_hash = case when o.status = 'delivered' then o.key_hash else t.key_hash end,
  ${confirmed('row_hash')}, ${confirmed('seen')}, ${confirmed('fields')},
  planned_hash = case when o.status <> 'delivered' then o.row_hash end,
  planned_fields = case when o.status = 'pending' then o.fields end,
  change_id = case when o.status <> 'delivered' then o.change_id end,
  reference = coalesce(o.reference, t.reference), attempts = ${attempts}, next_attempt_at = ${next(`(${attempts})`)},
  reason = o.reason, job = o.job, epoch = o.epoch, seq = o.log_seq,
  first_delivered_at = case when o.status = 'delivered' then coalesce(t.first_delivered_at, o.happened_at) else t.first_delivered_at end,
  last_delivered_at = case when o.status = 'delivered' then o.happened_at else t.last_delivered_at end,
  updated_at = o.happened_at
when not matched and (o.operation <> 'remove' or o.status <> 'delivered') then insert
  (sync, key_hash, key, match, wanted, status, held, row_hash, seen, fields, planned_hash, planned_fields, change_id, reference, attempts,
   next_attempt_at, reason, job, epoch, seq, first_delivered_at, last_delivered_at, updated_at)
values (o.sync, o.key_hash, o.key, o.match, o.operation, o.status, ${held},
  case when o.status = 'delivered' then o.row_hash end, case when o.status = 'delivered' then o.seen end,
  case when o.status = 'delivered' then o.fields end, case when o.status <> 'delivered' then o.row_hash end,
  case when o.status = 'pending' then o.fields end, case when o.status <> 'delivered' then o.change_id end, o.reference,
  case when o.status = 'delivered' then 0 else 1 end, ${next('1')}, o.reason, o.job, o.epoch, o.log_seq,
  case when o.status = 'delivered' then o.happened_at end, case when o.status = 'delivered' then o.happened_at end, o.happened_at)`
}
