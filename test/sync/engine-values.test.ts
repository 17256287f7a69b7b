// What goes out is the same bytes on both engines: DuckDB and Google's evaluator spell the same random values.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialect as google } from '../../src/warehouse/bigquery/dialect.ts'
import { literal as googleLiteral } from '../../src/warehouse/bigquery/text.ts'
import { dialect as duckdb } from '../../src/warehouse/duckdb/dialect.ts'
import { openGoogle, type Google } from '../warehouse/bigquery/google.ts'
import { duckdbLiteral, openEngine, type Engine } from '../warehouse/functions/engine.ts'

let evaluator: Google
let engine: Engine
beforeAll(async () => {
  evaluator = await openGoogle()
  engine = await openEngine()
})
afterAll(async () => {
  engine.close()
  await evaluator.close()
})

const timeout = 120_000
const sample = <T>(values: fc.Arbitrary<T>, count: number): T[] =>
  fc.sample(values, { numRuns: count, seed: 20_261_101 })

interface Typed {
  readonly sql: string
  readonly type: string
}
type Pair = readonly [duck: Typed, google: Typed]

const differing = async (pairs: readonly Pair[]): Promise<unknown[]> => {
  const found: unknown[] = []
  for (const word of ['json', 'key'] as const) {
    const ours = await engine.evaluate(pairs.map(([{ sql, type }]) => duckdb.values[word](sql, type)))
    const theirs = await evaluator.evaluate(pairs.map(([, { sql, type }]) => google.values[word](sql, type)))
    for (const [at, [duck]] of pairs.entries()) {
      // The driver under test drops a mark at the start of what it reads.
      const [a, b] = [ours[at]?.text?.replace(/^\uFEFF/, ''), theirs[at]?.text?.replace(/^\uFEFF/, '')]
      if (a !== b) found.push({ word, value: duck.sql, duckdb: a, bigquery: b })
      if (word === 'json' && a !== undefined && a !== null) JSON.parse(a)
    }
  }
  return found
}

const letters = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...'aZ09 /"\\\'`<>&{}[],:', 'é', 'ư', 'e\u0301', '漢', '🎉', '\u00A0') },
  fc.integer({ min: 1, max: 0x1f }).map((code) => String.fromCodePoint(code)),
  fc.constantFrom('\u007F', '\u0085', '\u200B', '\u2028', '\u2029', '\uFEFF', '\uFFFD', '\uFFFF', '\\u2028', '\\u000b'),
)
const words = fc.array(letters, { maxLength: 12 }).map((found) => found.join(''))
const digits = (most: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...'0123456789'), { minLength: 1, maxLength: most }).map((all) => all.join(''))
const decimals = fc
  .tuple(fc.constantFrom('', '-'), digits(29), fc.option(digits(9), { nil: '' }))
  .map(([sign, whole, part]) => `${sign}${whole}${part === '' ? '' : `.${part}`}`)
const instants = fc
  .tuple(
    fc.date({ min: new Date('0001-01-02T00:00:00Z'), max: new Date('9999-12-30T00:00:00Z'), noInvalidDate: true }),
    fc.constantFrom('', '.5', '.25', '.000001', '.123456', '.100', '.000'),
  )
  .map(([date, part]) => `${date.toISOString().slice(0, 19).replace('T', ' ')}${part}`)

const textPair = (value: string): Pair => [
  { sql: duckdbLiteral(value), type: 'VARCHAR' },
  { sql: googleLiteral(value), type: 'STRING' },
]
const castPair = (value: string | number | bigint, duck: string, other: string, otherWord = other): Pair => [
  { sql: `cast('${value}' as ${duck})`, type: duck },
  { sql: `cast('${value}' as ${otherWord})`, type: other },
]

