// `cdp plan`: what a run and a sync would do, from the same plans that they perform.
import type { CommandModule } from '../commands.ts'
import { createContext, type Context } from '../context.ts'
import { dollars } from '../dollars.ts'
import type { DataRow } from '../output.ts'
import { selection } from '../selection.ts'
import { formatDuration } from '../../core/clock.ts'
import { formatByteSize } from '../../core/byte-size.ts'
import { planCosts, pricePerTiB, type StepCost } from '../../run/cost.ts'
import { instantOf } from '../../run/options.ts'
import { planRun, type PlanOptions, type RunPlan, type RunStep } from '../../run/plan.ts'
import { planSyncs } from '../../run/sync.ts'

type SyncPlan = Awaited<ReturnType<typeof planSyncs>>[number]

interface PlanFlags {
  readonly select?: string
  readonly now?: string
  readonly fullRefresh?: boolean
}

export const define: CommandModule['define'] = (command, act) => {
  command
    .option('-s, --select <selector>', 'only these: a name, +name, name+, tag:x, kind:x')
    .option('--now <instant>', 'the instant to plan for')
    .option('--full-refresh', 'plan a run that builds everything anew')
    .addHelpText(
      'after',
      `
Shows the steps of a run that would work, and for each sync what it would add, change and remove, who is kept out and why, which guards
would trip, one payload of each kind as it would go out, the calls needed and the least time the vendor's limits allow. Sends nothing,
changes nothing. On BigQuery it says what each model would read by a dry run, which is free of charge, and what that costs.
A sync is planned on the models as they are built now: after the run steps above it may differ.`,
    )
    .action((flags: PlanFlags) =>
      act(async (globals) => {
        const context = createContext(globals)
        const project = await context.project()
        const instant = instantOf(flags.now, context.clock)
        const selected = selection(project, flags.select)
        const fullRefresh = flags.fullRefresh === true
        const { run, costs } = await planned(context, { instant, selected, fullRefresh })
        const steps = run.steps.filter((step) => step.action !== 'none')
        context.output.rows(
          steps.map((step) => stepRow(step, costs)),
          (rows) => rows.map(forPeople),
        )
        if (costs !== undefined && steps.length > 0) context.output.note(costNote(costs, pricePerTiB(project)))
        if (steps.length === 0) context.output.note('A run has nothing to do.')
        const emit = context.progress.emit
        const syncs = await planSyncs({ ...context, project, instant, selected, emit, allow: new Set() })
        context.progress.end()
        context.output.rows(syncs.map(planRow), (rows) => rows.map(({ type: _, samples: __, ...row }) => row))
        for (const plan of syncs) {
          for (const guard of plan.guards) context.output.note(`! ${plan.sync}: ${guard.reason}`)
          if (!context.output.isTable) continue
          for (const sample of plan.samples) context.output.story(`${plan.sync}: ${JSON.stringify(sample)}`, sample)
        }
        return 0
      }),
    )
}

interface Planned {
  readonly run: RunPlan
  /** Where statements are billed. */
  readonly costs: readonly StepCost[] | undefined
}

const planned = async (context: Context, options: PlanOptions): Promise<Planned> => {
  const project = await context.project()
  const warehouse = await context.openWarehouse('read')
  try {
    const run = await planRun(warehouse, project, options)
    const price = { instant: options.instant, pricePerTiB: pricePerTiB(project) }
    return { run, costs: await planCosts(run, warehouse, price) }
  } finally {
    await warehouse.close()
  }
}

const stepRow = (step: RunStep, costs: readonly StepCost[] | undefined): DataRow => {
  const cost = costs?.find((one) => one.step === step.id)
  return {
    type: 'run',
    step: step.id,
    kind: step.kind === 'land' ? 'land' : step.model.kind,
    action: step.action,
    reason: step.reason,
    // A load job is free of charge.
    ...(costs === undefined
      ? {}
      : { bytes: cost?.bytes ?? null, usd: cost?.usd ?? null, accuracy: cost?.accuracy ?? null }),
  }
}

const forPeople = ({ type: _, ...row }: DataRow): DataRow => ({
  ...row,
  ...(typeof row['bytes'] === 'number' ? { bytes: formatByteSize(row['bytes']) } : {}),
  ...(typeof row['usd'] === 'number' ? { usd: dollars(row['usd']) } : {}),
})

const costNote = (costs: readonly StepCost[], price: number): string => {
  const bytes = costs.reduce((sum, cost) => sum + (cost.bytes ?? 0), 0)
  const usd = costs.reduce((sum, cost) => sum + (cost.usd ?? 0), 0)
  const unknown = costs.filter((cost) => cost.bytes === undefined).length
  const beside = unknown === 0 ? '' : `; ${unknown} model${unknown === 1 ? '' : 's'} not known yet`
  return `An estimate: ${formatByteSize(bytes)} read, ${dollars(usd)} USD at ${price} USD per TiB (pricePerTiB of the warehouse)${beside}.`
}

const planRow = (plan: SyncPlan) => {
  const count = (...whys: readonly string[]): number =>
    plan.sends.filter((send) => whys.includes(send.why)).reduce((sum, send) => sum + send.rows, 0)
  return {
    type: 'sync',
    sync: plan.sync,
    to: `${plan.destination} ${plan.target}`,
    status: plan.status,
    rows: plan.rows.source,
    added: count('added'),
    changed: count('changed', 'map'),
    again: count('retry', 'unknown'),
    removed: count('left', 'consent'),
    withheld: plan.rows.withheld,
    skipped: plan.rows.skipped,
    calls: plan.calls,
    least: formatDuration(plan.leastMs),
    reason: plan.reason ?? null,
    samples: plan.samples,
  }
}
