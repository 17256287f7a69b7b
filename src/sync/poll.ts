// Jobs that vendors take rows into: asked for until they are over or patience ends. What is not over stays pending, survives the
// process, and is asked for by the next run.
import type { JsonObject } from '../core/json.ts'
import { areOutcomes } from './call.ts'
import { connectorFault, type Delivery, type Item, nap, newItem, thrownBy } from './delivery.ts'
import type { Outcome } from './destination.ts'
import type { SpoolRow } from './spool.ts'
import { backoff } from './tuning.ts'

export interface Job {
  readonly job: string
  items: readonly Item[]
  askAt: number
  asked: number
}

/** Jobs of earlier runs, with their rows in the order in which they were taken. */
export const jobsOf = (rows: readonly SpoolRow[]): Job[] => {
  const byJob = new Map<string, SpoolRow[]>()
  for (const row of rows) {
    const job = row.job ?? ''
    const known = byJob.get(job)
    if (known === undefined) byJob.set(job, [row])
    else known.push(row)
  }
  return [...byJob].map(([job, taken]) => ({
    job,
    askAt: 0,
    asked: 0,
    items: taken
      .toSorted((a, b) => (a.le ?? 0) - (b.le ?? 0) || (a.ls ?? 0) - (b.ls ?? 0))
      .map((row) =>
        newItem(row.n, { operation: row.op, id: row.id, key: JSON.parse(row.key) as JsonObject, record: {} }),
      ),
  }))
}

/** Asks for every job until it is over or the run's patience ends. */
export const pollJobs = async (delivery: Delivery, jobs: Job[]): Promise<void> => {
  const { clock, tuning, random } = delivery
  const until = clock.now() + tuning.patienceMs
  while (jobs.length > 0 && !delivery.halt.aborted) {
    jobs.sort((a, b) => a.askAt - b.askAt)
    const [job] = jobs
    if (job === undefined || job.askAt > until) return
    if (job.askAt > clock.now()) {
      await delivery.journal.flush()
      await nap(delivery, job.askAt - clock.now())
      continue
    }
    job.asked += 1
    job.askAt = clock.now() + backoff(job.asked + 1, tuning, random)
    if (await ask(delivery, job)) jobs.shift()
  }
}

/** True when nothing of the job is pending any more, or it cannot be asked for. */
const ask = async (delivery: Delivery, job: Job): Promise<boolean> => {
  const { writer, seam, tally } = delivery
  if (writer.poll === undefined) return true
  // Rows of an earlier run have no record any more, so no poll gets one.
  const changes = job.items.map(({ change }) => ({ ...change, record: {} }))
  try {
    await delivery.pace.take(delivery.halt)
  } catch (error) {
    if (!delivery.halt.aborted) throw error
    return true
  }
  tally.calls += 1
  seam('call')
  let outcomes: unknown
  try {
    outcomes = await writer.poll(job.job, changes, delivery.context(changes))
  } catch (thrown) {
    const error = thrownBy(delivery, thrown)
    if (error.kind !== 'transient') delivery.stop(error)
    return error.kind !== 'transient'
  } finally {
    seam('answer')
  }
  if (!areOutcomes(outcomes, job.items.length)) {
    delivery.faults.push(connectorFault(delivery, `its poll did not give ${job.items.length} outcomes`))
    return true
  }
  job.items = settleJob(delivery, job, outcomes)
  return job.items.length === 0
}

const settleJob = (delivery: Delivery, job: Job, outcomes: readonly Outcome[]): Item[] =>
  job.items.filter((item, at) => {
    const outcome = outcomes[at]
    // Still going on, or not to be asked now: it stays as it is.
    if (outcome === undefined || outcome.status === 'pending' || outcome.status === 'retry') return true
    delivery.tally.pending -= 1
    delivery.settle(item, delivery.tally.calls, outcome)
    // It was counted when it was taken into the job.
    delivery.tally[item.change.operation === 'remove' ? 'sentRemoves' : 'sentUpserts'] -= 1
    return false
  })
