// cdp.quarantine: rows that could not be landed, with their text, where it came from, and why.
import type { Warehouse } from '../warehouse/warehouse.ts'
import { literal } from '../warehouse/duckdb/text.ts'
import type { Carrier, MergeColumn } from './carry.ts'
import type { Checked } from './check.ts'
import { instantOf, stateTable } from '../warehouse/state-sql.ts'
import type { Stage } from './stage.ts'

export interface QuarantineLoad {
  readonly id: string
  readonly stream: string
  /** ISO. */
  readonly at: string
}

const columns = [
  { name: 'quarantine_id', type: 'text' },
  { name: 'load_id', type: 'text' },
  { name: 'stream', type: 'text' },
  { name: 'file', type: 'text' },
  { name: 'record', type: 'integer' },
  { name: 'line', type: 'integer' },
  { name: 'column_name', type: 'text' },
  { name: 'reason', type: 'text' },
  { name: 'raw', type: 'text' },
  { name: 'fields', type: 'json' },
  { name: 'quarantined_at', type: 'timestamp' },
  { name: 'status', type: 'text' },
] as const satisfies readonly MergeColumn[]

/** A SELECT over the reader of what is to be kept: unreadable records, and rows that break a promise or have no key. */
export const quarantineSelect = async (stage: Stage, checked: Checked): Promise<string> => {
  const parts = [
    `select r._cdp_file, r.record, r.line, cast(null as varchar) as column_name, r.reason, r.raw from ${stage.rejected} r`,
  ]
  if (checked.bad !== undefined) {
    const located = await stage.locate(checked.bad)
    parts.push(
      `select s._cdp_file, l.record, l.line, b.column_name, b.reason, l.raw from ${checked.bad} b
        join ${stage.table} s on ${stage.row} = b._cdp_row join ${located} l on l._cdp_row = b._cdp_row`,
    )
  }
  return `select f.file, f.fields, q._cdp_file, q.record, q.line, q.column_name, q.reason, q.raw
    from (${parts.join(' union all ')}) q left join ${stage.files} f on f._cdp_file = q._cdp_file`
}

/** Brings the rows of a `quarantineSelect` to the warehouse; what is given adds them, within the load's transaction. */
export const prepareQuarantined = async (
  warehouse: Warehouse,
  carrier: Carrier,
  load: QuarantineLoad,
  select: string,
): Promise<() => Promise<void>> => {
  const id = literal(`${load.id}/${load.stream}/`)
  const names = columns.map(({ name }) => name)
  const source = await carrier.bring(
    'quarantine',
    columns,
    `select ${id} || row_number() over (order by _cdp_file, record) as quarantine_id, ${literal(load.id)} as load_id,
      ${literal(load.stream)} as stream, file, record, line, column_name, reason, coalesce(raw, '') as raw, fields,
      cast(${literal(load.at)} as timestamptz) as quarantined_at, 'open' as status from (${select})`,
  )
  const list = names.map((name) => warehouse.quote(name)).join(', ')
  return async () => {
    await warehouse.run(
      `insert into ${stateTable(warehouse, 'quarantine')} (${list}) select ${list} from ${source} as q`,
    )
  }
}

/** Closes what is open of a stream, or of some of its files: they were read again. Where nothing is, nothing is looked through. */
export const closeQuarantined = async (
  warehouse: Warehouse,
  load: QuarantineLoad,
  files: readonly string[] | 'all',
): Promise<void> => {
  const from = await openSince(warehouse, load.stream)
  if (from === undefined) return
  const which = (some: readonly string[]): string =>
    ` and file in (${some.map((file) => warehouse.literal(file)).join(', ')})`
  const close = async (condition: string): Promise<void> => {
    await warehouse.run(
      `update ${stateTable(warehouse, 'quarantine')} set status = 'closed', closed_at = ${instantOf(warehouse, load.at)},
        closed_by = ${warehouse.literal(load.id)}
        where stream = ${warehouse.literal(load.stream)} and status = 'open' and quarantined_at >= ${instantOf(warehouse, from)}${condition}`,
    )
  }
  if (files === 'all') return close('')
  for (let at = 0; at < files.length; at += 500) await close(which(files.slice(at, at + 500)))
}

// Since when a stream has open rows: an UPDATE is billed for whole rows, of every day that it is not kept from. Most streams never had any.
const openSince = async (warehouse: Warehouse, stream: string): Promise<string | undefined> => {
  const of = `where stream = ${warehouse.literal(stream)}`
  const [loads] = await warehouse.all<{ most: number | null }>(
    `select max(rows_quarantined) as most from ${stateTable(warehouse, 'loads')} ${of}`,
  )
  if ((loads?.most ?? 0) === 0) return undefined
  const [open] = await warehouse.all<{ since: string | null }>(
    `select min(quarantined_at) as since from ${stateTable(warehouse, 'quarantine')} ${of} and status = 'open'`,
  )
  return open?.since ?? undefined
}
