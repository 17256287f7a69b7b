// Chunks of a result as the seam's values. The way from a column's type to its values is chosen once a result, and a vector is read
// in one loop over the engine's own memory: this is the hot path of delivery.
import duckdb, { type DataChunk, type LogicalType, type Result, type Type, type Vector } from '@duckdb/node-bindings'
import { CdpError } from '../../core/errors.ts'
import type { Batch, Column, Value } from '../warehouse.ts'
import { typeText } from './types.ts'
import { dateText, decimalText, intervalText, timeText, timestampText, uuidText } from './value-text.ts'

/** All values of a vector that holds `count` rows. */
type ReadVector = (vector: Vector, count: number) => Value[]

// Fixed-width values: `at` reads row i of the vector's memory.
const fixed =
  (width: number, at: (data: DataView, offset: number) => Value): ReadVector =>
  (vector, count) => {
    const bytes = duckdb.vector_get_data(vector, count * width)
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return rows(vector, count, (row) => at(data, row * width))
  }

const rows = (vector: Vector, count: number, read: (row: number) => Value): Value[] => {
  // Null when the engine knows that no value is missing.
  const valid = duckdb.vector_get_validity(vector, Math.ceil(count / 64) * 8) as Uint8Array | null
  const out: Value[] = Array.from({ length: count })
  for (let row = 0; row < count; row++) {
    out[row] = valid && ((valid[row >> 3] ?? 0) & (1 << (row & 7))) === 0 ? null : read(row)
  }
  return out
}