describe('values on both engines', () => {
  it.each<[string, () => readonly Pair[]]>([
    ['texts', () => sample(words, 400).map(textPair)],
    [
      'control characters, each',
      () => Array.from({ length: 31 }, (_, at) => textPair(`a${String.fromCodePoint(at + 1)}b`)),
    ],
    [
      'integers',
      () =>
        sample(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), 100).map((n) => castPair(n, 'BIGINT', 'INT64')),
    ],
    ['small integers', () => sample(fc.integer(), 50).map((n) => castPair(n, 'BIGINT', 'INT64'))],
    ['decimals', () => sample(decimals, 300).map((n) => castPair(n, 'DECIMAL(38,9)', 'NUMERIC'))],
    [
      'doubles',
      () =>
        sample(
          fc.oneof(
            fc.integer({ min: -1e9, max: 1e9 }).map((n) => n / 100),
            fc.double({ min: -1e18, max: 1e18, noNaN: true }).filter((n) => Math.abs(n) > 1),
            fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => Math.abs(n) > 1e-300 || n === 0),
            fc.constantFrom(0, -0, 1, 1e15, 1e16, 1e22, 123_456_789_012_345_680, 0.1, 1e-5),
          ),
          300,
        ).map((n) => castPair(Object.is(n, -0) ? '-0.0' : n, 'DOUBLE', 'FLOAT64')),
    ],
    ['booleans', () => [castPair('true', 'BOOLEAN', 'BOOL'), castPair('false', 'BOOLEAN', 'BOOL')]],
    ['dates', () => sample(instants, 50).map((at) => castPair(at.slice(0, 10), 'DATE', 'DATE'))],
    [
      'instants',
      () => sample(instants, 150).map((at) => castPair(`${at}+00`, 'TIMESTAMP WITH TIME ZONE', 'TIMESTAMP')),
    ],
    ['civil times', () => sample(instants, 50).map((at) => castPair(at, 'TIMESTAMP', 'DATETIME'))],
    ['times of day', () => sample(instants, 50).map((at) => castPair(at.slice(11), 'TIME', 'TIME'))],
    [
      'bytes',
      () =>
        sample(fc.uint8Array({ maxLength: 12 }), 50).map((bytes): Pair => {
          const hex = Buffer.from(bytes).toString('hex')
          return [
            { sql: `unhex('${hex}')`, type: 'BLOB' },
            { sql: `from_hex('${hex}')`, type: 'BYTES' },
          ]
        }),
    ],
    [
      'lists',
      () =>
        sample(fc.array(fc.option(words), { maxLength: 4 }), 100).map((list): Pair => {
          const [ours, theirs] = [
            list.map((item) => (item === null ? 'null' : duckdbLiteral(item))),
            list.map((item) => (item === null ? 'null' : googleLiteral(item))),
          ]
          return [
            { sql: `cast([${ours.join(', ')}] as VARCHAR[])`, type: 'VARCHAR[]' },
            { sql: `cast([${theirs.join(', ')}] as ARRAY<STRING>)`, type: 'ARRAY<STRING>' },
          ]
        }),
    ],
    [
      'structs in lists',
      () =>
        sample(fc.array(fc.tuple(words, decimals, instants), { minLength: 1, maxLength: 3 }), 60).map((list): Pair => {
          const ours = list.map(
            ([a, b, c]) =>
              `{'a': ${duckdbLiteral(a)}, 'b c': cast('${b}' as DECIMAL(38,9)), 'd': [cast('${c}+00' as timestamptz)]}`,
          )
          const theirs = list.map(
            ([a, b, c]) =>
              `struct(${googleLiteral(a)} as a, cast('${b}' as numeric) as \`b c\`, [cast('${c}+00' as timestamp)] as d)`,
          )
          return [
            {
              sql: `[${ours.join(', ')}]`,
              type: 'STRUCT("a" VARCHAR, "b c" DECIMAL(38,9), "d" TIMESTAMP WITH TIME ZONE[])[]',
            },
            {
              sql: `[${theirs.join(', ')}]`,
              type: 'ARRAY<STRUCT<`a` STRING, `b c` NUMERIC, `d` ARRAY<TIMESTAMP>>>',
            },
          ]
        }),
    ],
    [
      'nulls',
      () =>
        (
          [
            ['VARCHAR', 'STRING'],
            ['BIGINT', 'INT64'],
            ['DECIMAL(38,9)', 'NUMERIC'],
            ['DOUBLE', 'FLOAT64'],
            ['BOOLEAN', 'BOOL'],
            ['DATE', 'DATE'],
            ['TIMESTAMP WITH TIME ZONE', 'TIMESTAMP'],
            ['BLOB', 'BYTES'],
            ['VARCHAR[]', 'ARRAY<STRING>'],
          ] as const
        ).map(([ours, theirs]): Pair => [
          { sql: `cast(null as ${ours})`, type: ours },
          { sql: `cast(null as ${theirs})`, type: theirs },
        ]),
    ],
  ])('%s', { timeout }, async (_what, pairs) => {
    expect(await differing(pairs())).toEqual([])
  })

  it('know which keys are none and which values no JSON can say', { timeout }, async () => {
    const keys = ['', ' ', '\t\n\r ', 'a', ' a ', '!', '\u00A0']
    const ours = keys.map((key) => duckdb.values.isNoKey(duckdbLiteral(key), 'VARCHAR'))
    const theirs = keys.map((key) => google.values.isNoKey(googleLiteral(key), 'STRING'))
    const texts = async (list: Promise<readonly { readonly text: string | null }[]>): Promise<unknown[]> =>
      (await list).map(({ text }) => text)
    const expected = ['true', 'true', 'true', 'false', 'false', 'false', 'false']
    expect(await texts(engine.evaluate(ours))).toEqual(expected)
    expect(await texts(evaluator.evaluate(theirs))).toEqual(expected)
    const doubles = ['nan', 'inf', '-inf', '1']
    const listed = doubles.map(
      (one) => google.values.isUnsendable(`[cast('${one}' as float64)]`, 'ARRAY<FLOAT64>') ?? '',
    )
    const plain = doubles.map((one) => google.values.isUnsendable(`cast('${one}' as float64)`, 'FLOAT64') ?? '')
    expect(await texts(evaluator.evaluate([...plain, ...listed]))).toEqual(
      [...doubles, ...doubles].map((one) => String(one !== '1')),
    )
  })

  it('merge and read the same objects', { timeout }, async () => {
    const names = ['a', 'b c', 'quo"te', 'back\\slash', 'x","a":"', '.*', 'é']
    const object = (members: readonly (readonly [string, string])[]): string =>
      JSON.stringify(Object.fromEntries(members))
    const objects = sample(
      fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom('0f', '1e', '2d')), { maxLength: 5 }),
      60,
    ).map((members) => object(members))
    const pairs = objects.slice(1).map((one, at) => [one, objects[at] ?? '{}'] as const)
    const ours = await engine.evaluate(pairs.map(([a, b]) => duckdb.json.merged(duckdbLiteral(a), duckdbLiteral(b))))
    const theirs = await evaluator.evaluate(
      pairs.map(([a, b]) => google.json.merged(googleLiteral(a), googleLiteral(b))),
    )
    expect(theirs.map(({ text }) => text)).toEqual(ours.map(({ text }) => text))
    const read = async (object_: string): Promise<unknown> => {
      const { columns } = google.json.members(googleLiteral(object_), names)
      const values = await evaluator.evaluate(columns.map((column) => column.replace(/ as member\d+$/, '')))
      return Object.fromEntries(values.flatMap(({ text }, at) => (text === null ? [] : [[names[at], text]])))
    }
    for (const one of objects.slice(0, 12)) expect(await read(one)).toEqual(JSON.parse(one))
    const listed = await evaluator.evaluate(objects.map((one) => google.json.names(googleLiteral(one))))
    expect(listed.map(({ text }) => text)).toEqual(
      objects.map((one) => JSON.stringify(Object.keys(JSON.parse(one) as object))),
    )
  })
})
