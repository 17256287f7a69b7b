// The portable functions on both engines over the same random values: DuckDB's macros and Google's evaluator must agree.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { literal } from '../../../src/warehouse/bigquery/text.ts'
import { duckdbLiteral, openEngine, type Engine } from '../functions/engine.ts'
import { openGoogle, type Google } from './google.ts'

let google: Google
let engine: Engine
beforeAll(async () => {
  google = await openGoogle()
  engine = await openEngine()
})
afterAll(async () => {
  engine.close()
  await google.close()
})

const timeout = 120_000

// Seeded: a difference found today is found tomorrow.
const sample = <T>(values: fc.Arbitrary<T>, count: number): T[] =>
  fc.sample(values, { numRuns: count, seed: 20_261_101 })

const ascii = 'aAbZ019.-+_@,;:/()"\\ \t\n'
const others = 'é Đ đ ư ờ Ế ß İ e\u0301 \u00A0 \u200B \uFEFF \u3000 ก ่ 漢 🎉 가 Ω я'
const letters = fc.constantFrom(...ascii, ...others.split(' '))
const words = fc.array(letters, { maxLength: 14 }).map((found) => found.join(''))
const digits = fc
  .array(fc.constantFrom(...'0123456789'), { minLength: 1, maxLength: 24 })
  .map((found) => found.join(''))
const two = fc.integer({ min: 0, max: 70 }).map((n) => String(n).padStart(2, '0'))
const numbers = fc
  .tuple(
    fc.constantFrom('', '-', '+', ' '),
    digits,
    fc.constantFrom('', '.', '.0', '.50', 'e3', 'E-2'),
    fc.option(digits, { nil: '' }),
  )
  .map((parts) => parts.join(''))
const instants = fc
  .tuple(
    fc.integer({ min: 1, max: 10_050 }).map((n) => String(n).padStart(4, '0')),
    two,
    two,
    fc.constantFrom('', 'T', ' '),
    two,
    two,
    fc.constantFrom('', ':00', ':59.5', ':60', ':07.1234567'),
    fc.constantFrom('', 'Z', ' UTC', '+07', '+0700', '-03:30', ' +14:00', '+15:00'),
  )
  .map(([y, m, d, t, h, n, s, z]) => (t === '' ? `${y}-${m}-${d}${z}` : `${y}-${m}-${d}${t}${h}:${n}${s}${z}`))
const emails = fc
  .tuple(words, fc.constantFrom('@', '@@', ''), words, fc.constantFrom('.com', '.vn', '', '.'))
  .map((parts) => parts.join(''))
const phones = fc
  .tuple(fc.constantFrom('+84', '0', '84 ', '+1 ', '00', ''), digits, fc.constantFrom('', ' ext 12'))
  .map((parts) => parts.join(''))

const unary: Readonly<Record<string, fc.Arbitrary<string>>> = {
  to_text: words,
  canonical_text: words,
  trim_text: words,
  squeeze_text: words,
  normalize_name: words,
  fold: words,
  name_key: words,
  is_junk: fc.oneof(words, digits),
  normalize_email: emails,
  safe_int: numbers,
  safe_decimal: numbers,
  safe_double: numbers,
  safe_bool: fc.oneof(words, fc.constantFrom('yes', 'NO', ' on', 'T', '0')),
  safe_timestamp: instants,
  safe_date: instants,
  md5_hex: words,
  weekday_of: instants,
  monday_of: instants,
  unix_seconds: instants,
  unix_millis: instants,
}

/** The calls whose values differ. */
const different = async (calls: readonly (readonly [duckdb: string, bigquery: string])[]): Promise<unknown[]> => {
  const [ours, theirs] = [
    await engine.evaluate(calls.map(([call]) => call)),
    await google.evaluate(calls.map(([, call]) => call)),
  ]
  return calls.flatMap(([call], at) =>
    // The driver under test drops a mark at the start of what it reads.
    ours[at]?.text?.replace(/^\uFEFF/, '') === theirs[at]?.text?.replace(/^\uFEFF/, '')
      ? []
      : [{ call, duckdb: ours[at]?.text, bigquery: theirs[at]?.text }],
  )
}

it.each(Object.entries(unary))('cdp.%s gives the same of the same text', { timeout }, async (name, values) => {
  const found = await different(
    sample(values, name === 'name_key' ? 25 : 150).map((value) => [
      `cdp.${name}(${duckdbLiteral(value)})`,
      `cdp.${name}(${literal(value)})`,
    ]),
  )
  expect(found).toEqual([])
})

it.each(['days_between', 'hours_between', 'months_between', 'years_between'])(
  'cdp.%s gives the same between the same instants',
  { timeout },
  async (name) => {
    const pairs = sample(fc.tuple(instants, instants), 100)
    const found = await different(
      pairs.map(([a, b]) => [
        `cdp.${name}(${duckdbLiteral(a)}, ${duckdbLiteral(b)})`,
        `cdp.${name}(${literal(a)}, ${literal(b)})`,
      ]),
    )
    expect(found).toEqual([])
  },
)

it('cdp.normalize_phone gives the same of the same cell', { timeout }, async () => {
  const cells = sample(fc.tuple(phones, fc.constantFrom('VN', 'US', 'TH', 'XX')), 60)
  const found = await different(
    cells.map(([cell, region]) => [
      `cdp.normalize_phone(${duckdbLiteral(cell)}, '${region}')`,
      `cdp.normalize_phone(${literal(cell)}, '${region}')`,
    ]),
  )
  expect(found).toEqual([])
})

it('cdp.to_text gives the same of the same double', { timeout }, async () => {
  const money = fc.integer({ min: -1e9, max: 1e9 }).map((cents) => cents / 100)
  const sums = fc.tuple(money, fc.integer({ min: 1, max: 97 })).map(([amount, by]) => amount / by)
  // Below 2.2e-308 a double has fewer digits than BigQuery writes.
  const any = fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((value) => Math.abs(value) > 1e-300 || value === 0)
  const values = sample(
    fc.oneof(
      money,
      sums,
      any,
      fc.double({ min: -1e18, max: 1e18, noNaN: true }).filter((value) => Math.abs(value) > 1),
    ),
    200,
  )
  const found = await different(
    values.map((value) => [`cdp.to_text(cast('${value}' as double))`, `cdp.to_text(cast('${value}' as float64))`]),
  )
  expect(found).toEqual([])
})
