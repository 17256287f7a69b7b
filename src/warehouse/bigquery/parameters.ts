// `$1`, `$2`, … of a statement as named query parameters. A value never becomes SQL text; only null and the empty list do, because
// the service wants a type for them that nobody knows.
import { CdpError } from '../../core/errors.ts'
import { insertedTypes } from './insert.ts'
import type { Token } from './lexer.ts'
import type { Edit } from './qualify.ts'

export interface QueryParameter {
  readonly name: string
  readonly parameterType: { readonly type: string; readonly arrayType?: { readonly type: string } }
  readonly parameterValue: {
    readonly value?: string | null
    readonly arrayValues?: readonly { readonly value: string | null }[]
  }
}

/** A statement as it is sent. */
export interface Bound {
  readonly sql: string
  readonly parameters: readonly QueryParameter[]
  /** The offset in the text that was given, of one in the text that is sent. */
  readonly place: (offset: number) => number
}

/** The SQL types of the columns of a relation, by name in lower case, in order. */
export type ColumnTypes = ReadonlyMap<string, string>

interface Given {
  readonly type: string
  readonly value: string | null
}

/**
 * null · boolean (BOOL) · string (STRING) · number (INT64 or FLOAT64) · bigint (INT64, BIGNUMERIC beyond 64 bits) · Date (TIMESTAMP) ·
 * Uint8Array (BYTES, sent as base64) · arrays of one of these. Anything else is refused. In INSERT … VALUES each is cast to the type
 * of its column: the service converts a text to a date by itself, but not to a number or to JSON. `names` are sent as they say.
 */
export const bind = async (
  sql: string,
  values: readonly unknown[],
  tokens: readonly Token[],
  columnsOf: (path: readonly string[]) => Promise<ColumnTypes | undefined>,
  names: readonly Edit[] = [],
): Promise<Bound> => {
  const used = tokens.filter((token) => token.kind === 'parameter')
  const wanted = Math.max(0, ...used.map((token) => Number(token.text.slice(1))))
  if (wanted !== values.length || new Set(used.map((token) => token.text)).size !== wanted) {
    throw new CdpError('INTERNAL', { detail: `a statement takes ${wanted} parameters and got ${values.length}` })
  }
  const parameters = values.map((value, at) => parameterOf(value, at + 1))
  const types = wanted === 0 ? new Map<number, string>() : await insertedTypes(tokens, columnsOf)
  const spelled = used.map(({ start, text }): Edit => ({
    start,
    end: start + text.length,
    text: spell(parameters[Number(text.slice(1)) - 1], types.get(start)),
  }))
  return {
    ...edited(sql, [...spelled, ...names]),
    parameters: parameters.filter((parameter) => parameter !== null && parameter !== 'empty'),
  }
}

const edited = (sql: string, edits: readonly Edit[]): Pick<Bound, 'sql' | 'place'> => {
  let text = ''
  let end = 0
  const made: (Edit & { readonly at: number })[] = []
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    text += sql.slice(end, edit.start)
    made.push({ ...edit, at: text.length })
    text += edit.text
    end = edit.end
  }
  return {
    sql: text + sql.slice(end),
    place: (offset) => {
      const edit = made.findLast((one) => one.at <= offset)
      if (!edit) return offset
      const after = offset - edit.at - edit.text.length
      return after < 0 ? edit.start : edit.end + after
    },
  }
}

type Parameter = QueryParameter | 'empty' | null

const spell = (parameter: Parameter | undefined, column: string | undefined): string => {
  if (parameter === null || parameter === undefined) return 'null'
  if (parameter === 'empty') return '[]'
  const name = `@${parameter.name}`
  if (column === undefined || column === parameter.parameterType.type || parameter.parameterType.arrayType) return name
  return column === 'JSON' ? `parse_json(${name}, wide_number_mode => 'round')` : `cast(${name} as ${column})`
}

const parameterOf = (value: unknown, number: number): Parameter => {
  const name = `p${number}`
  if (value === null) return null
  if (!Array.isArray(value)) {
    const { type, value: text } = scalar(value, number)
    return { name, parameterType: { type }, parameterValue: { value: text } }
  }
  if (value.length === 0) return 'empty'
  const items = value.map((item: unknown) => (item === null ? null : scalar(item, number)))
  return {
    name,
    parameterType: { type: 'ARRAY', arrayType: { type: itemType(items, number) } },
    parameterValue: { arrayValues: items.map((item) => ({ value: item?.value ?? null })) },
  }
}

const scalar = (value: unknown, number: number): Given => {
  if (typeof value === 'string') return { type: 'STRING', value }
  if (typeof value === 'boolean') return { type: 'BOOL', value: String(value) }
  if (typeof value === 'number') {
    const whole = Number.isSafeInteger(value) && !Object.is(value, -0)
    return { type: whole ? 'INT64' : 'FLOAT64', value: Object.is(value, -0) ? '-0.0' : String(value) }
  }
  if (typeof value === 'bigint') return ofBigint(value, number)
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw refused(number, 'an invalid Date')
    return { type: 'TIMESTAMP', value: value.toISOString().replace('T', ' ').replace('Z', '+00:00') }
  }
  if (value instanceof Uint8Array) return { type: 'BYTES', value: Buffer.from(value).toString('base64') }
  throw refused(number, typeof value === 'object' ? 'an object; pass JSON as text' : typeof value)
}

const ofBigint = (value: bigint, number: number): Given => {
  if (BigInt.asIntN(64, value) === value) return { type: 'INT64', value: String(value) }
  if (BigInt.asIntN(128, value) !== value) throw refused(number, 'an integer of more than 128 bits')
  return { type: 'BIGNUMERIC', value: String(value) }
}

const refused = (number: number, found: string): CdpError =>
  new CdpError('INTERNAL', { detail: `parameter $${number} of a statement is ${found}` })

// Items of different number types become the widest of them.
const widening = ['INT64', 'BIGNUMERIC', 'FLOAT64']

const itemType = (items: readonly (Given | null)[], number: number): string => {
  const types = [...new Set(items.flatMap((item) => (item ? [item.type] : [])))]
  if (types.length <= 1) return types[0] ?? 'STRING'
  if (!types.every((type) => widening.includes(type))) throw refused(number, 'a list of values of different types')
  return widening.findLast((type) => types.includes(type)) ?? 'FLOAT64'
}
