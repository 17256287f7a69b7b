// `cdp run`
import type { CommandModule } from '../commands.ts'
import { allowSet, bytesOf, createContext } from '../context.ts'
import { formatByteSize } from '../../core/byte-size.ts'
import { exitCodeOf } from '../../core/exit.ts'
import { instantOf } from '../../run/options.ts'
import { performRun, type StepResult } from '../../run/run.ts'
import { metered } from '../../run/spending.ts'
import type { DataRow } from '../output.ts'
import { selection } from '../selection.ts'

interface RunFlags {
  readonly select?: string
  readonly now?: string
  readonly allow?: string[]
  readonly fullRefresh?: boolean
  readonly strict?: boolean
  readonly maximumBytes?: string
}

export const define: CommandModule['define'] = (command, act) => {
  command
    .option('-s, --select <selector>', 'only these: a name, +name, name+, tag:x, kind:x')
    .option('--now <instant>', 'the instant this run takes as now, with its zone')
    .option('--allow <guards...>', 'let guards through once: shrink')
    .option('--full-refresh', 'build every selected model anew, whole')
    .option('--maximum-bytes <size>', 'what all statements of the run may be billed for, such as 20 GB (BigQuery)')
    .option('--strict', 'quarantined rows and warnings exit 3')
    .addHelpText(
      'after',
      `
What it does: lands new and changed data, builds the models whose definition, inputs or time changed, runs their tests.
A model that fails stops what depends on it and nothing else. With nothing new it executes nothing.

Examples:
  cdp run
  cdp run --select +vip_at_risk          only this model and what it needs
  cdp run --now 2026-11-01T23:00:00+07:00`,
    )
    .action((flags: RunFlags) =>
      act(async (globals) => {
        const context = createContext(globals)
        const project = await context.project()
        const result = await performRun({
          project,
          openWarehouse: context.openWarehouse,
          live: context.live,
          runId: context.runId,
          instant: instantOf(flags.now, context.clock),
          clock: context.clock,
          signal: context.signal,
          emit: context.progress.emit,
          allow: allowSet(flags.allow),
          selected: selection(project, flags.select),
          fullRefresh: flags.fullRefresh === true,
          strict: flags.strict === true,
          maximumBytes: bytesOf(flags.maximumBytes),
          tempDir: context.tempDir,
        })
        context.progress.end()
        context.output.rows(result.steps.map(stepRow), withoutUnchanged)
        const unchanged = result.steps.filter((step) => step.status === 'unchanged').length
        context.output.note(
          unchanged === result.steps.length
            ? `Nothing to do: ${unchanged} steps unchanged.`
            : `${result.steps.length - unchanged} steps done, ${unchanged} unchanged.`,
        )
        const billed = result.steps.reduce((sum, { meter }) => sum + meter.billedBytes, 0)
        const statements = result.steps.reduce((sum, { meter }) => sum + meter.statements, 0)
        if (statements > 0) context.output.note(`${statements} statements were billed for ${formatByteSize(billed)}.`)
        for (const step of result.steps) if (step.error !== undefined) context.output.error(step.error)
        return exitCodeOf(result.failed)
      }),
    )
}

const stepRow = (step: StepResult): DataRow => ({
  step: step.step,
  kind: step.kind,
  status: step.status,
  rows: step.rows ?? null,
  seconds: Math.round(step.seconds * 1000) / 1000,
  detail: step.detail ?? null,
  ...(step.meter.statements === 0 ? {} : metered(step.meter)),
})

// On a terminal what was left alone is one number, not a page.
const withoutUnchanged = (rows: readonly DataRow[]): readonly DataRow[] =>
  rows.filter((row) => row['status'] !== 'unchanged')
