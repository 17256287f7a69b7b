// Operators and marks: those that both engines read alike, and a rule for each other.
import { override, refusals, type Rule } from './rule.ts'

export const sameMarks: ReadonlySet<string> = new Set('( ) , . [ ] + - * || = <> != < <= > >='.split(' '))

/** Marks of more than one character, the longest first. */
export const longMarks = '->> <=> !~~ -> => |> :: // ** || <> != <= >= == << >> ^@ !~ ~~ :='.split(' ')

/** Each has the mark in `found`. */
export const markRules: readonly Rule[] = [
  {
    found: '/',
    refusedBy: 'bigquery',
    why: 'a divisor of zero, which is infinity on duckdb; of decimals the quotient is a double on duckdb and a decimal on bigquery',
    say: 'cdp.safe_divide(a, b), or cdp.int_divide(a, b) for whole numbers',
    example: '1 / 0',
    instead: 'cdp.safe_divide(1, 0)',
  },
  {
    found: '^',
    why: 'is a power on duckdb and an exclusive or of bits on bigquery',
    say: 'power(a, b)',
    example: '2 ^ 3',
    instead: 'power(2, 3)',
  },
  ...['&', '|'].map((found) => ({
    found,
    why: '& and | are read from left to right on duckdb, & before | on bigquery',
    say: override,
    example: '1 | 2 & 0',
  })),
  ...refusals([
    ['::', 'bigquery', 'cast(x as string), cdp.safe_int(x), cdp.safe_date(x), …', `'1'::string`, `cast('1' as string)`],
    ['//', 'bigquery', 'cdp.int_divide(a, b)', '7 // 2', 'cdp.int_divide(7, 2)'],
    ['%', 'bigquery', 'mod(a, b)', '7 % 2', 'mod(7, 2)'],
    ['**', 'bigquery', 'power(a, b)', '2 ** 3', 'power(2, 3)'],
    ['==', 'bigquery', '=', '1 == 1', '1 = 1'],
    ['->>', 'bigquery', 'cdp.json_text(x, path)', `'{"a": "b"}' ->> '$.a'`, `cdp.json_text('{"a": "b"}', '$.a')`],
    ['->', 'bigquery', 'cdp.json_text(x, path)', `'{"a": "b"}' -> '$.a'`, `cdp.json_text('{"a": "b"}', '$.a')`],
    ['~', 'bigquery', 'cdp.regexp_contains(x, pattern)', `'abc' ~ 'a.*'`, `cdp.regexp_contains('abc', '^(a.*)$')`],
    [
      '!~',
      'bigquery',
      'not cdp.regexp_contains(x, pattern)',
      `'abc' !~ 'b'`,
      `not cdp.regexp_contains('abc', '^(b)$')`,
    ],
    ['~~', 'bigquery', 'like', `'abc' ~~ 'a%'`, `'abc' like 'a%'`],
    ['^@', 'bigquery', 'starts_with(a, b)', `'abc' ^@ 'a'`, `starts_with('abc', 'a')`],
    ['@', 'bigquery', 'abs(x)', '@ -1', 'abs(-1)'],
    [
      '|>',
      'duckdb',
      'SELECT with subqueries or WITH',
      '(from (select 1 as a) |> select a)',
      '(select a from (select 1 as a))',
    ],
    ['{', 'bigquery', override, `{'a': 1}`],
  ]),
]
