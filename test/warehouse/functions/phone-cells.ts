// Random cells of a telephone column, and what libphonenumber-js makes of them.
import * as fc from 'fast-check'
import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { phoneRules } from '../../../src/warehouse/functions/phone-rules.ts'

export interface Cell {
  readonly value: string
  readonly region: string
}

export const codes = phoneRules.map((rule) => rule.code)

const ofLibrary = (text: string, region?: string): string | null => {
  const number = parsePhoneNumberFromString(
    text,
    region !== undefined && isSupportedCountry(region) ? region : undefined,
  )
  return number?.isValid() === true ? number.number : null
}

// International prefixes other than 00, where no national number begins so.
const PREFIXES: Readonly<Record<string, RegExp>> = { US: /^011([1-9].*)$/, SG: /^0[1-3][0-9]([1-9].*)$/ }

/**
 * The library's answer for a text of digits and separators, with what we decide apart: `00` is `+` everywhere, in
 * Singapore `000` is nothing, other countries have 8 to 15 digits.
 */
export const expected = ({ value, region }: Cell): string | null => {
  const dialled = value.replaceAll(/[^0-9+]/g, '')
  if (region === 'SG' && dialled.startsWith('000')) return null
  const abroad = /^(?:00|\+)([1-9].*)$/.exec(dialled)?.[1] ?? PREFIXES[region]?.exec(dialled)?.[1]
  if (abroad === undefined) return ofLibrary(value, region)
  if (codes.some((code) => abroad.startsWith(code))) return ofLibrary(dialled.startsWith('+') ? value : `+${abroad}`)
  return /^[2-9][0-9]{7,14}$/.test(abroad) ? `+${abroad}` : null
}

const digits = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength, maxLength }).map((found) => found.join(''))

const separators = ['', '', '', ' ', '-', '.', '/', ' - ', '\u00A0', '–', '(', ')', ') ', '[', ']', '\u200B']

// A plus stands right before the digits, as far as the library is concerned. A foreign (0) is the trunk zero, which the
// rows of rows/phone.ts are about.
const separated = (text: string): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom(...separators), { minLength: text.length, maxLength: text.length })
    .map((between) =>
      text
        .split('')
        .map((sign, at) => (at === 1 && text.startsWith('+') ? sign : `${between[at]}${sign}`))
        .join(''),
    )
    .filter((written) => !written.includes('(0)'))

/** Valid numbers of a region, without their trunk prefix. */
export const numbersOf = phoneRules.map((rule) => ({
  rule,
  number: fc.stringMatching(new RegExp(`^(?:${rule.valid})$`)),
}))

/** Numbers, valid and not, with all kinds of prefixes and separators, mostly dialled in their own region. */
export const written: fc.Arbitrary<Cell> = fc.oneof(
  ...numbersOf.map(({ rule: { code, region }, number }) => {
    const international = [`+${code}`, `+${code}0`, code, `${code}0`, `00${code}`, `011${code}`, `018${code}`]
    const prefix = fc.constantFrom('', '', '0', '1', '11', '+', '00', '000', ...international)
    return fc.record({
      value: fc.tuple(prefix, fc.oneof(number, digits(4, 14))).chain(([before, after]) => separated(before + after)),
      region: fc.oneof(
        { weight: 4, arbitrary: fc.constant(region) },
        fc.constantFrom(...phoneRules.map((rule) => rule.region)),
      ),
    })
  }),
)

const PIECES = ['+', '00', '84', '0912345678', '+66812345678', ' ', ',', ';', '/', 'x', ' ext. ', '#', '@', '.0', '(0)']

/** Whatever people type. */
export const anything: fc.Arbitrary<Cell> = fc.record({
  value: fc
    .array(fc.oneof(fc.constantFrom(...PIECES, 'Zalo ', '٣', '８', '~', '12', '650'), digits(1, 11)), { maxLength: 6 })
    .map((pieces) => pieces.join('')),
  region: fc.constantFrom('VN', 'US', 'TH', 'SG', 'FR', ''),
})
