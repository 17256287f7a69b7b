// What words alone do not show: literals, names, order. Each is found by code of its own in this folder.
import { override, type Rule } from './rule.ts'

const nullFirst = `(select cast(null as int64) as a union all select 1)`

export const literalRules = {
  backslash: {
    found: 'a backslash in a text',
    why: 'is itself on duckdb and starts an escape on bigquery',
    say: 'chr(92), joined by ||; in patterns [0-9] for digits and [.] for a dot',
    example: String.raw`'a\\b'`,
    instead: `'a' || chr(92) || 'b'`,
  },
  doubledQuote: {
    found: `'' in a text`,
    refusedBy: 'bigquery',
    say: 'chr(39), joined by ||',
    example: `'it''s'`,
    instead: `'it' || chr(39) || 's'`,
  },
  escapeString: {
    found: `e'…'`,
    refusedBy: 'bigquery',
    say: `'…', and chr(10) for the end of a line`,
    example: `e'a'`,
    instead: `'a'`,
  },
  rawString: { found: `r'…'`, refusedBy: 'duckdb', say: `'…'`, example: `r'a'`, instead: `'a'` },
  bytes: { found: `b'…'`, why: 'is text on duckdb and bytes on bigquery', say: override, example: `b'a'` },
  dollars: { found: '$$…$$', refusedBy: 'bigquery', say: `'…'`, example: '$$a$$', instead: `'a'` },
  doubleQuotes: {
    found: '"…"',
    why: 'is a name on duckdb and a text on bigquery',
    say: `a name without quotes; a text is '…'`,
    example: '(select "a" from (select 1 as a))',
    instead: '(select a from (select 1 as a))',
  },
  backticks: {
    found: '`…`',
    refusedBy: 'duckdb',
    say: 'a name without quotes',
    example: '(select `a` from (select 1 as a))',
    instead: '(select a from (select 1 as a))',
  },
  underscore: { found: '1_000', refusedBy: 'bigquery', say: '1000', example: '1_000', instead: '1000' },
  hexadecimal: { found: '0xFF', refusedBy: 'duckdb', say: '255', example: '0xFF', instead: '255' },
  hashComment: {
    found: '# as a comment',
    refusedBy: 'duckdb',
    say: '-- or /* … */',
    example: '(select 1 # one\n)',
    instead: '(select 1 -- one\n)',
  },
  nestedComment: {
    found: 'a comment in a comment',
    refusedBy: 'bigquery',
    say: 'comments side by side',
    example: '(select /* a /* b */ c */ 1)',
    instead: '(select /* a */ 1)',
  },
  decimalArithmetic: {
    found: 'arithmetic with a number such as 1.1',
    why: 'is exact on duckdb and a double on bigquery',
    say: `cdp.safe_decimal('1.1')`,
    example: '3 * 1.1',
    instead: `3 * cdp.safe_decimal('1.1')`,
  },
  zonedLiteral: {
    found: `timestamp '… +07:00'`,
    why: 'drops the zone on duckdb and heeds it on bigquery',
    say: `cdp.safe_timestamp('… +07:00')`,
    example: `timestamp '2026-10-01 08:00:00+07:00'`,
    instead: `cdp.safe_timestamp('2026-10-01 08:00:00+07:00')`,
  },
  timestamptzLiteral: {
    found: `timestamptz '…'`,
    refusedBy: 'bigquery',
    say: `timestamp '…' in UTC, or cdp.safe_timestamp('…')`,
    example: `timestamptz '2026-10-01 08:00:00+07:00'`,
    instead: `cdp.safe_timestamp('2026-10-01 08:00:00+07:00')`,
  },
} as const satisfies Readonly<Record<string, Rule>>

