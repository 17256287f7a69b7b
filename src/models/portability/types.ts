// Types that a cast may name: what only one engine knows, and what each casts in its own way.
import { override, refusals, type Rule } from './rule.ts'

/** Type names that mean the same on both. */
export const sameTypes: Readonly<Record<string, string>> = {
  string: 'cast(1 as string)',
  date: `cast('2026-10-01' as date)`,
  bool: `cast('true' as bool)`,
  boolean: `cast('true' as boolean)`,
  time: `cast('08:00:00' as time)`,
}

/** Types of which only a null is the same on both: `cast(null as int64)`. */
export const sameOfNull: Readonly<Record<string, string>> = {
  int64: 'cast(null as int64)',
  timestamp: 'cast(null as timestamp)',
}

/** Other words for int64. */
export const wholeNumbers: ReadonlySet<string> = new Set(['int', 'integer', 'bigint', 'smallint', 'tinyint'])

/** Each has the type's name in `found`. */
export const typeRules: readonly Rule[] = [
  {
    found: 'int64',
    why: 'rounds a half to the even number on duckdb and up on bigquery, and reads texts such as 12.7 on duckdb alone',
    say: 'cdp.safe_int(x), or cdp.round_half_up(x, 0)',
    example: 'cast(2.5e0 as int64)',
    instead: 'cdp.round_half_up(2.5e0, 0)',
  },
  ...['numeric', 'decimal'].map((found) => ({
    found,
    why: 'has 3 decimals on duckdb and 9 on bigquery',
    say: 'cdp.safe_decimal(x)',
    example: `cast('2.123456' as ${found})`,
    instead: `cdp.safe_decimal('2.123456')`,
  })),
  {
    found: 'decimal(p, s)',
    why: 'rounds to its decimals on duckdb; bigquery does not document a precision in a cast',
    say: 'cdp.safe_decimal(x), or cdp.round_half_up(x, 2)',
    example: `cast('2.125' as decimal(18, 2))`,
    instead: `cdp.round_half_up('2.125', 2)`,
    documented: true,
  },
  {
    found: 'timestamp',
    why: 'drops the zone of a text on duckdb and heeds it on bigquery',
    say: 'cdp.safe_timestamp(x)',
    example: `cast('2026-10-01T08:00:00+07:00' as timestamp)`,
    instead: `cdp.safe_timestamp('2026-10-01T08:00:00+07:00')`,
  },
  {
    found: 'datetime',
    refusedBy: 'bigquery',
    why: 'it does not compare with a timestamp there',
    say: 'cdp.safe_timestamp(x)',
    example: `cast('2026-10-01 08:00:00' as datetime) = timestamp '2026-10-01 08:00:00'`,
    instead: `cdp.safe_timestamp('2026-10-01 08:00:00') = timestamp '2026-10-01 08:00:00'`,
  },
  ...refusals([
    ...(['varchar', 'text', 'char'] as const).map(
      (name) => [name, 'bigquery', 'string', `cast(1 as ${name})`, 'cast(1 as string)'] as const,
    ),
    ...(['double', 'float', 'real'] as const).map(
      (name) => [name, 'bigquery', 'cdp.safe_double(x)', `cast('2' as ${name})`, `cdp.safe_double('2')`] as const,
    ),
    ['float64', 'duckdb', 'cdp.safe_double(x)', `cast('2' as float64)`, `cdp.safe_double('2')`],
    ['bignumeric', 'duckdb', 'cdp.safe_decimal(x)', `cast('1' as bignumeric)`, `cdp.safe_decimal('1')`],
    [
      'timestamptz',
      'bigquery',
      'cdp.safe_timestamp(x)',
      `cast('2026-10-01 08:00:00Z' as timestamptz)`,
      `cdp.safe_timestamp('2026-10-01 08:00:00Z')`,
    ],
    ['json', 'bigquery', override, `cast('{"a":1}' as json)`],
    ['blob', 'bigquery', override, `cast('a' as blob)`],
    ['bytes', 'duckdb', override, `cast('a' as bytes)`],
    ['array<…>', 'duckdb', override, 'cast([1] as array<int64>)'],
    ['…[]', 'bigquery', override, 'cast([1] as int64[])'],
  ]),
]
