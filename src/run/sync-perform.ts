// The work of `cdp sync` once there is something to do: one opening of the warehouse to plan, none while vendors are awaited, one to write
// down what came of it.
import { reasonOf } from '../core/errors.ts'
import { deliverJob, finishJob, foldJob, openWriter, startJob } from '../sync/job.ts'
import type { SyncInput } from '../sync/spec.ts'
import type { SyncWorld } from '../sync/state.ts'
import { tuning } from '../sync/tuning.ts'
import { inStep } from '../warehouse/step.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { startRun } from './record.ts'
import { closeAll } from './sync-close.ts'
import type { SyncOptions } from './sync.ts'
import type { SyncSummary } from './sync-summary.ts'
import { newMeter } from './spending.ts'
import { jobOptions, noTally, stepOf, type Work } from './sync-work.ts'

/** Takes the open warehouse over and closes it. */
export const performAll = async (
  warehouse: Warehouse,
  inputs: readonly SyncInput[],
  world: SyncWorld,
  options: SyncOptions,
): Promise<SyncSummary[]> => {
  const works: Work[] = []
  try {
    await startRun(warehouse, { ...options, command: 'sync' })
    for (const input of inputs) {
      if (options.signal.aborted) break
      works.push(await start(warehouse, input, world, options))
    }
    await finishIdle(warehouse, works, options)
  } finally {
    await warehouse.close()
  }
  const busy = works.filter((work) => work.job?.outgoing !== undefined)
  const folder = createFolder(busy, options)
  await Promise.all(busy.map((work) => deliverOne(work, options, folder.now)))
  await folder.idle()
  return closeAll(works, options)
}

const start = async (warehouse: Warehouse, input: SyncInput, world: SyncWorld, options: SyncOptions): Promise<Work> => {
  const work: Work = {
    input,
    options: jobOptions(input, options),
    startedAt: options.clock.now(),
    meter: newMeter(),
    job: undefined,
    delivered: undefined,
    torn: false,
    error: undefined,
  }
  options.emit({ type: 'step-started', step: input.spec.id, kind: 'sync' })
  try {
    work.job = await inStep(stepOf(work, options), () => startJob(warehouse, input, world, work.options))
  } catch (error) {
    work.error = error
  }
  return work
}

// What has nothing to deliver ends in the opening it began in.
const finishIdle = async (warehouse: Warehouse, works: readonly Work[], run: SyncOptions): Promise<void> => {
  for (const work of works) {
    const { job, options } = work
    if (job === undefined || job.outgoing !== undefined) continue
    const guarded = job.plan.status === 'guarded'
    const end = { status: guarded ? 'guarded' : 'done', reason: job.plan.reason, tally: noTally, waiting: 0 } as const
    await inStep(stepOf(work, run), () =>
      finishJob(warehouse, job, { ...end, lookAgain: guarded }, options.paths, options),
    )
    await job.lease.release()
  }
}

const deliverOne = async (work: Work, options: SyncOptions, fold: () => void): Promise<void> => {
  const { job, input } = work
  if (job?.outgoing === undefined) return
  const { begun, mirror } = job.outgoing
  const total = begun.upserts + begun.removes
  let shownAt = 0
  let warehouse: Warehouse | undefined
  try {
    if (mirror !== undefined) mirror.use((warehouse = await options.openWarehouse('write')))
    const destination = (await options.live()).destination(input.spec.id)
    const writer = await openWriter(job, destination, options.project.root)
    work.torn = true
    work.delivered = await deliverJob(job, writer, {
      ...work.options,
      onProgress: (tally) => {
        fold()
        const now = options.clock.now()
        if (now - shownAt < 200) return
        shownAt = now
        options.emit({
          type: 'progress',
          step: input.spec.id,
          done: tally.sentUpserts + tally.sentRemoves,
          total,
          unit: 'rows',
          ...(tally.rejected === 0 ? {} : { note: `${tally.rejected} rejected` }),
        })
      },
    })
    work.torn = false
  } catch (error) {
    work.error = error
  } finally {
    await warehouse?.close()
  }
}

/**
 * Folds what is known so far now and then, so that a long delivery can be watched and a crash leaves little to fold. What takes long, and
 * may be billed, is done less often.
 */
const createFolder = (works: readonly Work[], options: SyncOptions): { now: () => void; idle: () => Promise<void> } => {
  let every = options.tuning?.foldMs ?? tuning.foldMs
  let last = options.clock.now()
  let running: Promise<void> | undefined
  const fold = async (): Promise<void> => {
    let warehouse: Warehouse
    try {
      warehouse = await options.openWarehouse('write')
    } catch {
      // Somebody works with the warehouse: the journal can wait for the next time, and the end says if it never came.
      return
    }
    try {
      for (const work of works) {
        const { job, options: own } = work
        if (job === undefined) continue
        await inStep(stepOf(work, options), () => foldJob(warehouse, job, own.paths, own.seam))
      }
    } finally {
      await warehouse.close()
    }
  }
  let failure: unknown
  return {
    now: () => {
      if (running !== undefined || options.clock.now() - last < every) return
      last = options.clock.now()
      running = fold()
        .catch((error: unknown) => {
          failure = error
        })
        .finally(() => {
          running = undefined
          every = Math.max(every, 20 * (options.clock.now() - last))
        })
    },
    idle: async () => {
      await running
      if (failure !== undefined) options.emit({ type: 'warning', message: reasonOf(failure) })
    },
  }
}
