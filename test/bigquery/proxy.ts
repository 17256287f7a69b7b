// A server on loopback between Google's client and the stand-in: it keeps what was sent, lets a judge look at it first, and fails the way
// the service and the way to it fail.
import { once } from 'node:events'
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface JobSent {
  readonly id: string
  readonly query: string | undefined
  readonly parameters: readonly ParameterSent[]
  readonly labels: Readonly<Record<string, string>>
  readonly load: Readonly<Record<string, unknown>> | undefined
  readonly dryRun: boolean
}

export interface ParameterSent {
  readonly name?: string
  readonly parameterType?: ParameterType
}

export interface ParameterType {
  readonly type: string
  readonly arrayType?: ParameterType
  readonly structTypes?: readonly { readonly name: string; readonly type: ParameterType }[]
}

export interface Seen {
  readonly method: string
  readonly project: string
  /** Below the project: `/jobs`, `/queries/<id>`, `/datasets/cdp/tables`. */
  readonly path: string
  readonly query: URLSearchParams
  readonly body: Readonly<Record<string, unknown>> | undefined
  readonly upload: boolean
  readonly bytes: number
  /** Of `jobs.insert`, dry runs too. */
  readonly job: JobSent | undefined
  /** The status that was answered, by the stand-in or in its stead; `cut`, `lost` or `torn` when nobody was told. */
  answered: number | 'cut' | 'lost' | 'torn' | undefined
  /** Whether it reached the stand-in whole, and what that said. */
  forwarded: number | undefined
}

export interface ErrorSaid {
  readonly status: number
  readonly reason: string
  readonly message?: string
}

/**
 * `cut`: the connection is reset before anything of the request arrives. `lost`: it arrives, and the answer does not. `torn`: half of the
 * body arrives. `job fails`: the job is taken, never runs, and its result is `backendError`. Otherwise the answer itself.
 */
export type Fault = 'cut' | 'lost' | 'torn' | 'job fails' | ErrorSaid

/** Asked before a request goes on. The first that says something decides. */
export type Hook = (seen: Seen) => Promise<Fault | undefined> | Fault | undefined

export interface Proxy {
  /** Of the REST API, for `apiEndpoint`. */
  readonly url: string
  readonly seen: readonly Seen[]
  /** Returns a function that takes the hook away. */
  hook(hook: Hook): () => void
  /** The next requests that match fail, one fault each. */
  fail(matches: (seen: Seen) => boolean, ...faults: readonly Fault[]): void
  /** Faults that `fail` was given and nobody met. */
  unmet(): number
  /** Forgets what was seen. */
  clear(): void
  close(): Promise<void>
}

/** How often the stand-in was told to do a job, by what the job is: its id without the number of the attempt. */
export const timesRun = (seen: readonly Seen[]): ReadonlyMap<string, number> => {
  const times = new Map<string, number>()
  for (const { job, forwarded } of seen) {
    if (job === undefined || job.dryRun || forwarded !== 200) continue
    const work = job.id.replace(/(-[0-9a-f]{12})-\d+$/, '$1')
    times.set(work, (times.get(work) ?? 0) + 1)
  }
  return times
}

