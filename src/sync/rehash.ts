// Fast hashes are the engine's own: another version of it may hash differently. The keys of the ledger are then hashed anew, from their
// text, and every row is compared once.
import type { Warehouse } from '../warehouse/warehouse.ts'
import { fastHash, hashingProbe } from './values.ts'

/** Whether the ledger's fast hashes are of another engine than this one. */
export const needsRehash = async (warehouse: Warehouse, sync: string): Promise<boolean> => {
  const [found] = await warehouse.all<{ stale: boolean }>({
    sql: `select hashing <> ${hashingProbe} as stale from cdp.syncs where sync = $1`,
    parameters: [sync],
  })
  return found?.stale === true
}

export const rehash = async (warehouse: Warehouse, sync: string): Promise<void> => {
  if (!(await needsRehash(warehouse, sync))) return
  const id = warehouse.literal(sync)
  await warehouse.transaction(async () => {
    const sets = await warehouse.all<{ names: string }>(
      `select distinct cast(to_json(json_keys(key)) as varchar) as names from cdp.sync_rows where sync = ${id}`,
    )
    for (const { names } of sets) {
      const values = (JSON.parse(names) as string[]).map(
        (name) =>
          `json_extract_string(key, ${warehouse.literal(`/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`)})`,
      )
      await warehouse.run(
        `update cdp.sync_rows set match = ${fastHash([warehouse.literal(names), ...values])}, seen = null
         where sync = ${id} and cast(to_json(json_keys(key)) as varchar) = ${warehouse.literal(names)}`,
      )
    }
    await warehouse.run(`update cdp.syncs set hashing = ${hashingProbe} where sync = ${id}`)
  })
}
