// What `cdp explain person` tells, as plain data.
import type { Row, Value } from '../warehouse/warehouse.ts'

export interface ExplainedRecord {
  /** `shop/1` */
  readonly record: string
  /** The row of the identity model, `person_id` left out. */
  readonly row: Row
}

/** An identifier value that several records carry. */
export interface ExplainedLink {
  readonly identifier: string
  readonly value: string
  /** `used`: it joined these records. `blocked`: it joins nobody. `refused`: it would have broken a limit for these records. */
  readonly status: 'used' | 'blocked' | 'refused'
  readonly reason: string | undefined
  /** Records of this person that carry it, at most `recordsShown`, and how many there are. */
  readonly records: readonly string[]
  readonly count: number
}

export interface ExplainedTrait {
  readonly trait: string
  readonly value: Value
  /** `latest, shop before others` */
  readonly rule: string
  /** The record it came from; undefined when it was computed over several, or is empty. */
  readonly record: string | undefined
}

export interface ExplainedProfile {
  readonly profile: string
  readonly traits: readonly ExplainedTrait[]
}

export interface ExplainedEvent {
  readonly event: 'created' | 'merged' | 'split' | 'retired'
  readonly runId: string
  readonly at: string
  readonly oldId: string | undefined
  readonly personId: string | undefined
  readonly records: number
  readonly cause: string | undefined
}

export interface PersonExplanation {
  /** The identity model. */
  readonly graph: string
  readonly personId: string
  /** Ids that lead here. */
  readonly formerIds: readonly string[]
  readonly status: 'active' | 'merged' | 'retired'
  readonly bornRun: string
  readonly recordCount: number
  /** At most `recordsShown`, oldest first. */
  readonly records: readonly ExplainedRecord[]
  readonly links: readonly ExplainedLink[]
  readonly profiles: readonly ExplainedProfile[]
  /** Oldest first. */
  readonly history: readonly ExplainedEvent[]
}

/** What was asked for and who was found. Several persons can carry one value: one that is blocked, or refused to some. */
export interface Explained {
  readonly query: string
  /** How it was understood: `person id`, `former id`, `record`, or an identifier's name with the value looked for. */
  readonly matchedBy: string | undefined
  /** At most ten. */
  readonly persons: readonly PersonExplanation[]
  /** How many there are. */
  readonly total: number
}

/** Records listed at most, of a person and of a link. */
export const recordsShown = 50
