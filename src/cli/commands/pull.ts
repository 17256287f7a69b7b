// `cdp pull`: a slice of another warehouse into the local one.
import type { CommandModule } from '../commands.ts'
import { bytesOf, createContext } from '../context.ts'
import { formatByteSize } from '../../core/byte-size.ts'
import { CdpError } from '../../core/errors.ts'
import { instantOf } from '../../run/options.ts'
import { performPull } from '../../run/pull.ts'
import { rowsOf, sampleOf } from '../../run/pull-plan.ts'
import { dollars } from '../dollars.ts'
import { selection } from '../selection.ts'

interface PullFlags {
  readonly sample?: string
  readonly by?: string
  readonly where?: string
  readonly rows?: string
  readonly maximumBytes?: string
  readonly into?: string
}

export const define: CommandModule['define'] = (command, act) => {
  command
    .argument('<selector>', 'streams and models, as in --select: profiles, shop.customers, +vip_at_risk')
    .option('--sample <percent>', 'which part of the rows (default: 1%; all of them with --rows or --where)')
    .option('--by <column>', 'sample by this column: the same persons in every relation with --by person_id')
    .option('--where <condition>', 'only rows of which this SQL is true, in the SQL of the warehouse they come from')
    .option('--rows <number>', 'no more than so many rows of each relation')
    .option('--maximum-bytes <size>', 'what reading may be billed for, all together, such as 20 GB (BigQuery)')
    .option('--into <name>', 'the warehouse to copy into, an embedded one (default: the first of the project)')
    .addHelpText(
      'after',
      `
Copies from --target into the local warehouse, in place of what is there, to develop on real data. Which rows is decided by a hash,
in the warehouse they come from: the same rows at every pull, and nothing else is read out of it. A view becomes a table.
--sample, --where and --rows hold together. What reading is estimated at is said before anything is read; what would be more than
--maximum-bytes is refused then and costs nothing. A smaller sample is not billed less: BigQuery bills the columns it looks through.
Landed relations come with the types that landing decided. What was pulled counts as changed: the next run builds what reads it.
It holds personal data of real people: the local file is to be kept as safely as the warehouse.

Examples:
  cdp pull shop.orders,profiles --target production
  cdp pull +vip_at_risk --sample 5% --by person_id --target production --maximum-bytes 20GB
  cdp pull shop.orders --where "ordered_at >= '2026-10-01'" --rows 10000 --target production
  cdp run --select vip_at_risk            builds it here, from the slice`,
    )
    .action((selector: string, flags: PullFlags) =>
      act(async (globals) => {
        const rows = flags.rows === undefined ? undefined : rowsOf(flags.rows)
        const isAll = flags.sample === undefined && (rows !== undefined || flags.where !== undefined)
        const sample = isAll ? 1 : sampleOf(flags.sample ?? '1%')
        const maximumBytes = bytesOf(flags.maximumBytes)
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
              where: flags.where,
              rows,
              maximumBytes,
              priced: ({ bytes, usd }) =>
                context.output.note(
                  `Reading it is estimated at ${formatByteSize(bytes)}, ${dollars(usd)} USD (pricePerTiB of the warehouse).`,
                ),
              runId: context.runId,
              instant: instantOf(undefined, context.clock),
              clock: context.clock,
              signal: context.signal,
              emit: context.progress.emit,
              tempDir: context.tempDir,
            })
            context.progress.end()
            context.output.rows(pulled.map((row) => ({ ...row })))
            const billed = pulled.reduce((sum, row) => sum + (row.bytes_billed ?? 0), 0)
            if (pulled.some((row) => row.bytes_billed !== null))
              context.output.note(`Reading it was billed for ${formatByteSize(billed)}.`)
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