export const startProxy = async (target: string): Promise<Proxy> => {
  const to = new URL(target)
  const seen: Seen[] = []
  const hooks: Hook[] = []
  const planned: { readonly matches: (one: Seen) => boolean; readonly faults: Fault[] }[] = []
  const failing = new Map<string, JobSent>()

  const faultOf = async (one: Seen): Promise<Fault | undefined> => {
    for (const hook of hooks) {
      const said = await hook(one)
      if (said !== undefined) return said
    }
    const found = planned.find(({ faults, matches }) => faults.length > 0 && matches(one))
    return found?.faults.shift()
  }

  const forward = (incoming: IncomingMessage, body: Buffer, half = false): Promise<Answer> =>
    new Promise((done, fail) => {
      const headers = { ...incoming.headers, host: to.host, 'content-length': String(body.length) }
      delete headers['transfer-encoding']
      const outgoing = send({ host: to.hostname, port: to.port, method: incoming.method, path: incoming.url, headers })
      outgoing.once('error', fail)
      outgoing.once('response', (response) => {
        done(bodyOf(response).then((text) => ({ response, body: text })))
      })
      if (!half) outgoing.end(body)
      else outgoing.write(body.subarray(0, body.length >> 1), () => setTimeout(() => outgoing.destroy(torn), 50))
    })

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = await bodyOf(incoming)
    const one = seenOf(incoming, body)
    seen.push(one)
    const known = failing.get(one.path.split('/')[2] ?? '')
    if (known) {
      one.answered = answerOfFailed(outgoing, one, known)
      return
    }
    const fault = await faultOf(one)
    if (fault === 'cut') {
      one.answered = 'cut'
      incoming.socket.destroy()
    } else if (fault === 'torn') {
      one.answered = 'torn'
      await forward(incoming, body, true).catch(() => undefined)
      incoming.socket.destroy()
    } else if (fault === 'job fails' && one.job) {
      failing.set(one.job.id, one.job)
      one.answered = answerOfFailed(outgoing, one, one.job)
    } else if (typeof fault === 'object') {
      one.answered = refuse(outgoing, fault)
    } else {
      const answer = await forward(incoming, body)
      one.forwarded = answer.response.statusCode
      if (fault === 'lost') {
        one.answered = 'lost'
        incoming.socket.destroy()
        return
      }
      one.answered = one.forwarded
      const headers = { ...answer.response.headers }
      delete headers['transfer-encoding']
      delete headers.connection
      outgoing.writeHead(one.forwarded ?? 502, { ...headers, 'content-length': answer.body.length })
      outgoing.end(answer.body)
    }
  }

  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch((thrown: unknown) => {
      if (outgoing.headersSent) outgoing.destroy()
      else refuse(outgoing, { status: 502, reason: 'backendError', message: `the proxy: ${String(thrown)}` })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    hook: (hook) => {
      hooks.push(hook)
      return () => void hooks.splice(hooks.indexOf(hook), 1)
    },
    fail: (matches, ...faults) => void planned.push({ matches, faults: [...faults] }),
    unmet: () => planned.reduce((sum, { faults }) => sum + faults.length, 0),
    clear: () => {
      seen.length = 0
      planned.length = 0
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

interface Answer {
  readonly response: IncomingMessage
  readonly body: Buffer
}

const torn = new Error('torn')

const bodyOf = async (stream: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

interface InsertBody {
  readonly jobReference?: { readonly jobId?: string }
  readonly configuration?: {
    readonly query?: { readonly query?: string; readonly queryParameters?: readonly ParameterSent[] }
    readonly load?: Readonly<Record<string, unknown>>
    readonly labels?: Readonly<Record<string, string>>
    readonly dryRun?: boolean
  }
}

const seenOf = (incoming: IncomingMessage, raw: Buffer): Seen => {
  const address = new URL(incoming.url ?? '/', 'http://proxy')
  const upload = address.pathname.startsWith('/upload/')
  const [, project = '', path = ''] = /\/projects\/([^/]+)(\/.*)?$/.exec(decodeURIComponent(address.pathname)) ?? []
  const body = jsonOf(upload ? firstPart(incoming.headers['content-type'] ?? '', raw) : raw.toString('utf8'))
  const { jobReference, configuration } = (body ?? {}) as InsertBody
  const isJob = incoming.method === 'POST' && path === '/jobs'
  return {
    method: incoming.method ?? '',
    project,
    path,
    query: address.searchParams,
    body,
    upload,
    bytes: raw.length,
    job: isJob
      ? {
          id: jobReference?.jobId ?? '',
          query: configuration?.query?.query,
          parameters: configuration?.query?.queryParameters ?? [],
          labels: configuration?.labels ?? {},
          load: configuration?.load,
          dryRun: configuration?.dryRun === true,
        }
      : undefined,
    answered: undefined,
    forwarded: undefined,
  }
}

const jsonOf = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    return text === '' ? undefined : (JSON.parse(text) as Readonly<Record<string, unknown>>)
  } catch {
    return undefined
  }
}

// Of `multipart/related`: the job is in the first part, the file in the second.
const firstPart = (contentType: string, raw: Buffer): string => {
  const boundary = /boundary="?([^";]+)/.exec(contentType)?.[1] ?? ''
  const head = raw.subarray(0, 100_000).toString('utf8').split(`--${boundary}`)[1] ?? ''
  return head.slice(head.search(/\r?\n\r?\n/)).trim()
}

const refuse = (outgoing: ServerResponse, { status, reason, message = `answered ${reason}` }: ErrorSaid): number =>
  reply(outgoing, status, { error: { code: status, message, errors: [{ reason, message, domain: 'global' }] } })

const reply = (outgoing: ServerResponse, status: number, body: unknown): number => {
  outgoing.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' })
  outgoing.end(JSON.stringify(body))
  return status
}

const backendError = { reason: 'backendError', message: 'An internal error occurred; the job was not completed' }

// What the service says of a job that it took and could not do.
const answerOfFailed = (outgoing: ServerResponse, one: Seen, job: JobSent): number => {
  if (one.path.startsWith('/queries/')) return refuse(outgoing, { status: 503, ...backendError })
  const done = one.method === 'GET'
  return reply(outgoing, 200, {
    jobReference: { projectId: one.project, jobId: job.id },
    configuration: job.load ? { load: job.load } : { query: { query: job.query } },
    status: done ? { state: 'DONE', errorResult: backendError, errors: [backendError] } : { state: 'PENDING' },
  })
}
