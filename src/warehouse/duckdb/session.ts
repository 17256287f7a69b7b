// The Session of the seam over one connection, and transactions on it.
import type { DuckDBConnection, DuckDBMaterializedResult, DuckDBResult } from '@duckdb/node-api'
import { CdpError } from '../../core/errors.ts'
import type { Batch, Column, Row, Session, Statement } from '../warehouse.ts'
import { statementError } from './errors.ts'
import { createGate } from './gate.ts'
import { toParameters } from './parameters.ts'
import { withoutNul } from './text.ts'
import { batchReader, typeText } from './values.ts'

export interface DuckDbSession extends Session {
  transaction<T>(work: () => Promise<T>): Promise<T>
  /** Ends open streams, rolls back an open transaction and lets the connection go. */
  close(): Promise<void>
}

const sqlOf = (statement: Statement): string => withoutNul(typeof statement === 'string' ? statement : statement.sql)
const parametersOf = (statement: Statement): readonly unknown[] =>
  typeof statement === 'string' ? [] : statement.parameters

const execute = async (connection: DuckDBConnection, statement: Statement): Promise<DuckDBMaterializedResult> => {
  const sql = sqlOf(statement)
  const parameters = parametersOf(statement)
  try {
    if (parameters.length === 0) return await connection.run(sql)
    const { values, types } = toParameters(parameters)
    return await connection.run(sql, values, types)
  } catch (thrown) {
    throw statementError(thrown, sql)
  }
}

const startStream = async (connection: DuckDBConnection, statement: Statement): Promise<DuckDBResult> => {
  const { values, types } = toParameters(parametersOf(statement))
  return connection.stream(sqlOf(statement), values, types)
}

/**
 * `connect` gives further connections to the same database: a stream outside a transaction has its own, so that statements may run
 * while it is consumed (the engine ends a stream, without an error, when its connection executes something else). It therefore sees
 * what is committed, and no temporary relations. Within a transaction it uses the transaction's connection, and any other statement
 * before its end is refused.
 */
export const createSession = (
  connection: DuckDBConnection,
  connect: () => Promise<DuckDBConnection>,
): DuckDbSession => {
  const gate = createGate()
  const streams = new Set<DuckDBConnection>()
  let streaming = false
  const failedInside: unknown[] = []
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
      return work()
    })

  const all = async <T = Row>(statement: Statement): Promise<T[]> =>
    onMain(async () => {
      const result = await execute(connection, statement)
      const { columns, read } = batchReader(result)
      const rows: T[] = []
      for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
        const { values, rowCount } = read(chunk)
        for (let row = 0; row < rowCount; row++) {
          const out: Record<string, unknown> = {}
          for (let at = 0; at < columns.length; at++) out[columns[at]?.name ?? ''] = values[at]?.[row]
          rows.push(out as T)
        }
      }
      return rows
    })

  const batches = async function* (from: DuckDBConnection, statement: Statement): AsyncGenerator<Batch> {
    try {
      const result = await startStream(from, statement)
      const { read } = batchReader(result)
      for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
        if (closed) throw new CdpError('INTERNAL', { detail: 'a warehouse was closed while a result was streamed' })
        yield read(chunk)
      }
    } catch (thrown) {
      throw statementError(thrown, sqlOf(statement))
    }
  }

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
      yield* batches(own, statement)
    } finally {
      if (streams.delete(own)) await release(own)
    }
  }

  const transaction = async <T>(work: () => Promise<T>): Promise<T> => {
    if (gate.inside()) {
      try {
        return await work()
      } catch (error) {
        // The outer work may catch this; what was done in here must not be committed all the same.
        failedInside.push(error)
        throw error
      }
    }
    return gate.hold(async () => {
      guard()
      failedInside.length = 0
      await execute(connection, 'begin')
      try {
        const result = await work()
        if (failedInside.length > 0) throw failedInside[0]
        await execute(connection, 'commit')
        return result
      } catch (error) {
        // The engine itself has rolled back after some errors; then there is nothing left to do.
        await connection.run('rollback').catch(() => undefined)
        throw error
      } finally {
        streaming = false
      }
    })
  }

  return {
    all,
    transaction,
    run: (statement) =>
      onMain(async () => {
        const result = await execute(connection, statement)
        return { changed: result.rowsChanged }
      }),
    stream: (statement) => (gate.inside() ? streamInside(statement) : streamApart(statement)),
    describe: (select) => onMain(() => describe(connection, select)),
    close: async () => {
      closed = true
      for (const own of [...streams]) if (streams.delete(own)) await release(own)
      await connection.run('rollback').catch(() => undefined)
      await release(connection)
    },
  }
}

const describe = async (connection: DuckDBConnection, select: string): Promise<Column[]> => {
  const sql = sqlOf(select)
  try {
    const prepared = await connection.prepare(sql)
    try {
      return Array.from({ length: prepared.columnCount }, (_, at) => ({
        name: prepared.columnName(at),
        type: typeText(prepared.columnType(at)),
      }))
    } finally {
      prepared.destroySync()
    }
  } catch (thrown) {
    throw statementError(thrown, sql)
  }
}

// A result that was not read to its end keeps the database open even when its connection is gone; executing anything ends it.
const release = async (connection: DuckDBConnection): Promise<void> => {
  await connection.run('use memory').catch(() => undefined)
  connection.disconnectSync()
}
