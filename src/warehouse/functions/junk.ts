// Values that people and systems write where there is nothing to write. An identity graph must not join anybody by
// them, and no audience should hold them.
import { parameters, type FunctionTheme } from './function.ts'
import { re } from './google.ts'

const WORDS = [
  '#?n[./ ]?a[.]?',
  'none|null|nil|nan|undefined|unknown|unspecified|not (?:available|applicable|provided|given|known|set)',
  'no(?:ne)?[ _-]?(?:e?-?mail|phone|name|number)',
  'anonymous|guest|customer|test(?:er|ing)?[0-9]*|demo|dummy|fake|sample|example|tbd|tba|xx+|abc|asdf+|asdfgh|qwerty',
  'khong|khong co|khong ro|khong biet|chua co|khach|khach le|khach hang|khach vang lai',
  '-1',
].join('|')

const LOCALS =
  '(?:test|tests|testing|tester|no-?reply|no-?email|no-?mail|none|null|na|n\\.a|unknown|fake|dummy|abc|asdf|xxx+|a{3,}|1{3,}|0{2,})'
const HOSTS =
  '(?:test|tests|testing|none|null|noemail|nomail|fake|dummy|unknown|xxx+|abc|asdf)\\.[a-z]{2,}(?:\\.[a-z]{2})?'

// 0987 654 321 is not among the numbers: it can be dialled, and somebody has it (in the example project, Binh).
// Digits with anything that stands between the digits of a telephone number. RE2 has no back-references, so "one digit
// again and again" is ten alternatives.
const BETWEEN = '[-+(). ]*'
const spaced = (digits: string): string => digits.split('').join(BETWEEN)
const repeated = (times: string): string =>
  Array.from({ length: 10 }, (_, digit) => `(?:${digit}${BETWEEN})${times}`).join('|')
const COUNTRY = `(?:(?:${spaced('84')}|0)${BETWEEN})`
const DIGITS =
  `${BETWEEN}(?:(?:0${BETWEEN})+|${repeated('{6,}')}|${COUNTRY}(?:${repeated('{9}')})|1${BETWEEN}(?:${repeated('{10}')})` +
  `|${COUNTRY}?(?:${spaced('12345678')}${BETWEEN}(?:9${BETWEEN}0?)?))`

const JUNK = `[^\\p{L}\\p{N}]*|${WORDS}|${LOCALS}@.*|.*@${HOSTS}|.*@(?:.*[.])?(?:invalid|test|localhost)|${DIGITS}`

export const junk: FunctionTheme = {
  title: 'Junk',
  functions: [
    {
      name: 'is_junk',
      params: parameters({ value: 'any' }),
      returns: 'boolean',
      description:
        'Whether a value identifies nobody: null, blank, only punctuation; words such as `N/A`, `none`, `unknown`, `test`, `không có`; ' +
        'e-mail addresses such as `test@test.com` or `none@gmail.com`; numbers such as `0000000000`, `0999999999`, `123456789`. Never null.',
      example: { sql: "cdp.is_junk('N/A')", result: 'true' },
      duckdb: `coalesce(regexp_full_match(cdp.fold(value),
  '${JUNK}'), true)`,
      bigquery: `coalesce(regexp_contains(cdp.fold(value), ${re(`^(?:${JUNK})$`)}), true)`,
    },
  ],
}