export const orderRules = {
  nulls: {
    found: 'order by without a place for nulls',
    why: 'puts nulls last on duckdb and first on bigquery',
    say: 'x nulls last, inside an aggregate x is null, x; desc alone puts them last on both',
    example: `(select a from (select a from ${nullFirst}) order by a limit 1)`,
    instead: `(select a from (select a from ${nullFirst}) order by a nulls last limit 1)`,
  },
  nullsInAggregate: {
    found: 'nulls first or nulls last in an aggregate or a range of values',
    refusedBy: 'bigquery',
    say: 'order by x is null, x',
    example: `(select string_agg(cdp.to_text(a), ',' order by a nulls last) from ${nullFirst})`,
    instead: `(select string_agg(cdp.to_text(a), ',' order by a is null, a desc) from ${nullFirst})`,
    documented: true,
  },
  limit: {
    found: 'limit without order by',
    why: 'takes any rows, others on each engine and in each run',
    say: 'order by … before limit',
    example: `(select a from ${nullFirst} limit 1)`,
    instead: `(select a from ${nullFirst} order by a desc limit 1)`,
    documented: true,
  },
  offset: {
    found: 'offset without limit',
    refusedBy: 'bigquery',
    say: 'limit … offset …',
    example: '(select a from (select 1 as a) order by a offset 0)',
    instead: '(select a from (select 1 as a) order by a desc limit 1 offset 0)',
  },
  aggregate: {
    found: 'string_agg or array_agg without order by',
    why: 'has its items in any order',
    say: `string_agg(x, ',' order by x desc)`,
    example: `(select string_agg(a, ',') from (select 'a' as a))`,
    instead: `(select string_agg(a, ',' order by a desc) from (select 'a' as a))`,
    documented: true,
  },
  nullsIgnored: {
    found: 'ignore nulls or respect nulls in an aggregate',
    refusedBy: 'duckdb',
    say: 'where x is not null, in a subquery',
    example: `(select array_length(array_agg(a ignore nulls order by a desc)) from (select 1 as a))`,
    instead: `(select array_length(array_agg(a order by a desc)) from (select 1 as a) where a is not null)`,
  },
  limitInAggregate: {
    found: 'limit in an aggregate',
    refusedBy: 'duckdb',
    say: 'qualify row_number() over (partition by … order by …) <= n, in a subquery',
    example: `(select string_agg(a, ',' order by a desc limit 1) from (select 'a' as a))`,
    instead: `(select string_agg(a, ',' order by a desc) from (select a from (select 'a' as a) qualify row_number() over (order by a desc) <= 1))`,
  },
  window: {
    found: 'a row number, rank or neighbour without order by',
    why: 'falls on any row on duckdb; bigquery refuses all but row_number',
    say: 'over (… order by …)',
    example: `(select max(n) from (select row_number() over () as n from ${nullFirst}) where n < 2)`,
    instead: `(select max(n) from (select row_number() over (order by a desc) as n from ${nullFirst}) where n < 2)`,
    documented: true,
  },
} as const satisfies Readonly<Record<string, Rule>>

export const shapeRules = {
  setOperation: {
    found: 'union, intersect or except alone',
    refusedBy: 'bigquery',
    say: 'union all, union distinct, intersect distinct or except distinct',
    example: '(select count(*) from (select 1 as a union select 1))',
    instead: '(select count(*) from (select 1 as a union distinct select 1))',
  },
  trailingComma: {
    found: 'a comma after the last item',
    refusedBy: 'bigquery',
    say: 'no comma there',
    example: 'coalesce(1, 2,)',
    instead: 'coalesce(1, 2)',
  },
  aliasColumns: {
    found: 'columns named after an alias, as in t(a, b)',
    refusedBy: 'bigquery',
    say: 'select … as a, … as b inside',
    example: '(with x(a) as (select 1) select a from x)',
    instead: '(with x as (select 1 as a) select a from x)',
  },
  fromFirst: {
    found: 'from before select',
    refusedBy: 'bigquery',
    say: 'select … from …',
    example: '(from (select 1 as a) select a)',
    instead: '(select a from (select 1 as a))',
  },
  unnamedColumn: {
    found: 'a column without a name',
    why: 'has a name of its own on each engine',
    say: 'an alias: count(*) as orders',
    example: '(select cdp.to_text(t) from (select count(*) from (select 1 as a)) t)',
    instead: '(select cdp.to_text(t) from (select count(*) as n from (select 1 as a)) t)',
  },
  hiddenColumn: {
    found: 'group by an alias that hides a column',
    why: 'groups by the column on duckdb and by the alias on bigquery',
    say: 'group by 1 (its place in the list), or another alias',
    example: `(select max(n) from (select lower(a) as a, count(*) as n from (select 'A' as a union all select 'a') group by a))`,
    instead: `(select max(n) from (select lower(a) as a, count(*) as n from (select 'A' as a union all select 'a') group by 1))`,
  },
  subscript: {
    found: 'x[n]',
    why: 'counts from 1 on duckdb and from 0 on bigquery',
    say: 'cdp.array_first(x), or cdp.split_part(x, separator, n) of a text',
    example: '[1, 2][1]',
    instead: 'cdp.array_first([1, 2])',
  },
  tupleIn: {
    found: '(a, b) in (select …)',
    refusedBy: 'bigquery',
    say: 'exists (select 1 from … where … and …)',
    example: '(select a from (select 1 as a) t where (a, 1) in (select 1, 1))',
    instead: '(select a from (select 1 as a) t where exists (select 1 from (select 1 as b) u where u.b = t.a))',
  },
  dates: {
    found: 'a date or an instant minus another',
    why: 'gives days on duckdb and an interval on bigquery',
    say: 'cdp.days_between(earlier, later), or a difference of cdp.unix_seconds(x)',
    example: `date '2026-10-02' - date '2026-10-01'`,
    instead: `cdp.days_between(date '2026-10-01', date '2026-10-02')`,
    documented: true,
  },
} as const satisfies Readonly<Record<string, Rule>>

