// Chunks of a result as the seam's values, column by column: the way from a type to a value is chosen once a column, not once a value.
import {
  type DuckDBDataChunk,
  type DuckDBResult,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
  type DuckDBBlobValue,
  type DuckDBDateValue,
  type DuckDBDecimalValue,
  type DuckDBListType,
  type DuckDBListValue,
  type DuckDBMapType,
  type DuckDBMapValue,
  type DuckDBStructType,
  type DuckDBStructValue,
  type DuckDBTimestampValue,
} from '@duckdb/node-api'
import type { Batch, Column, Value } from '../warehouse.ts'
import { dateText, decimalText, timestampText } from './value-text.ts'

type Convert = (value: NonNullable<DuckDBValue>) => Value

const integer: Convert = (value) => {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : (value as bigint)
}
const same: Convert = (value) => value as Value
const text: Convert = (value) => String(value)

const byTypeId: Readonly<Partial<Record<DuckDBTypeId, Convert>>> = {
  [DuckDBTypeId.BOOLEAN]: same,
  [DuckDBTypeId.TINYINT]: same,
  [DuckDBTypeId.SMALLINT]: same,
  [DuckDBTypeId.INTEGER]: same,
  [DuckDBTypeId.UTINYINT]: same,
  [DuckDBTypeId.USMALLINT]: same,
  [DuckDBTypeId.UINTEGER]: same,
  [DuckDBTypeId.FLOAT]: same,
  [DuckDBTypeId.DOUBLE]: same,
  [DuckDBTypeId.VARCHAR]: same,
  [DuckDBTypeId.ENUM]: same,
  [DuckDBTypeId.BIGINT]: integer,
  [DuckDBTypeId.UBIGINT]: integer,
  [DuckDBTypeId.HUGEINT]: integer,
  [DuckDBTypeId.UHUGEINT]: integer,
  [DuckDBTypeId.BIGNUM]: integer,
  [DuckDBTypeId.DECIMAL]: (value) => {
    const decimal = value as DuckDBDecimalValue
    return decimalText(decimal.value, decimal.scale)
  },
  [DuckDBTypeId.DATE]: (value) => dateText(value as DuckDBDateValue),
  [DuckDBTypeId.TIMESTAMP]: (value) => timestampText(value as DuckDBTimestampValue),
  [DuckDBTypeId.TIMESTAMP_TZ]: (value) => timestampText(value as DuckDBTimestampValue),
  [DuckDBTypeId.BLOB]: (value) => (value as DuckDBBlobValue).bytes,
}

const converterOf = (type: DuckDBType): Convert => {
  switch (type.typeId) {
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY: {
      const item = nullable(converterOf((type as DuckDBListType).valueType))
      return (value) => (value as DuckDBListValue).items.map(item)
    }
    case DuckDBTypeId.STRUCT: {
      const { entryNames, entryTypes } = type as DuckDBStructType
      const fields = entryNames.map((name, at) => [name, nullable(converterOf(entryTypes[at] as DuckDBType))] as const)
      return (value) => {
        const { entries } = value as DuckDBStructValue
        return Object.fromEntries(fields.map(([name, convert]) => [name, convert(entries[name] ?? null)]))
      }
    }
    case DuckDBTypeId.MAP: {
      const { keyType, valueType } = type as DuckDBMapType
      const [key, item] = [nullable(converterOf(keyType)), nullable(converterOf(valueType))]
      return (value) =>
        Object.fromEntries(
          (value as DuckDBMapValue).entries.map((entry) => [String(key(entry.key)), item(entry.value)]),
        )
    }
    default:
      // TIME, INTERVAL, UUID, BIT and what is yet to come: the engine's text.
      return byTypeId[type.typeId] ?? text
  }
}

const nullable =
  (convert: Convert) =>
  (value: DuckDBValue): Value =>
    value === null ? null : convert(value)

/** A type in the engine's words; JSON is an alias of VARCHAR there. */
export const typeText = (type: DuckDBType): string => type.alias ?? type.toString()

/** What is the same for every chunk of a result: its columns, and a function that turns a chunk into a batch. */
export const batchReader = (result: DuckDBResult): { columns: Column[]; read: (chunk: DuckDBDataChunk) => Batch } => {
  const types = result.columnTypes()
  const columns = result.columnNames().map((name, at) => ({ name, type: typeText(types[at] as DuckDBType) }))
  const converters = types.map(converterOf)
  const read = (chunk: DuckDBDataChunk): Batch => {
    const { rowCount } = chunk
    const values = converters.map((convert, at) => {
      const vector = chunk.getColumnVector(at)
      const out: Value[] = Array.from({ length: rowCount })
      for (let row = 0; row < rowCount; row++) {
        const value = vector.getItem(row)
        out[row] = value === null ? null : convert === same ? (value as Value) : convert(value)
      }
      return out
    })
    return { columns, rowCount, values }
  }
  return { columns, read }
}
