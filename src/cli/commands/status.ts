// `cdp status`: what happened last, what is wrong, where every sync stands, what the schedule says.
import type { CommandModule } from '../commands.ts'
import { createContext } from '../context.ts'
import type { DataRow } from '../output.ts'
import { describeWarehouse } from '../../warehouse/warehouse.ts'
import { lastRuns, syncStates, wrongNow } from '../../run/status.ts'

export const define: CommandModule['define'] = (command, act) => {
  command
    .addHelpText(
      'after',
      `
The last command of each kind, every failed model or load, open quarantine rows, and for each sync its last run, how many rows are in
sync, rejected, waiting or unknown, and the most frequent reason. Everything shown is a SELECT away in schema cdp: see docs/state.md.`,
    )
    .action(() =>
      act(async (globals) => {
        const context = createContext(globals)
        const project = await context.project()
        const warehouse = await context.openWarehouse('read')
        try {
          const part = (what: string, rows: readonly object[]): void =>
            context.output.rows(
              rows.map((row): DataRow => ({ type: what, ...row })),
              (list) => list.map(({ type: _, ...row }) => row),
            )
          context.output.note(`${project.name} in ${await describeWarehouse(project.warehouse, project.root)}`)
          part('run', await lastRuns(warehouse))
          const wrong = await wrongNow(warehouse)
          if (wrong.length > 0 && context.output.isTable) context.output.note('\nNeeds somebody:')
          part('wrong', wrong)
          const known = new Set(project.syncs.map((sync) => sync.id))
          const states = (await syncStates(warehouse)).map((state) => ({ ...state, gone: !known.has(state.sync) }))
          const never = project.syncs
            .filter((sync) => !states.some((state) => state.sync === sync.id))
            .map((sync) => ({ sync: sync.id, last: 'never run' }))
          if (context.output.isTable) context.output.note('\nSyncs:')
          part('sync', [...states, ...never])
          for (const [expression, what] of Object.entries(project.schedule)) {
            context.output.note(`Schedule (cdp start), ${project.timeZone}: ${expression}  ${JSON.stringify(what)}`)
          }
          return 0
        } finally {
          await warehouse.close()
        }
      }),
    )
}
