// The end of a run of syncs: every journal folded, every end written, every lease let go, and what is told about it.
import { CdpError, reasonOf } from '../core/errors.ts'
import { exitCodeOf, worstKind } from '../core/exit.ts'
import { finishJob, foldJob } from '../sync/job.ts'
import { emptyPlan, type SyncPlan } from '../sync/plan.ts'
import { inStep } from '../warehouse/step.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { finishRun, recordSteps } from './record.ts'
import type { SyncOptions } from './sync.ts'
import { emptySummary, kindOf, type SyncSummary } from './sync-summary.ts'
import { noTally, stepOf, type Work } from './sync-work.ts'

/** The last opening: folds every journal, writes the ends, lets the leases go. */
export const closeAll = async (works: readonly Work[], options: SyncOptions): Promise<SyncSummary[]> => {
  const summaries = works.map((work) => summaryOf(work, options))
  let warehouse: Warehouse | undefined
  try {
    const opened = await options.openWarehouse('write')
    warehouse = opened
    for (const [at, work] of works.entries()) {
      const summary = summaries[at]
      if (summary === undefined) continue
      await inStep(stepOf(work, options), () => finishOne(opened, work, summary))
      await recordOne(opened, work, summary, options)
    }
    const kind = worstKind(summaries.map((summary) => kindOf(summary, options.strict === true)))
    await finishRun(opened, {
      ...options,
      status: kind === 'interrupted' ? 'interrupted' : kind === undefined ? 'done' : 'failed',
      exitCode: exitCodeOf(kind),
    })
  } catch (error) {
    for (const { options: own } of works) own.seam('commit')
    options.emit({
      type: 'warning',
      message: `what was delivered is written down in .cdp/journal and not yet in the warehouse: ${reasonOf(error)}`,
      hint: 'The next cdp sync or cdp plan takes it over.',
    })
    return summaries.map((summary) => (summary.error === undefined ? { ...summary, error } : summary))
  } finally {
    await warehouse?.close()
    for (const { job } of works) await job?.outgoing?.journal.close()
    for (const { job } of works) if (job?.outgoing !== undefined) await job.lease.release()
  }
  return summaries
}

const finishOne = async (warehouse: Warehouse, work: Work, summary: SyncSummary): Promise<void> => {
  const { job, options: own } = work
  // A delivery that broke off is left as a crash leaves it: the next run judges from the journal what may have arrived.
  if (job?.outgoing !== undefined && !work.torn) {
    job.outgoing.mirror?.use(warehouse)
    await foldJob(warehouse, job, own.paths, own.seam)
    await finishJob(
      warehouse,
      job,
      {
        status: summary.status === 'unchanged' || summary.status === 'busy' ? 'done' : summary.status,
        reason: summary.reason,
        tally: work.delivered?.tally ?? noTally,
        waiting: summary.waiting,
        lookAgain:
          summary.status !== 'done' || summary.waiting > 0 || job.plan.rows.pending + job.plan.rows.removalsPending > 0,
      },
      own.paths,
      own,
    )
  }
}

const recordOne = async (
  warehouse: Warehouse,
  { meter }: Work,
  summary: SyncSummary,
  options: SyncOptions,
): Promise<void> => {
  const detail = summary.reason ?? detailOf(summary)
  const failed = ['failed', 'stopped', 'guarded', 'busy'].includes(summary.status)
  const step = {
    step: summary.sync,
    kind: 'sync',
    status: failed
      ? 'failed'
      : summary.rejected + summary.unknown > 0
        ? 'warned'
        : summary.status === 'unchanged'
          ? 'unchanged'
          : 'done',
    rows: summary.sent.upsert + summary.sent.remove,
    detail,
    seconds: summary.seconds,
    meter,
    error: summary.error,
  } as const
  const finishedAt = new Date(options.clock.now()).toISOString()
  await recordSteps(warehouse, options.runId, [{ ...step, finishedAt }])
  options.emit({
    type: 'step-finished',
    step: step.step,
    kind: step.kind,
    status: step.status,
    ms: step.seconds * 1000,
    rows: step.rows,
    detail,
    ...(step.error === undefined ? {} : { error: step.error }),
  })
}

const detailOf = (summary: SyncSummary): string =>
  [
    [summary.delivered, 'delivered'],
    [summary.removed, 'removed'],
    [summary.rejected, 'rejected'],
    [summary.retry, 'put off'],
    [summary.unknown, 'unknown'],
    [summary.pending, 'pending'],
    [summary.waiting, 'not sent'],
  ]
    .flatMap(([count, word]) => (count === 0 ? [] : [`${count} ${word}`]))
    .join(', ')

const summaryOf = (work: Work, options: SyncOptions): SyncSummary => {
  const { job, delivered, input } = work
  const plan: SyncPlan = job?.plan ?? { ...emptyPlan(input.spec), status: 'failed', error: work.error }
  const tally = delivered?.tally ?? noTally
  const { begun } = job?.outgoing ?? { begun: { planned: 0, upserts: 0, removes: 0 } }
  const waiting = begun.upserts + begun.removes - tally.sentUpserts - tally.sentRemoves
  const error = work.error ?? delivered?.stopped ?? delivered?.faults[0] ?? guardError(plan)
  return {
    ...emptySummary(plan),
    ...statusOf(work, plan, waiting + tally.retrying, error),
    sent: { upsert: tally.sentUpserts, remove: tally.sentRemoves },
    delivered: tally.upserts,
    removed: tally.removes,
    rejected: tally.rejected,
    retry: tally.retrying,
    unknown: tally.unknown,
    pending: tally.pending,
    waiting,
    requests: tally.calls,
    written: plan.takes === 'snapshot' ? delivered?.written !== undefined : undefined,
    seconds: (options.clock.now() - work.startedAt) / 1000,
    error,
  }
}

const statusOf = (work: Work, plan: SyncPlan, left: number, error: unknown): Pick<SyncSummary, 'status' | 'reason'> => {
  const { delivered } = work
  if (plan.status === 'guarded') return { status: 'guarded', reason: plan.reason }
  if (work.error !== undefined) {
    const busy = work.error instanceof CdpError && work.error.code === 'SYNC_BUSY'
    return { status: busy ? 'busy' : 'failed', reason: reasonOf(error) }
  }
  if (delivered === undefined) return { status: 'unchanged', reason: 'nothing differs' }
  if (delivered.stopped !== undefined) {
    return { status: delivered.stopped.kind === 'transient' ? 'stopped' : 'failed', reason: reasonOf(error) }
  }
  if (delivered.interrupted && left > 0)
    return { status: 'interrupted', reason: 'interrupted; what is left goes out with the next run' }
  return { status: 'done', reason: delivered.faults.length > 0 ? reasonOf(error) : undefined }
}

const guardError = (plan: SyncPlan): CdpError | undefined =>
  plan.guards.length === 0
    ? undefined
    : new CdpError('SYNC_GUARDED', {
        sync: plan.sync,
        reasons: plan.guards.map((guard) => guard.reason),
        allow: plan.guards.map((guard) => guard.name),
      })
