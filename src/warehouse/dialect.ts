// How an engine spells what has no spelling common to all. Engine SQL is written in the common subset and asks for the rest here, so that
// no statement branches on an engine's name. A word is added only where two engines refuse each other's.
import type { TypedSql, ValueWords } from './value-words.ts'

export interface Dialect {
  /** Values on their way out of the warehouse. */
  readonly values: ValueWords
  /** Texts of JSON objects. */
  readonly json: JsonWords
  /** Columns of tables that are there already, and their values in another type. */
  readonly columns: ColumnWords
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
  /** A text without the spaces at its ends: those of Unicode's class Zs, so no-break and wide ones too, and no tabs. */
  trimmed(text: string): string
  /** Lower-case hex of a text's bytes. The text is hashed as it is, which `cdp.md5_hex` does not do. */
  md5(text: string): string
  sha256(text: string): string
  /**
   * Two aggregates over the whole rows of the relation with that alias, as texts of integers, in no order: the exclusive or of a hash of
   * each row, in 64 bits, and the sum, which does not overflow. Not the same on other engines or versions.
   */
  rowsHash(alias: string): { readonly xor: string; readonly sum: string }
  /** How tables are cut into parts that a statement need not read; undefined where they are not. */
  readonly partitions: Partitions | undefined
  /** Texts with a separator between them; nulls are left out, and of nothing else the result is empty. */
  joined(separator: string, texts: readonly string[]): string
}

export interface ColumnWords {
  /** A text as a value of a type (an engine's word), null where it is none. The engines take different texts: look at the shape first. */
  tryCast(text: string, type: string): string
  /** The instant at which clocks in a zone (a literal) show what those in UTC show at this one. */
  sameClock(timestamp: string, zone: string): string
  /** The bytes that hexadecimal digits stand for. */
  fromHex(text: string): string
  /** Statements that add columns, each given as `name TYPE`. */
  add(table: string, columns: readonly string[]): readonly string[]
  /** A statement that changes a column's type; undefined where a table must be made anew for it. */
  retype(table: string, column: string, type: string, using: string): string | undefined
  /** One text that is equal for rows that are equal in some columns, nulls included; undefined where any columns may be compared. */
  rowKey(alias: string, columns: readonly string[]): string | undefined
}

export interface Partitions {
  /** What stands before AS in CREATE TABLE … AS; undefined when there are no partitions by values of that type. */
  layout(by: TypedSql | undefined, clusters: readonly string[]): string | undefined
  /** The part that a value is in, named by a value of the same type. */
  of(value: TypedSql): string
  /** Whether a table was not replaced because it is cut in another way. */
  isOtherLayout(reason: string): boolean
}

/** What is asked of JSON objects that are kept as text, without spaces. */
export interface JsonWords {
  /** A text as a value of type `json`. */
  of(text: string): string
  /** The same, null where the text is no JSON. */
  tryOf(text: string): string
  /** A value of type `json` as text. */
  text(value: string): string
  /** The names of an object's members as the text of a JSON array, in their order. */
  names(object: string): string
  /** The text of one member; null if it is not there. */
  member(object: string, name: string): string
  /**
   * Many members of an object whose values are strings without quotes or backslashes: `columns` for a select list, and how the member
   * number `at` is then called; null if it is not there.
   */
  members(
    object: string,
    names: readonly string[],
  ): { readonly columns: readonly string[]; readonly member: (at: number) => string }
  /** An object of that kind with the members of another in place of its own: first what only it has, then the other's, each in its order. */
  merged(object: string, patch: string): string
}
