// Pacing: never more calls in any span than the destination allows. A window that slides, so that no two bursts meet at its border.
import type { Clock } from '../core/clock.ts'
import type { Limits } from './destination.ts'

export interface Pace {
  /** Resolves when a call may start, and counts it. Rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<void>
}

export const createPace = (rate: Limits['rate'], clock: Clock): Pace => {
  if (rate === undefined) return { take: () => Promise.resolve() }
  // Starts of the last `calls` calls, a ring: the oldest decides when the next may start.
  const starts: number[] = []
  let at = 0
  let turn: Promise<void> = Promise.resolve()
  const one = async (signal: AbortSignal): Promise<void> => {
    const oldest = starts[at]
    const wait = oldest === undefined ? 0 : oldest + rate.perMs - clock.now()
    if (wait > 0) await clock.sleep(wait, signal)
    starts[at] = clock.now()
    at = (at + 1) % rate.calls
  }
  return {
    take: (signal) => {
      const mine = turn.then(() => one(signal))
      turn = mine.catch(() => undefined)
      return mine
    },
  }
}
