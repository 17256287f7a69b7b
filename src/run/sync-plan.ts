// The plans of syncs without performing them.
import { CdpError, reasonOf } from '../core/errors.ts'
import { type Lease, takeLease } from '../sync/lease.ts'
import { emptyPlan, quietPlan, type SyncPlan } from '../sync/plan.ts'
import { preparePlan } from '../sync/prepare.ts'
import { hasLeftovers, recover } from '../sync/recover.ts'
import { rehash } from '../sync/rehash.ts'
import { isMessage, type SyncInput } from '../sync/spec.ts'
import { isQuiet, readWorld, type SyncWorld, withState } from '../sync/state.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import type { SyncOptions } from './sync.ts'
import { jobOptions } from './sync-work.ts'

/** Plans of all; reads only, unless an earlier run left something to write down. */
export const planAll = async (inputs: readonly SyncInput[], options: SyncOptions): Promise<SyncPlan[]> => {
  const reader = await options.openWarehouse('read')
  let owed: readonly SyncInput[]
  let world: SyncWorld
  try {
    world = await readWorld(reader)
    owed = await needingWrite(world, inputs, options)
    if (owed.length === 0) return await planEach(reader, inputs, world, options)
  } finally {
    await reader.close()
  }
  const writer = await options.openWarehouse('write')
  try {
    for (const input of owed) await takeOver(writer, input, world, options)
    return await planEach(writer, inputs, await readWorld(writer), options)
  } finally {
    await writer.close()
  }
}

const needingWrite = async (
  world: SyncWorld,
  inputs: readonly SyncInput[],
  options: SyncOptions,
): Promise<SyncInput[]> => {
  const owed: SyncInput[] = []
  for (const input of inputs) {
    const { paths } = jobOptions(input, options)
    const state = world.states.get(input.spec.id)
    if (state?.is_stale === true || (await hasLeftovers(state, paths))) owed.push(input)
  }
  return owed
}

const takeOver = async (
  warehouse: Warehouse,
  input: SyncInput,
  world: SyncWorld,
  options: SyncOptions,
): Promise<void> => {
  const own = jobOptions(input, options)
  const { id } = input.spec
  let lease: Lease | undefined
  try {
    lease = await takeLease({ ...own, path: own.paths.lock, sync: id, run: options.runId, world: own.owners })
    const now = new Date(own.now).toISOString()
    const unknown = await recover(warehouse, { spec: input.spec, paths: own.paths, now, seam: own.seam })
    const { states } = await withState(warehouse, world, id)
    if (states.get(id)?.is_stale === true) await rehash(warehouse, id)
    const what = isMessage(input.spec) ? 'messages' : 'rows'
    if (unknown > 0) own.warn(`${unknown} ${what} of the run before may or may not have arrived`)
  } catch (error) {
    if (!(error instanceof CdpError && error.code === 'SYNC_BUSY')) throw error
    own.warn(`${error.message} The plan does not know yet what it delivers.`)
  } finally {
    await lease?.release()
  }
}

const planEach = async (
  warehouse: Warehouse,
  inputs: readonly SyncInput[],
  world: SyncWorld,
  options: SyncOptions,
): Promise<SyncPlan[]> => {
  const plans: SyncPlan[] = []
  for (const input of inputs) {
    const own = jobOptions(input, options)
    if (!own.retryRejected && isQuiet(input, world, own.now)) {
      plans.push(quietPlan(input.spec))
      continue
    }
    try {
      plans.push((await preparePlan(warehouse, input, world, own)).plan)
    } catch (error) {
      plans.push({ ...emptyPlan(input.spec), status: 'failed', reason: reasonOf(error), error })
    }
  }
  return plans
}
