// The Session of the seam over one connection, and transactions on it.
import duckdb, { type Connection } from '@duckdb/node-bindings'
import { CdpError } from '../../core/errors.ts'
import type { Batch, Session, Statement } from '../warehouse.ts'
import { createGate } from './gate.ts'
import { allRows, batches, describe, execute } from './statement.ts'

export interface DuckDbSession extends Session {
  transaction<T>(work: () => Promise<T>): Promise<T>
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
    } finally {
      streaming = false
    }
  }

  const streamApart = async function* (statement: Statement): AsyncGenerator<Batch> {
    guard()
    const own = await connect()
    streams.add(own)
    try {
      for await (const batch of batches(own, statement)) {
        yield batch
        if (closed) throw new CdpError('INTERNAL', { detail: 'a warehouse was closed while a result was streamed' })
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
      if (thrown.length > 0) {
        await duckdb.query(connection, 'select 1').catch(() => {
          throw thrown[0]
        })
      }
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
    transaction: (work) => (gate.inside() ? nested(work) : gate.hold(() => begin(work))),
    close: async () => {
      closed = true
      const open = [...streams]
      streams.clear()
      for (const own of open) await release(own)
      await duckdb.query(connection, 'rollback').catch(() => undefined)
      await release(connection)
    },
  }
}

// A result that was not read to its end keeps the database open even when its connection is gone; executing anything ends it.
const release = async (connection: Connection): Promise<void> => {
  await duckdb.query(connection, 'use memory').catch(() => undefined)
  duckdb.disconnect_sync(connection)
}
