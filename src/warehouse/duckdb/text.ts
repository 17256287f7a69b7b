// How names, literals and types are spelled in DuckDB.
import { CdpError } from '../../core/errors.ts'
import type { ColumnType, RelationName } from '../warehouse.ts'

/** The database is attached under this name, so that a file called `raw.duckdb` or `cdp.duckdb` cannot hide a schema. */
export const databaseAlias = 'warehouse'

// Models live in `main`, so that their SQL pastes into the engine's own shell.
const schemas: Readonly<Record<RelationName['schema'], string>> = {
  raw: 'raw',
  models: 'main',
  cdp: 'cdp',
  scratch: 'temp',
}
export const schemaName = (schema: RelationName['schema']): string => schemas[schema]

// The engine reads a statement up to the first NUL: what follows would be dropped in silence.
export const withoutNul = (text: string): string => {
  if (text.includes('\0')) {
    throw new CdpError('QUERY_FAILED', { reason: 'it contains a NUL character', sql: text.replaceAll('\0', '\\0') })
  }
  return text
}

export const quote = (identifier: string): string => `"${withoutNul(identifier).replaceAll('"', '""')}"`

export const literal = (text: string): string => `'${withoutNul(text).replaceAll("'", "''")}'`

// Not qualified with the database: a stored view or macro must still work where the file is opened under another name.
export const nameOf = (relation: RelationName): string =>
  `${quote(schemaName(relation.schema))}.${quote(relation.name)}`

const typeNames: Readonly<Record<string, string>> = {
  text: 'VARCHAR',
  integer: 'BIGINT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  date: 'DATE',
  // An instant, as TIMESTAMP is on BigQuery.
  timestamp: 'TIMESTAMP WITH TIME ZONE',
  json: 'JSON',
  bytes: 'BLOB',
}

export const typeName = (type: ColumnType): string => typeNames[type] ?? type.toUpperCase()
