// Delivery of one plan: workers that take batches from the spool, within the destination's limits, and settle every row. What cannot
// be done now is tried again with patience; a destination that takes nothing is noticed soon and left alone.
import { CdpError } from '../core/errors.ts'
import { type Answer, send } from './call.ts'
import {
  createDelivery,
  type Delivery,
  type DeliverySettings,
  type Item,
  nap,
  type Retry,
  type Tally,
  thrownBy,
} from './delivery.ts'
import { createFeed, type Feed, fitting } from './feed.ts'
import { pollJobs, type Job, jobsOf } from './poll.ts'
import { sendSnapshot } from './snapshot.ts'
import { takesSnapshot } from './spec.ts'
import { backoff } from './tuning.ts'

export interface DeliverInput extends DeliverySettings {
  readonly spool: string
  /** For a snapshot: the file of wanted rows, the fields in order and the numbers of the plan's rows. */
  readonly snapshot?: { readonly rows: string; readonly fields: readonly string[] }
}

export interface Delivered {
  readonly tally: Readonly<Tally>
  /** Why it ended early. */
  readonly stopped: CdpError | undefined
  readonly interrupted: boolean
  readonly faults: readonly CdpError[]
  /** Rows a snapshot wrote. */
  readonly written: number | undefined
}

/** Delivers; every end is in the journal, flushed, when it resolves. Throws only what must end the process: the journal's own failure. */
export const deliver = async (input: DeliverInput): Promise<Delivered> => {
  const delivery = createDelivery(input)
  let written: number | undefined
  if (takesSnapshot(input.spec)) written = await sendSnapshot(delivery, input)
  else await sendChanges(delivery, input)
  await delivery.journal.end()
  return {
    tally: delivery.tally,
    stopped: delivery.stopped(),
    interrupted: input.signal.aborted && delivery.stopped() === undefined,
    faults: delivery.faults,
    written,
  }
}

const sendChanges = async (delivery: Delivery, input: DeliverInput): Promise<void> => {
  const feed = createFeed(input.spool, delivery.spec.destination.limits)
  try {
    const polls = await feed.polls(delivery.tuning.polled)
    delivery.tally.pending += polls.count
    const jobs = jobsOf(polls.rows)
    const line = createLine(delivery, feed, jobs)
    const workers = Array.from({ length: Math.max(1, delivery.spec.destination.limits.inFlight) }, line.work)
    // A worker fails only when nothing can be written down any more; the others end what they have in flight.
    const ends = await Promise.allSettled(workers)
    for (const end of ends) if (end.status === 'rejected') throw end.reason
    line.giveUp()
    await delivery.journal.flush()
    await pollJobs(delivery, jobs)
  } finally {
    await feed.close()
  }
}

