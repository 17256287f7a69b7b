// `cdp state export|import`
import { resolve } from 'node:path'
import type { CommandModule } from '../commands.ts'
import { createContext } from '../context.ts'
import { exportState, importState } from '../../run/state.ts'

export const define: CommandModule['define'] = (command, act) => {
  command.addHelpText(
    'after',
    `
What only the warehouse knows: person ids and redirects, decisions, segment history, the sync ledger, column types, cursors.
All else is made again by cdp run. The folder holds personal data: keep it as safe as the warehouse.

Examples:
  cdp state export backup/2026-11-01
  cdp state import backup/2026-11-01      into a warehouse without state`,
  )
  command
    .command('export')
    .argument('<folder>', 'where to write; made if absent')
    .summary('write the state to a folder')
    .action((folder: string) =>
      act(async (globals) => {
        const context = createContext(globals)
        const warehouse = await context.openWarehouse('read')
        try {
          const at = new Date(context.clock.now()).toISOString()
          context.output.rows((await exportState(warehouse, resolve(folder), at)).map((row) => ({ ...row })))
          return 0
        } finally {
          await warehouse.close()
        }
      }),
    )
  command
    .command('import')
    .argument('<folder>', 'a folder that export wrote')
    .summary('restore it into a warehouse without state')
    .action((folder: string) =>
      act(async (globals) => {
        const context = createContext(globals)
        const warehouse = await context.openWarehouse('write')
        try {
          context.output.rows((await importState(warehouse, resolve(folder))).map((row) => ({ ...row })))
          return 0
        } finally {
          await warehouse.close()
        }
      }),
    )
}
