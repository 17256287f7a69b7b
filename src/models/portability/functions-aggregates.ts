// Aggregates that the check names with a portable spelling.
import { override, refusals, type Rule } from './rule.ts'

const ones = '(select 1 as a union all select 2)'

// The row with the highest or the lowest value of another column.
const firstBy = {
  max: {
    say: 'qualify row_number() over (partition by … order by y desc) = 1',
    instead: `(select a from ${ones} qualify row_number() over (order by a desc) = 1)`,
  },
  min: {
    say: 'qualify row_number() over (partition by … order by y nulls last) = 1',
    instead: `(select a from ${ones} qualify row_number() over (order by a nulls last) = 1)`,
  },
} as const

/** Each has the function's name in `found`: `concat(…)`. */
export const aggregateFunctions: readonly Rule[] = [
  {
    found: 'avg(…)',
    why: 'is a double on duckdb and, of decimals, a decimal on bigquery',
    say: 'cdp.safe_divide(sum(x), count(x))',
    example: `(select avg(a) from (select cdp.safe_decimal('1') as a union all select cdp.safe_decimal('2') union all select cdp.safe_decimal('2')))`,
    instead: `(select cdp.safe_divide(sum(a), count(a)) from (select cdp.safe_decimal('1') as a union all select cdp.safe_decimal('2') union all select cdp.safe_decimal('2')))`,
  },
  {
    found: 'any_value(…)',
    why: 'takes the first value that is not null on duckdb and any on bigquery',
    say: 'min(x) or max(x)',
    example: '(select any_value(a) from (select cast(null as int64) as a union all select 1))',
    instead: '(select max(a) from (select cast(null as int64) as a union all select 1))',
  },
  {
    found: 'approx_count_distinct(…)',
    why: 'estimates in another way on each engine',
    say: 'count(distinct x)',
    example: `(select approx_count_distinct(a) from ${ones})`,
    instead: `(select count(distinct a) from ${ones})`,
    documented: true,
  },
  ...refusals([
    [
      'bool_or(…)',
      'bigquery',
      'countif(x) > 0',
      `(select bool_or(a > 1) from ${ones})`,
      `(select countif(a > 1) > 0 from ${ones})`,
    ],
    [
      'bool_and(…)',
      'bigquery',
      'countif(not x) = 0',
      `(select bool_and(a > 1) from ${ones})`,
      `(select countif(not a > 1) = 0 from ${ones})`,
    ],
    [
      'logical_or(…)',
      'duckdb',
      'countif(x) > 0',
      `(select logical_or(a > 1) from ${ones})`,
      `(select countif(a > 1) > 0 from ${ones})`,
    ],
    [
      'logical_and(…)',
      'duckdb',
      'countif(not x) = 0',
      `(select logical_and(a > 1) from ${ones})`,
      `(select countif(not a > 1) = 0 from ${ones})`,
    ],
    [
      'count_if(…)',
      'bigquery',
      'countif(x)',
      `(select count_if(a > 1) from ${ones})`,
      `(select countif(a > 1) from ${ones})`,
    ],
    [
      'list(…)',
      'bigquery',
      'array_agg(x order by …)',
      `(select list(a) from ${ones})`,
      `(select array_agg(a order by a desc) from ${ones})`,
    ],
    [
      'listagg(…)',
      'bigquery',
      'string_agg(x, separator order by …)',
      `(select listagg('a', ',') from ${ones})`,
      `(select string_agg('a', ',' order by a desc) from ${ones})`,
    ],
    [
      'group_concat(…)',
      'bigquery',
      'string_agg(x, separator order by …)',
      `(select group_concat('a', ',') from ${ones})`,
      `(select string_agg('a', ',' order by a desc) from ${ones})`,
    ],
    ...(['max', 'min'] as const).map((end) => {
      const { say, instead } = firstBy[end]
      return [`arg_${end}(…)`, 'bigquery', say, `(select arg_${end}(a, a) from ${ones})`, instead] as const
    }),
    [
      'first(…)',
      'bigquery',
      'min(x), or qualify row_number() over (… order by …) = 1',
      `(select first(a) from ${ones})`,
      `(select min(a) from ${ones})`,
    ],
    [
      'last(…)',
      'bigquery',
      'max(x), or qualify row_number() over (… order by …) = 1',
      `(select last(a) from ${ones})`,
      `(select max(a) from ${ones})`,
    ],
    ['median(…)', 'bigquery', override, `(select median(a) from ${ones})`],
    ['mode(…)', 'bigquery', override, `(select mode(a) from ${ones})`],
    ['quantile_cont(…)', 'bigquery', override, `(select quantile_cont(a, 0.5) from ${ones})`],
    ['percentile_cont(…)', 'duckdb', override, `(select percentile_cont(a, 0.5) over () from (select 1 as a))`],
  ]),
  ...(['max', 'min'] as const).map((end) => ({
    ...firstBy[end],
    found: `${end}_by(…)`,
    why: 'takes any of several rows that have the same highest or lowest value',
    example: `(select ${end}_by(a, a) from ${ones})`,
    documented: true as const,
  })),
]
