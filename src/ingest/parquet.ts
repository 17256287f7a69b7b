// Parquet files into a staged relation: the file's own types, brought to the portable ones.
import type { ColumnType } from '../warehouse/warehouse.ts'
import { literal, quote } from '../warehouse/duckdb/text.ts'
import type { TextInput } from './json/lines.ts'
import { nameColumns, type NamedColumn } from './names.ts'
import { createFiles, createRejected, type Stage, type StageColumn, type Work } from './stage.ts'
import { readerType } from './types.ts'
import { unreadable } from './unreadable.ts'

const exact: Readonly<Record<string, ColumnType>> = {
  BOOLEAN: 'boolean',
  TINYINT: 'integer',
  SMALLINT: 'integer',
  INTEGER: 'integer',
  BIGINT: 'integer',
  UTINYINT: 'integer',
  USMALLINT: 'integer',
  UINTEGER: 'integer',
  UBIGINT: 'decimal(38,0)',
  HUGEINT: 'decimal(38,0)',
  FLOAT: 'double',
  DOUBLE: 'double',
  DATE: 'date',
  BLOB: 'bytes',
  JSON: 'json',
}

/** The portable type of an engine's type, and an expression that brings a column to it. A timestamp without zone is read in `timeZone`. */
export const portable = (engineType: string, column: string, timeZone: string): { type: ColumnType; sql: string } => {
  const found = exact[engineType]
  if (found) return { type: found, sql: `cast(${column} as ${readerType(found)})` }
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(engineType)
  if (decimal) return { type: `decimal(${Number(decimal[1])},${Number(decimal[2])})`, sql: column }
  if (engineType === 'TIMESTAMP WITH TIME ZONE') return { type: 'timestamp', sql: column }
  if (engineType.startsWith('TIMESTAMP')) {
    return { type: 'timestamp', sql: `timezone(${literal(timeZone)}, cast(${column} as timestamp))` }
  }
  if (/[\])]$/.test(engineType)) return { type: 'json', sql: `to_json(${column})` }
  return { type: 'text', sql: `cast(${column} as varchar)` }
}

/** A typed value as text that a landed text column would have kept: what `printsBack` takes. */
export const asText = (column: string, type: ColumnType): string => {
  if (type === 'text') return column
  if (type === 'timestamp') {
    return `rtrim(rtrim(strftime(timezone('UTC', ${column}), '%Y-%m-%dT%H:%M:%S.%f'), '0'), '.') || 'Z'`
  }
  if (type === 'bytes') return `'\\x' || lower(hex(${column}))`
  return `cast(${column} as varchar)`
}

export const stageParquet = async (
  work: Work,
  inputs: readonly TextInput[],
  known: readonly NamedColumn[],
  timeZone: string,
): Promise<Stage> => {
  const { reader } = work
  const table = work.temp('stage')
  const from = `read_parquet([${inputs.map(({ path }) => literal(path)).join(', ')}], union_by_name = true)`
  try {
    const found = await reader.describe(`select * from ${from}`)
    const named = nameColumns(
      found.map(({ name }) => name),
      known,
    )
    const columns = named.map((column, at): StageColumn & { sql: string; type: ColumnType } => {
      const { type, sql } = portable(found[at]?.type ?? '', quote(column.original), timeZone)
      const staged = `s.${quote(column.name)}`
      return { ...column, sql, type, typed: type, text: asText(staged, type), evidence: { kind: 'told', type } }
    })
    const parts = columns.map((column) => `${column.sql} as ${quote(column.name)}`)
    await reader.run(
      `create temp table ${table} as select ${[...parts, 'cast(file_index as integer) as _cdp_file'].join(', ')} from ${from}`,
    )
    const rejected = await createRejected(work)
    const files = await createFiles(work, table, inputs)
    const [counted] = await reader.all<{ rows: number }>(`select count(*) as rows from ${table}`)
    const object = columns.flatMap((column) => [literal(column.original), `s.${quote(column.name)}`]).join(', ')
    return {
      table,
      row: 's.rowid',
      rows: counted?.rows ?? 0,
      rejected,
      rejectedRows: 0,
      files,
      columns,
      lines: async () => ({ join: '', line: 'cast(null as bigint)' }),
      locate: async (rows) => {
        const located = work.temp('located')
        await reader.run(
          `create temp table ${located} as select s.rowid as _cdp_row, s.rowid - f.first_row + 1 as record, cast(null as bigint) as line,
            cast(json_object(${object}) as varchar) as raw
            from ${table} s join ${files} f on f._cdp_file = s._cdp_file where s.rowid in (select _cdp_row from ${rows})`,
        )
        return located
      },
    }
  } catch (error) {
    throw unreadable(inputs.map(({ file }) => file ?? 'a page').join(', '), error)
  }
}
