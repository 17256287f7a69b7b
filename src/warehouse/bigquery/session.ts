// The Session of the seam over jobs.
import { CdpError } from '../../core/errors.ts'
import type { Batch, Column, Row, Session, Statement } from '../warehouse.ts'
import { statementError } from './errors.ts'
import type { JobConfiguration, JobReference, Jobs, Page } from './jobs.ts'
import { isQuery, isScript, tokensOf } from './lexer.ts'
import { bind, type Bound, type ColumnTypes } from './parameters.ts'
import { columnsOf } from './schema.ts'
import { batchReader } from './values.ts'

export interface SessionSettings {
  readonly target: string
  readonly maximumBytesBilled: string | undefined
  readonly readOnly: boolean
  readonly columnTypes: (path: readonly string[]) => Promise<ColumnTypes | undefined>
}

export interface BigQuerySession extends Session {
  /** What a failed load is reported as. */
  guard(): void
  /** Runs a statement about a work table, also where the warehouse was opened to read. */
  runAnyway(statement: string): Promise<void>
  close(): void
}

// A page is as many rows as were asked for or some 20 MB, whichever comes first.
const rowsOfAll = 50_000
const rowsOfStream = 10_000

interface Parts {
  readonly sql: string
  readonly bound: Bound
  readonly script: boolean
}

export const createSession = (jobs: Jobs, settings: SessionSettings): BigQuerySession => {
  let closed = false
  const guard = (): void => {
    if (closed) throw new CdpError('INTERNAL', { detail: 'a closed warehouse was used' })
  }

  const partsOf = async (statement: Statement, anyway = false): Promise<Parts> => {
    guard()
    const sql = typeof statement === 'string' ? statement : statement.sql
    const tokens = tokensOf(sql)
    if (settings.readOnly && !anyway && !isQuery(tokens)) {
      throw new CdpError('QUERY_FAILED', { reason: 'the warehouse was opened to read, and this is no query', sql })
    }
    const values = typeof statement === 'string' ? undefined : statement.parameters
    const bound = await bind(sql, values ?? [], tokens, settings.columnTypes)
    return { sql, bound, script: isScript(tokens) }
  }

  const configurationOf = (bound: Bound): JobConfiguration => ({
    query: {
      query: bound.sql,
      useLegacySql: false,
      ...(bound.parameters.length > 0 ? { parameterMode: 'NAMED', queryParameters: bound.parameters } : {}),
      ...(settings.maximumBytesBilled === undefined ? {} : { maximumBytesBilled: settings.maximumBytesBilled }),
    },
  })

  // Whatever `work` throws is about this statement, and about the job it last told of.
  const about = async <T>(
    { sql, bound }: Parts,
    work: (onJob: (job: JobReference) => void) => Promise<T>,
  ): Promise<T> => {
    let job: JobReference | undefined
    try {
      return await work((sent) => (job = sent))
    } catch (thrown) {
      const facts = {
        sql,
        sent: bound.sql,
        place: bound.place,
        job: job && jobs.nameOf(job),
        maximumBytesBilled: settings.maximumBytesBilled,
      }
      throw statementError(thrown, facts, settings.target)
    }
  }

  const execute = async (parts: Parts, rows: number): Promise<{ readonly job: JobReference; readonly page: Page }> =>
    about(parts, (onJob) =>
      jobs.query({
        configuration: configurationOf(parts.bound),
        statement: [parts.bound.sql, parts.bound.parameters],
        atomic: !parts.script,
        rows,
        onJob,
      }),
    )

  // The next page is fetched only when it is asked for.
  const pages = async function* (statement: Statement, rows: number): AsyncGenerator<Batch> {
    const parts = await partsOf(statement)
    const { job, page: first } = await execute(parts, rows)
    const { read } = batchReader(first.schema)
    for (let page = first; ;) {
      if (page.rows && page.rows.length > 0) yield read(page.rows)
      const token = page.pageToken
      if (!token) return
      if (closed) throw new CdpError('INTERNAL', { detail: 'a warehouse was closed while a result was streamed' })
      page = await about(parts, (onJob) => {
        onJob(job)
        return jobs.page(job, token, rows)
      })
    }
  }

  return {
    guard,
    run: async (statement) => {
      const { page } = await execute(await partsOf(statement), 0)
      return { changed: Number(page.numDmlAffectedRows ?? 0) }
    },
    runAnyway: async (statement) => {
      await execute(await partsOf(statement, true), 0)
    },
    all: async <T = Row>(statement: Statement): Promise<T[]> => {
      const out: T[] = []
      for await (const { columns, rowCount, values } of pages(statement, rowsOfAll)) {
        for (let row = 0; row < rowCount; row++) {
          out.push(Object.fromEntries(columns.map(({ name }, at) => [name, values[at]?.[row]])) as T)
        }
      }
      return out
    },
    stream: (statement) => pages(statement, rowsOfStream),
    describe: async (select): Promise<readonly Column[]> => {
      const parts = await partsOf(select)
      const { statistics } = await about(parts, () => jobs.dryRun(configurationOf(parts.bound)))
      return columnsOf(statistics?.query?.schema)
    },
    close: () => {
      closed = true
    },
  }
}
