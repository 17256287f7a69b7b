// Rows as the Storage Write API takes them: messages of Protocol Buffers, whose description travels along.
import { CdpError } from '../../core/errors.ts'
import { type Field, typeText } from './schema.ts'

/** As `google.protobuf.DescriptorProto`. */
export interface Descriptor {
  readonly name: string
  readonly field: readonly {
    readonly name: string
    readonly number: number
    readonly label: 1
    readonly type: number
  }[]
}

export interface RowEncoder {
  readonly descriptor: Descriptor
  encode(row: Readonly<Record<string, unknown>>): Buffer
}

interface Kind {
  /** Of `google.protobuf.FieldDescriptorProto.Type`. */
  readonly type: number
  /** How it lies in a message: 0 varint · 1 eight bytes · 2 bytes after their number. */
  readonly wire: 0 | 1 | 2
  encode(value: unknown): Buffer
}

const varint = (value: bigint): Buffer => {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

const text = (value: unknown): Buffer => Buffer.from(plainText(value), 'utf8')

const dayMs = 86_400_000

const texts: Kind = { type: 9, wire: 2, encode: text }

const kinds: Readonly<Record<string, Kind>> = {
  STRING: texts,
  JSON: texts,
  NUMERIC: texts,
  BIGNUMERIC: texts,
  DATETIME: texts,
  TIME: texts,
  BYTES: { type: 12, wire: 2, encode: (value) => (value instanceof Uint8Array ? Buffer.from(value) : refused(value)) },
  INT64: { type: 3, wire: 0, encode: (value) => varint(BigInt(plainText(value))) },
  BOOL: { type: 8, wire: 0, encode: (value) => varint(plainText(value) === 'true' ? 1n : 0n) },
  FLOAT64: {
    type: 1,
    wire: 1,
    encode: (value) => {
      const eight = Buffer.alloc(8)
      eight.writeDoubleLE(Number(value))
      return eight
    },
  },
  DATE: { type: 5, wire: 0, encode: (value) => varint(BigInt(Date.parse(`${plainText(value)}T00:00:00Z`) / dayMs)) },
  TIMESTAMP: { type: 3, wire: 0, encode: (value) => varint(microseconds(value)) },
}

/** A scalar as the service reads it from text; INTERNAL for what is none. */
export const plainText = (value: unknown): string => {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  return value instanceof Date ? value.toISOString() : refused(value)
}

const refused = (value: unknown): never => {
  throw new CdpError('INTERNAL', { detail: `a row to append holds a value of type ${typeof value}` })
}

// JavaScript's own clock has milliseconds; the digits after them are added.
const microseconds = (value: unknown): bigint => {
  const written = plainText(value)
  const ms = Date.parse(written)
  if (Number.isNaN(ms)) return refused(value)
  const more = /\.\d{3}(\d{1,3})/.exec(written)?.[1] ?? ''
  return BigInt(ms) * 1000n + BigInt(more.padEnd(3, '0'))
}

const isPlainName = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)

/** Undefined where a column has a type or a name that has no place in a message. */
export const rowEncoder = (fields: readonly Field[]): RowEncoder | undefined => {
  const known = fields.map((field) => ({ name: field.name, kind: kinds[typeText(field)] }))
  if (!known.every(({ name, kind }) => kind !== undefined && isPlainName(name))) return undefined
  const columns = known.flatMap(({ name, kind }, at) => (kind ? [{ name, kind, number: at + 1 }] : []))
  return {
    descriptor: {
      name: 'row',
      field: columns.map(({ name, kind, number }) => ({ name, number, label: 1, type: kind.type })),
    },
    encode: (row) =>
      Buffer.concat(
        columns.flatMap(({ name, kind, number }) => {
          const value = row[name]
          if (value === null || value === undefined) return []
          const encoded = kind.encode(value)
          const tag = varint(BigInt((number << 3) | kind.wire))
          return kind.wire === 2 ? [tag, varint(BigInt(encoded.length)), encoded] : [tag, encoded]
        }),
      ),
  }
}
