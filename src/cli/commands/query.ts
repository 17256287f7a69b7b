// `cdp query`: a SELECT over the warehouse, streamed.
import type { CommandModule } from '../commands.ts'
import { createContext } from '../context.ts'
import type { Row, Value } from '../../warehouse/warehouse.ts'

// A terminal shows so many rows; a pipe gets all.
const shown = 200

export const define: CommandModule['define'] = (command, act) => {
  command
    .argument('<sql>', 'a SELECT; models by their name, landed data as raw.<source>_<stream>, state as cdp.<relation>')
    .addHelpText(
      'after',
      `
The warehouse is opened read-only. Examples:
  cdp query "select * from profiles limit 10"
  cdp query "select reason, count(*) from cdp.quarantine where status = 'open' group by all"
  cdp query "select * from vip_at_risk" | jq .email`,
    )
    .action((sql: string) =>
      act(async (globals) => {
        const context = createContext(globals)
        const warehouse = await context.openWarehouse('read')
        try {
          const table: Row[] = []
          let cut = false
          for await (const batch of warehouse.stream(sql)) {
            const rows = Array.from({ length: batch.rowCount }, (_, r): Row => {
              const row: Record<string, Value> = {}
              batch.columns.forEach((column, c) => (row[column.name] = batch.values[c]?.[r] ?? null))
              return row
            })
            if (!context.output.isTable) {
              context.output.rows(rows)
              continue
            }
            table.push(...rows.slice(0, shown - table.length))
            if (table.length === shown) {
              cut = true
              break
            }
          }
          context.output.rows(table)
          if (cut) context.output.note(`The first ${shown} rows; a pipe gets all of them.`)
          return 0
        } finally {
          await warehouse.close()
        }
      }),
    )
}