const integer = (value: bigint): number | bigint => {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
// A bigint is made only for what a number cannot hold; the sum of a larger one is never a safe integer.
const integer64 = (data: DataView, offset: number): number | bigint => {
  const number = data.getInt32(offset + 4, true) * 0x1_0000_0000 + data.getUint32(offset, true)
  return Number.isSafeInteger(number) ? number : data.getBigInt64(offset, true)
}
const int64 = (data: DataView, offset: number): bigint => data.getBigInt64(offset, true)
const int128 = (data: DataView, offset: number): bigint =>
  (data.getBigInt64(offset + 8, true) << 64n) | data.getBigUint64(offset, true)
const uint128 = (data: DataView, offset: number): bigint =>
  (data.getBigUint64(offset + 8, true) << 64n) | data.getBigUint64(offset, true)

// A string of up to 12 bytes lies in the vector itself, a longer one behind a pointer.
const strings =
  (value: (bytes: Buffer, start: number, end: number) => Value): ReadVector =>
  (vector, count) => {
    const bytes = duckdb.vector_get_data(vector, count * 16)
    const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return rows(vector, count, (row) => {
      const start = row * 16
      const length = data.readUInt32LE(start)
      if (length <= 12) return value(data, start + 4, start + 4 + length)
      const far = duckdb.get_data_from_pointer(bytes.buffer as ArrayBuffer, bytes.byteOffset + start + 8, length)
      return value(Buffer.from(far.buffer, far.byteOffset, length), 0, length)
    })
  }

const readers: Readonly<Partial<Record<Type, ReadVector>>> = {
  [duckdb.Type.BOOLEAN]: fixed(1, (data, at) => data.getUint8(at) !== 0),
  [duckdb.Type.TINYINT]: fixed(1, (data, at) => data.getInt8(at)),
  [duckdb.Type.UTINYINT]: fixed(1, (data, at) => data.getUint8(at)),
  [duckdb.Type.SMALLINT]: fixed(2, (data, at) => data.getInt16(at, true)),
  [duckdb.Type.USMALLINT]: fixed(2, (data, at) => data.getUint16(at, true)),
  [duckdb.Type.INTEGER]: fixed(4, (data, at) => data.getInt32(at, true)),
  [duckdb.Type.SQLNULL]: fixed(4, () => null),
  [duckdb.Type.UINTEGER]: fixed(4, (data, at) => data.getUint32(at, true)),
  [duckdb.Type.BIGINT]: fixed(8, integer64),
  [duckdb.Type.UBIGINT]: fixed(8, (data, at) => integer(data.getBigUint64(at, true))),
  [duckdb.Type.HUGEINT]: fixed(16, (data, at) => integer(int128(data, at))),
  [duckdb.Type.UHUGEINT]: fixed(16, (data, at) => integer(uint128(data, at))),
  [duckdb.Type.FLOAT]: fixed(4, (data, at) => data.getFloat32(at, true)),
  [duckdb.Type.DOUBLE]: fixed(8, (data, at) => data.getFloat64(at, true)),
  [duckdb.Type.DATE]: fixed(4, (data, at) => dateText(data.getInt32(at, true))),
  [duckdb.Type.TIME]: fixed(8, (data, at) => timeText(int64(data, at))),
  [duckdb.Type.TIMESTAMP]: fixed(8, (data, at) => timestampText(int64(data, at), 6)),
  [duckdb.Type.TIMESTAMP_TZ]: fixed(8, (data, at) => timestampText(int64(data, at), 6)),
  [duckdb.Type.TIMESTAMP_S]: fixed(8, (data, at) => timestampText(int64(data, at), 0)),
  [duckdb.Type.TIMESTAMP_MS]: fixed(8, (data, at) => timestampText(int64(data, at), 3)),
  [duckdb.Type.TIMESTAMP_NS]: fixed(8, (data, at) => timestampText(int64(data, at), 9)),
  [duckdb.Type.INTERVAL]: fixed(16, (data, at) =>
    intervalText(data.getInt32(at, true), data.getInt32(at + 4, true), int64(data, at + 8)),
  ),
  [duckdb.Type.UUID]: fixed(16, (data, at) => uuidText(int128(data, at))),
  [duckdb.Type.VARCHAR]: strings((bytes, start, end) => bytes.toString('utf8', start, end)),
  [duckdb.Type.BLOB]: strings((bytes, start, end) => new Uint8Array(bytes.subarray(start, end))),
}

// What is thrown for BIT, UNION, VARIANT and the like.
type Refuse = (type: string) => CdpError

// Types made of others.
const compound: Readonly<Partial<Record<Type, (type: LogicalType, refuse: Refuse) => ReadVector>>> = {
  [duckdb.Type.DECIMAL]: (type) => decimals(duckdb.decimal_width(type), duckdb.decimal_scale(type)),
  [duckdb.Type.ENUM]: (type) => enums(type),
  [duckdb.Type.LIST]: (type, refuse) => lists(readerOf(duckdb.list_type_child_type(type), refuse)),
  [duckdb.Type.ARRAY]: (type, refuse) =>
    arrays(readerOf(duckdb.array_type_child_type(type), refuse), duckdb.array_type_array_size(type)),
  [duckdb.Type.MAP]: (type, refuse) => maps(type, refuse),
  [duckdb.Type.STRUCT]: (type, refuse) => structs(type, refuse),
}

const readerOf = (type: LogicalType, refuse: Refuse): ReadVector => {
  const id = duckdb.get_type_id(type)
  const found = readers[id] ?? compound[id]?.(type, refuse)
  if (found) return found
  throw refuse(typeText(type))
}

const decimals = (width: number, scale: number): ReadVector => {
  if (width <= 4) return fixed(2, (data, at) => decimalText(data.getInt16(at, true), scale))
  if (width <= 9) return fixed(4, (data, at) => decimalText(data.getInt32(at, true), scale))
  if (width <= 18) return fixed(8, (data, at) => decimalText(int64(data, at), scale))
  return fixed(16, (data, at) => decimalText(int128(data, at), scale))
}

const enums = (type: LogicalType): ReadVector => {
  const size = duckdb.enum_dictionary_size(type)
  const words = Array.from({ length: size }, (_, at) => duckdb.enum_dictionary_value(type, at))
  const word = (at: number): Value => words[at] ?? null
  if (size <= 0xff) return fixed(1, (data, at) => word(data.getUint8(at)))
  return size <= 0xffff
    ? fixed(2, (data, at) => word(data.getUint16(at, true)))
    : fixed(4, (data, at) => word(data.getUint32(at, true)))
}

// Each row of a list is a stretch of one child vector.
const stretches = (vector: Vector, count: number, value: (start: number, end: number) => Value): Value[] => {
  const bytes = duckdb.vector_get_data(vector, count * 16)
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return rows(vector, count, (row) => {
    const start = Number(data.getBigUint64(row * 16, true))
    return value(start, start + Number(data.getBigUint64(row * 16 + 8, true)))
  })
}

const lists =
  (item: ReadVector): ReadVector =>
  (vector, count) => {
    const child = item(duckdb.list_vector_get_child(vector), duckdb.list_vector_get_size(vector))
    return stretches(vector, count, (start, end) => child.slice(start, end))
  }

// Stored as a list of { key, value }; keys become the names of an object.
const maps = (type: LogicalType, refuse: Refuse): ReadVector => {
  const key = readerOf(duckdb.map_type_key_type(type), refuse)
  const item = readerOf(duckdb.map_type_value_type(type), refuse)
  return (vector, count) => {
    const child = duckdb.list_vector_get_child(vector)
    const size = duckdb.list_vector_get_size(vector)
    const keys = key(duckdb.struct_vector_get_child(child, 0), size).map(keyText)
    const values = item(duckdb.struct_vector_get_child(child, 1), size)
    return stretches(vector, count, (start, end) =>
      Object.fromEntries(keys.slice(start, end).map((name, at) => [name, values[start + at] ?? null])),
    )
  }
}

const keyText = (key: Value): string => (typeof key === 'object' ? JSON.stringify(key) : String(key))

const arrays =
  (item: ReadVector, size: number): ReadVector =>
  (vector, count) => {
    const child = item(duckdb.array_vector_get_child(vector), count * size)
    return rows(vector, count, (row) => child.slice(row * size, row * size + size))
  }

const structs = (type: LogicalType, refuse: Refuse): ReadVector => {
  const fields = Array.from({ length: duckdb.struct_type_child_count(type) }, (_, at) => ({
    name: duckdb.struct_type_child_name(type, at),
    read: readerOf(duckdb.struct_type_child_type(type, at), refuse),
  }))
  return (vector, count) => {
    const values = fields.map((field, at) => field.read(duckdb.struct_vector_get_child(vector, at), count))
    return rows(vector, count, (row) =>
      Object.fromEntries(fields.map((field, at) => [field.name, values[at]?.[row] ?? null])),
    )
  }
}

export const columnsOf = (result: Result): Column[] =>
  Array.from({ length: duckdb.column_count(result) }, (_, at) => ({
    name: duckdb.column_name(result, at),
    type: typeText(duckdb.column_logical_type(result, at)),
  }))

/** What is the same for every chunk of a result: its columns, and the function that turns a chunk into a batch. */
export const batchReader = (result: Result, sql: string): { columns: Column[]; read: (chunk: DataChunk) => Batch } => {
  const columns = columnsOf(result)
  const read = columns.map(({ name }, at) =>
    readerOf(duckdb.column_logical_type(result, at), (type) => {
      const reason = `values of type ${type} cannot be read: cast column ${name} to text`
      return new CdpError('QUERY_FAILED', { reason, sql })
    }),
  )
  return {
    columns,
    read: (chunk) => {
      const rowCount = duckdb.data_chunk_get_size(chunk)
      const values = read.map((column, at) => column(duckdb.data_chunk_get_vector(chunk, at), rowCount))
      // The vectors are views of the chunk's memory: it must outlive the loop above, whatever the garbage collector thinks.
      if (duckdb.data_chunk_get_size(chunk) !== rowCount) throw new CdpError('INTERNAL', { detail: 'a chunk changed' })
      return { columns, rowCount, values }
    },
  }
}
