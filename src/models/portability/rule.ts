// What a rule about portable SQL is: data, so that the check names it, the reference page lists it, and a test holds it against both engines.

export type Engine = 'duckdb' | 'bigquery'

/** Something that is not common to both engines. The examples are expressions that need no relation. */
export interface Rule {
  /** What is written, as a report names it. */
  readonly found: string
  /** The engine that does not take it. Left out: both take it and mean different things. */
  readonly refusedBy?: Engine
  /** Of a silent difference what each means; of a refusal more than that it is one. */
  readonly why?: string
  /** The portable way to say it. */
  readonly say: string
  readonly example: string
  /** Gives the same value on both. Left out where there is no common spelling. */
  readonly instead?: string
  /** The complaint rests on the vendor's documentation: the analyzer of the tests takes more or less than the service, or the
   * result is a matter of chance. */
  readonly documented?: true
}

/** A rule that is found by sequences of tokens in lower case; `?` stands for any one token. */
export interface ClauseRule extends Rule {
  readonly patterns: readonly string[]
}

/** Where there is no common spelling. */
export const override = 'one file for each engine: <name>.duckdb.sql and <name>.bigquery.sql'

/** Why what both engines take is named all the same: the analyzer of the tests, which stands for BigQuery, cannot say what it gives. */
export const untried =
  'is outside the common subset: both engines take it, but the two could not be held against each other'

/** Follows "which". */
export const whyOf = ({ refusedBy, why }: Pick<Rule, 'refusedBy' | 'why'>): string => {
  if (refusedBy === undefined) return why ?? 'is not known to mean the same on duckdb and bigquery'
  return `${refusedBy} refuses${why === undefined ? '' : ` (${why})`}`
}

/** Rows of a table of refusals: what is written, who refuses it, what to say, an example and the same said portably. */
export type Row = readonly [found: string, refusedBy: Engine, say: string, example: string, instead?: string]

export const refusals = (rows: readonly Row[]): Rule[] =>
  rows.map(([found, refusedBy, say, example, instead]) => ({
    found,
    refusedBy,
    say,
    example,
    ...(instead === undefined ? {} : { instead }),
  }))
