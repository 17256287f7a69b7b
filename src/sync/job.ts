// One sync from its start in the warehouse to its end there. Between the two the warehouse is not needed, and must not be held.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import { CdpError } from '../core/errors.ts'
import { missing } from '../core/secret.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { beginRun, outgoing, type Begun } from './begin.ts'
import { deliver, type Delivered } from './deliver.ts'
import type { Tally } from './delivery.ts'
import type { Destination, Writer } from './destination.ts'
import { inOrder, planNumber } from './decide.ts'
import { finishRun, type RunStatus } from './finish.ts'
import { foldParts } from './fold.ts'
import { findJournals, type Journal, openJournal, removeFiles } from './journal.ts'
import { type Lease, type OwnerWorld, takeLease } from './lease.ts'
import { snapshotFields, wantedSelect } from './listing.ts'
import { forgetJournals, type Mirror, openMirror } from './mirror.ts'
import { type SyncPaths } from './paths.ts'
import type { SyncPlan } from './plan.ts'
import { type PlanOptions, type Prepared, preparePlan } from './prepare.ts'
import { hasLeftovers, recover } from './recover.ts'
import { rehash } from './rehash.ts'
import type { Seam } from './seam.ts'
import { isMessage, type SyncInput, takesSnapshot } from './spec.ts'
import { type SyncWorld, withState } from './state.ts'
import type { Tuning } from './tuning.ts'

export interface JobOptions extends PlanOptions {
  readonly runId: string
  readonly paths: SyncPaths
  readonly clock: Clock
  readonly random: () => number
  readonly signal: AbortSignal
  readonly tuning: Tuning
  readonly seam: Seam
  readonly owners: OwnerWorld
  /** Secrets that must be set before anything is sent. */
  readonly secrets: readonly unknown[]
  /** Says something that the user should know. */
  readonly warn: (message: string, hint?: string) => void
}

export interface Job {
  readonly input: SyncInput
  readonly plan: SyncPlan
  readonly epoch: number
  /** undefined: there is nothing to deliver. */
  readonly outgoing: Outgoing | undefined
  readonly lease: Lease
}

interface Outgoing {
  readonly begun: Begun
  readonly journal: Journal
  /** The journal's copy in the warehouse: it wants an open one during delivery. */
  readonly mirror: Mirror | undefined
  readonly spool: string
  readonly snapshot: { readonly rows: string; readonly fields: readonly string[] } | undefined
}

const iso = (ms: number): string => new Date(ms).toISOString()

/** Takes the sync's lease, settles what a dead owner left, plans, and writes the start of the run. Throws SYNC_BUSY and what planning throws. */
export const startJob = async (
  warehouse: Warehouse,
  input: SyncInput,
  known: SyncWorld,
  options: JobOptions,
): Promise<Job> => {
  const { paths, seam } = options
  const sync = input.spec.id
  let journal: Journal | undefined
  const lease = await takeLease({ ...options, path: paths.lock, sync, run: options.runId, world: options.owners })
  try {
    let world = await withState(warehouse, known, sync)
    if (await hasLeftovers(world.states.get(sync), paths)) {
      const unknown = await recover(warehouse, { spec: input.spec, paths, now: iso(options.now), seam })
      if (unknown > 0) options.warn(interruptedWords(input, unknown))
      world = await withState(warehouse, known, sync)
    }
    if (world.states.get(sync)?.is_stale === true) {
      await rehash(warehouse, sync)
      world = await withState(warehouse, known, sync)
    }
    const prepared = await preparePlan(warehouse, input, world, options)
    warnOfStuck(prepared, options)
    const goesOut = outgoing(prepared)
    if (goesOut !== undefined && missing(options.secrets).length > 0) {
      throw new CdpError('SECRETS_MISSING', { names: missing(options.secrets) })
    }
    const out = goesOut === undefined ? undefined : await spoolOut(warehouse, prepared, goesOut, options)
    journal = out?.journal
    seam('commit')
    const begun = await beginRun(warehouse, prepared, { runId: options.runId, now: iso(options.now) })
    seam('commit')
    const job = { input, plan: prepared.plan, epoch: prepared.epoch, lease }
    return { ...job, outgoing: out === undefined ? undefined : { begun, ...out } }
  } catch (error) {
    await journal?.close()
    await lease.release()
    throw error
  }
}

const warnOfStuck = ({ plan }: Prepared, options: JobOptions): void => {
  if (plan.rows.stuck === 0) return
  options.warn(
    `${plan.rows.stuck} keys are still at ${plan.destination} whose persons do not agree, because this sync does not say how to remove there`,
    'Name a way in the sync: remove: …; docs/delivery.md says which syncs remove.',
  )
}

const interruptedWords = (input: SyncInput, unknown: number): string =>
  isMessage(input.spec)
    ? `the run before ended while ${unknown} messages were on their way: nobody can say whether they were sent, and they are not sent again`
    : `the run before ended while ${unknown} rows were on their way: they count as possibly delivered and are settled now`

