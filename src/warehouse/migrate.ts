// Brings the state of a warehouse to this version.
import { CdpError } from '../core/errors.ts'
import type { Clock } from '../core/clock.ts'
import { stateVersion } from './version.ts'
import type { Warehouse } from './warehouse.ts'

/** The version of the state, 0 when there is none. Throws WAREHOUSE_NEWER for one this version does not know. */
export const storedVersion = async (warehouse: Warehouse): Promise<number> => {
  const found = await warehouse
    .all<{ version: number | null }>(
      `select max(version) as version from ${warehouse.name({ schema: 'cdp', name: 'migrations' })}`,
    )
    .catch(async (error: unknown) => {
      const relations = await warehouse.relations('cdp')
      if (relations.some((relation) => relation.name === 'migrations')) throw error
      return []
    })
  const version = found[0]?.version ?? 0
  if (version > stateVersion) throw new CdpError('WAREHOUSE_NEWER', { found: version, known: stateVersion })
  return version
}

export const migrate = async (warehouse: Warehouse, clock: Clock): Promise<void> => {
  const version = await storedVersion(warehouse)
  if (version === stateVersion) return
  const { migrations } = await import('./migrations/index.ts')
  const log = warehouse.name({ schema: 'cdp', name: 'migrations' })
  for (const migration of migrations.filter((m) => m.version > version)) {
    await warehouse.transaction(async () => {
      for (const statement of migration.up(warehouse)) await warehouse.run(statement)
      await warehouse.run({
        sql: `insert into ${log} (version, name, applied_at) values ($1, $2, $3)`,
        parameters: [migration.version, migration.name, new Date(clock.now())],
      })
    })
  }
}
