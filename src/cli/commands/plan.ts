// `cdp plan`: what a run and a sync would do, from the same plans that they perform.
import type { CommandModule } from '../commands.ts'
import { createContext, type Context } from '../context.ts'
import { selection } from '../selection.ts'
import { formatDuration } from '../../core/clock.ts'
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
changes nothing. A sync is planned on the models as they are built now: after the run steps above it may differ.`,
    )
    .action((flags: PlanFlags) =>
      act(async (globals) => {
        const context = createContext(globals)
        const project = await context.project()
        const instant = instantOf(flags.now, context.clock)
        const selected = selection(project, flags.select)
        const fullRefresh = flags.fullRefresh === true
        const run = await planned(context, { instant, selected, fullRefresh })
        const steps = run.steps.filter((step) => step.action !== 'none')
        context.output.rows(steps.map(stepRow), (rows) => rows.map(({ type: _, ...row }) => row))
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

const planned = async (context: Context, options: PlanOptions): Promise<RunPlan> => {
  const project = await context.project()
  const warehouse = await context.openWarehouse('read')
  try {
    return await planRun(warehouse, project, options)
  } finally {
    await warehouse.close()
  }
}

const stepRow = (step: RunStep) => ({
  type: 'run',
  step: step.id,
  kind: step.kind === 'land' ? 'land' : step.model.kind,
  action: step.action,
  reason: step.reason,
})

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
