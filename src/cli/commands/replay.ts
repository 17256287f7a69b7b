// `cdp replay`: quarantined rows get another try, under the types in force now.
import type { CommandModule } from '../commands.ts'
import { createContext } from '../context.ts'
import { selection } from '../selection.ts'
import { instantOf } from '../../run/options.ts'
import { performReplay } from '../../run/replay.ts'

export const define: CommandModule['define'] = (command, act) => {
  command
    .argument('[selector]', 'streams, as source.stream; default all')
    .addHelpText(
      'after',
      `
A row that now fits its stream's types is landed and its quarantine entry closed; the others stay, with their reason.
To see them:  cdp query "select stream, file, line, reason, raw from cdp.quarantine where status = 'open'"`,
    )
    .action((selector: string | undefined) =>
      act(async (globals) => {
        const context = createContext(globals)
        const project = await context.project()
        const rows = await performReplay({
          ...context,
          project,
          instant: instantOf(undefined, context.clock),
          emit: context.progress.emit,
          selected: selection(project, selector),
        })
        context.progress.end()
        context.output.rows(rows.map((row) => ({ ...row })))
        return 0
      }),
    )
}
