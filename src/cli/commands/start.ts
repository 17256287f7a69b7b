// `cdp start`: the schedule of the project, until stopped.
import type { CommandModule } from '../commands.ts'
import { createContext, type Context } from '../context.ts'
import { CdpError, Problems } from '../../core/errors.ts'
import { newRunId } from '../../run/options.ts'
import { performRun } from '../../run/run.ts'
import { performSyncs } from '../../run/sync.ts'
import { syncRow } from '../sync-row.ts'
import { selection } from '../selection.ts'

export const define: CommandModule['define'] = (command, act) => {
  command
    .addHelpText(
      'after',
      `
Runs what cdp.config.ts says under schedule, in the project's time zone:
  schedule: { '*/15 * * * *': { run: '*', sync: '*' }, '0 7 * * *': { sync: 'tag:daily' } }
A job never overlaps itself; ticks missed while the machine slept or the job was busy are made up for once. The warehouse is open
only while a job works. SIGTERM and Ctrl-C finish the batch in flight; it then ends with 0, since stopping is how it ends.`,
    )
    .action(() =>
      act(async (globals) => {
        const context = createContext(globals)
        const project = await context.project()
        if (project.developer !== undefined) throw new CdpError('DEV_DELIVERS', { command: 'start' })
        const entries = Object.entries(project.schedule)
        if (entries.length === 0) {
          context.output.note('The project has no schedule: nothing to do. Add `schedule` to cdp.config.ts.')
          return 2
        }
        const { checkSchedule, startSchedule } = await import('../../run/schedule.ts')
        const problems = checkSchedule(project, 'cdp.config.ts')
        if (problems.length > 0) throw new Problems(problems)
        const jobs = entries.map(([expression, what]) => ({ expression, work: () => turn(context, what) }))
        const { ended } = startSchedule(jobs, project.timeZone, context.signal)
        context.output.note(`Schedule of ${project.name}, times in ${project.timeZone}:`)
        for (const [expression, what] of entries) context.output.note(`  ${expression}  ${JSON.stringify(what)}`)
        await ended
        return 0
      }),
    )
}

/** One turn of a job. What fails is said and left to the next turn: a schedule outlives a bad night. */
const turn = async (context: Context, what: { readonly run?: string; readonly sync?: string }): Promise<void> => {
  const instant = new Date(context.clock.now()).toISOString()
  try {
    const project = await context.project()
    const shared = {
      ...context,
      project,
      runId: newRunId(context.clock),
      instant,
      emit: context.progress.emit,
      allow: new Set<string>(),
    }
    if (what.run !== undefined) {
      const result = await performRun({
        ...shared,
        selected: selection(project, what.run),
        fullRefresh: false,
        strict: false,
      })
      context.output.rows([{ at: instant, job: 'run', run: result.runId, failed: result.failed ?? null }])
      for (const step of result.steps) if (step.error !== undefined) context.output.error(step.error)
    }
    if (what.sync !== undefined && !context.signal.aborted) {
      const result = await performSyncs({ ...shared, selected: selection(project, what.sync) })
      context.output.rows(result.summaries.map((summary) => ({ at: instant, job: 'sync', ...syncRow(summary) })))
      for (const { error } of result.summaries) if (error !== undefined) context.output.error(error)
    }
  } catch (error) {
    context.output.error(error)
  }
}
