// One connection, many callers: statements outside a transaction wait until it ends, those inside pass.
// Without it a statement of a concurrent task would land in somebody else's transaction and be rolled back with it.
import type { AsyncLocalStorage } from 'node:async_hooks'

export interface Gate {
  /** Runs alone, except within a transaction that the caller is part of. */
  enter<T>(work: () => Promise<T>): Promise<T>
  /** Runs alone, and everything it calls is part of it. */
  hold<T>(work: () => Promise<T>): Promise<T>
  /** Whether the caller is part of what holds the gate. */
  inside(): boolean
}

export const createGate = (): Gate => {
  // Loaded with the first transaction: a run with nothing to do has none.
  let context: AsyncLocalStorage<symbol> | undefined
  let holder: symbol | undefined
  let tail: Promise<unknown> = Promise.resolve()

  const inside = (): boolean => holder !== undefined && context?.getStore() === holder
  const queue = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = tail.then(work)
    tail = turn.catch(() => undefined)
    return turn
  }
  return {
    inside,
    enter: (work) => (inside() ? work() : queue(work)),
    hold: (work) =>
      queue(async () => {
        context ??= new (await import('node:async_hooks')).AsyncLocalStorage<symbol>()
        const mine = Symbol('transaction')
        holder = mine
        try {
          return await context.run(mine, work)
        } finally {
          holder = undefined
        }
      }),
  }
}
