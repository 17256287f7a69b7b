// Columns of Arrow, as the Storage API sends them, as the seam's values: the same that pages of the REST API give.
import { type Data, type DataType, RecordBatchReader, Type } from 'apache-arrow'
import { CdpError } from '../../core/errors.ts'
import { dateText, decimalText, timestampText, timeText } from '../duckdb/value-text.ts'
import type { Batch, Column, Value } from '../warehouse.ts'
import { columnsOf, type Field, typeText } from './schema.ts'
import { decimal, integer } from './values.ts'

type Get = (row: number) => Value

const readable =
  /^(?:ARRAY<)?(?:STRING|INT64|FLOAT64|BOOL|DATE|TIME|DATETIME|TIMESTAMP|NUMERIC|BIGNUMERIC|BYTES|JSON|STRUCT<.*)>*$/

/** Whether all columns have types whose values are read here. */
export const isReadable = (fields: readonly Field[]): boolean =>
  fields.every((field) => readable.test(typeText(field)) && isReadable(field.fields ?? []))

// A message may hold a million rows; as values they would take a hundred times the room.
const rowsAtOnce = 10_000

/** Turns messages into batches; `schema` is that of the read session. */
export const arrowReader = (
  schema: Uint8Array,
  fields: readonly Field[],
): ((message: Uint8Array) => Generator<Batch>) => {
  const columns: readonly Column[] = columnsOf({ fields })
  return function* (message) {
    const [batch] = [...RecordBatchReader.from(Buffer.concat([schema, message]))]
    const total = batch?.numRows ?? 0
    const getters = fields.map((field, at) => {
      const data = batch?.data.children[at]
      if (!data) throw new CdpError('INTERNAL', { detail: `BigQuery sent no column ${field.name}` })
      return getter(data, field)
    })
    for (let from = 0; from < total; from += rowsAtOnce) {
      const rowCount = Math.min(rowsAtOnce, total - from)
      yield {
        columns,
        rowCount,
        values: getters.map((get) => Array.from({ length: rowCount }, (_, row) => get(from + row))),
      }
    }
  }
}

const getter = (data: Data, field: Field): Get => {
  if (field.mode === 'REPEATED') return listOf(data, { ...field, mode: 'NULLABLE' })
  const get = field.fields ? structOf(data, field.fields) : scalarOf(data)
  return data.nullCount === 0 ? get : (row) => (data.getValid(row) ? get(row) : null)
}

const listOf = (data: Data, item: Field): Get => {
  const { valueOffsets: offsets, children } = data
  const [items] = children
  if (!items) return () => []
  const get = getter(items, item)
  return (row) => {
    const [start, end] = [Number(offsets[row]), Number(offsets[row + 1])]
    return data.getValid(row) ? Array.from({ length: end - start }, (_, at) => get(start + at)) : []
  }
}

const structOf = (data: Data, fields: readonly Field[]): Get => {
  const parts = fields.flatMap((field, at) => {
    const child = data.children[at]
    return child ? [{ name: field.name, get: getter(child, field) }] : []
  })
  return (row) => Object.fromEntries(parts.map(({ name, get }) => [name, get(row)]))
}

const digits = [0, 3, 6, 9] as const

interface Parameters {
  readonly scale?: number
  readonly bitWidth?: number
  readonly unit?: number
}

const textAt =
  (data: Data): Get =>
  (row) =>
    bytesOf(data, row).toString('utf8')
const bytesAt =
  (data: Data): Get =>
  (row) =>
    new Uint8Array(bytesOf(data, row))

const bitAt = ({ values, offset }: Data): Get => {
  const bits = values as Uint8Array
  return (row) => (((bits[(offset + row) >> 3] ?? 0) >> ((offset + row) & 7)) & 1) === 1
}

const longs = (data: Data): BigInt64Array => data.values as BigInt64Array

const scalars: Readonly<Partial<Record<Type, (data: Data, of: Parameters) => Get>>> = {
  [Type.Int]: (data) => (row) => integer(longs(data)[row] ?? 0n),
  [Type.Float]: (data) => (row) => (data.values as Float64Array)[row] ?? null,
  [Type.Bool]: bitAt,
  [Type.Utf8]: textAt,
  [Type.LargeUtf8]: textAt,
  [Type.Binary]: bytesAt,
  [Type.LargeBinary]: bytesAt,
  [Type.Decimal]: (data, { scale = 0, bitWidth = 128 }) => {
    const words = data.values as Uint32Array
    return (row) => decimal(decimalText(wide(words, row, bitWidth / 32), scale))
  },
  [Type.Date]: (data) => (row) => dateText((data.values as Int32Array)[row] ?? 0),
  [Type.Time]: (data) => (row) => timeText(longs(data)[row] ?? 0n),
  [Type.Timestamp]: (data, { unit = 2 }) => {
    const of = digits[unit] ?? 6
    return (row) => timestampText(longs(data)[row] ?? 0n, of)
  },
}

const scalarOf = (data: Data): Get => {
  const type: DataType & Parameters = data.type
  const read = scalars[type.typeId]
  if (!read) throw new CdpError('INTERNAL', { detail: `BigQuery sent a column of Arrow's type ${type.typeId}` })
  return read(data, type)
}

const bytesOf = ({ values, valueOffsets }: Data, row: number): Buffer => {
  const all = values as Uint8Array
  const [start, end] = [Number(valueOffsets[row]), Number(valueOffsets[row + 1])]
  return Buffer.from(all.buffer, all.byteOffset + start, end - start)
}

// Two's complement in words of 32 bits, the lowest first.
const wide = (words: Uint32Array, row: number, width: number): bigint => {
  let value = 0n
  for (let at = width - 1; at >= 0; at--) value = (value << 32n) | BigInt(words[row * width + at] ?? 0)
  return BigInt.asIntN(width * 32, value)
}
