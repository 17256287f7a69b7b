// `cdp sync` and `cdp plan` for syncs: plans all in one opening of the warehouse, lets it go, delivers side by side, and writes down what
// came of it in another. With nothing to do it costs two statements; what it takes to deliver is loaded only then.
import type { ErrorKind } from '../core/errors.ts'
import { worstKind } from '../core/exit.ts'
import type { CompiledProject } from '../project/compiled.ts'
import type { SyncInput } from '../sync/spec.ts'
import { isQuiet, readWorld, type SyncWorld } from '../sync/state.ts'
import type { SyncPlan } from '../sync/plan.ts'
import type { OwnerWorld } from '../sync/lease.ts'
import type { Seam } from '../sync/seam.ts'
import type { Tuning } from '../sync/tuning.ts'
import type { RunOptions } from './options.ts'
import { kindOf, quietSummary, type SyncSummary } from './sync-summary.ts'

export type { SyncSummary } from './sync-summary.ts'

export interface SyncOptions extends RunOptions {
  /** Rejected rows are sent now, whether or not their time has come. */
  readonly retryRejected?: boolean
  /** Rejected rows count as a failure of kind data. */
  readonly strict?: boolean
  /** For tests: how patient a run is, where it dies, who owns it, and its chances. */
  readonly tuning?: Partial<Tuning>
  readonly seam?: Seam
  readonly owners?: OwnerWorld
  readonly random?: () => number
}

export interface SyncResult {
  readonly runId: string
  readonly summaries: readonly SyncSummary[]
  /** The worst kind of error met, or undefined when all went well. */
  readonly exitKind: ErrorKind | undefined
}

/** The syncs that are selected, with what the project says around them. */
export const selectedSyncs = (project: CompiledProject, selected: ReadonlySet<string> | undefined): SyncInput[] => {
  const freshness = (model: string | undefined): number | undefined =>
    project.models.find(({ name }) => name === model)?.freshnessMs
  return project.syncs
    .filter((sync) => selected?.has(sync.id) ?? true)
    .map((spec) => ({
      spec,
      consent: project.consent,
      consentFreshnessMs: freshness(project.consent),
      fromFreshnessMs: freshness(spec.from),
    }))
}

/** What `performSyncs` would do now. Sends nothing; what an earlier run left behind is written into the warehouse first. */
export const planSyncs = async (options: SyncOptions): Promise<SyncPlan[]> => {
  const inputs = selectedSyncs(options.project, options.selected)
  if (inputs.length === 0) return []
  const { planAll } = await import('./sync-plan.ts')
  return planAll(inputs, options)
}

/** Plans and delivers. Throws what concerns all syncs (the warehouse cannot be opened); what concerns one is in its summary. */
export const performSyncs = async (options: SyncOptions): Promise<SyncResult> => {
  const inputs = selectedSyncs(options.project, options.selected)
  if (inputs.length === 0) return { runId: options.runId, summaries: [], exitKind: undefined }
  const warehouse = await options.openWarehouse('write')
  let quiet: SyncInput[]
  let world: SyncWorld
  try {
    world = await readWorld(warehouse)
    const now = options.clock.now()
    quiet = options.retryRejected === true ? [] : inputs.filter((input) => isQuiet(input, world, now))
  } catch (error) {
    await warehouse.close()
    throw error
  }
  const summaries = new Map(quiet.map((input) => [input.spec.id, quietSummary(input, options.emit)]))
  const rest = inputs.filter((input) => !summaries.has(input.spec.id))
  if (rest.length === 0) await warehouse.close()
  else {
    const { performAll } = await import('./sync-perform.ts')
    for (const summary of await performAll(warehouse, rest, world, options)) summaries.set(summary.sync, summary)
  }
  const ordered = inputs.flatMap((input) => summaries.get(input.spec.id) ?? [])
  const kinds = ordered.map((summary) => kindOf(summary, options.strict === true))
  // An interrupt during planning leaves syncs out.
  if (ordered.length < inputs.length) kinds.push('interrupted')
  return { runId: options.runId, summaries: ordered, exitKind: worstKind(kinds) }
}
