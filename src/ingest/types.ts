// The types a landed column may have: what a text must look like to become one, how it is cast, and how it prints back.
// These expressions run in the reader (always DuckDB); `stored-values.ts` has their like for the warehouse.
import type { ColumnType } from '../warehouse/warehouse.ts'
import { literal } from '../warehouse/duckdb/text.ts'

/** How the text of a guessed column was spelled where the type does not say: decimals and seconds without trailing zeros, or the
 * number of fraction digits of all its timestamps. */
export type Format = 'trimmed' | '1' | '2' | '3' | '4' | '5' | '6'

export interface TypeInForce {
  readonly type: ColumnType
  readonly format: Format | undefined
}

const simple = ['text', 'integer', 'double', 'boolean', 'date', 'timestamp', 'json', 'bytes'] as const

/** A portable type by its name in a project (`decimal(18,2)`), or undefined. */
export const parseType = (text: string): ColumnType | undefined => {
  const name = text.toLowerCase().replaceAll(/\s+/g, '')
  const found = simple.find((type) => type === name)
  if (found) return found
  const match = /^decimal\((\d+),(\d+)\)$/.exec(name)
  if (!match) return undefined
  const [precision, scale] = [Number(match[1]), Number(match[2])]
  return precision >= 1 && precision <= 38 && scale <= precision ? `decimal(${precision},${scale})` : undefined
}

export const decimalOf = (type: ColumnType): { readonly precision: number; readonly scale: number } | undefined => {
  const match = /^decimal\((\d+),(\d+)\)$/.exec(type)
  return match ? { precision: Number(match[1]), scale: Number(match[2]) } : undefined
}

const engineTypes: Readonly<Record<string, string>> = {
  text: 'VARCHAR',
  integer: 'BIGINT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  date: 'DATE',
  timestamp: 'TIMESTAMPTZ',
  json: 'JSON',
  bytes: 'BLOB',
}

/** The reader's word for a type. */
export const readerType = (type: ColumnType): string => engineTypes[type] ?? type.toUpperCase()

export const ymd = '[0-9]{4}-[0-9]{2}-[0-9]{2}'
const clock = '(?:[01][0-9]|2[0-3]):[0-5][0-9]'
const zone = '(?:Z|z|[+-][0-9]{2}(?::?[0-9]{2})?)'
const matches = (column: string, pattern: string): string => `regexp_full_match(${column}, ${literal(pattern)})`
export const yes = "('true', 't', 'yes', 'y', 'on', '1')"
export const no = "('false', 'f', 'no', 'n', 'off', '0')"

/** Spelled without a zone, seconds optional. */
export const naive = String.raw`${ymd}(?:[T ]${clock}(?::[0-5][0-9](?:\.[0-9]{1,6}0*)?)?)?`
/** The same with a zone. */
export const zoned = String.raw`${ymd}[T ]${clock}(?::[0-5][0-9](?:\.[0-9]{1,6}0*)?)? ?${zone}`

/** What a promised type takes, as a condition on a text that is neither null nor empty. */
export const promiseKept = (column: string, type: ColumnType): string => {
  const decimal = decimalOf(type)
  if (decimal) {
    const fraction = decimal.scale === 0 ? '0+' : `[0-9]{1,${decimal.scale}}0*`
    return `(${matches(column, String.raw`[+-]?[0-9]+(?:\.${fraction})?`)} and ${cast(column, type, 'UTC')} is not null)`
  }
  switch (type) {
    case 'integer':
      return `(${matches(column, String.raw`[+-]?[0-9]+(?:\.0+)?`)} and try_cast(${column} as bigint) is not null)`
    case 'double':
      return `(${matches(column, String.raw`[+-]?[0-9]+(?:\.[0-9]+)?`)} and isfinite(try_cast(${column} as double)))`
    case 'boolean':
      return `(lower(${column}) in ${yes} or lower(${column}) in ${no})`
    case 'date':
      return `(${matches(column, ymd)} and try_cast(${column} as date) is not null)`
    case 'timestamp':
      return `(${cast(column, type, 'UTC')} is not null)`
    case 'json':
      return `json_valid(${column})`
    case 'bytes':
      return matches(column, String.raw`\\x(?:[0-9a-fA-F]{2})*`)
    case 'text':
    default:
      return 'true'
  }
}

/** Text to value, null where it cannot be; only for text that `promiseKept` or `printsBack` has passed. `timeZone` is for timestamps
 * without one. */
