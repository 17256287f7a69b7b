// Fast hashes are the engine's own: another version of it may hash differently. The keys of the ledger are then hashed anew, from their
// text, and every row is compared once.
import type { Warehouse } from '../warehouse/warehouse.ts'
import { stateTable } from '../warehouse/state-sql.ts'

/** Of a ledger whose fast hashes are stale. */
export const rehash = async (warehouse: Warehouse, sync: string): Promise<void> => {
  const { json, values } = warehouse.dialect
  const ofText = (sql: string): { sql: string; type: string } => ({ sql, type: warehouse.typeName('text') })
  const ledger = stateTable(warehouse, 'sync_rows')
  const ours = `r.sync = ${warehouse.literal(sync)}`
  await warehouse.transaction(async () => {
    const sets = await warehouse.all<{ names: string }>(
      `select distinct ${json.names('r.key')} as names from ${ledger} as r where ${ours}`,
    )
    for (const { names } of sets) {
      const members = (JSON.parse(names) as string[]).map((name) => ofText(json.member('r.key', name)))
      await warehouse.run(
        `update ${ledger} as r set match = ${values.fastHash([ofText(warehouse.literal(names)), ...members])}, seen = null
         where ${ours} and ${json.names('r.key')} = ${warehouse.literal(names)}`,
      )
    }
    await warehouse.run(
      `update ${stateTable(warehouse, 'syncs')} set hashing = ${values.hashingProbe} where sync = ${warehouse.literal(sync)}`,
    )
  })
}
