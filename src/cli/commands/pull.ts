// `cdp pull`: a slice of another warehouse into the local one.
import type { CommandModule } from '../commands.ts'
import { createContext } from '../context.ts'
import { formatByteSize } from '../../core/byte-size.ts'
import { CdpError } from '../../core/errors.ts'
import { instantOf } from '../../run/options.ts'
import { performPull, sampleOf } from '../../run/pull.ts'
import { selection } from '../selection.ts'

interface PullFlags {
  readonly sample: string
  readonly by?: string
  readonly into?: string
}

export const define: CommandModule['define'] = (command, act) => {
  command
    .argument('<selector>', 'streams and models, as in --select: profiles, shop.customers, +vip_at_risk')
    .option('--sample <percent>', 'which part of the rows', '1%')
    .option('--by <column>', 'sample by this column: the same persons in every relation with --by person_id')
    .option('--into <name>', 'the warehouse to copy into, an embedded one (default: the first of the project)')
    .addHelpText(
      'after',
      `
Copies from --target into the local warehouse, in place of what is there, to develop on real data. Which rows is decided by a hash,
in the warehouse they come from: the same rows at every pull, and nothing else is read out of it. A view becomes a table.
Landed relations come with the types that landing decided. What was pulled counts as changed: the next run builds what reads it.
It holds personal data of real people: the local file is to be kept as safely as the warehouse.

Examples:
  cdp pull shop.orders,profiles --target production
  cdp pull +vip_at_risk --sample 5% --by person_id --target production
  cdp run --select vip_at_risk            builds it here, from the slice`,
    )
    .action((selector: string, flags: PullFlags) =>
      act(async (globals) => {
        const sample = sampleOf(flags.sample)
        const context = createContext(globals)
        const { dev: _, ...own } = globals
        const local = createContext({ ...own, target: flags.into })
        const project = await context.project()
        const into = (await local.project()).target
        const wrong = (why: string): CdpError => new CdpError('PULL_TARGETS', { from: project.target, into, why })
        if (into === project.target) throw wrong('they are the same warehouse')
        const selected = selection(project, selector) ?? new Set<string>()
        const writer = await local.openWarehouse('write')
        try {
          if (!writer.supports.transactionalDdl) throw wrong('only an embedded warehouse takes slices')
          const reader = await context.openWarehouse('read')
          try {
            const pulled = await performPull({
              project,
              from: reader,
              into: writer,
              selected,
              sample,
              by: flags.by,
              runId: context.runId,
              instant: instantOf(undefined, context.clock),
              clock: context.clock,
              signal: context.signal,
              emit: context.progress.emit,
              tempDir: context.tempDir,
            })
            context.progress.end()
            context.output.rows(pulled.map((row) => ({ ...row })))
            const bytes = pulled.reduce((sum, row) => sum + (row.bytes ?? 0), 0)
            if (bytes > 0) context.output.note(`Reading it was estimated at ${formatByteSize(bytes)}.`)
            return 0
          } finally {
            await reader.close()
          }
        } finally {
          await writer.close()
        }
      }),
    )
}