/** The files a delivery works from. The journal is there before the warehouse says that a run is open. */
const spoolOut = async (
  warehouse: Warehouse,
  prepared: Prepared,
  which: string,
  options: JobOptions,
): Promise<Omit<Outgoing, 'begun'>> => {
  const { input, shape, epoch, target, decided } = prepared
  const { paths, clock, seam } = options
  const spool = join(paths.spool, `${epoch}.ndjson`)
  // Personal data as it goes out: for this user only.
  await mkdir(paths.spool, { recursive: true, mode: 0o700 })
  await warehouse.unload(
    `select ${planNumber(warehouse)} as n, p.action, p.operation as op, p.change_id as id, p.key, p.record, p.reference as ref, p.job,
       p.last_epoch as le, p.last_seq as ls
     from ${target} as p where ${which}${inOrder(warehouse)}`,
    spool,
  )
  let snapshot: Outgoing['snapshot']
  if (takesSnapshot(input.spec) && shape !== undefined) {
    const rows = join(paths.spool, `${epoch}-rows.ndjson`)
    await warehouse.unload(wantedSelect(warehouse, input, shape), rows)
    snapshot = { rows, fields: snapshotFields(shape).map((part) => part.name) }
  }
  const mirror = openMirror(warehouse, input.spec.id, options.runId, clock)
  const journal = await openJournal({
    folder: paths.journals,
    sync: input.spec.id,
    epoch,
    firstSeq: decided + 1,
    clock,
    seam,
    mirror,
  })
  return { journal, mirror, spool, snapshot }
}

/** Gets the destination ready. Nothing was sent if it throws. */
export const openWriter = ({ input }: Job, destination: Destination, root: string): Promise<Writer> =>
  destination.open({ root, ...(input.spec.remove === undefined ? {} : { remove: input.spec.remove }) })

/** Delivers what goes out; the warehouse must be closed. If it throws, the journal says what may have arrived. */
export const deliverJob = async (
  { outgoing: out, input }: Job,
  writer: Writer,
  options: JobOptions & { readonly onProgress: (tally: Tally) => void },
): Promise<Delivered> => {
  if (out === undefined) throw new CdpError('INTERNAL', { detail: `nothing of ${input.spec.id} goes out` })
  try {
    return await deliver({
      ...options,
      spec: input.spec,
      writer,
      journal: out.journal,
      spool: out.spool,
      ...(out.snapshot === undefined ? {} : { snapshot: out.snapshot }),
    })
  } finally {
    await writer.close?.()
  }
}

/** Folds the parts of a journal that are closed; while it is being delivered, a new part is begun first. */
export const foldJob = async (warehouse: Warehouse, job: Job, paths: SyncPaths, seam: Seam): Promise<void> => {
  const { input, epoch, outgoing: out } = job
  if (out === undefined) return
  const closed = await out.journal.rotate()
  const parts = (await findJournals(paths.journals)).filter((part) => part.epoch === epoch)
  const upTo = parts.findIndex((part) => part.path === closed)
  const done = parts.slice(0, upTo + 1).map((part) => part.path)
  seam('commit')
  await foldParts(warehouse, { sync: input.spec.id, epoch, isMessage: isMessage(input.spec) }, done)
  seam('commit')
  await removeFiles(done, seam)
}

export interface JobEnd {
  readonly status: RunStatus
  readonly reason: string | undefined
  readonly tally: Readonly<Tally>
  readonly waiting: number
  readonly lookAgain: boolean
}

/** Writes the end of a run whose journal is folded, and lets the sync go. */
export const finishJob = async (
  warehouse: Warehouse,
  job: Job,
  end: JobEnd,
  paths: SyncPaths,
  { clock, seam }: { readonly clock: Clock; readonly seam: Seam },
): Promise<void> => {
  const { tally } = end
  // Personal data goes before the end is written: after it, a run that has nothing to do would not look for what a crash left.
  if (job.outgoing !== undefined) await removeFiles([paths.spool], seam)
  seam('commit')
  await finishRun(warehouse, {
    sync: job.input.spec.id,
    epoch: job.epoch,
    now: iso(clock.now()),
    status: end.status,
    reason: end.reason,
    lookAgain: end.lookAgain,
    counts: {
      deliveredUpserts: tally.upserts,
      deliveredRemoves: tally.removes,
      rejected: tally.rejected,
      retrying: tally.retrying,
      unknown: tally.unknown,
      pending: tally.pending,
      waiting: end.waiting,
      calls: tally.calls,
    },
  })
  seam('commit')
  if (job.outgoing === undefined) return
  await forgetJournals(warehouse, job.input.spec.id, clock.now())
  await job.outgoing.journal.close()
  const journals = (await findJournals(paths.journals)).map((part) => part.path)
  await removeFiles(journals, seam)
}
