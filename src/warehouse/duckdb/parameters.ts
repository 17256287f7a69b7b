// JavaScript values as parameters of a statement. A value never becomes SQL text.
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DOUBLE,
  type DuckDBType,
  type DuckDBValue,
  HUGEINT,
  INTEGER,
  LIST,
  SQLNULL,
  TIMESTAMPTZ,
  VARCHAR,
  blobValue,
  listValue,
  timestampTZValue,
} from '@duckdb/node-api'
import { CdpError } from '../../core/errors.ts'

interface Bound {
  readonly value: DuckDBValue
  readonly type: DuckDBType
}

/**
 * null · boolean · string (VARCHAR) · number (INTEGER, BIGINT or DOUBLE) · bigint (BIGINT, HUGEINT beyond 64 bits) · Date (an instant)
 * · Uint8Array (BLOB) · arrays of one of these (LIST). Anything else is refused: a `undefined` or an object would be a silent wrong value.
 */
export const toParameters = (parameters: readonly unknown[]): { values: DuckDBValue[]; types: DuckDBType[] } => {
  const bound = parameters.map((parameter, index) => bind(parameter, index + 1))
  return { values: bound.map((b) => b.value), types: bound.map((b) => b.type) }
}

const bind = (value: unknown, number: number): Bound => {
  if (value === null) return { value: null, type: SQLNULL }
  if (typeof value === 'string') return { value, type: VARCHAR }
  if (typeof value === 'boolean') return { value, type: BOOLEAN }
  if (typeof value === 'number') return bindNumber(value)
  if (typeof value === 'bigint') return { value, type: BigInt.asIntN(64, value) === value ? BIGINT : HUGEINT }
  if (value instanceof Date) return { value: timestampTZValue(BigInt(value.getTime()) * 1000n), type: TIMESTAMPTZ }
  if (value instanceof Uint8Array) return { value: blobValue(value), type: BLOB }
  if (Array.isArray(value)) return bindList(value, number)
  const found = typeof value === 'object' ? 'an object (pass JSON as text)' : typeof value
  throw new CdpError('INTERNAL', { detail: `parameter $${number} of a statement is ${found}` })
}

const bindNumber = (value: number): Bound => {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return { value, type: DOUBLE }
  return (value | 0) === value ? { value, type: INTEGER } : { value: BigInt(value), type: BIGINT }
}

const bindList = (items: readonly unknown[], number: number): Bound => {
  const bound = items.map((item) => bind(item, number))
  const type = bound.reduce<DuckDBType>((widest, item) => wider(widest, item.type, number), SQLNULL)
  const values = bound.map((item) => widen(item.value, type))
  return { value: listValue(values), type: LIST(type) }
}

const ranks: readonly DuckDBType[] = [INTEGER, BIGINT, HUGEINT, DOUBLE]

const wider = (a: DuckDBType, b: DuckDBType, number: number): DuckDBType => {
  if (b === SQLNULL || a.toString() === b.toString()) return a
  if (a === SQLNULL) return b
  const rank = Math.max(ranks.indexOf(a), ranks.indexOf(b))
  if (ranks.includes(a) && ranks.includes(b)) return ranks[rank] ?? a
  throw new CdpError('INTERNAL', {
    detail: `parameter $${number} of a statement is a list of ${a.toString()} and ${b.toString()}`,
  })
}

const widen = (value: DuckDBValue, type: DuckDBType): DuckDBValue => {
  if (type === DOUBLE && typeof value === 'bigint') return Number(value)
  if ((type === BIGINT || type === HUGEINT) && typeof value === 'number') return BigInt(value)
  return value
}
