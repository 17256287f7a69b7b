// Fault knobs: what a person or a test may ask a twin to do wrong, and which request it strikes.
import { z } from 'zod'

export const faultSchema = z.strictObject({
  /**
   * `status`: answers with `status` and does nothing. `silent`: a success that did nothing. `html200`: a proxy's page, nothing done.
   * `rows`: refuses single rows. `latency`: waits `ms` first. `reset-before` and `reset-after`: breaks the connection, having done nothing or all.
   */
  kind: z.enum(['status', 'silent', 'html200', 'rows', 'latency', 'reset-before', 'reset-after']),
  /** For `status`; default 500. */
  status: z.int().min(300).max(599).default(500),
  /** For `status`: the `Retry-After` header, seconds or a date. */
  retryAfter: z.union([z.number().min(0), z.string()]).optional(),
  /** For `latency`. */
  ms: z.int().min(0).default(1000),
  /** For `rows`: those that hold this text; default the first of each request. */
  match: z.string().optional(),
  /** For `rows`: what becomes of them. */
  outcome: z.enum(['rejected', 'retry']).default('rejected'),
  /** Only requests whose path holds this text. */
  path: z.string().optional(),
  /** How many requests it strikes; 0 for all until it is taken away. */
  times: z.int().min(0).default(1),
  /** Of a matching request being struck. The draws are the same in every sandbox. */
  probability: z.number().min(0).max(1).default(1),
})

export type Fault = z.output<typeof faultSchema>
export type FaultInput = z.input<typeof faultSchema>

export interface Faults {
  add(faults: readonly Fault[]): void
  /** What is still to strike, with what is left of `times`. */
  list(): readonly Fault[]
  clear(): void
  /** The faults that strike this request, at most one besides latency; counts them. */
  strike(path: string): readonly Fault[]
}

export const createFaults = (): Faults => {
  let active: { fault: Fault; left: number }[] = []
  let seed = 1
  // A linear congruential generator (Numerical Recipes' constants): repeatable, and good enough to draw lots.
  const draw = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return seed / 2 ** 32
  }
  return {
    add: (faults) => {
      active.push(...faults.map((fault) => ({ fault, left: fault.times })))
    },
    list: () => active.map(({ fault, left }) => ({ ...fault, times: left })),
    clear: () => {
      active = []
    },
    strike: (path) => {
      const struck: Fault[] = []
      for (const entry of active) {
        const { fault } = entry
        if (fault.path !== undefined && !path.includes(fault.path)) continue
        if (fault.kind !== 'latency' && struck.some((other) => other.kind !== 'latency')) continue
        if (fault.probability < 1 && draw() >= fault.probability) continue
        struck.push(fault)
        if (fault.times > 0) entry.left -= 1
      }
      active = active.filter(({ fault, left }) => fault.times === 0 || left > 0)
      return struck
    },
  }
}
