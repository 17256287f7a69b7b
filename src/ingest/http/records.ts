// The records in an answer of a JSON API. For source connectors.
import { at } from './paging.ts'

/**
 * JSON with its long integers whole: those of sixteen digits or more become a bigint, where JSON.parse would round them. Throws what
 * JSON.parse throws.
 *
 * @example
 * parseJson('{"id": 12345678901234567890}') // { id: 12345678901234567890n }
 */
export const parseJson = (text: string): unknown => {
  if (!/\d{16}/.test(text)) return JSON.parse(text)
  // A string or a number at a time, so that digits within a string are left alone.
  const marked = text.replaceAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    /^-?\d{16,}$/.test(token) ? `"\\u0000${token}"` : token,
  )
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === 'string' && /^\0-?\d+$/.test(value) ? shortest(BigInt(value.slice(1))) : value,
  )
}

const shortest = (value: bigint): bigint | number => (BigInt.asIntN(53, value) === value ? Number(value) : value)

export type Records = readonly Readonly<Record<string, unknown>>[]

/** Where lists of records usually are. */
const places = [
  'data',
  'results',
  'items',
  'records',
  'rows',
  'value',
  'values',
  'entries',
  'result',
  'response',
  'content',
]

/**
 * The records at a path; without one the answer itself, if it is a list, else the list in it. A single object at a path is one record,
 * null is none, and what in a list is no object becomes `{ value }`. Undefined: there is no such list.
 *
 * @example
 * recordsIn({ data: { orders: [{ id: 1 }] } }, 'data.orders') // [{ id: 1 }]
 */
export const recordsIn = (body: unknown, path: string | undefined): Records | undefined => {
  if (body === undefined) return []
  const found = path === undefined ? findList(body) : at(body, path)
  if (found === null) return []
  if (Array.isArray(found)) return found.map((value: unknown) => (isObject(value) ? value : { value }))
  return path !== undefined && isObject(found) ? [found] : undefined
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const findList = (body: unknown): unknown => {
  if (Array.isArray(body) || !isObject(body)) return body
  const usual = places.find((place) => Array.isArray(body[place]))
  if (usual !== undefined) return body[usual]
  const lists = Object.values(body).filter((value) => Array.isArray(value))
  return lists.length === 1 ? lists[0] : undefined
}
