// What one sync came to, for people and for exit codes.
import type { ErrorKind } from '../core/errors.ts'
import type { Emit } from '../core/events.ts'
import { kindOfError } from '../core/exit.ts'
import { quietPlan, type SyncPlan } from '../sync/plan.ts'
import type { SyncInput } from '../sync/spec.ts'

/** `busy`: another process delivers it. `stopped`: the destination takes nothing at the moment. */
export type SyncStatus = 'unchanged' | 'done' | 'guarded' | 'stopped' | 'failed' | 'interrupted' | 'busy'

/** What one sync came to in this run; counts are rows. */
export interface SyncSummary {
  readonly sync: string
  readonly status: SyncStatus
  readonly reason: string | undefined
  /** Rows that went out, by what was said of them, however it ended. */
  readonly sent: { readonly upsert: number; readonly remove: number }
  readonly delivered: number
  readonly removed: number
  readonly rejected: number
  readonly retry: number
  readonly unknown: number
  readonly pending: number
  /** Planned and never tried. */
  readonly waiting: number
  readonly skipped: number
  readonly withheld: number
  /** Calls of the connector. */
  readonly requests: number
  /** Of a snapshot: whether it was written. */
  readonly written: boolean | undefined
  readonly seconds: number
  readonly plan: SyncPlan
  readonly error: unknown
}

export const emptySummary = (plan: SyncPlan): SyncSummary => ({
  sync: plan.sync,
  status: 'unchanged',
  reason: plan.reason,
  sent: { upsert: 0, remove: 0 },
  delivered: 0,
  removed: 0,
  rejected: 0,
  retry: 0,
  unknown: 0,
  pending: 0,
  waiting: 0,
  skipped: plan.rows.skipped,
  withheld: plan.rows.withheld,
  requests: 0,
  written: plan.takes === 'snapshot' ? false : undefined,
  seconds: 0,
  plan,
  error: undefined,
})

/** Of a sync at which nothing changed and nothing is due. */
export const quietSummary = ({ spec }: SyncInput, emit: Emit): SyncSummary => {
  emit({ type: 'step-finished', step: spec.id, kind: 'sync', status: 'unchanged', ms: 0 })
  return emptySummary(quietPlan(spec))
}

/** How a summary counts for the exit code; undefined when all is well. */
export const kindOf = (summary: SyncSummary, strict: boolean): ErrorKind | undefined => {
  if (summary.error !== undefined) return kindOfError(summary.error)
  if (summary.status === 'interrupted') return 'interrupted'
  return strict && summary.rejected > 0 ? 'data' : undefined
}
