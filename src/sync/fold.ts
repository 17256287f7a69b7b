// Folding: what journal entries say becomes cdp.sync_rows, and they become rows of cdp.sync_log. An entry is known by (sync, epoch, seq):
// a row of the ledger knows the newest that it has taken in, and a watermark says how far the log is. So folding the same part again
// changes nothing, and a process may die between the two.
import type { ColumnType, Warehouse } from '../warehouse/warehouse.ts'
import { stateTable } from '../warehouse/state-sql.ts'

export interface FoldFacts {
  readonly sync: string
  readonly epoch: number
  readonly isMessage: boolean
}

const readerColumns = `{k: 'VARCHAR', q: 'BIGINT', n: 'BIGINT', t: 'BIGINT', a: 'BIGINT', s: 'VARCHAR', r: 'VARCHAR', f: 'VARCHAR', j: 'VARCHAR', w: 'DOUBLE', p: 'VARCHAR', h: 'BIGINT'}`

/** A journal part as rows, in the reader's words. */
export const journalRows = ({ reader }: Warehouse, paths: readonly string[]): string =>
  `read_json([${paths.map((path) => reader.literal(path)).join(', ')}], format = 'newline_delimited', columns = ${readerColumns})`

// Entries on their way into the log.
const stagedColumns = {
  seq: 'integer',
  plan_seq: 'integer',
  event: 'text',
  happened_at: 'timestamp',
  status: 'text',
  reason: 'text',
  attempt: 'text',
  reference: 'text',
  job: 'text',
  wait_ms: 'integer',
} as const satisfies Record<string, ColumnType>

export type StagedColumn = keyof typeof stagedColumns

/** The scratch relation of staged entries, which `apply` reads. */
export const stagedName = (sync: string): string => `journal of ${sync}`

/** Staged entries as a select list, from what is said of some columns, as SQL; the others are null. */
export const stagedList = (warehouse: Warehouse, said: Readonly<Partial<Record<StagedColumn, string>>>): string =>
  Object.entries(stagedColumns)
    .map(([name, type]) => `${said[name as StagedColumn] ?? `cast(null as ${warehouse.typeName(type)})`} as ${name}`)
    .join(', ')

/** Folds finished parts of a journal, oldest first. */
export const foldParts = async (warehouse: Warehouse, facts: FoldFacts, paths: readonly string[]): Promise<void> => {
  for (const path of paths) {
    if ((await stage(warehouse, facts, path)) > 0) await apply(warehouse, facts)
  }
}

const stage = async (warehouse: Warehouse, { sync, epoch }: FoldFacts, path: string): Promise<number> => {
  const [state] = await warehouse.all<{ folded_seq: number }>({
    sql: `select folded_seq from ${stateTable(warehouse, 'syncs')} where sync = $1 and epoch = $2`,
    parameters: [sync, epoch],
  })
  const columns = Object.entries(stagedColumns).map(([name, type]) => `${name} ${warehouse.typeName(type)}`)
  await warehouse.makeScratch(stagedName(sync), `(${columns.join(', ')})`)
  return warehouse.load(
    { schema: 'scratch', name: stagedName(sync) },
    Object.keys(stagedColumns),
    `select q as seq, n as plan_seq, case when k = 'i' then 'intent' else 'outcome' end as event, make_timestamptz(t * 1000) as happened_at,
       s as status, r as reason, ${epoch} || '-' || a as attempt, f as reference, j as job, cast(w as bigint) as wait_ms
     from ${journalRows(warehouse, [path])} where k in ('i', 'o') and q > ${state?.folded_seq ?? 0}`,
  )
}

