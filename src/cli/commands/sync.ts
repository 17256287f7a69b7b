// `cdp sync`
import type { CommandModule } from '../commands.ts'
import { allowSet, createContext } from '../context.ts'
import { forPeople, syncRow } from '../sync-row.ts'
import { selection } from '../selection.ts'
import { CdpError } from '../../core/errors.ts'
import { exitCodeOf } from '../../core/exit.ts'
import { instantOf } from '../../run/options.ts'
import { performSyncs } from '../../run/sync.ts'

interface SyncFlags {
  readonly select?: string
  readonly now?: string
  readonly allow?: string[]
  readonly retryRejected?: boolean
  readonly strict?: boolean
}

export const define: CommandModule['define'] = (command, act) => {
  command
    .option('-s, --select <selector>', 'only these syncs')
    .option('--now <instant>', 'the instant this sync takes as now')
    .option(
      '--allow <guards...>',
      'let guards through once: removals, additions, changes, empty, consent, stale, failed, first-run',
    )
    .option('--retry-rejected', 'send rejected rows again now, whatever their backoff')
    .option('--strict', 'rejected rows exit 3')
    .addHelpText(
      'after',
      `
Sends what differs between a model and what its destination is known to hold, under consent, and records what came back, row by row.
The warehouse is not held while a vendor is awaited. A sync that was killed goes on where it stopped; what a vendor refused comes
back in a later run, with its reason in cdp.sync_rows.

Examples:
  cdp sync
  cdp sync --select vip-at-risk-to-hubspot
  cdp sync --allow removals               the guard said too many people would be removed, and it is right that they are`,
    )
    .action((flags: SyncFlags) =>
      act(async (globals) => {
        const context = createContext(globals)
        const project = await context.project()
        if (project.developer !== undefined) throw new CdpError('DEV_DELIVERS', { command: 'sync' })
        const result = await performSyncs({
          ...context,
          project,
          instant: instantOf(flags.now, context.clock),
          emit: context.progress.emit,
          allow: allowSet(flags.allow),
          selected: selection(project, flags.select),
          retryRejected: flags.retryRejected === true,
          strict: flags.strict === true,
        })
        context.progress.end()
        context.output.rows(result.summaries.map(syncRow), forPeople)
        for (const { error } of result.summaries) if (error !== undefined) context.output.error(error)
        const quiet = result.summaries.every((summary) => summary.status === 'unchanged')
        if (quiet) context.output.note('Nothing to send.')
        return exitCodeOf(result.exitKind)
      }),
    )
}
