// What an identity model's and a profile's header say, as plain data: the algorithms here read it, the kinds in models/ parse it.

export interface IdentifierSettings {
  /** A value that seems to belong to more distinct people than this joins nobody. */
  readonly max_shared_by?: number | undefined
  /** A person has at most so many different values; what would give more is refused. */
  readonly max_per_person?: number | undefined
}

export interface IdentitySettings {
  /** Columns that name a record once. */
  readonly record: readonly string[]
  /** Column with the record's own time. */
  readonly seen_at?: string | undefined
  /** Columns with a person's name, to tell people apart who share a value. */
  readonly names: readonly string[]
  /** Column -> its guards; strongest first. */
  readonly identifiers: Readonly<Record<string, IdentifierSettings>>
  /** Values that join nobody, beside those the engine knows; compared trimmed and in lower case. */
  readonly junk: readonly string[]
}

/** Picked from one record, or computed over all of a person's. */
export const picks = ['latest', 'earliest', 'first', 'last', 'most_frequent', 'most_complete', 'longest'] as const
export const aggregates = ['max', 'min', 'sum', 'avg', 'count', 'list', 'set'] as const
export type Pick = (typeof picks)[number]
export type Aggregate = (typeof aggregates)[number]

export interface TraitRule {
  readonly pick: Pick | Aggregate
  /** Values of the record's source, best first: only records of the best source that has a value compete. */
  readonly prefer: readonly string[]
  /** Column the value comes from; default the trait's own name. */
  readonly from?: string | undefined
  /** Column with the time that counts; default the identity's `seen_at`. */
  readonly by?: string | undefined
}

export interface ProfileSettings {
  /** The identity model. */
  readonly of: string
  readonly traits: Readonly<Record<string, TraitRule>>
  /** As the identity model says it. */
  readonly record: readonly string[]
  readonly seen_at?: string | undefined
}
