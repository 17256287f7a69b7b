// Jobs, under ids of our own: a job that was sent and not answered is found under its id when it is sent again, and never runs twice.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { CdpError } from '../../core/errors.ts'
import { sha256 } from '../../core/hash.ts'
import type { Step } from '../step.ts'
import type { Api, Call } from './api.ts'
import { jobError, RestError, restError, type ErrorProto } from './errors.ts'
import { labelsOf } from './labels.ts'
import type { TableReference } from './read-rows.ts'
import type { Field } from './schema.ts'
import type { Target } from './settings.ts'
import type { RawRow } from './values.ts'

export interface JobReference {
  readonly jobId: string
  readonly location: string
}

interface JobResource {
  readonly configuration?: JobConfiguration
  readonly status?: {
    readonly state?: string
    readonly errorResult?: ErrorProto
    readonly errors?: readonly ErrorProto[]
  }
  readonly statistics?: Statistics
}

export interface Statistics {
  readonly load?: { readonly outputRows?: string }
  readonly query?: {
    readonly schema?: { readonly fields?: readonly Field[] }
    readonly totalBytesBilled?: string
    readonly totalBytesProcessedAccuracy?: string
  }
  readonly totalBytesProcessed?: string
  readonly sessionInfo?: { readonly sessionId?: string }
}

/** What a job is to do, as the API names it. */
export interface JobConfiguration {
  readonly query?: Readonly<Record<string, unknown>>
  readonly load?: Readonly<Record<string, unknown>>
  readonly labels?: Readonly<Record<string, string>>
  readonly dryRun?: boolean
}

/** One page of a result. */
export interface Page {
  readonly jobComplete?: boolean
  readonly schema?: { readonly fields?: readonly Field[] }
  readonly rows?: readonly RawRow[]
  readonly pageToken?: string | null
  readonly numDmlAffectedRows?: string
  readonly totalRows?: string
}

export interface Jobs {
  /** A query job, sent once and waited for; `rows` are those of its first page. Throws a RestError, with `job` told before. */
  query(job: QueryJob): Promise<{ readonly job: JobReference; readonly page: Page }>
  page(job: JobReference, pageToken: string, rows: number): Promise<Page>
  load(job: LoadJob): Promise<number>
  /** The session that a query job has opened. */
  sessionOf(job: JobReference): Promise<string>
  /** The table that holds the result of a query job; undefined for a script. */
  resultOf(job: JobReference): Promise<TableReference | undefined>
  /** The bytes that a query job is billed for. */
  billed(job: JobReference): Promise<number>
  /** Says what a query would give, and executes nothing. */
  dryRun(configuration: JobConfiguration): Promise<JobResource>
  /** `project:location.id`, as the service and its console name it. */
  nameOf(job: JobReference): string
}

export interface QueryJob {
  readonly configuration: JobConfiguration
  /** What tells this statement from others: its text and its parameters. */
  readonly statement: unknown
  /** Whether it takes effect whole or not at all, so that it may be sent anew after it failed. */
  readonly atomic: boolean
  readonly rows: number
  /** Also when the run was interrupted, and not cancelled by it. */
  readonly anyway?: boolean
  readonly onJob: (job: JobReference) => void
}

export interface LoadJob {
  readonly configuration: JobConfiguration
  readonly statement: unknown
  readonly file: () => NodeJS.ReadableStream
  readonly onJob: (job: JobReference) => void
}

const longPollMs = 10_000
const pollMs = 500
const longestPollMs = 5_000

