// cdp.quarantine: rows that could not be landed, with their text, where it came from, and why.
import type { Warehouse } from '../warehouse/warehouse.ts'
import { literal } from '../warehouse/duckdb/text.ts'
import type { Checked } from './check.ts'
import { state, timestamp } from './sql.ts'
import type { Stage } from './stage.ts'

export interface QuarantineLoad {
  readonly id: string
  readonly stream: string
  /** ISO. */
  readonly at: string
}

const columns = [
  'quarantine_id',
  'load_id',
  'stream',
  'file',
  'record',
  'line',
  'column_name',
  'reason',
  'raw',
  'fields',
  'quarantined_at',
  'status',
]

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

/** Adds the rows of a `quarantineSelect`. */
export const addQuarantined = (warehouse: Warehouse, load: QuarantineLoad, select: string): Promise<number> => {
  const id = literal(`${load.id}/${load.stream}/`)
  return warehouse.load(
    { schema: 'cdp', name: 'quarantine' },
    columns,
    `select ${id} || row_number() over (order by _cdp_file, record), ${literal(load.id)}, ${literal(load.stream)}, file, record, line,
      column_name, reason, coalesce(raw, ''), fields, cast(${literal(load.at)} as timestamptz), 'open' from (${select})`,
  )
}

/** Closes what is open of a stream, or of some of its files: they were read again. */
export const closeQuarantined = async (
  warehouse: Warehouse,
  load: QuarantineLoad,
  files: readonly string[] | 'all',
): Promise<void> => {
  const which = (some: readonly string[]): string =>
    ` and file in (${some.map((file) => warehouse.literal(file)).join(', ')})`
  const close = async (condition: string): Promise<void> => {
    await warehouse.run(
      `update ${state(warehouse, 'quarantine')} set status = 'closed', closed_at = ${timestamp(warehouse, load.at)},
        closed_by = ${warehouse.literal(load.id)}
        where stream = ${warehouse.literal(load.stream)} and status = 'open'${condition}`,
    )
  }
  if (files === 'all') return close('')
  for (let at = 0; at < files.length; at += 500) await close(which(files.slice(at, at + 500)))
}
