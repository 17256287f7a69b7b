// Fast hashes are the engine's own: another version of it may hash differently. The keys of the ledger are then hashed anew, from their
// text, and every row is compared once.
import type { Warehouse } from '../warehouse/warehouse.ts'
import { stateTable } from './ledger.ts'

/** Whether the ledger's fast hashes are of another engine than this one. */
export const needsRehash = async (warehouse: Warehouse, sync: string): Promise<boolean> => {
  const [found] = await warehouse.all<{ stale: boolean }>({
    sql: `select hashing <> ${warehouse.dialect.values.hashingProbe} as stale from ${stateTable(warehouse, 'syncs')} where sync = $1`,
    parameters: [sync],
  })
  return found?.stale === true
}

export const rehash = async (warehouse: Warehouse, sync: string): Promise<void> => {
  if (!(await needsRehash(warehouse, sync))) return
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
