// One sync while a run works on it, and the engine's options for it.
import type { Delivered } from '../sync/deliver.ts'
import type { Tally } from '../sync/delivery.ts'
import type { Job, JobOptions } from '../sync/job.ts'
import { thisWorld } from '../sync/lease.ts'
import { syncPaths } from '../sync/paths.ts'
import { noSeam } from '../sync/seam.ts'
import type { SyncInput } from '../sync/spec.ts'
import { tuning } from '../sync/tuning.ts'
import type { Meter, Step } from '../warehouse/step.ts'
import type { SyncOptions } from './sync.ts'

/** The engine's options for one sync of a run. */
export const jobOptions = (input: SyncInput, options: SyncOptions): JobOptions => ({
  runId: options.runId,
  instant: options.instant,
  now: options.clock.now(),
  allow: options.allow,
  retryRejected: options.retryRejected === true,
  paths: syncPaths(options.project.root, options.project.target, input.spec.id),
  clock: options.clock,
  random: options.random ?? Math.random,
  signal: options.signal,
  tuning: { ...tuning, ...options.tuning },
  seam: options.seam ?? noSeam,
  owners: options.owners ?? thisWorld(),
  secrets: options.project.syncs.find(({ id }) => id === input.spec.id)?.secrets ?? [],
  warn: (message, hint) =>
    options.emit({ type: 'warning', step: input.spec.id, message, ...(hint === undefined ? {} : { hint }) }),
})

/** A sync with its settings, while it is worked on. */
export interface Work {
  readonly input: SyncInput
  readonly options: JobOptions
  readonly startedAt: number
  /** What its statements cost. */
  readonly meter: Meter
  job: Job | undefined
  delivered: Delivered | undefined
  /** Its delivery broke off without saying how: the journal tells what may have arrived. */
  torn: boolean
  error: unknown
}

/** What its statements belong to. */
export const stepOf = ({ input, meter }: Work, { runId }: Pick<SyncOptions, 'runId'>): Step => ({
  run: runId,
  step: input.spec.id,
  meter,
})

/** Of a sync that sent nothing. */
export const noTally: Tally = {
  sentUpserts: 0,
  sentRemoves: 0,
  upserts: 0,
  removes: 0,
  rejected: 0,
  retrying: 0,
  unknown: 0,
  pending: 0,
  calls: 0,
}