/** The workers' common line: rows from the spool and rows to be tried again. */
const createLine = (delivery: Delivery, feed: Feed, jobs: Job[]): { work: () => Promise<void>; giveUp: () => void } => {
  const { clock, journal, message, random, spec, tally, tuning } = delivery
  const { limits } = spec.destination
  const retries: Item[] = []
  const covered = { remove: 0, write: 0 }
  let onTheirWay = 0
  let calls = 0
  let wake: () => void = () => undefined
  let pausedUntil = 0
  let rounds = 0
  let lastRoundAt = -1
  let lastProgressAt = clock.now()

  const down = (reason: string): void =>
    delivery.stop(new CdpError('SYNC_DOWN', { sync: spec.id, target: spec.destination.target, reason }))

  // For destinations of state the journal says a window ahead what may be on its way; for messages each call says it itself.
  const cover = async (batch: readonly Item[]): Promise<void> => {
    const last = Math.max(...batch.map((item) => item.n))
    if (message || last <= covered[feed.phase]) return
    const first = Math.min(...batch.map((item) => item.n))
    covered[feed.phase] = Math.max(last, first - 1 + Math.max(batch.length, tuning.window - onTheirWay))
    journal.window(feed.phase, covered[feed.phase])
    await journal.flush()
  }

  const dueRetries = (now: number): Item[] | undefined => {
    if (retries.length === 0 || (retries[0]?.dueAt ?? 0) > now) return undefined
    const fits = fitting(limits)
    const end = retries.findIndex((item) => item.dueAt > now || !fits(item))
    return retries.splice(0, end < 0 ? retries.length : end)
  }

  const nextBatch = async (): Promise<Item[] | undefined> => {
    for (;;) {
      if (delivery.halt.aborted) return undefined
      const now = clock.now()
      if (pausedUntil > now) {
        await rest(pausedUntil - now)
        continue
      }
      const due = dueRetries(now)
      if (due !== undefined) return due
      const batch = retries.length < tuning.retrying ? await feed.take() : undefined
      if (batch !== undefined) {
        await cover(batch)
        return batch
      }
      const [waiting] = retries
      if (waiting !== undefined) await rest(waiting.dueAt - now)
      else if (calls > 0) await new Promise<void>((resolve) => (wake = resolve))
      else if (!(await feed.nextPhase())) return undefined
    }
  }

  // Before a wait what is known goes to the disk.
  const rest = async (ms: number): Promise<void> => {
    await journal.flush()
    await nap(delivery, ms)
  }

  // One worker at a time asks what is next; the others are at work.
  let turn: Promise<unknown> = Promise.resolve()
  const take = (): Promise<Item[] | undefined> => {
    const takeNow = async (): Promise<Item[] | undefined> => {
      const batch = await nextBatch()
      if (batch !== undefined) {
        calls += 1
        onTheirWay += batch.length
      }
      return batch
    }
    const mine = turn.then(takeNow)
    turn = mine.catch(() => undefined)
    return mine
  }

  const work = async (): Promise<void> => {
    try {
      await workOn()
    } catch (error) {
      delivery.stop(thrownBy(delivery, error))
      throw error
    }
  }

  const workOn = async (): Promise<void> => {
    for (let batch = await take(); batch !== undefined; batch = await take()) {
      const startedAt = clock.now()
      try {
        const answers = await send(delivery, batch)
        settleAll(answers, startedAt)
        if (message) await journal.flush()
      } finally {
        calls -= 1
        onTheirWay -= batch.length
        wake()
      }
      delivery.onProgress(tally)
    }
  }

  const settleAll = (answers: readonly Answer[], startedAt: number): void => {
    const now = clock.now()
    const tried = answers.filter((answer) => answer.outcome !== undefined)
    const put = tried.filter(({ outcome }) => outcome?.status === 'retry' || outcome?.status === 'unknown')
    if (put.length < tried.length) {
      rounds = 0
      lastProgressAt = now
    } else if (put.length > 0) pause(put, startedAt, now)
    const pending = new Map<string, Item[]>()
    for (const { item, call, outcome } of tried) {
      if (outcome === undefined) continue
      if (outcome.status === 'retry') tryAgain(item, call, outcome, now)
      else if (outcome.status === 'pending' && delivery.writer.poll === undefined) {
        delivery.settle(item, call, { status: 'unknown', reason: 'a job nobody can ask for' })
      } else {
        delivery.settle(item, call, outcome)
        if (outcome.status === 'pending') pending.set(outcome.job, [...(pending.get(outcome.job) ?? []), item])
      }
    }
    retries.sort((a, b) => a.dueAt - b.dueAt)
    const polled = jobs.reduce((total, job) => total + job.items.length, 0)
    for (const [job, items] of pending) {
      if (polled + items.length <= tuning.polled) jobs.push({ job, items, askAt: now + tuning.backoffMs, asked: 0 })
    }
  }

  // Nothing of a call was taken: the destination as a whole asks for a pause, or is down.
  const pause = (put: readonly Answer[], startedAt: number, now: number): void => {
    const wait = Math.max(...put.map(({ outcome }) => (outcome?.status === 'retry' ? (outcome.afterMs ?? 0) : 0)))
    if (wait > 0) pausedUntil = Math.max(pausedUntil, now + wait)
    else if (startedAt >= lastRoundAt) {
      rounds += 1
      lastRoundAt = now
      pausedUntil = now + backoff(rounds, tuning, random)
    }
    const [first] = put
    const reason = first?.outcome !== undefined && 'reason' in first.outcome ? (first.outcome.reason ?? '') : ''
    if (rounds >= tuning.rounds || pausedUntil - lastProgressAt > tuning.patienceMs) down(reason)
  }

  const tryAgain = (item: Item, call: number, outcome: Retry, now: number): void => {
    item.tries += 1
    item.failedAt ??= now
    item.last = outcome
    item.dueAt = now + (outcome.afterMs ?? backoff(item.tries, tuning, random))
    const patient = item.dueAt - item.failedAt <= tuning.patienceMs
    if (!patient || (outcome.afterMs === undefined && item.tries >= tuning.tries)) {
      delivery.settle(item, call, outcome)
      return
    }
    retries.push(item)
    // The intent of a message has ended with this call; a row of state is still covered by its window.
    if (message) journal.outcome(item.n, call, outcome)
  }

  return {
    work,
    /** What was to be tried again is left to the next run. */
    giveUp: () => {
      const now = clock.now()
      for (const item of retries.splice(0)) {
        const { reason = '', afterMs } = item.last ?? {}
        const left = afterMs === undefined ? {} : { afterMs: Math.max(0, item.dueAt - now) }
        delivery.settle(item, tally.calls, { status: 'retry', reason, ...left })
      }
    },
  }
}
