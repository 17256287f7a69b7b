// Values that have landed, brought to another type in the warehouse: what a column prints back, and what of it keeps a promise. The reader's
// expressions for the same are in types.ts; these are in the words of every engine and give the same values.
import type { ColumnType, Warehouse } from '../warehouse/warehouse.ts'
import { decimalOf, naive, no, yes, ymd, zoned, type TypeInForce } from './types.ts'

const matches = (warehouse: Warehouse, text: string, pattern: string): string =>
  `cdp.regexp_contains(${text}, ${warehouse.literal(`^(?:${pattern})$`)})`

/** A value as the text it landed from. */
export const storedText = (warehouse: Warehouse, column: string, { type, format }: TypeInForce): string => {
  const textType = warehouse.typeName('text')
  const text = `cdp.to_text(${column})`
  if (type === 'timestamp') {
    // 2026-10-01T08:00:00.000000Z
    if (format === undefined) return `substr(${text}, 1, 19) || 'Z'`
    if (format === 'trimmed') return `rtrim(rtrim(substr(${text}, 1, 26), '0'), '.') || 'Z'`
    return `substr(${text}, 1, ${20 + Number(format)}) || 'Z'`
  }
  const decimal = decimalOf(type)
  if (decimal) return format === 'trimmed' || decimal.scale === 0 ? text : fixed(text, decimal.scale)
  if (type === 'double') {
    return `case when ${column} = 0 and starts_with(cast(${column} as ${textType}), '-') then '-0.0'
      when ${matches(warehouse, text, '-?[0-9]+')} then ${text} || '.0' else ${text} end`
  }
  if (type === 'bytes') return `${warehouse.literal(String.raw`\x`)} || ${text}`
  if (type === 'json') return warehouse.dialect.json.text(column)
  return `cast(${column} as ${textType})`
}

// Engines that keep no scale print no zeros at the end.
const fixed = (text: string, scale: number): string =>
  `case when strpos(${text}, '.') = 0 then ${text} || '.${'0'.repeat(scale)}'
    else ${text} || repeat('0', ${scale} - length(${text}) + strpos(${text}, '.')) end`

/** What a promised type takes, as a condition on a text that is neither null nor empty. */
export const storedKeeps = (warehouse: Warehouse, text: string, type: ColumnType): string => {
  const value = storedAs(warehouse, text, type, 'UTC')
  const decimal = decimalOf(type)
  if (decimal) {
    // Said by the pattern, because not every engine counts digits.
    const whole = `0*[0-9]{0,${decimal.precision - decimal.scale}}`
    const fraction = decimal.scale === 0 ? '0+' : `[0-9]{1,${decimal.scale}}0*`
    const shape = matches(warehouse, text, String.raw`[+-]?${whole}(?:\.${fraction})?`)
    return `(${shape} and ${matches(warehouse, text, '[+-]?[0-9].*')} and ${value} is not null)`
  }
  switch (type) {
    case 'integer':
      return `(${matches(warehouse, text, String.raw`[+-]?[0-9]+(?:\.0+)?`)} and ${value} is not null)`
    case 'double':
      return `(${matches(warehouse, text, String.raw`[+-]?[0-9]+(?:\.[0-9]+)?`)} and ${value} is not null)`
    case 'date':
      return `(${matches(warehouse, text, ymd)} and ${value} is not null)`
    case 'bytes':
      return matches(warehouse, text, String.raw`\\x(?:[0-9a-fA-F]{2})*`)
    case 'text':
      return 'true'
    case 'boolean':
    case 'timestamp':
    case 'json':
    default:
      return `(${value} is not null)`
  }
}

/** Text to value, null where it cannot be; only for text that is null, empty or that `storedKeeps` has passed. */
export const storedAs = (warehouse: Warehouse, text: string, type: ColumnType, timeZone: string): string => {
  const { columns, json } = warehouse.dialect
  switch (type) {
    case 'text':
      return text
    case 'boolean':
      return `case when lower(${text}) in ${yes} then true when lower(${text}) in ${no} then false end`
    case 'timestamp': {
      const instant = `cdp.safe_timestamp(${text})`
      const local = timeZone === 'UTC' ? instant : columns.sameClock(instant, warehouse.literal(timeZone))
      return `case when ${matches(warehouse, text, zoned)} then ${instant} when ${matches(warehouse, text, naive)} then ${local} end`
    }
    case 'json':
      return json.tryOf(text)
    case 'bytes':
      return columns.fromHex(`substr(${text}, 3)`)
    case 'integer':
      return columns.tryCast(`cdp.regexp_replace_all(${text}, '[.]0+$', '')`, warehouse.typeName(type))
    case 'double':
      return `cdp.safe_double(${text})`
    case 'date':
    default:
      return columns.tryCast(text, warehouse.typeName(type))
  }
}
