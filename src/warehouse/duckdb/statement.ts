// One statement on one connection: executed, streamed or described. Nothing here knows of transactions.
import duckdb, { type Connection, type DataChunk, type PreparedStatement, type Result } from '@duckdb/node-bindings'
import { CdpError } from '../../core/errors.ts'
import type { Batch, Column, Row, Statement, Value } from '../warehouse.ts'
import { statementError } from './errors.ts'
import { bindParameters } from './parameters.ts'
import { withoutNul } from './text.ts'
import { typeText } from './types.ts'
import { batchReader, columnsOf } from './values.ts'

const partsOf = (statement: Statement): { sql: string; parameters: readonly unknown[] } => {
  const parts = typeof statement === 'string' ? { sql: statement, parameters: [] } : statement
  return { sql: withoutNul(parts.sql), parameters: parts.parameters }
}

const prepared = async <T>(
  connection: Connection,
  sql: string,
  work: (statement: PreparedStatement) => T | Promise<T>,
): Promise<T> => {
  const statement = await duckdb.prepare(connection, sql)
  try {
    return await work(statement)
  } finally {
    duckdb.destroy_prepare_sync(statement)
  }
}

/** Without parameters the text may hold several statements; the result is the last one's. */
export const execute = async (connection: Connection, statement: Statement): Promise<Result> => {
  const { sql, parameters } = partsOf(statement)
  try {
    if (parameters.length === 0) return await duckdb.query(connection, sql)
    return await prepared(connection, sql, (found) => {
      bindParameters(found, parameters)
      return duckdb.execute_prepared(found)
    })
  } catch (thrown) {
    throw statementError(thrown, sql)
  }
}

// The end is no chunk or an empty one, as the engine likes.
const nextChunk = async (result: Result): Promise<DataChunk | undefined> => {
  const chunk = await duckdb.fetch_chunk(result)
  return chunk && duckdb.data_chunk_get_size(chunk) > 0 ? chunk : undefined
}

export const allRows = async <T = Row>(connection: Connection, statement: Statement): Promise<T[]> => {
  const result = await execute(connection, statement)
  const { columns, read } = batchReader(result, partsOf(statement).sql)
  const names = columns.map((column) => column.name)
  const out: T[] = []
  for (let chunk = await nextChunk(result); chunk; chunk = await nextChunk(result)) {
    const { values, rowCount } = read(chunk)
    for (let row = 0; row < rowCount; row++) {
      out.push(rowOf(names, values, row) as T)
    }
  }
  return out
}

// Assigning is several times faster than building from entries, but would set the prototype of a column called `__proto__`.
const rowOf = (names: readonly string[], values: Batch['values'], row: number): Row => {
  if (names.includes('__proto__')) return Object.fromEntries(names.map((name, at) => [name, values[at]?.[row] ?? null]))
  const object: Record<string, Value> = {}
  for (let at = 0; at < names.length; at++) object[names[at] ?? ''] = values[at]?.[row] ?? null
  return object
}

/**
 * Batches of up to 2,048 rows; the engine computes the next ones only when they are asked for. The connection must be in a
 * transaction: when a later row fails, the driver ends the result as if it were complete, and only the transaction knows.
 */
export const batches = async function* (connection: Connection, statement: Statement): AsyncGenerator<Batch> {
  const { sql, parameters } = partsOf(statement)
  try {
    const result = await prepared(connection, sql, (found) => {
      bindParameters(found, parameters)
      return duckdb.execute_prepared_streaming(found)
    })
    const { read } = batchReader(result, sql)
    for (let chunk = await nextChunk(result); chunk; chunk = await nextChunk(result)) yield read(chunk)
  } catch (thrown) {
    throw statementError(thrown, sql)
  }
}

/** Whether the connection's transaction is still good. */
export const isAborted = async (connection: Connection): Promise<boolean> =>
  duckdb.query(connection, 'select 1').then(
    () => false,
    () => true,
  )

/** Why a stream ended early: the statement is executed once more, its rows thrown away. */
export const reasonOfEnd = async (connection: Connection, statement: Statement): Promise<CdpError> => {
  const { sql, parameters } = partsOf(statement)
  const prefix = 'explain analyze '
  try {
    await prepared(connection, `${prefix}${sql}`, (found) => {
      bindParameters(found, parameters)
      return duckdb.execute_prepared(found)
    })
  } catch (thrown) {
    return statementError(thrown, sql, prefix)
  }
  return new CdpError('QUERY_FAILED', { reason: 'the engine ended the result early and gave no reason', sql })
}

/** The columns a SELECT gives with these parameters: `describe` cannot tell before their types are known. */
export const emptyColumns = async (connection: Connection, statement: Statement): Promise<Column[]> => {
  const { sql, parameters } = partsOf(statement)
  return columnsOf(await execute(connection, { sql: `select * from (${sql}\n) limit 0`, parameters }))
}

/** Prepares and does not execute. */
export const describe = async (connection: Connection, select: string): Promise<Column[]> => {
  const { sql } = partsOf(select)
  try {
    return await prepared(connection, sql, (found) =>
      Array.from({ length: duckdb.prepared_statement_column_count(found) }, (_, at) => ({
        name: duckdb.prepared_statement_column_name(found, at),
        type: typeText(duckdb.prepared_statement_column_logical_type(found, at)),
      })),
    )
  } catch (thrown) {
    throw statementError(thrown, sql)
  }
}
