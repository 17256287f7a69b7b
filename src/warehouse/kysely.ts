// Kysely over any warehouse: a dialect of our own that quotes through the warehouse and executes through its session. Loaded only by
// those who build statements; opening a warehouse does not.
import {
  type CompiledQuery,
  type DatabaseConnection,
  DefaultQueryCompiler,
  type Dialect,
  DialectAdapterBase,
  type Driver,
  type IdentifierNode,
  Kysely,
  type QueryResult,
} from 'kysely'
import { CdpError } from '../core/errors.ts'
import type { Tables } from './tables.ts'
import type { Warehouse } from './warehouse.ts'

/**
 * A query builder over the engine's relations, named `cdp.<relation>`. For a transaction wrap the statements in
 * `warehouse.transaction(…)`; Kysely's own is refused, since it cannot say which statements are part of it.
 *
 * @example
 * const db = kysely(warehouse)
 * const open = await db.selectFrom('cdp.sync_rows').select(['key', 'reason']).where('status', '=', 'rejected').execute()
 */
export const kysely = (warehouse: Warehouse): Kysely<Tables> => new Kysely<Tables>({ dialect: dialectOf(warehouse) })

const dialectOf = (warehouse: Warehouse): Dialect => ({
  createAdapter: () => new Adapter(),
  createDriver: () => driverOf(warehouse),
  createQueryCompiler: () => new Compiler(warehouse),
  createIntrospector: () => {
    throw new CdpError('INTERNAL', { detail: 'introspection was asked of the query builder instead of the warehouse' })
  },
})

class Adapter extends DialectAdapterBase {
  override get supportsReturning(): boolean {
    return true
  }
  // Migrations are the warehouse's, under the lock of its file; Kysely's migrator is not used.
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}

class Compiler extends DefaultQueryCompiler {
  readonly #warehouse: Warehouse

  constructor(warehouse: Warehouse) {
    super()
    this.#warehouse = warehouse
  }

  override visitIdentifier(node: IdentifierNode): void {
    this.append(this.#warehouse.quote(node.name))
  }
}

const driverOf = (warehouse: Warehouse): Driver => {
  const connection: DatabaseConnection = {
    executeQuery: async <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
      if (writes(query)) return { rows: [], numAffectedRows: BigInt((await warehouse.run(query)).changed) }
      return { rows: await warehouse.all<R>(query) }
    },
    async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
      for await (const { columns, rowCount, values } of warehouse.stream(query)) {
        const row = (at: number): R =>
          Object.fromEntries(columns.map(({ name }, column) => [name, values[column]?.[at]])) as R
        yield { rows: Array.from({ length: rowCount }, (_, at) => row(at)) }
      }
    },
  }
  return {
    init: nothing,
    acquireConnection: () => Promise.resolve(connection),
    releaseConnection: nothing,
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    // The warehouse is whose it was.
    destroy: nothing,
  }
}

// A change without RETURNING tells how many rows it changed; anything else may have rows.
const writes = ({ query }: CompiledQuery): boolean =>
  (query.kind === 'InsertQueryNode' ||
    query.kind === 'UpdateQueryNode' ||
    query.kind === 'DeleteQueryNode' ||
    query.kind === 'MergeQueryNode') &&
  query.returning === undefined

const nothing = (): Promise<void> => Promise.resolve()

const refuse = (): Promise<never> =>
  Promise.reject(new CdpError('INTERNAL', { detail: 'a transaction was begun outside warehouse.transaction' }))
