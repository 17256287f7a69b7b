// Clauses that both engines take, and that are outside the common subset all the same: they mean different things, or nothing holds them
// against both. The analyzer of the tests, which stands for BigQuery, refuses them, so what is said of BigQuery is its documentation's.
import { untried, type ClauseRule } from './rule.ts'

const one = '(select 1 as a)'
const grouped = (clause: string): string =>
  `(select max(n) from (select a, count(*) as n from ${one} group by ${clause}))`

export const takenClauses: readonly ClauseRule[] = [
  {
    patterns: ['interval'],
    found: 'interval',
    why: 'makes a timestamp of a date on duckdb and a datetime on bigquery, which adds no months to a timestamp',
    say: 'cdp.add_days(x, n), cdp.add_months(x, n) or cdp.add_hours(x, n)',
    example: `date '2026-01-31' + interval 1 month`,
    instead: `cdp.add_months(date '2026-01-31', 1)`,
    documented: true,
  },
  {
    patterns: ['all by name', 'union by name', 'distinct by name'],
    found: 'union all by name',
    why: 'fills a column that one side has alone with nulls on duckdb, and is refused for it on bigquery',
    say: 'the columns in the same order',
    example: '(select count(*) from (select 1 as a union all by name select 2 as a))',
    instead: '(select count(*) from (select 1 as a union all select 2))',
    documented: true,
  },
  {
    patterns: ['group by all'],
    found: 'group by all',
    why: untried,
    say: 'group by 1, 2, or the columns by name',
    example: grouped('all'),
    instead: grouped('1'),
    documented: true,
  },
  {
    patterns: ['group by cube'],
    found: 'group by cube',
    why: untried,
    say: 'group by rollup (…), or a union all of groups',
    example: grouped('cube (a)'),
    instead: grouped('rollup (a)'),
    documented: true,
  },
  {
    patterns: ['grouping sets'],
    found: 'grouping sets',
    why: untried,
    say: 'group by rollup (…), or a union all of groups',
    example: grouped('grouping sets ((a), ())'),
    instead: grouped('rollup (a)'),
    documented: true,
  },
  {
    patterns: ['group by ( )'],
    found: 'group by ()',
    why: untried,
    say: 'no group by',
    example: `(select max(a) from ${one} group by ())`,
    instead: `(select max(a) from ${one})`,
    documented: true,
  },
]
