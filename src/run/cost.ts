// What a run would read and cost, asked of the engine before anything is executed. Only engines that bill by bytes know.
import { hasCode } from '../core/errors.ts'
import { render, type CompiledModel } from '../models/model.ts'
import type { CompiledProject } from '../project/compiled.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import type { RunPlan } from './plan.ts'

/** US dollars for a TiB, as Google lists them for most regions on demand; `pricePerTiB` of the warehouse says another. */
const listPrice = 6.25
const tib = 2 ** 40

export interface StepCost {
  readonly step: string
  /** What the model's SELECT would read of what is there now, and the model itself; undefined when that cannot be known. */
  readonly bytes: number | undefined
  /** `exact`, `upper bound`, `lower bound`, or why nothing is known. */
  readonly accuracy: string
  /** US dollars, an estimate. */
  readonly usd: number | undefined
}

/** US dollars for a TiB that this warehouse bills. */
export const pricePerTiB = (project: Pick<CompiledProject, 'warehouse'>): number => {
  const given = project.warehouse.settings['pricePerTiB']
  return typeof given === 'number' ? given : listPrice
}

const words: Readonly<Record<string, string>> = {
  PRECISE: 'exact',
  UPPER_BOUND: 'upper bound',
  LOWER_BOUND: 'lower bound',
}

// What an engine says of one statement says this much of the whole build: an incremental model reads less than its SELECT, and people
// are joined in several rounds.
const accuracyOf = (model: CompiledModel, said: string): string => {
  if (model.kind === 'incremental') return 'upper bound'
  if (model.kind === 'identity' || model.kind === 'profile') return 'lower bound'
  return words[said] ?? 'not known'
}

/** One a model that would or may be built; undefined where the engine does not tell. */
export const planCosts = async (
  plan: RunPlan,
  warehouse: Warehouse,
  options: { readonly instant: string; readonly pricePerTiB: number },
): Promise<readonly StepCost[] | undefined> => {
  if (!warehouse.supports.dryRun) return undefined
  const costs: StepCost[] = []
  for (const step of plan.steps) {
    if (step.kind !== 'model' || step.action === 'none') continue
    const { model } = step
    const select = render(model.sql, warehouse, options.instant)
    // What is built is read once more, to know whether it changed. A view is only defined: who reads it pays.
    const own = plan.versions.has(model.name)
      ? [`select * from ${warehouse.name({ schema: 'models', name: model.name })}`]
      : []
    const statements = model.kind === 'view' ? [] : [select, ...own]
    costs.push(await costOf(model, statements, warehouse, options.pricePerTiB))
  }
  return costs
}

const costOf = async (
  model: CompiledModel,
  statements: readonly string[],
  warehouse: Warehouse,
  price: number,
): Promise<StepCost> => {
  const step = model.name
  let bytes = 0
  let accuracy = 'exact'
  try {
    for (const statement of statements) {
      const cost = await warehouse.cost(statement)
      bytes += cost?.bytes ?? 0
      if (accuracy === 'exact') accuracy = accuracyOf(model, cost?.accuracy ?? '')
    }
  } catch (thrown) {
    if (!hasCode(thrown, 'QUERY_FAILED')) throw thrown
    // Most often something that it reads is not built yet.
    const [reason = ''] = thrown.args.reason.split('\n')
    return { step, bytes: undefined, accuracy: `not known: ${reason}`, usd: undefined }
  }
  return { step, bytes, accuracy, usd: (bytes / tib) * price }
}
