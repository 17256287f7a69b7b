// The recorded schema of a stream: the type of every landed column, kept in cdp.schemas as versions, the highest in force.
import type { ColumnType, Warehouse } from '../warehouse/warehouse.ts'
import type { NamedColumn } from './names.ts'
import { insertRows, state, textOrNull, timestamp } from './sql.ts'
import type { Format, TypeInForce } from './types.ts'

export interface RecordedColumn extends NamedColumn, TypeInForce {
  readonly position: number
  readonly declared: boolean
  readonly version: number
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
  }>(
    `select column_name as name, original_name as original, position, type, format, declared, version
      from ${state(warehouse, 'schemas')} where stream = ${warehouse.literal(stream)} order by position, version`,
  )
  return [...new Map(rows.map((row) => [row.name, { ...row, format: row.format ?? undefined }])).values()]
}

/** Adds versions; earlier ones stay, so that the history of a column can be read. */
export const writeSchema = (
  warehouse: Warehouse,
  stream: string,
  columns: readonly RecordedColumn[],
  load: { readonly id: string; readonly at: string },
): Promise<void> =>
  insertRows(
    warehouse,
    state(warehouse, 'schemas'),
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
      warehouse.literal(load.id),
      timestamp(warehouse, load.at),
    ],
  )
