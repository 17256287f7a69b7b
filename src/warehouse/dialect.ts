// How an engine spells what has no spelling common to all. Engine SQL is written in the common subset and asks for the rest here, so that
// no statement branches on an engine's name. A word is added only where two engines refuse each other's.
export interface Dialect {
  /**
   * A common table `name as (select)`. `once`: worked out once and kept; `inline`: not kept; `few`: kept, and expected to have few rows,
   * whose `columns` are named. Engines without hints leave them out.
   */
  cte(name: string, select: string, how: 'once' | 'inline' | 'few', columns?: readonly string[]): string
  /** `value` of the row with the least `by` in an aggregate. Rows whose `by` is null do not count; ties are anyone's. */
  minBy(value: string, by: string): string
  /** A timestamp `ms` milliseconds later; `ms` is an integer expression. */
  later(timestamp: string, ms: string): string
  /** The number of a row of a *table*, stable while it is not written to, as an expression on an alias; undefined where rows have none. */
  rowNumber(alias: string): string | undefined
}