export const cast = (column: string, type: ColumnType, timeZone: string): string => {
  switch (type) {
    case 'text':
      return column
    case 'boolean':
      return `case when lower(${column}) in ${yes} then true when lower(${column}) in ${no} then false end`
    case 'timestamp':
      return castTimestamp(column, timeZone)
    case 'json':
      return `case when json_valid(${column}) then cast(${column} as json) end`
    case 'bytes':
      return `unhex(substr(${column}, 3))`
    case 'integer':
    case 'double':
    case 'date':
    default:
      return `try_cast(${column} as ${readerType(type)})`
  }
}

const castTimestamp = (column: string, timeZone: string): string => {
  const local = `try_cast(${column} as timestamp)`
  const instant =
    timeZone === 'UTC' ? `make_timestamptz(epoch_us(${local}))` : `timezone(${literal(timeZone)}, ${local})`
  // The engine wants seconds before an offset, and no blank.
  const strict = `regexp_replace(replace(replace(${column}, ' +', '+'), ' -', '-'), '^(.{16})([-+Zz ])', '\\1:00\\2')`
  return `case when ${matches(column, String.raw`${ymd}[T ]${clock}:[0-5][0-9](?:\.[0-9]{1,6}0*)?${zone}`)}
    then try_cast(${column} as timestamptz)
    when ${matches(column, naive)} then ${instant}
    when ${matches(column, zoned)} then try_cast(${strict} as timestamptz) end`
}

/** Whether a text prints back to itself from a guessed type: nothing of it is lost. `any`: timestamps of whatever fraction. */
export const printsBack = (
  column: string,
  { type, format }: { readonly type: ColumnType; readonly format: Format | 'any' | undefined },
): string => {
  const back = (sqlType: string): string =>
    `cast(try_cast(${column} as ${sqlType}) as varchar) is not distinct from ${column}`
  const decimal = decimalOf(type)
  if (decimal) {
    if (format !== 'trimmed') {
      return `(${matches(column, spelledDecimal)} and ${back(readerType(type))})`
    }
    return `(${trimmedDecimal(column, decimal.scale)} and try_cast(${column} as ${readerType(type)}) is not null)`
  }
  switch (type) {
    case 'integer':
      return `(${back('bigint')})`
    case 'double':
      return `(${matches(column, '-?[0-9].*')} and ${back('double')})`
    case 'boolean':
      return `${column} in ('true', 'false')`
    case 'date':
      return `(${matches(column, ymd)} and try_cast(${column} as date) is not null)`
    case 'timestamp':
      return `(${matches(column, timestampPattern(format))} and try_cast(${column} as timestamptz) is not null)`
    case 'json':
      return `json_valid(${column})`
    case 'bytes':
      return 'false'
    case 'text':
    default:
      return 'true'
  }
}

export const spelledDecimal = String.raw`-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?`

/** At most `scale` decimals, none of them a trailing zero, and not a negative zero. */
export const trimmedDecimal = (column: string, scale: number): string =>
  `(${matches(column, String.raw`-?(?:0|[1-9][0-9]*)(?:\.[0-9]{0,${Math.max(scale - 1, 0)}}[1-9])?`)} and ${column} <> '-0')`

const timestampPattern = (format: Format | 'any' | undefined): string => {
  const fraction =
    format === undefined
      ? ''
      : format === 'trimmed'
        ? String.raw`(?:\.[0-9]{0,5}[1-9])?`
        : format === 'any'
          ? String.raw`(?:\.[0-9]{1,6})?`
          : String.raw`\.[0-9]{${format}}`
  return `${ymd}T${clock}:[0-5][0-9]${fraction}Z`
}

/** Whether a value of a JSON number, or one that a source has typed, is kept by a type (its spelling need not be). */
export const valueKept = (column: string, type: ColumnType): string => {
  const decimal = decimalOf(type)
  if (type === 'integer' || decimal) {
    const scale = decimal?.scale ?? 0
    const fraction = scale === 0 ? '0+' : `[0-9]{1,${scale}}0*`
    return `(${matches(column, String.raw`-?(?:0|[1-9][0-9]*)(?:\.${fraction})?`)} and ${cast(column, type, 'UTC')} is not null)`
  }
  if (type === 'double') return `(${matches(column, '-?[0-9].*')} and isfinite(try_cast(${column} as double)))`
  return printsBack(column, { type, format: 'any' })
}

/** Whether a text of a source that says the type itself is of that type here too: it need not be, see years before Christ. */
export const toldKept = (column: string, type: ColumnType): string =>
  type === 'date' ? printsBack(column, { type, format: undefined }) : `${cast(column, type, 'UTC')} is not null`
