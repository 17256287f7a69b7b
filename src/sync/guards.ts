// Bounds on a whole plan, checked before anything is sent. What they hold back is held back whole, but removals for consent.
import type { Guard } from './define-sync.ts'

/** Names for `--allow`. */
export type GuardName = 'additions' | 'changes' | 'removals' | 'empty' | 'consent' | 'first-run' | 'failed' | 'stale'

export interface TrippedGuard {
  readonly name: GuardName
  /** What was found and what was allowed, in words. */
  readonly reason: string
}

export interface GuardFacts {
  readonly additions: number
  readonly changes: number
  /** Without those for consent. */
  readonly removals: number
  /** Keys that the destination holds, or possibly holds. */
  readonly held: number
  readonly sourceRows: number
}

/** A percent of fewer rows than this says nothing, and does not act. */
const percentFloor = 20

const overBound = (
  name: 'additions' | 'changes' | 'removals',
  count: number,
  bound: number | `${number}%` | undefined,
  held: number,
): TrippedGuard | undefined => {
  if (bound === undefined) return undefined
  if (typeof bound === 'number') {
    return count > bound ? { name, reason: `${count} ${name}, at most ${bound} are allowed` } : undefined
  }
  if (held <= percentFloor) return undefined
  const share = (count / held) * 100
  if (share <= Number.parseFloat(bound)) return undefined
  return {
    name,
    reason: `${count} ${name}, ${share.toFixed(1)}% of the ${held} keys there; at most ${bound} are allowed`,
  }
}

/** The guards of a sync's definition that a plan trips. */
export const trippedGuards = (guard: Guard, facts: GuardFacts): TrippedGuard[] =>
  [
    overBound('additions', facts.additions, guard.maxAdditions, facts.held),
    overBound('changes', facts.changes, guard.maxChanges, facts.held),
    overBound('removals', facts.removals, guard.maxRemovals, facts.held),
    facts.sourceRows === 0 && facts.held > 0 && guard.allowEmpty !== true
      ? ({ name: 'empty', reason: `its source is empty, while ${facts.held} keys are there` } as const)
      : undefined,
  ].filter((tripped) => tripped !== undefined)
