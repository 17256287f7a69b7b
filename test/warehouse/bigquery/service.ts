// A server on loopback that keeps what it is sent and answers as BigQuery's API is documented to, for all that the stand-in cannot show:
// jobs that take their time, limits, lost answers, refused credentials.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { isCdpError, type CdpError } from '../../../src/core/errors.ts'
import type { Clock } from '../../../src/core/clock.ts'
import { bigquery, type BigQuerySettings } from '../../../src/warehouse/define-bigquery.ts'
import { bigqueryFunctionsFingerprint, stateVersion } from '../../../src/warehouse/version.ts'
import { openWarehouse, type OpenOptions, type Warehouse } from '../../../src/warehouse/warehouse.ts'

export interface Sent {
  readonly method: string
  /** Below the project: `/jobs`, `/queries/<id>`. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly body: {
    readonly jobReference?: { readonly jobId: string; readonly location: string }
    readonly configuration?: Configuration
  }
  /** Of an upload: how many bytes of it came. */
  readonly bytes: number
}

interface Configuration {
  readonly query?: Readonly<Record<string, unknown>> & { readonly query: string }
  readonly load?: Readonly<Record<string, unknown>>
  readonly labels?: Readonly<Record<string, string>>
  readonly dryRun?: boolean
}

interface ErrorProto {
  readonly reason: string
  readonly message: string
}

/** What happens to the jobs of a statement. */
export interface Behaviour {
  /** How often it is still running when it is asked for. */
  readonly running?: number
  readonly error?: ErrorProto
  /** Only the first job fails. */
  readonly once?: boolean
  readonly fields?: readonly { readonly name: string; readonly type: string; readonly mode?: string }[]
  /** Bytes, as the API says them. */
  readonly processed?: string
  readonly billed?: string
  /** Rows by page, as the API sends them. */
  readonly pages?: readonly (readonly (readonly unknown[])[])[]
}

export type Refusal = { readonly status: number; readonly error: ErrorProto } | 'lost' | 'cut'

interface Job {
  readonly configuration: Configuration
  readonly behaviour: Behaviour
  asked: number
  cancelled: boolean
}

export interface Service {
  readonly url: string
  readonly sent: Sent[]
  /** Jobs by id, in order. */
  readonly jobs: ReadonlyMap<string, Job>
  /** For statements that match, newest first. */
  readonly when: (statement: RegExp, behaviour: Behaviour) => void
  /** The next requests that match are refused: with an error, with no answer after they took effect (`lost`), or before (`cut`). */
  readonly refuse: (path: RegExp, ...refusals: readonly Refusal[]) => void
  /** What requests for tables that match are answered with. */
  readonly answer: (path: RegExp, body: unknown) => void
  readonly close: () => Promise<void>
}

