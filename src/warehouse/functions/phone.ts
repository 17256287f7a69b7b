// Telephone numbers to E.164. For Viet Nam, the United States (and whoever shares +1), Thailand and Singapore a number
// counts if libphonenumber-js says so by its fullest metadata (`libphonenumber-js/max`, `isValid()`: the number matches
// a pattern of some type of line, not only a possible length). For other countries only the length is known.
//
// The value goes through a chain of replacements, each of which turns the forms of one country into E.164 and leaves the
// rest alone, so it is mentioned once: macros are expanded where they are called, and a value mentioned thirty times
// would be planned thirty times. Region and digits travel as one text, `VN:0912345678`.
import { parameters, type FunctionTheme } from './function.ts'
import { re, STRING } from './google.ts'
import { phoneRules } from './phone-rules.ts'

// What may stand between digits is the library's punctuation without the tilde, which it takes for an extension's sign.
const PUNCTUATION = String.raw`-\x{2010}-\x{2015}\x{2212}\x{30FC}\x{FF0D}/\x{FF0F}.\x{FF0E} \x{A0}\x{AD}\x{200B}\x{2060}\x{3000}()\x{FF08}\x{FF09}\x{FF3B}\x{FF3D}\[\]`
const EXTENSION = String.raw`(?:;ext=|[ \x{A0},]*(?:ext|extn|extension|x|#)[.:]? *)[0-9]{1,6}[^0-9#@]*$`

// `00` is `+` everywhere; other prefixes for abroad only where no national number begins so (US 011, SG 01x to 03x).
const PLUS = String.raw`(?:[A-Z]*:(?:\+|00)|US:011|SG:0[1-3][0-9])`

const DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
const codes = phoneRules.map((rule) => rule.code)
// The first two digits of numbers of other countries: RE2 cannot say "but not 84".
const otherThan = (except: readonly string[]): string =>
  [2, 3, 4, 5, 6, 7, 8, 9]
    .map((first) => [first, DIGITS.filter((second) => !except.includes(`${first}${second}`)).join('')])
    .map(([first, seconds]) => `${first}[${seconds}]`)
    .join('|')

// The pattern of every +1 area is thousands of characters; matching it with a capture is slow, so it is left to the end.
const NANP = '[2-9][0-9]{9}|3[0-9]{6}'
const nanp = phoneRules.find((rule) => rule.code === '1')?.valid ?? ''

// The trunk zero that others write as +49 (0)30 is no digit to dial; in Italy (39) and San Marino (378) it is.
const TRUNK = String.raw`^([^0-9+@]*(?:\+|00) ?(?:${otherThan([...codes, '39', '37'])})[0-9]?[ .-]*)\(0\)`
const NOISE = String.raw`(?i)^[^0-9+@]+|${EXTENSION}|[^0-9#@]+$|[${PUNCTUATION}]+`

// A national reading goes before one that lacks the plus: 841 234 567 in Viet Nam is a mobile number, not +84.
const READINGS: readonly (readonly [pattern: string, by: string])[] = [
  ...phoneRules.map(({ region, code, trunk, valid }): readonly [string, string] => {
    const zero = trunk === '' ? '' : `${trunk}?`
    const forms = `${region}:${zero}|(?:${PLUS}|${region}:)${code}${zero}`
    return [`^(?:${forms})(${code === '1' ? NANP : valid})$`, String.raw`+${code}\1`]
  }),
  [`^${PLUS}((?:${otherThan(codes)})[0-9]{6,13})$`, String.raw`+\1`],
]

const VALID = String.raw`^\+(?:1(?:${nanp})|[2-9][0-9]+)$`

/** How an engine says what the chain is made of. */
interface Spelling {
  readonly text: string
  readonly pattern: (pattern: string) => string
  readonly replaceAll: (text: string, pattern: string, by: string) => string
}

const chain = ({ text, pattern, replaceAll }: Spelling): string => {
  const digits = replaceAll(`regexp_replace(${text},\n    ${pattern(TRUNK)}, ${pattern(String.raw`\1`)})`, NOISE, '')
  const read = READINGS.reduce(
    (sql, [reading, by]) => `regexp_replace(${sql},\n    ${pattern(reading)}, ${pattern(by)})`,
    `upper(coalesce(region, '')) || ':' || ${digits}`,
  )
  return `nullif(regexp_extract(${read}, ${pattern(VALID)}), '')`
}

export const phone: FunctionTheme = {
  title: 'Telephone numbers',
  functions: [
    {
      name: 'normalize_phone',
      params: parameters({ value: 'any', region: 'text' }),
      returns: 'text',
      description:
        'A telephone number in E.164 (`+84912345678`), or null. `region` (`VN`, `US`, `TH`, `SG`) is where a number without `+` or `00` is dialled; with another region or null only international forms are read. ' +
        "Numbers of +84, +1, +66 and +65 must be valid by libphonenumber-js's fullest metadata; they may lack the `+` in their own region and may carry the trunk zero (`+84 0912…`). " +
        'Other countries: `+` and 8 to 15 digits; a `(0)` after the country code is dropped except for Italy. `00` is always `+`. ' +
        'A label before or after (`tel:`, `(Zalo)`) and an extension (`ext. 12`, `x12`) are ignored. Two numbers in one cell are null.',
      example: { sql: "cdp.normalize_phone('0912 345 678', 'VN')", result: '+84912345678' },
      duckdb: chain({
        text: 'cast(value as varchar)',
        pattern: (pattern) => `'${pattern}'`,
        replaceAll: (text, pattern, by) => `regexp_replace(${text},\n    '${pattern}', '${by}', 'g')`,
      }),
      bigquery: chain({
        text: STRING,
        pattern: re,
        replaceAll: (text, pattern, by) => `regexp_replace(${text},\n    ${re(pattern)}, ${re(by)})`,
      }),
    },
  ],
}
