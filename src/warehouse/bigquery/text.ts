// How names, literals and types are spelled in GoogleSQL.
import { CdpError } from '../../core/errors.ts'
import type { ColumnType } from '../warehouse.ts'

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r' }

// A NUL in a statement is an error of the service; here it has a reason.
const escaped = (text: string, mark: "'" | '`'): string => {
  if (text.includes('\0')) {
    throw new CdpError('QUERY_FAILED', { reason: 'it contains a NUL character', sql: text.replaceAll('\0', '\\0') })
  }
  return text.replaceAll(/[\\\n\r'`]/g, (found) => escapes[found] ?? (found === mark ? `\\${found}` : found))
}

export const quote = (identifier: string): string => `\`${escaped(identifier, '`')}\``

export const literal = (text: string): string => `'${escaped(text, "'")}'`

const typeNames: Readonly<Record<string, string>> = {
  text: 'STRING',
  integer: 'INT64',
  double: 'FLOAT64',
  boolean: 'BOOL',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
  json: 'JSON',
  bytes: 'BYTES',
}

/** Decimals are written without precision: a cast may not have one, and a result's schema does not tell it. */
export const typeName = (type: ColumnType): string => {
  const decimal = /^decimal\((\d+),(\d+)\)$/.exec(type)
  if (!decimal) return typeNames[type] ?? type.toUpperCase()
  const [precision, scale] = [Number(decimal[1]), Number(decimal[2])]
  return scale <= 9 && precision - scale <= 29 ? 'NUMERIC' : 'BIGNUMERIC'
}