export const startService = async (): Promise<Service> => {
  const sent: Sent[] = []
  const jobs = new Map<string, Job>()
  const behaviours: { readonly statement: RegExp; readonly behaviour: Behaviour }[] = []
  const answers: { readonly path: RegExp; readonly body: unknown }[] = []
  const refusals: { readonly path: RegExp; readonly all: Refusal[] }[] = []

  // The state is what this version makes: nothing is migrated.
  behaviours.push({
    statement: /select max\(version\)/,
    behaviour: {
      fields: [
        { name: 'version', type: 'INTEGER' },
        { name: 'functions', type: 'STRING' },
      ],
      pages: [[[String(stateVersion), bigqueryFunctionsFingerprint]]],
    },
  })

  const behaviourOf = (statement: string): Behaviour => {
    const found = behaviours.findLast((one) => one.statement.test(statement))
    if (!found) return {}
    if (found.behaviour.once === true) behaviours.splice(behaviours.indexOf(found), 1)
    return found.behaviour
  }

  const insert = ({ body }: Sent): [number, unknown] => {
    const id = body.jobReference?.jobId ?? 'none'
    const configuration = body.configuration ?? {}
    const behaviour = behaviourOf(configuration.query?.query ?? 'load')
    if (configuration.dryRun === true) {
      const query = { schema: { fields: behaviour.fields ?? [] }, totalBytesProcessedAccuracy: 'UPPER_BOUND' }
      return [200, { statistics: { query, totalBytesProcessed: behaviour.processed ?? '0' } }]
    }
    if (jobs.has(id)) return refusal(409, { reason: 'duplicate', message: `Already Exists: Job ${id}` })
    jobs.set(id, { configuration, behaviour, asked: 0, cancelled: false })
    return [200, { jobReference: body.jobReference, status: { state: 'PENDING' } }]
  }

  const results = (job: Job, query: Sent['query']): [number, unknown] => {
    const { behaviour } = job
    if (job.asked++ < (behaviour.running ?? 0)) return [200, { jobComplete: false }]
    if (behaviour.error) return refusal(400, behaviour.error)
    const at = Number(query['pageToken'] ?? 0)
    const pages = behaviour.pages ?? [[]]
    return [
      200,
      {
        jobComplete: true,
        schema: { fields: behaviour.fields ?? [] },
        rows: (pages[at] ?? []).map((row) => ({ f: row.map((v) => ({ v })) })),
        ...(at + 1 < pages.length ? { pageToken: String(at + 1) } : {}),
      },
    ]
  }

  const status = (job: Job): unknown => {
    const done = job.asked >= (job.behaviour.running ?? 0)
    const failed = done && job.behaviour.error ? { errorResult: job.behaviour.error } : {}
    return {
      configuration: job.configuration,
      status: { state: done ? 'DONE' : 'RUNNING', ...failed },
      statistics: {
        load: { outputRows: '2' },
        query: { totalBytesBilled: job.behaviour.billed ?? '0' },
        ...(job.configuration.query?.['createSession'] === true ? { sessionInfo: { sessionId: 'session-1' } } : {}),
      },
    }
  }

  const answer = (request: Sent): [number, unknown] => {
    const [, kind = '', id = '', action] = request.path.split('/')
    if (request.method === 'POST' && kind === 'jobs' && id === '') return insert(request)
    const job = jobs.get(id)
    if (kind === 'queries' || kind === 'jobs') {
      if (!job) return refusal(404, { reason: 'notFound', message: `Not found: Job ${id}` })
      if (action === 'cancel') job.cancelled = true
      return kind === 'queries' ? results(job, request.query) : [200, status(job)]
    }
    if (kind === 'datasets') {
      const given = answers.find((one) => one.path.test(request.path))
      if (given) return [200, given.body]
      const fields = [
        { name: 'n', type: 'INTEGER', mode: 'NULLABLE' },
        { name: 'v', type: 'STRING', mode: 'NULLABLE' },
      ]
      return [200, { schema: { fields } }]
    }
    return refusal(404, { reason: 'notFound', message: request.path })
  }

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const target = new URL(request.url ?? '', 'http://loopback')
    const path = target.pathname.replace(/^(?:\/upload)?\/bigquery\/v2\/projects\/[^/]+/, '')
    const found = refusals.find((one) => one.path.test(`${request.method ?? ''} ${path}`) && one.all.length > 0)
    const refused = found?.all.shift()
    if (refused === 'cut') {
      sent.push({ method: request.method ?? '', path, query: {}, body: {}, bytes: 0 })
      request.socket.destroy()
      return
    }
    const text = await bodyOf(request)
    const one: Sent = { method: request.method ?? '', path, query: Object.fromEntries(target.searchParams), ...text }
    sent.push(one)
    const [code, body] = typeof refused === 'object' ? refusal(refused.status, refused.error) : answer(one)
    if (refused === 'lost') {
      request.socket.destroy()
      return
    }
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent,
    jobs,
    when: (statement, behaviour) => void behaviours.push({ statement, behaviour }),
    refuse: (path, ...all) => void refusals.push({ path, all: [...all] }),
    answer: (path, body) => void answers.push({ path, body }),
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const refusal = (status: number, error: ErrorProto): [number, unknown] => [
  status,
  { error: { code: status, message: error.message, errors: [{ ...error, domain: 'global' }] } },
]

const bodyOf = async (request: IncomingMessage): Promise<Pick<Sent, 'body' | 'bytes'>> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const whole = Buffer.concat(chunks)
  const text = whole.toString('latin1')
  // An upload is two parts: what to do, and the file.
  const part = /^--[^\r]+\r\nContent-Type: application\/json\r\n\r\n([^]*?)\r\n--/.exec(text)?.[1]
  const json = Buffer.from(part ?? text, 'latin1').toString('utf8')
  return { body: json === '' ? {} : (JSON.parse(json) as Sent['body']), bytes: part === undefined ? 0 : whole.length }
}

/** What work was refused with, as the engine says it. */
export const refusalOf = async (work: Promise<unknown>): Promise<CdpError> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (isCdpError(error)) return error
  throw error
}

/** Passes its time at once, and keeps it. */
export const recordingClock = (): Clock & { readonly slept: number[] } => {
  const slept: number[] = []
  return {
    slept,
    now: () => 1_790_841_600_000 + slept.reduce((sum, ms) => sum + ms, 0),
    sleep: (ms, signal) => {
      signal?.throwIfAborted()
      slept.push(ms)
      return Promise.resolve()
    },
  }
}

export const openAt = (
  service: Service,
  options: Partial<OpenOptions> = {},
  settings: Partial<BigQuerySettings> = {},
): Promise<Warehouse> =>
  openWarehouse(bigquery({ project: 'lotus', location: 'asia-southeast1', apiEndpoint: service.url, ...settings }), {
    root: '/nowhere',
    mode: 'write',
    waitMs: 0,
    clock: recordingClock(),
    ...options,
  })
