// Transactions of several statements. The service keeps one open across jobs only within a session, whose jobs run one after another;
// who is part of which transaction is known by the task, as everywhere at the seam.
import { AsyncLocalStorage } from 'node:async_hooks'
import { CdpError } from '../../core/errors.ts'

/** What a transaction has done at the service. */
export interface SessionControl {
  /** Opens a session and a transaction in it; gives the session's id. */
  begin(): Promise<string>
  commit(session: string): Promise<void>
  /** Never throws. */
  rollback(session: string): Promise<void>
  /** Lets a session go, which nobody needs to wait for. */
  end(session: string): void
}

export interface Transaction {
  /** Runs `work` after the statements before it. Refused once a statement has failed: what the service keeps then is not known. */
  statement<T>(work: (session: string) => Promise<T>): Promise<T>
  /** Marks a result as being read, until the function that is given is called; statements are refused meanwhile. */
  reading(): () => void
}

export interface Transactions {
  /** The one that the caller is part of. */
  current(): Transaction | undefined
  /** All or nothing. Costs nothing when no statement is run in it; nested ones are part of the outer one. */
  run<T>(work: () => Promise<T>): Promise<T>
}

interface Open extends Transaction {
  readonly ended: () => boolean
  hold<T>(work: () => Promise<T>): Promise<T>
  nested<T>(work: () => Promise<T>): Promise<T>
}

export const createTransactions = (control: SessionControl): Transactions => {
  const context = new AsyncLocalStorage<Open>()
  // A task that outlives its transaction is no part of it any more.
  const current = (): Open | undefined => {
    const found = context.getStore()
    return found?.ended() === true ? undefined : found
  }
  return {
    current,
    run: (work) => {
      const outer = current()
      if (outer) return outer.nested(work)
      const opened = createTransaction(control)
      return opened.hold(() => context.run(opened, work))
    },
  }
}

const createTransaction = (control: SessionControl): Open => {
  let session: string | undefined
  let tail: Promise<unknown> = Promise.resolve()
  let ended = false
  let streams = 0
  // The first is what the transaction fails with, whether or not its work caught it: half of it must not be kept.
  const spoiled: unknown[] = []

  const spoiling = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      spoiled.push(error)
      throw error
    }
  }

  const finish = async <T>(work: () => Promise<T>): Promise<T> => {
    const result = await work()
    // Also what was started and not waited for.
    await tail.catch(() => undefined)
    if (spoiled.length > 0) throw spoiled[0]
    ended = true
    if (session !== undefined) await control.commit(session)
    return result
  }

  return {
    ended: () => ended,
    statement: (work) => {
      if (streams > 0) {
        const detail = 'a statement was run in a transaction before a stream in it had ended'
        return Promise.reject(new CdpError('INTERNAL', { detail }))
      }
      const turn = tail.then(() => {
        if (spoiled.length > 0) throw spoiled[0]
        return spoiling(async () => work((session ??= await control.begin())))
      })
      tail = turn.catch(() => undefined)
      return turn
    },
    reading: () => {
      streams += 1
      return () => {
        streams -= 1
      }
    },
    nested: spoiling,
    hold: async (work) => {
      try {
        return await finish(work)
      } catch (error) {
        ended = true
        await tail
        if (session !== undefined) await control.rollback(session)
        throw error
      } finally {
        if (session !== undefined) control.end(session)
      }
    },
  }
}
