// The Session of the seam over jobs.
import { CdpError } from '../../core/errors.ts'
import type { Meter, Step } from '../step.ts'
import type { Batch, Column, Row, Session, Statement } from '../warehouse.ts'
import { statementError, uncertain } from './errors.ts'
import type { JobConfiguration, JobReference, Jobs, Page, Statistics } from './jobs.ts'
import { labelled, type Labels, labelsOf } from './labels.ts'
import { isQuery, isScript, isTransactional, tokensOf } from './lexer.ts'
import { bind, type Bound, type ColumnTypes } from './parameters.ts'
import { type Datasets, qualified } from './qualify.ts'
import type { ReadSession } from './read-rows.ts'
import { columnsOf } from './schema.ts'
import { createTransactions, type Transaction } from './transaction.ts'
import { batchReader } from './values.ts'
import { writtenPath } from './written.ts'

export interface SessionSettings {
  readonly target: string
  readonly maximumBytesBilled: string | undefined
  readonly readOnly: boolean
  readonly datasets: Datasets
  /** A dataset that is read and never written. */
  readonly untouched: string | undefined
  readonly labels: Labels
  readonly step: () => Step | undefined
  /** For the whole result of a job, of which a page was read; undefined where it is to be read page by page. */
  readonly readSession: (job: JobReference, page: Page) => Promise<ReadSession | undefined>
  readonly columnTypes: (path: readonly string[]) => Promise<ColumnTypes | undefined>
}

export interface BigQuerySession extends Session {
  /** What a failed load is reported as. */
  guard(): void
  /** Runs a statement about a work table, also where the warehouse was opened to read. */
  runAnyway(statement: string): Promise<void>
  transaction<T>(work: () => Promise<T>): Promise<T>
  cost(statement: Statement): Promise<{ readonly bytes: number; readonly accuracy: string }>
  /** Throws INTERNAL within a transaction, which takes only queries and changes of rows. */
  outside(what: string): void
  /** Once the sessions of its transactions are gone. */
  close(): Promise<void>
}

// A page is as many rows as were asked for or some 20 MB, whichever comes first.
const rowsOfAll = 50_000
const rowsOfStream = 10_000
const manyPages = 5

const isLarge = ({ rows, totalRows, pageToken }: Page): boolean =>
  Boolean(pageToken) && Number(totalRows) > manyPages * (rows?.length ?? 0)

interface Answer {
  readonly job: JobReference
  readonly page: Page
}

const commit = 'commit transaction'
const inSession = (session: string): Readonly<Record<string, unknown>> => ({
  connectionProperties: [{ key: 'session_id', value: session }],
})

interface Parts {
  readonly sql: string
  readonly bound: Bound
  readonly script: boolean
  /** The dataset of names without one. */
  readonly home: string | undefined
  /** Bytes, as digits. */
  readonly limit: string | undefined
  readonly meter: Meter | undefined
  /** Also when the run was interrupted. */
  readonly anyway: boolean
}

const lowest = (...limits: readonly (string | undefined)[]): string | undefined =>
  limits.filter((limit) => limit !== undefined).toSorted((a, b) => Number(a) - Number(b))[0]

