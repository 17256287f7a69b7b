// What a statement mentions, as every way of reading SQL here says it: relations (names of CTEs left out) and calls of functions.

export interface Reference {
  readonly kind: 'relation' | 'call'
  /** As meant, without quotes: `['raw', 'shop_customers']`. */
  readonly parts: readonly string[]
  /** Of the name in the text, quotes included; of a call without its parentheses. */
  readonly start: number
  readonly end: number
  /** Of a call: how many arguments; undefined when it has no parentheses (`current_date`). */
  readonly args?: number | undefined
}

/** Why a text could not be read, and where, if that is known. */
export interface SyntaxProblem {
  readonly message: string
  readonly index: number | undefined
}

export type Reading = { readonly references: readonly Reference[] } | { readonly problem: SyntaxProblem }

/** Names that a query's WITH clauses hide, in lower case: engines and analysts do not tell `People` from `people`. */
export type Hidden = ReadonlySet<string>

export const folded = (name: string): string => name.normalize('NFC').toLowerCase()
