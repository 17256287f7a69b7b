import fc from 'fast-check'
import { isValidPhoneNumber, parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/max'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { phoneRules } from '../../../src/warehouse/functions/phone-rules.ts'
import { openEngine, type Engine } from './engine.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
  await engine.connection.run('create table dialled (place integer, value varchar, region varchar)')
})
afterAll(() => engine.close())

type Dialled = readonly [value: string, region: string]

// One statement over a table, as a model would run it; a statement a number would test the planner.
const normalized = async (cells: readonly Dialled[]): Promise<(string | null)[]> => {
  await engine.connection.run('truncate dialled')
  const appender = await engine.connection.createAppender('dialled')
  for (const [at, [value, region]] of cells.entries()) {
    appender.appendInteger(at)
    appender.appendVarchar(value)
    appender.appendVarchar(region)
    appender.endRow()
  }
  appender.closeSync()
  const reader = await engine.connection.runAndReadAll(
    'select cdp.normalize_phone(value, region) from dialled order by place',
  )
  return reader.getRows().map(([value]) => (value === null ? null : String(value)))
}

const codes = phoneRules.map((rule) => rule.code)
const regions = phoneRules.map((rule) => rule.region as CountryCode)

const ofLibrary = (text: string, region?: CountryCode): string | null => {
  const number = parsePhoneNumberFromString(text, region)
  return number?.isValid() ? number.number : null
}

/** The library's answer for a text of digits and separators, with what we decide apart: `00` is `+`, in Singapore `000` is nothing, foreign lengths. */
const expected = ([text, region]: Dialled): string | null => {
  const digits = text.replaceAll(/[^0-9+]/g, '')
  if (region === 'SG' && digits.startsWith('000')) return null
  const plus = /^(?:00|\+)([1-9].*)$/.exec(digits)?.[1]
  const abroad = plus ?? { US: /^011([1-9].*)$/, SG: /^0[1-3][0-9]([1-9].*)$/ }[region]?.exec(digits)?.[1]
  if (abroad === undefined) return ofLibrary(text, region as CountryCode)
  if (codes.some((code) => abroad.startsWith(code))) return ofLibrary(digits.startsWith('+') ? text : `+${abroad}`)
  return /^[2-9][0-9]{7,14}$/.test(abroad) ? `+${abroad}` : null
}

const digits = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...'0123456789'), { minLength, maxLength }).map((found) => found.join(''))

const separator = fc.constantFrom(
  '',
  '',
  '',
  ' ',
  '-',
  '.',
  '/',
  ' - ',
  '\u00A0',
  '–',
  '(',
  ')',
  ') ',
  '[',
  ']',
  '\u200B',
)

const separated = (text: string): fc.Arbitrary<string> =>
  fc
    .array(separator, { minLength: text.length + 1, maxLength: text.length + 1 })
    // A plus stands before the digits, as far as the library is concerned.
    .map((between) =>
      [...text].map((sign, at) => `${at === 1 && text.startsWith('+') ? '' : between[at]}${sign}`).join(''),
    )
    // A foreign (0) is the trunk zero, which the rows of phone.rows.ts are about.
    .filter((text) => !text.includes('(0)'))

const numbersOf = phoneRules.map((rule) => ({ rule, valid: fc.stringMatching(new RegExp(`^(?:${rule.valid})$`)) }))

const written = fc.oneof(
  ...numbersOf.map(({ rule: { code, region }, valid }) => {
    const zero = ['', '0', '1', '11', '+', '00', '000']
    const prefix = fc.constantFrom(
      '',
      ...zero,
      code,
      `+${code}`,
      `+${code}0`,
      `${code}0`,
      `00${code}`,
      `011${code}`,
      `018${code}`,
    )
    return fc.tuple(
      fc.tuple(prefix, fc.oneof(valid, digits(4, 14))).chain(([before, after]) => separated(before + after)),
      fc.oneof({ weight: 4, arbitrary: fc.constant(region) }, fc.constantFrom(...regions)),
    )
  }),
)

test('numbers with separators, national and international, are valid exactly if the library says so', async () => {
  const cells = fc.sample(written, { numRuns: 12_000, seed: 20_261_001 })
  const found = await normalized(cells)
  const wrong = cells.flatMap((cell, at) =>
    found[at] === expected(cell) ? [] : [{ cell, found: found[at], expected: expected(cell) }],
  )
  expect(wrong).toEqual([])
  expect(found.filter((number) => number !== null).length).toBeGreaterThan(3000)
})

test('every number that the rules accept in its own region is found in national form', async () => {
  const cells = numbersOf.flatMap(({ rule: { region, trunk }, valid }) =>
    fc.sample(valid, { numRuns: 2000, seed: 7 }).map((number): Dialled => [trunk + number, region]),
  )
  const found = await normalized(cells)
  expect(cells.filter((cell, at) => found[at] !== expected(cell))).toEqual([])
})

test('whatever is in the cell, what comes out is null or a number that can be dialled', async () => {
  const piece = fc.constantFrom(
    '+',
    '00',
    '84',
    '0912345678',
    '+66812345678',
    ' ',
    ',',
    ';',
    '/',
    'x',
    ' ext. ',
    '#',
    '@',
    '.0',
    '(0)',
    'Zalo ',
    '٣',
    '８',
    '12',
    '650',
  )
  const cells = fc.sample(
    fc.tuple(
      fc.array(fc.oneof(piece, digits(1, 11)), { maxLength: 6 }).map((pieces) => pieces.join('')),
      fc.constantFrom('VN', 'US', 'TH', 'SG', 'FR', ''),
    ),
    { numRuns: 12_000, seed: 42 },
  )
  const found = await normalized(cells)
  const wrong = cells.flatMap((cell, at) => {
    const number = found[at]
    if (number === null || number === undefined) return []
    const known = codes.some((code) => number.startsWith(`+${code}`))
    const right = known ? isValidPhoneNumber(number) : /^\+[2-9][0-9]{6,14}$/.test(number)
    return right ? [] : [{ cell, number }]
  })
  expect(wrong).toEqual([])
})
