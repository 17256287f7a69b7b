// The Session of the seam over one connection, and transactions on it.
import duckdb, { type Connection } from '@duckdb/node-bindings'
import { CdpError } from '../../core/errors.ts'
import type { Batch, Column, Session, Statement } from '../warehouse.ts'
import { createGate } from './gate.ts'
import { allRows, batches, describe, emptyColumns, execute, isAborted, reasonOfEnd } from './statement.ts'

export interface DuckDbSession extends Session {
  transaction<T>(work: () => Promise<T>): Promise<T>
  /** The columns of a SELECT whose parameters decide its types. */
  columns(statement: Statement): Promise<readonly Column[]>
  /** Ends open streams, rolls back an open transaction and lets the connection go. */
  close(): Promise<void>
}

/**
 * `connect` gives further connections to the same database: a stream outside a transaction has its own, so that statements may run
 * while it is consumed (the engine ends a stream, without an error, when its connection executes something else). It therefore sees
 * what is committed, and no temporary relations. Within a transaction it uses the transaction's connection, and any other statement
 * before its end is refused.
 */
export const createSession = (connection: Connection, connect: () => Promise<Connection>): DuckDbSession => {
  const gate = createGate()
  const streams = new Set<Connection>()
  let streaming = false
  // Of the open transaction: what its statements and its nested transactions threw, whether or not its work caught it.
  const thrown: unknown[] = []
  const spoiled: unknown[] = []
  let closed = false

  const guard = (): void => {
    if (closed) throw new CdpError('INTERNAL', { detail: 'a closed warehouse was used' })
    if (streaming && gate.inside()) {
      throw new CdpError('INTERNAL', { detail: 'a statement was run in a transaction before a stream in it had ended' })
    }
  }

  const onMain = <T>(work: () => Promise<T>): Promise<T> =>
    gate.enter(async () => {
      guard()
      try {
        return await work()
      } catch (error) {
        if (gate.inside()) thrown.push(error)
        throw error
      }
    })

  const streamInside = async function* (statement: Statement): AsyncGenerator<Batch> {
    guard()
    streaming = true
    try {
      yield* batches(connection, statement)
      // What the statement reads may be seen by this transaction only, so its reason cannot be asked for elsewhere.
      if (await isAborted(connection)) {
        const sql = typeof statement === 'string' ? statement : statement.sql
        throw new CdpError('QUERY_FAILED', { reason: 'a later row of the result could not be computed', sql })
      }
    } finally {
      streaming = false
    }
  }

  const streamApart = async function* (statement: Statement): AsyncGenerator<Batch> {
    guard()
    const own = await connect()
    streams.add(own)
    try {
      await execute(own, 'begin')
      for await (const batch of batches(own, statement)) {
        yield batch
        if (closed) throw new CdpError('INTERNAL', { detail: 'a warehouse was closed while a result was streamed' })
      }
      if (await isAborted(own)) {
        await duckdb.query(own, 'rollback')
        throw await reasonOfEnd(own, statement)
      }
    } finally {
      if (streams.delete(own)) await release(own)
    }
  }

  const begin = async <T>(work: () => Promise<T>): Promise<T> => {
    guard()
    thrown.length = 0
    spoiled.length = 0
    await execute(connection, 'begin')
    try {
      const result = await work()
      // Half of a nested transaction must not be kept. And after some errors the engine gives the transaction up, but answers its
      // COMMIT with success: any statement tells.
      if (spoiled.length > 0) throw spoiled[0]
      if (thrown.length > 0 && (await isAborted(connection))) throw thrown[0]
      await execute(connection, 'commit')
      return result
    } catch (error) {
      // After some errors the engine has rolled back by itself, and says that there is nothing to roll back.
      await duckdb.query(connection, 'rollback').catch(() => undefined)
      throw error
    } finally {
      streaming = false
    }
  }

  const nested = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      spoiled.push(error)
      throw error
    }
  }

  return {
    run: (statement) => onMain(async () => ({ changed: duckdb.rows_changed(await execute(connection, statement)) })),
    all: (statement) => onMain(() => allRows(connection, statement)),
    stream: (statement) => (gate.inside() ? streamInside(statement) : streamApart(statement)),
    describe: (select) => onMain(() => describe(connection, select)),
    columns: (statement) => onMain(() => emptyColumns(connection, statement)),
    transaction: (work) => (gate.inside() ? nested(work) : gate.hold(() => begin(work))),
    close: async () => {
      closed = true
      const open = [...streams]
      streams.clear()
      for (const own of open) await release(own)
      await release(connection)
    },
  }
}

// A result that was not read to its end keeps the database open even when its connection is gone; executing anything ends it.
const release = async (connection: Connection): Promise<void> => {
  for (const sql of ['rollback', 'use memory']) await duckdb.query(connection, sql).catch(() => undefined)
  duckdb.disconnect_sync(connection)
}