export const createSession = (jobs: Jobs, settings: SessionSettings): BigQuerySession => {
  let closed = false
  const guard = (): void => {
    if (closed) throw new CdpError('INTERNAL', { detail: 'a closed warehouse was used' })
  }

  const stillOpen = (): void => {
    if (closed) throw new CdpError('INTERNAL', { detail: 'a warehouse was closed while a result was streamed' })
  }

  const outside = (what: string): void => {
    if (!transactions.current()) return
    const detail = `${what} was run in a transaction, which BigQuery allows for SELECT, INSERT, UPDATE, DELETE, MERGE and TRUNCATE only`
    throw new CdpError('INTERNAL', { detail })
  }

  // `how`: what only reads may be run · anything may · nothing is executed.
  const partsOf = async (statement: Statement, how: 'run' | 'run anyway' | 'ask' = 'run'): Promise<Parts> => {
    guard()
    const sql = typeof statement === 'string' ? statement : statement.sql
    const tokens = tokensOf(sql)
    if (settings.readOnly && how === 'run' && !isQuery(tokens)) {
      throw new CdpError('QUERY_FAILED', { reason: 'the warehouse was opened to read, and this is no query', sql })
    }
    if (settings.untouched !== undefined) {
      const [relation = '', dataset] = writtenPath(tokens).toReversed()
      if (dataset === settings.untouched || dataset === 'raw')
        throw new CdpError('DEV_RAW', { relation: `raw.${relation}` })
    }
    const words = tokens.slice(0, 2).map(({ text }) => text.toLowerCase())
    if (how !== 'ask' && !isTransactional(tokens)) outside(words.join(' '))
    const values = typeof statement === 'string' ? undefined : statement.parameters
    const step = settings.step()
    const edits = [
      ...qualified(tokens, settings.datasets),
      ...labelled(tokens, how === 'ask' ? {} : labelsOf(settings.labels, step)),
    ]
    const bound = await bind(sql, values ?? [], tokens, settings.columnTypes, edits)
    // It may be the models' dataset that is created.
    const home = words.join(' ') === 'create schema' ? undefined : settings.datasets.datasets.models
    const limit = how === 'ask' ? undefined : lowest(settings.maximumBytesBilled, step?.maximumBytesBilled)
    const anyway = step?.anyway === true
    return { sql, bound, script: isScript(tokens), home, limit, meter: step?.meter, anyway }
  }

  const configurationOf = ({ bound, home, limit }: Parts): NonNullable<JobConfiguration['query']> => ({
    query: bound.sql,
    useLegacySql: false,
    ...(home === undefined ? {} : { defaultDataset: { projectId: settings.datasets.project, datasetId: home } }),
    ...(bound.parameters.length > 0 ? { parameterMode: 'NAMED', queryParameters: bound.parameters } : {}),
    ...(limit === undefined ? {} : { maximumBytesBilled: limit }),
  })

  // Whatever `work` throws is about this statement, and about the job it last told of.
  const about = async <T>(
    { sql, bound, limit }: Pick<Parts, 'sql' | 'bound' | 'limit'>,
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
        maximumBytesBilled: limit,
      }
      throw statementError(thrown, facts, settings.target)
    }
  }

  const send = async (parts: Parts, rows: number, session?: string): Promise<Answer> => {
    const query = { ...configurationOf(parts), ...(session === undefined ? {} : inSession(session)) }
    const answer = await about(parts, (onJob) =>
      jobs.query({
        configuration: { query },
        statement: [parts.bound.sql, parts.bound.parameters],
        // A statement that failed in a transaction may have ended it: sent anew it would take effect by itself.
        atomic: !parts.script && session === undefined,
        rows,
        anyway: parts.anyway,
        onJob,
      }),
    )
    if (parts.meter) {
      parts.meter.statements += 1
      parts.meter.billedBytes += await jobs.billed(answer.job).catch(() => 0)
    }
    return answer
  }

  const execute = (parts: Parts, rows: number, transaction = transactions.current()): Promise<Answer> =>
    transaction ? transaction.statement((session) => send(parts, rows, session)) : send(parts, rows)

  // Also when the run was interrupted: a session that is left alone lives for a day, and keeps what it holds.
  const control = (sql: string, more: Readonly<Record<string, unknown>>): Promise<Answer> =>
    about({ sql, bound: { sql, parameters: [], place: (offset) => offset }, limit: undefined }, (onJob) =>
      jobs
        .query({
          configuration: { query: { query: sql, useLegacySql: false, ...more } },
          statement: sql,
          atomic: false,
          anyway: true,
          rows: 0,
          onJob,
        })
        .catch((thrown: unknown) => {
          throw sql === commit ? uncertain(thrown) : thrown
        }),
    )

  const ending = new Set<Promise<unknown>>()
  const transactions = createTransactions({
    begin: async () => {
      const { job } = await control('begin transaction', { createSession: true })
      return jobs.sessionOf(job)
    },
    commit: async (session) => {
      await control(commit, inSession(session))
    },
    rollback: async (session) => {
      await control('rollback transaction', inSession(session)).catch(() => undefined)
    },
    end: (session) => {
      const ended = control('call BQ.ABORT_SESSION()', inSession(session)).catch(() => undefined)
      ending.add(ended)
      void ended.then(() => ending.delete(ended))
    },
  })

  const streamed = async function* (statement: Statement, transaction: Transaction | undefined): AsyncGenerator<Batch> {
    const parts = await partsOf(statement)
    const answer = await execute(parts, rowsOfStream, transaction)
    const read = transaction?.reading()
    try {
      yield* batches(parts, answer)
    } finally {
      read?.()
    }
  }

  const batches = async function* (parts: Parts, answer: Answer): AsyncGenerator<Batch> {
    const session = isLarge(answer.page) ? await settings.readSession(answer.job, answer.page) : undefined
    if (!session) return yield* pages(parts, answer, rowsOfStream)
    const rows = session.read()
    try {
      for (;;) {
        const next = await about(parts, (onJob) => {
          onJob(answer.job)
          return rows.next()
        })
        if (next.done === true) return undefined
        yield next.value
        stillOpen()
      }
    } finally {
      await rows.return(undefined)
    }
  }

  // The next page is fetched only when it is asked for.
  const pages = async function* (parts: Parts, { job, page: first }: Answer, rows: number): AsyncGenerator<Batch> {
    const { read } = batchReader(first.schema)
    for (let page = first; ;) {
      if (page.rows && page.rows.length > 0) yield read(page.rows)
      const token = page.pageToken
      if (!token) return
      stillOpen()
      page = await about(parts, (onJob) => {
        onJob(job)
        return jobs.page(job, token, rows)
      })
    }
  }

  const asked = async (statement: Statement): Promise<Statistics | undefined> => {
    const parts = await partsOf(statement, 'ask')
    return (await about(parts, () => jobs.dryRun({ query: configurationOf(parts) }))).statistics
  }

  return {
    guard,
    run: async (statement) => {
      const { page } = await execute(await partsOf(statement), 0)
      return { changed: Number(page.numDmlAffectedRows ?? 0) }
    },
    runAnyway: async (statement) => {
      await execute(await partsOf(statement, 'run anyway'), 0)
    },
    all: async <T = Row>(statement: Statement): Promise<T[]> => {
      const out: T[] = []
      const parts = await partsOf(statement)
      const answer = await execute(parts, rowsOfAll)
      for await (const { columns, rowCount, values } of pages(parts, answer, rowsOfAll)) {
        for (let row = 0; row < rowCount; row++) {
          out.push(Object.fromEntries(columns.map(({ name }, at) => [name, values[at]?.[row]])) as T)
        }
      }
      return out
    },
    stream: (statement) => streamed(statement, transactions.current()),
    outside,
    transaction: async (work) => {
      guard()
      return transactions.run(work)
    },
    describe: async (select): Promise<readonly Column[]> => {
      const { query } = (await asked(select)) ?? {}
      return columnsOf(query?.schema)
    },
    cost: async (statement) => {
      const { query, totalBytesProcessed } = (await asked(statement)) ?? {}
      return { bytes: Number(totalBytesProcessed ?? 0), accuracy: query?.totalBytesProcessedAccuracy ?? 'UNKNOWN' }
    },
    close: async () => {
      closed = true
      await Promise.all(ending)
    },
  }
}
