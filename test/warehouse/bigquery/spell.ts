// The rows of the portable functions as GoogleSQL, and those that cannot be: each with its reason.
import { literal, quote } from '../../../src/warehouse/bigquery/text.ts'
import { portableFunctions } from '../../../src/warehouse/functions/index.ts'
import type { Row, Value } from '../functions/engine.ts'

// Expressions of the rows that are written for DuckDB. Null: there is no such type here.
const expressions: Readonly<Record<string, string | null>> = {
  "cast('nan' as double)": `cast('nan' as float64)`,
  'cast(1 as double) / 7': 'cast(1 as float64) / 7',
  'cast(0.1 as float)': null,
  'cast(1200 as decimal(18, 0))': `numeric '1200'`,
  "cast('12345678901234567890123456789.123456780' as decimal(38, 9))": `numeric '12345678901234567890123456789.12345678'`,
  "cast('1.1234567891' as decimal(20, 10))": `bignumeric '1.1234567891'`,
  "cast('1.1234567890' as decimal(20, 10))": `bignumeric '1.1234567890'`,
  "cast('ab' as blob)": `b'ab'`,
  "{'b': 1, 'a': 'x'}": `struct(1 as b, 'x' as a)`,
  "{'utm': {'source': 'zalo'}}": `struct(struct('zalo' as source) as utm)`,
  "map {'b': 1, 'a': 2}": null,
  "time '08:30:00'": `time '08:30:00'`,
  "cast('gold' as enum ('gold', 'silver'))": null,
  "cast('6f9619ff-8b86-d011-b42d-00c04fc964ff' as uuid)": null,
}

const largest = 2n ** 63n - 1n

const spelled = (value: Value): string | null => {
  if (value === null) return 'null'
  if (typeof value === 'string') return literal(value)
  if (typeof value === 'bigint') return value > largest ? `bignumeric '${value}'` : String(value)
  if (typeof value !== 'object') return String(value)
  if ('sql' in value) {
    const found = expressions[value.sql]
    if (found === undefined) throw new Error(`say in GoogleSQL: ${value.sql}`)
    return found
  }
  if ('list' in value) {
    const items = value.list.map(spelled)
    return items.length === 0 ? 'cast([] as array<string>)' : `[${items.join(', ')}]`
  }
  if ('decimal' in value) return `numeric '${value.decimal}'`
  if ('double' in value) return `cast('${value.double}' as float64)`
  if ('date' in value) return `date '${value.date}'`
  if ('timestamp' in value) return value.timestamp === 'infinity' ? null : `timestamp '${value.timestamp}'`
  if ('local' in value) return `datetime '${value.local}'`
  return `json ${literal(value.json)}`
}

/** Rows that give something else here, by the call, with the reason. */
export const otherwise: readonly { readonly call: RegExp; readonly gives: string; readonly because: string }[] = [
  {
    call: /(?:to|canonical)_text`\(json /,
    gives: '{"a":[1,2],"b":1}',
    because: 'BigQuery keeps the keys of JSON in alphabetical order',
  },
  {
    call: /(?:to|canonical)_text`\(\[numeric /,
    gives: '["1.5"]',
    because: 'the evaluator writes a NUMERIC inside an array as JSON text',
  },
  { call: /json_text`.*huge'\)$/, gives: '1.2345678901234568e+29', because: 'JSON numbers beyond 64 bits are doubles' },
]

const standInGaps: readonly { readonly call: RegExp; readonly because: string }[] = [
  { call: /bignumeric/, because: 'the stand-in keeps 38 digits of a BIGNUMERIC, and does not tell its type' },
  {
    call: /(?:to|canonical)_text`\((?:datetime|b') ?/,
    because: 'the stand-in does not tell the type of DATETIME and BYTES',
  },
  { call: /(?:to|canonical)_text`\(\[numeric /, because: 'the stand-in writes nine decimals into JSON' },
]

/** Why the stand-in gives something else than the service would; undefined where it does not. */
export const standIn = (call: string): string | undefined => standInGaps.find((gap) => gap.call.test(call))?.because

/** A call of a function with the arguments of a row; undefined where a value cannot be said. */
export const callOf = (name: string, [args]: Row): string | undefined => {
  const params = portableFunctions.find((of) => of.name === name)?.params ?? []
  const list = args.map((value, at) => {
    // A bare null is an INT64: the functions over arrays ask for one, and for items of its type.
    if (value === null && params[at]?.type === 'array') return 'cast(null as array<string>)'
    if (value === null && (params[0]?.type === 'array' || params[at]?.type === 'text')) return 'cast(null as string)'
    return spelled(value)
  })
  return list.includes(null) ? undefined : `cdp.${quote(name)}(${list.join(', ')})`
}
