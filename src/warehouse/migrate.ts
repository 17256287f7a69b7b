// Brings the state of a warehouse and the functions in it to this version.
import type { Clock } from '../core/clock.ts'
import { CdpError } from '../core/errors.ts'
import { functionsFingerprint, stateVersion } from './version.ts'
import type { RelationName, Warehouse } from './warehouse.ts'

const log: RelationName = { schema: 'cdp', name: 'migrations' }
const settings: RelationName = { schema: 'cdp', name: 'settings' }

interface Stored {
  /** 0 when there is no state. */
  readonly version: number
  readonly functions: string | null
}

const stored = async (warehouse: Warehouse): Promise<Stored> => {
  try {
    const [found] = await warehouse.all<{ version: number | null; functions: string | null }>(
      `select (select max(version) from ${warehouse.name(log)}) as version,
        (select max(value) from ${warehouse.name(settings)} where name = 'functions') as functions`,
    )
    return { version: found?.version ?? 0, functions: found?.functions ?? null }
  } catch (error) {
    const relations = await warehouse.relations('cdp')
    if (relations.some((relation) => relation.name === log.name)) throw error
    return { version: 0, functions: null }
  }
}

/** Throws WAREHOUSE_NEWER for a state that this version does not know. Writes nothing. */
export const checkVersion = async (warehouse: Warehouse): Promise<Stored> => {
  const found = await stored(warehouse)
  if (found.version > stateVersion) {
    throw new CdpError('WAREHOUSE_NEWER', { found: found.version, known: stateVersion })
  }
  return found
}

/**
 * One SELECT when all is current. `functions` gives the statements that install the `cdp.*` functions on the engine at hand, and
 * `fingerprint` is theirs.
 */
export const migrate = async (
  warehouse: Warehouse,
  clock: Clock,
  functions: () => Promise<readonly string[]>,
  fingerprint = functionsFingerprint,
): Promise<void> => {
  const found = await checkVersion(warehouse)
  if (found.version < stateVersion) await applyMigrations(warehouse, found.version, clock)
  if (found.functions !== fingerprint) await installFunctions(warehouse, await functions(), fingerprint)
}

// Where DDL takes effect by itself, what is done is done: the statements may be repeated, and the record of them comes last.
const whole = (warehouse: Warehouse, work: () => Promise<void>): Promise<void> =>
  warehouse.supports.transactionalDdl ? warehouse.transaction(work) : work()

// As one text: where each statement is a job, they are one job.
const together = (statements: readonly string[]): string => statements.join(';\n')

const applyMigrations = async (warehouse: Warehouse, from: number, clock: Clock): Promise<void> => {
  const { migrations } = await import('./migrations/index.ts')
  for (const migration of migrations.filter((m) => m.version > from)) {
    await whole(warehouse, async () => {
      await warehouse.run(together(migration.up(warehouse)))
      await warehouse.run({
        sql: `insert into ${warehouse.name(log)} (version, name, applied_at) values ($1, $2, $3)`,
        parameters: [migration.version, migration.name, new Date(clock.now())],
      })
    })
  }
}

const installFunctions = async (
  warehouse: Warehouse,
  statements: readonly string[],
  fingerprint: string,
): Promise<void> =>
  whole(warehouse, async () => {
    await warehouse.run(together(statements))
    await warehouse.run(`delete from ${warehouse.name(settings)} where name = 'functions'`)
    await warehouse.run({
      sql: `insert into ${warehouse.name(settings)} (name, value) values ('functions', $1)`,
      parameters: [fingerprint],
    })
  })
