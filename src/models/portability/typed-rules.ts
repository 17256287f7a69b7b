// What only types and bindings show. Found where DuckDB can prepare the query, or where the text itself tells the type.
import type { Rule } from './rule.ts'

const row = `(select 1 as n, '1' as s, cdp.safe_decimal('1.50') as m, date '2026-10-01' as d, timestamp '2026-10-01 08:00:00' as at_utc)`

export const typedRules = {
  castText: {
    found: 'cast(x as string), or x || text, of an instant, a number with decimals, or what has parts',
    why: 'is spelled in another way on each engine',
    say: 'cdp.to_text(x)',
    example: `(select cast(t.at_utc as string) from ${row} t)`,
    instead: `(select cdp.to_text(t.at_utc) from ${row} t)`,
  },
  comparison: {
    found: 'a comparison of two types',
    refusedBy: 'bigquery',
    say: 'cdp.safe_int(x), cdp.safe_date(x), cdp.to_text(x) or the like on one side',
    example: `(select t.n = t.s from ${row} t)`,
    instead: `(select t.n = cdp.safe_int(t.s) from ${row} t)`,
  },
  choice: {
    found: 'one value of two types, as of coalesce and case',
    refusedBy: 'bigquery',
    say: 'cdp.safe_timestamp(x), cdp.to_text(x) or the like, so that all are of one type',
    example: `(select coalesce(t.at_utc, t.d) from ${row} t)`,
    instead: `(select coalesce(t.at_utc, cdp.safe_timestamp(t.d)) from ${row} t)`,
  },
  alias: {
    found: 'an alias in the list that names it, in WHERE or in ON',
    refusedBy: 'bigquery',
    say: 'the expression again, or a subquery that names it; HAVING and QUALIFY know the alias',
    example: `(select t.n + 1 as more from ${row} t where more = 2)`,
    instead: `(select more from (select t.n + 1 as more from ${row} t) u where more = 2)`,
  },
  twice: {
    found: 'two columns of one name in a result',
    refusedBy: 'bigquery',
    say: 'the columns, one by one, each under a name of its own',
    example: `(select cdp.to_text(t) from (select a.*, b.* from (select 1 as n) a cross join (select 2 as n) b) t)`,
    instead: `(select cdp.to_text(t) from (select a.n, b.n as other from (select 1 as n) a cross join (select 2 as n) b) t)`,
    documented: true,
  },
} as const satisfies Readonly<Record<string, Rule>>