export const createJobs = (
  api: Api,
  target: Target,
  clock: { sleep(ms: number, signal?: AbortSignal): Promise<void> },
  currentStep: () => Step | undefined,
  signal: AbortSignal | undefined,
): Jobs => {
  // Two openings of one run must not find each other's jobs: theirs may be the same statement, meant twice.
  const opening = randomBytes(5).toString('hex')
  let sequence = 0

  const nameOf = ({ jobId, location }: JobReference): string => `${target.project}:${location}.${jobId}`

  const referenceOf = (statement: unknown, attempt: number, number: number): JobReference => {
    const step = currentStep()
    const parts = [
      'cdp',
      ...(step ? [idPart(step.run), idPart(step.step)] : []),
      opening,
      String(number),
      sha256(JSON.stringify(statement)).slice(0, 12),
      ...(attempt > 1 ? [String(attempt)] : []),
    ]
    return { jobId: parts.join('-'), location: target.location }
  }

  const labelled = (configuration: JobConfiguration): JobConfiguration => ({
    ...configuration,
    labels: labelsOf(target.labels, currentStep()),
  })

  const get = (job: JobReference, anyway = false): Promise<JobResource> =>
    api.request({ path: `/jobs/${job.jobId}`, query: { location: job.location }, anyway })

  // Sent until it is answered. A 409 after an answer was lost is our own job; one whose work differs is somebody else's.
  const insert = async (
    job: JobReference,
    configuration: JobConfiguration,
    { upload, anyway = false }: Pick<Call, 'upload' | 'anyway'> = {},
  ): Promise<void> => {
    const jobReference = { projectId: target.project, ...job }
    try {
      await api.request({
        method: 'POST',
        path: '/jobs',
        body: { jobReference, configuration },
        anyway,
        ...(upload ? { upload } : {}),
      })
    } catch (thrown) {
      if (restError(thrown).status !== 409) throw thrown
      const found = await get(job, anyway)
      if (!isSame(found.configuration, configuration)) throw thrown
    }
  }

  // Stops the job when the run is interrupted; it would go on and be paid for.
  const cancelling = async <T>(job: JobReference, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (signal?.aborted) {
        await api
          .once({ method: 'POST', path: `/jobs/${job.jobId}/cancel`, query: { location: job.location } })
          .catch(() => undefined)
        signal.throwIfAborted()
      }
      throw error
    }
  }

  const results = (job: JobReference, rows: number, pageToken?: string): Call => ({
    path: `/queries/${job.jobId}`,
    query: {
      location: job.location,
      maxResults: rows,
      timeoutMs: longPollMs,
      'formatOptions.useInt64Timestamp': true,
      pageToken,
    },
  })

  const firstPage = async (job: JobReference, rows: number, anyway = false): Promise<Page> => {
    const stop = anyway ? undefined : signal
    for (let tries = 1; ;) {
      stop?.throwIfAborted()
      try {
        const page = await interruptible(api.once<Page>(results(job, rows)), stop)
        if (page.jobComplete !== false) return page
      } catch (thrown) {
        stop?.throwIfAborted()
        const { status } = await get(job, anyway)
        if (status?.errorResult) throw jobError(status.errorResult)
        if (!(await api.backOff(thrown, tries, anyway))) throw thrown
        tries += 1
      }
    }
  }

  const ended = async (job: JobReference): Promise<JobResource> => {
    for (let wait = pollMs; ; wait = Math.min(longestPollMs, wait * 1.5)) {
      const found = await get(job)
      if (found.status?.state === 'DONE') {
        if (found.status.errorResult) throw jobError(firstOf(found.status.errorResult, found.status.errors))
        return found
      }
      await clock.sleep(wait, signal)
    }
  }

  // A job that failed is used up, and so is its id. Nothing of an atomic one has taken effect.
  const attempts = async <T>(
    { statement, atomic, anyway, onJob }: Pick<QueryJob, 'statement' | 'atomic' | 'anyway' | 'onJob'>,
    work: (job: JobReference) => Promise<T>,
  ): Promise<T> => {
    sequence += 1
    const number = sequence
    for (let attempt = 1; ; attempt++) {
      const job = referenceOf(statement, attempt, number)
      onJob(job)
      try {
        return anyway === true ? await work(job) : await cancelling(job, () => work(job))
      } catch (error) {
        const jobFailed = error instanceof RestError && error.ofJob
        if (!atomic || !jobFailed || !(await api.backOff(error, attempt))) throw error
      }
    }
  }

  return {
    nameOf,
    query: (asked) =>
      attempts(asked, async (job) => {
        await insert(job, labelled(asked.configuration), { anyway: asked.anyway ?? false })
        return { job, page: await firstPage(job, asked.rows, asked.anyway) }
      }),
    sessionOf: async (job) => {
      const { statistics } = await get(job, true)
      const id = statistics?.sessionInfo?.sessionId
      if (id === undefined)
        throw new CdpError('INTERNAL', { detail: `BigQuery's job ${nameOf(job)} opened no session` })
      return id
    },
    page: (job, pageToken, rows) => api.request(results(job, rows, pageToken)),
    resultOf: async (job) => (await get(job)).configuration?.query?.['destinationTable'] as TableReference | undefined,
    billed: async (job) => Number((await get(job, true)).statistics?.query?.totalBytesBilled ?? 0),
    load: (asked) =>
      attempts({ ...asked, atomic: true }, async (job) => {
        await insert(job, labelled(asked.configuration), { upload: asked.file })
        const { statistics } = await ended(job)
        const meter = currentStep()?.meter
        if (meter) meter.statements += 1
        return Number(statistics?.load?.outputRows ?? 0)
      }),
    dryRun: (configuration) =>
      api.request({
        method: 'POST',
        path: '/jobs',
        body: {
          jobReference: { projectId: target.project, location: target.location },
          configuration: { ...labelled(configuration), dryRun: true },
        },
      }),
  }
}

const interruptible = async <T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  if (!signal) return work
  const waiting = new AbortController()
  const stopped = once(signal, 'abort', { signal: waiting.signal }).then(() => signal.throwIfAborted())
  stopped.catch(() => undefined)
  try {
    return (await Promise.race([work, stopped])) as T
  } finally {
    waiting.abort()
  }
}

// `errorResult` of a load says that there were errors; the list says which.
const firstOf = (result: ErrorProto, all: readonly ErrorProto[] | undefined): ErrorProto => {
  const said = all?.find((error) => error.message !== undefined && error.message !== result.message)
  return said ? { ...result, message: `${result.message ?? ''} ${said.message ?? ''}`.trim() } : result
}

const isSame = (found: JobConfiguration | undefined, sent: JobConfiguration): boolean =>
  sent.query ? found?.query?.['query'] === sent.query['query'] : tableOf(found) === tableOf(sent)

// The service gives the parts of a name in an order of its own.
const tableOf = (configuration: JobConfiguration | undefined): string => {
  const { projectId, datasetId, tableId } = (configuration?.load?.['destinationTable'] ?? {}) as Partial<
    Record<'projectId' | 'datasetId' | 'tableId', string>
  >
  return JSON.stringify([projectId, datasetId, tableId])
}

const idPart = (text: string): string => text.replaceAll(/[^A-Za-z0-9_]+/g, '_').slice(0, 200)
