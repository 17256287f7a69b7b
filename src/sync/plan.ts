// The plan of one sync as plain data: what would be sent, why, and what stands in the way. `cdp plan` prints it and `cdp sync` performs the
// same object, so that a dry run cannot disagree with the run.
import type { Change, Mode, Operation } from './destination.ts'
import type { TrippedGuard } from './guards.ts'
import type { SyncSpec } from './spec.ts'

/** Why a row goes out: it is new · its data changed · only the map did · an earlier attempt has to be made again (`retry`, `unknown`) · it left · consent. */
export type Why = 'added' | 'changed' | 'map' | 'retry' | 'unknown' | 'left' | 'consent'

export interface PlannedSend {
  readonly operation: Operation
  readonly why: Why
  readonly rows: number
}

export interface PlanRows {
  /** Rows of `from` = withheld + skipped + eligible. */
  readonly source: number
  readonly withheld: number
  readonly skipped: number
  readonly eligible: number
  /** Eligible = inSync + toSend + waiting + pending + unknown. */
  readonly inSync: number
  readonly toSend: number
  /** Rejected or put off, and their time has not come. */
  readonly waiting: number
  readonly pending: number
  /** Messages of which nobody can say whether they were sent. */
  readonly unknown: number
  /** Keys that no row wants: to be removed · put off, pending · kept because their row is skipped · that cannot be removed. */
  readonly toRemove: number
  readonly removalsWaiting: number
  readonly removalsPending: number
  readonly frozen: number
  readonly stuck: number
}

export interface SyncPlan {
  readonly sync: string
  readonly from: string
  readonly destination: string
  readonly target: string
  readonly mode: Mode
  readonly takes: 'changes' | 'snapshot'
  /** `guarded`: nothing is sent but removals for consent, or nothing at all where consent is in doubt. */
  readonly status: 'ready' | 'unchanged' | 'guarded' | 'failed'
  readonly reason: string | undefined
  readonly rows: PlanRows
  readonly skipped: Readonly<Record<string, number>>
  /** What goes out if no guard holds it back. */
  readonly sends: readonly PlannedSend[]
  readonly guards: readonly TrippedGuard[]
  /** One change of each operation, as it would go out. */
  readonly samples: readonly Change[]
  /** Calls needed and the least time the limits allow for them. */
  readonly calls: number
  readonly leastMs: number
  /** Why there is no plan, where it failed. */
  readonly error?: unknown
}

/** A plan of a sync at which nothing changed and nothing is due; nothing was read for it. */
export const quietPlan = (spec: SyncSpec): SyncPlan => ({
  ...emptyPlan(spec),
  status: 'unchanged',
  reason: 'nothing changed and nothing is due',
})

/** A plan of nothing. */
export const emptyPlan = (spec: SyncSpec): SyncPlan => ({
  sync: spec.id,
  from: spec.from,
  destination: spec.destination.name,
  target: spec.destination.target,
  mode: spec.mode,
  takes: spec.destination.takes,
  status: 'ready',
  reason: undefined,
  rows: {
    source: 0,
    withheld: 0,
    skipped: 0,
    eligible: 0,
    inSync: 0,
    toSend: 0,
    waiting: 0,
    pending: 0,
    unknown: 0,
    toRemove: 0,
    removalsWaiting: 0,
    removalsPending: 0,
    frozen: 0,
    stuck: 0,
  },
  skipped: {},
  sends: [],
  guards: [],
  samples: [],
  calls: 0,
  leastMs: 0,
})
