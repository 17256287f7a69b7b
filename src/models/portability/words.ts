// Reserved words of both engines: one of them written bare as a name is refused by the engine that reserves it.

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

/** GoogleSQL's reserved keywords: never a name without quotes, but after a dot. */
export const reservedByBigQuery = words(`
  all and any array as asc assert_rows_modified at between by case cast collate contains create cross cube current default define desc
  distinct else end enum escape except exclude exists extract false fetch following for from full group grouping groups hash having if
  ignore in inner intersect interval into is join lateral left like limit lookup merge natural new no not null nulls of on or order outer
  over partition preceding proto qualify range recursive respect right rollup rows select set some struct tablesample then to treat true
  unbounded union unnest using when where window with within
`)

/** Words that DuckDB does not take as the name of a column or a relation; as an alias after AS it takes every word. */
export const reservedByDuckDb = words(`
  all analyse analyze and anti any array as asc asof asymmetric at authorization binary both by case cast check collate collation column
  concurrently constraint create cross default deferrable desc describe distinct do else end except false fetch for foreign freeze from
  full glob group having ilike in initially inner intersect into is isnull join lambda lateral leading left like limit natural not notnull
  null offset on only or order outer overlaps pivot pivot_longer pivot_wider placing positional primary qualify references returning right
  select semi show similar some summarize symmetric table tablesample then to trailing true union unique unpack unpivot using variadic
  verbose when where window with
`)
