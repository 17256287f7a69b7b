// `cdp test`: the models' tests alone, over what is built.
import type { CommandModule } from '../commands.ts'
import { createContext } from '../context.ts'
import { exitCodeOf } from '../../core/exit.ts'
import { performTests } from '../../run/test.ts'
import { instantOf } from '../../run/options.ts'
import { selection } from '../selection.ts'

export const define: CommandModule['define'] = (command, act) => {
  command
    .option('-s, --select <selector>', 'only the tests of these models')
    .option('--now <instant>', 'the instant the tests take as now')
    .option('--strict', 'warnings exit 3')
    .addHelpText('after', `\nFailing rows are kept:  cdp query "select * from cdp.test_failures"`)
    .action((flags: { select?: string; now?: string; strict?: boolean }) =>
      act(async (globals) => {
        const context = createContext(globals)
        const project = await context.project()
        const results = await performTests({
          ...context,
          project,
          emit: context.progress.emit,
          instant: instantOf(flags.now, context.clock),
          selected: selection(project, flags.select),
        })
        context.progress.end()
        context.output.rows(results.map((result) => ({ ...result })))
        const failed = results.some((r) => r.rows > 0 && (r.severity === 'error' || flags.strict === true))
        return exitCodeOf(failed ? 'data' : undefined)
      }),
    )
}