/** Moves staged entries into the ledger, then into the log. Where it ended half-way, doing it again does the rest. */
export const apply = async (warehouse: Warehouse, facts: FoldFacts): Promise<void> => {
  const { json, values } = warehouse.dialect
  const sync = warehouse.literal(facts.sync)
  const staged = warehouse.name({ schema: 'scratch', name: stagedName(facts.sync) })
  const plan = `${stateTable(warehouse, 'sync_plan')} as p`
  const entries = `${staged} as e join ${plan} on p.seq = e.plan_seq and p.sync = ${sync} and p.epoch = ${facts.epoch}`
  const word = (column: string): string => `coalesce(${values.json(column, warehouse.typeName('text'))}, 'null')`
  const digits = `coalesce(cast(e.wait_ms as ${warehouse.typeName('text')}), 'null')`
  const detail = `'{"reference":' || ${word('e.reference')} || ',"job":' || ${word('e.job')} || ',"wait_ms":' || ${digits} || '}'`
  const syncs = stateTable(warehouse, 'syncs')
  await warehouse.run(mergeStatement(warehouse, facts, sync, staged, entries))
  await warehouse.transaction(async () => {
    await warehouse.run(
      `insert into ${stateTable(warehouse, 'sync_log')}
         (sync, epoch, seq, event, happened_at, key_hash, operation, change_id, row_hash, status, reason, attempt, detail)
       select p.sync, p.epoch, e.seq, e.event, e.happened_at, p.key_hash, p.operation, p.change_id, p.row_hash, e.status,
         coalesce(e.reason, case when e.status = 'delivered' then p.why end), e.attempt,
         case when coalesce(e.reference, e.job) is not null or e.wait_ms is not null then ${json.of(detail)} end
       from ${entries}`,
    )
    await warehouse.run(
      `update ${syncs} set folded_seq = greatest(folded_seq, coalesce((select max(e.seq) from ${staged} as e), 0))
       where sync = ${sync} and epoch = ${facts.epoch}`,
    )
  })
  await warehouse.dropScratch(stagedName(facts.sync))
}

/** Minutes after which a rejected row is tried again: 15, 30, 60 … up to a day. */
const backoff = (attempts: string): string => `least(1440, 15 * power(2, least(${attempts}, 8) - 1))`

// Rejected and put-off attempts leave what is held as it was. After an attempt of which nobody knows the end, nobody knows what is
// there: the hashes go, so that whatever is wanted next is sent.
const mergeStatement = (
  warehouse: Warehouse,
  { isMessage }: FoldFacts,
  sync: string,
  staged: string,
  entries: string,
): string => {
  const { dialect } = warehouse
  const [integer, timestamp] = [warehouse.typeName('integer'), warehouse.typeName('timestamp')]
  const attempts = `case when o.status = 'delivered' then 0 when t.planned_hash is not distinct from o.row_hash and t.wanted = o.operation then t.attempts + 1 else 1 end`
  const next = (tries: string): string => `case o.status
    when 'rejected' then ${dialect.later('o.happened_at', `cast(60000 * ${backoff(tries)} as ${integer})`)}
    when 'retry' then ${dialect.later('o.happened_at', 'coalesce(o.wait_ms, 0)')}
    when 'pending' then ${dialect.later('o.happened_at', '30000')}
    when 'unknown' then ${isMessage ? `cast(null as ${timestamp})` : 'o.happened_at'} end`
  const newer = '(t.epoch < o.epoch or (t.epoch = o.epoch and t.seq < o.log_seq))'
  const held = `o.status in ('delivered', 'unknown', 'pending')`
  const confirmed = (column: string): string =>
    `${column} = case when o.status = 'delivered' then o.${column} when ${held} then null else t.${column} end`
  return `merge into ${stateTable(warehouse, 'sync_rows')} as t
using (
  select p.sync, p.epoch, p.operation, p.key_hash, p.key, p.match, p.row_hash, p.seen, p.fields, p.change_id,
    e.status, e.reason, e.happened_at, e.reference, e.job, e.wait_ms, e.seq as log_seq
  from ${entries} where e.seq in (select max(last.seq) from ${staged} as last where last.event = 'outcome' group by last.plan_seq)
) as o on t.sync = ${sync} and t.match = o.match
when matched and ${newer} and o.status = 'delivered' and o.operation = 'remove' then delete
when matched and ${newer} then update set
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
