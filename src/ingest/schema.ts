// The recorded schema of a stream: the type of every landed column, kept in cdp.schemas as versions, the highest in force.
import type { ColumnType, Warehouse } from '../warehouse/warehouse.ts'
import { unfinishedLoad } from './changed-files.ts'
import type { NamedColumn } from './names.ts'
import { insertRows, textOrNull } from './sql.ts'
import { instantOf, stateTable } from '../warehouse/state-sql.ts'
import type { Format, TypeInForce } from './types.ts'

export interface RecordedColumn extends NamedColumn, TypeInForce {
  readonly position: number
  readonly declared: boolean
  readonly version: number
  /** What it was before, the newest first. */
  readonly history: readonly TypeInForce[]
  /** Decided by a load that has not ended: where columns are changed outside of its transaction it may have died between the two. */
  readonly unfinished: boolean
}

export const readSchema = async (warehouse: Warehouse, stream: string): Promise<RecordedColumn[]> => {
  const rows = await warehouse.all<{
    name: string
    original: string
    position: number
    type: ColumnType
    format: Format | null
    declared: boolean
    version: number
    load: string
  }>(
    `select column_name as name, original_name as original, position, type, format, declared, version, load_id as load
      from ${stateTable(warehouse, 'schemas')} where stream = ${warehouse.literal(stream)} order by position, version`,
  )
  const columns = new Map<string, RecordedColumn>()
  for (const { load, ...row } of rows) {
    const before = columns.get(row.name)
    columns.set(row.name, {
      ...row,
      format: row.format ?? undefined,
      history: before ? [{ type: before.type, format: before.format }, ...before.history] : [],
      unfinished: load === unfinishedLoad || before?.unfinished === true,
    })
  }
  return [...columns.values()]
}

/**
 * Adds versions; earlier ones stay, so that the history of a column can be read. Where columns cannot be changed in the load's transaction
 * this comes first and names no load: whoever finds the raw relation of another type knows by it what was on the way.
 */
export const writeSchema = (
  warehouse: Warehouse,
  stream: string,
  columns: readonly RecordedColumn[],
  load: { readonly id: string; readonly at: string },
): Promise<void> =>
  insertRows(
    warehouse,
    stateTable(warehouse, 'schemas'),
    [
      'stream',
      'column_name',
      'original_name',
      'position',
      'type',
      'format',
      'declared',
      'version',
      'load_id',
      'changed_at',
    ],
    columns,
    (column) => [
      warehouse.literal(stream),
      warehouse.literal(column.name),
      warehouse.literal(column.original),
      String(column.position),
      warehouse.literal(column.type),
      textOrNull(warehouse, column.format),
      String(column.declared),
      String(column.version),
      warehouse.literal(warehouse.supports.transactionalDdl ? load.id : unfinishedLoad),
      instantOf(warehouse, load.at),
    ],
  )

/** In the load's transaction: what was decided is what was landed. */
export const finishSchema = async (
  warehouse: Warehouse,
  stream: string,
  load: { readonly id: string; readonly at: string },
): Promise<void> => {
  if (warehouse.supports.transactionalDdl) return
  await warehouse.run(
    `update ${stateTable(warehouse, 'schemas')} set load_id = ${warehouse.literal(load.id)}, changed_at = ${instantOf(warehouse, load.at)}
      where stream = ${warehouse.literal(stream)} and load_id = ${warehouse.literal(unfinishedLoad)}`,
  )
}
