// JavaScript values as parameters of a prepared statement. A value never becomes SQL text.
import duckdb, { type PreparedStatement, type Type, type Value } from '@duckdb/node-bindings'
import { CdpError } from '../../core/errors.ts'

interface Bound {
  readonly type: Type
  readonly value: Value
}

/**
 * null · boolean · string (VARCHAR) · number (INTEGER, BIGINT or DOUBLE) · bigint (BIGINT, HUGEINT beyond 64 bits) · Date (an
 * instant) · Uint8Array (BLOB) · arrays of one of these (LIST). Anything else is refused: `undefined` or an object would be a wrong
 * value in silence.
 */
export const bindParameters = (prepared: PreparedStatement, parameters: readonly unknown[]): void => {
  const wanted = duckdb.nparams(prepared)
  if (wanted !== parameters.length) {
    throw new CdpError('INTERNAL', { detail: `a statement takes ${wanted} parameters and got ${parameters.length}` })
  }
  parameters.forEach((parameter, at) => {
    if (typeof parameter === 'string') duckdb.bind_varchar(prepared, at + 1, parameter)
    else if (Array.isArray(parameter)) duckdb.bind_value(prepared, at + 1, listOf(parameter, at + 1))
    else duckdb.bind_value(prepared, at + 1, bound(parameter, at + 1).value)
  })
}

const bound = (value: unknown, number: number): Bound => {
  if (value === null) return { type: duckdb.Type.SQLNULL, value: duckdb.create_null_value() }
  if (typeof value === 'string') return { type: duckdb.Type.VARCHAR, value: duckdb.create_varchar(value) }
  if (typeof value === 'boolean') return { type: duckdb.Type.BOOLEAN, value: duckdb.create_bool(value) }
  if (typeof value === 'number') return ofNumber(value, numberType(value))
  if (typeof value === 'bigint') return ofBigint(value, number)
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw refused(number, 'an invalid Date')
    const micros = BigInt(value.getTime()) * 1000n
    return { type: duckdb.Type.TIMESTAMP_TZ, value: duckdb.create_timestamp_tz({ micros }) }
  }
  if (value instanceof Uint8Array) return { type: duckdb.Type.BLOB, value: duckdb.create_blob(value) }
  throw refused(number, typeof value === 'object' ? 'an object; pass JSON as text' : typeof value)
}

const refused = (number: number, found: string): CdpError =>
  new CdpError('INTERNAL', { detail: `parameter $${number} of a statement is ${found}` })

const numberType = (value: number): Type => {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return duckdb.Type.DOUBLE
  return (value | 0) === value ? duckdb.Type.INTEGER : duckdb.Type.BIGINT
}

const ofNumber = (value: number, type: Type): Bound => {
  if (type === duckdb.Type.INTEGER) return { type, value: duckdb.create_int32(value) }
  if (type === duckdb.Type.BIGINT) return { type, value: duckdb.create_int64(BigInt(value)) }
  return { type, value: duckdb.create_double(value) }
}

const ofBigint = (value: bigint, number: number): Bound => {
  if (BigInt.asIntN(64, value) === value) return { type: duckdb.Type.BIGINT, value: duckdb.create_int64(value) }
  if (BigInt.asIntN(128, value) !== value) throw refused(number, 'an integer of more than 128 bits')
  return { type: duckdb.Type.HUGEINT, value: duckdb.create_hugeint(value) }
}

// Items of different number types become the widest of them; the engine converts.
const widening: readonly Type[] = [duckdb.Type.INTEGER, duckdb.Type.BIGINT, duckdb.Type.HUGEINT, duckdb.Type.DOUBLE]

const listOf = (items: readonly unknown[], number: number): Value => {
  const all = items.map((item) => bound(item, number))
  const types = new Set(all.map((item) => item.type))
  types.delete(duckdb.Type.SQLNULL)
  const ranks = [...types].map((type) => widening.indexOf(type))
  if (types.size > 1 && ranks.includes(-1)) throw refused(number, 'a list of values of different types')
  const [first] = types
  const type = (types.size > 1 ? widening[Math.max(...ranks)] : first) ?? duckdb.Type.SQLNULL
  return duckdb.create_list_value(
    duckdb.create_logical_type(type),
    all.map((item) => item.value),
  )
}
