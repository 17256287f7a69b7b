// Functions of JSON, arrays and structs that the check names with a portable spelling.
import { override, refusals, untried, type Rule } from './rule.ts'

/** Each has the function's name in `found`: `concat(…)`. */
export const nestedFunctions: readonly Rule[] = [
  {
    found: 'json_value(…)',
    why: 'gives JSON with its quotes on duckdb and text on bigquery',
    say: 'cdp.json_text(x, path)',
    example: `json_value('{"a": "b"}', '$.a')`,
    instead: `cdp.json_text('{"a": "b"}', '$.a')`,
  },
  {
    found: 'to_json(…)',
    why: 'writes instants in another way on each engine',
    say: 'cdp.to_text(x)',
    example: `to_json(timestamp '2026-10-01 08:00:00')`,
    instead: `cdp.to_text(timestamp '2026-10-01 08:00:00')`,
  },
  ...refusals([
    [
      'json_extract_string(…)',
      'bigquery',
      'cdp.json_text(x, path)',
      `json_extract_string('{"a": "b"}', '$.a')`,
      `cdp.json_text('{"a": "b"}', '$.a')`,
    ],
    [
      'json_extract_scalar(…)',
      'duckdb',
      'cdp.json_text(x, path)',
      `json_extract_scalar('{"a": "b"}', '$.a')`,
      `cdp.json_text('{"a": "b"}', '$.a')`,
    ],
    ['json_query(…)', 'duckdb', override, `json_query('{"a": "b"}', '$.a')`],
    ['to_json_string(…)', 'duckdb', 'cdp.to_text(x)', 'to_json_string([1])', 'cdp.to_text([1])'],
    ['parse_json(…)', 'duckdb', override, `parse_json('{}')`],
    [
      'list_contains(…)',
      'bigquery',
      'cdp.array_has(items, item)',
      'list_contains([1, 2], 1)',
      'cdp.array_has([1, 2], 1)',
    ],
    [
      'array_contains(…)',
      'bigquery',
      'cdp.array_has(items, item)',
      'array_contains([1, 2], 1)',
      'cdp.array_has([1, 2], 1)',
    ],
    ['array_first(…)', 'duckdb', 'cdp.array_first(items)', 'array_first([1, 2])', 'cdp.array_first([1, 2])'],
    ['list_value(…)', 'bigquery', '[a, b]', 'list_value(1, 2)', '[1, 2]'],
    ['struct(…)', 'duckdb', override, 'struct(1 as a)'],
    ['struct_pack(…)', 'bigquery', override, 'struct_pack(a := 1)'],
    ['row(…)', 'bigquery', override, 'row(1, 2)'],
    [
      'columns(…)',
      'bigquery',
      'the columns, one by one',
      `(select max(b) from (select columns('a') as b from (select 1 as a)))`,
      '(select max(b) from (select a as b from (select 1 as a)))',
    ],
    ['typeof(…)', 'bigquery', override, 'typeof(1)'],
    [
      'try_cast(…)',
      'bigquery',
      'cdp.safe_int(x), cdp.safe_decimal, cdp.safe_double, cdp.safe_date, cdp.safe_timestamp, cdp.safe_bool',
      `try_cast('12.7' as int64)`,
      `cdp.safe_int('12.7')`,
    ],
    [
      'safe_cast(…)',
      'duckdb',
      'cdp.safe_int(x), cdp.safe_decimal, cdp.safe_double, cdp.safe_date, cdp.safe_timestamp, cdp.safe_bool',
      `safe_cast('12.7' as int64)`,
      `cdp.safe_int('12.7')`,
    ],
  ]),
  {
    found: 'grouping(…)',
    why: untried,
    say: override,
    example: `(select max(g) from (select grouping(a) as g from (select 1 as a) group by rollup (a)))`,
    documented: true,
  },
]