/** Parts of dates that EXTRACT gives alike. */
export const sameParts: readonly string[] = 'year quarter month day hour minute second dayofyear isoyear'.split(' ')

/** Each has the part in `found`. */
export const partRules: readonly Rule[] = [
  {
    found: 'extract(week …)',
    why: 'is the ISO week, from Monday, on duckdb and counts from the first Sunday on bigquery',
    say: 'cdp.monday_of(x)',
    example: `extract(week from date '2027-01-02')`,
    instead: `cdp.monday_of(date '2027-01-02')`,
  },
  {
    found: 'extract(dayofweek …)',
    why: 'is 0 on Sunday on duckdb and 1 on bigquery',
    say: 'cdp.weekday_of(x)',
    example: `extract(dayofweek from date '2026-10-04')`,
    instead: `cdp.weekday_of(date '2026-10-04')`,
  },
  {
    found: 'extract(millisecond …)',
    why: 'has the seconds in it on duckdb and not on bigquery',
    say: 'mod(cdp.unix_millis(x), 1000)',
    example: `extract(millisecond from timestamp '2026-10-04 08:09:10.5')`,
    instead: `mod(cdp.unix_millis(timestamp '2026-10-04 08:09:10.5'), 1000)`,
  },
  ...(['dow', 'isodow'] as const).map((part) => ({
    found: `extract(${part} …)`,
    refusedBy: 'bigquery' as const,
    say: 'cdp.weekday_of(x)',
    example: `extract(${part} from date '2026-10-04')`,
    instead: `cdp.weekday_of(date '2026-10-04')`,
  })),
  {
    found: 'extract(doy …)',
    refusedBy: 'bigquery',
    say: 'extract(dayofyear from x)',
    example: `extract(doy from date '2026-10-04')`,
    instead: `extract(dayofyear from date '2026-10-04')`,
  },
  {
    found: 'extract(epoch …)',
    refusedBy: 'bigquery',
    say: 'cdp.unix_seconds(x)',
    example: `extract(epoch from timestamp '2026-10-04 08:09:10')`,
    instead: `cdp.unix_seconds(timestamp '2026-10-04 08:09:10')`,
  },
  {
    found: 'extract(isoweek …)',
    refusedBy: 'duckdb',
    say: 'cdp.monday_of(x)',
    example: `extract(isoweek from date '2026-10-04')`,
    instead: `cdp.monday_of(date '2026-10-04')`,
  },
  {
    found: 'extract(date …)',
    refusedBy: 'duckdb',
    say: 'cdp.safe_date(x)',
    example: `extract(date from timestamp '2026-10-04 08:09:10')`,
    instead: `cdp.safe_date(timestamp '2026-10-04 08:09:10')`,
  },
]
