// `cdp explain person|model|row`
import type { CommandModule } from '../commands.ts'
import { createContext, type Context } from '../context.ts'
import { explainedStory } from '../person-story.ts'
import { formatTable } from '../table.ts'
import { explainModel, explainPersonOf } from '../../run/explain.ts'
import { instantOf } from '../../run/options.ts'
import { explainSyncRow } from '../../run/explain-row.ts'
import type { Warehouse } from '../../warehouse/warehouse.ts'

export const define: CommandModule['define'] = (command, act) => {
  command.addHelpText(
    'after',
    `
Examples:
  cdp explain person an.nguyen@example.com     also: a person id, a former id, 0912 345 678, shop/1
  cdp explain model vip_at_risk
  cdp explain row vip-at-risk-to-hubspot an.nguyen@example.com`,
  )
  const reading = (work: (context: Context, warehouse: Warehouse) => Promise<number>): Promise<void> =>
    act(async (globals) => {
      const context = createContext(globals)
      const warehouse = await context.openWarehouse('read')
      try {
        return await work(context, warehouse)
      } finally {
        await warehouse.close()
      }
    })
  const width = (): number => process.stderr.columns ?? 120

  command
    .command('person')
    .argument('<who>', 'person id, former id, record key, e-mail, phone or another identifier')
    .summary('its records, the links that joined them, the origin of each trait, the history of the id')
    .action((who: string) =>
      reading(async (context, warehouse) => {
        const explained = await explainPersonOf(await context.project(), warehouse, who)
        context.output.story(explainedStory(explained, width()), explained)
        return explained.persons.length === 0 ? 3 : 0
      }),
    )
  command
    .command('model')
    .argument('<name>', 'a model')
    .summary('what it reads, what reads it, its version, and the statement as the engine gets it')
    .action((name: string) =>
      reading(async (context, warehouse) => {
        const instant = instantOf(undefined, context.clock)
        const { sql, ...facts } = await explainModel(await context.project(), warehouse, name, instant)
        const rows = Object.entries(facts).map(([fact, value]) => ({
          fact,
          value: Array.isArray(value) ? value.join(', ') : value,
        }))
        context.output.story(`${formatTable(rows, width())}\n${sql.trim()}`, { ...facts, sql })
        return 0
      }),
    )
  command
    .command('row')
    .argument('<sync>', 'a sync')
    .argument('<key>', 'its match key')
    .summary('the whole delivery history of one row of a sync')
    .action((sync: string, key: string) =>
      reading(async (context, warehouse) => {
        const history = await explainSyncRow(await context.project(), warehouse, sync, key)
        context.output.rows(history.map((row) => ({ ...row })))
        return history.length === 0 ? 3 : 0
      }),
    )
}
