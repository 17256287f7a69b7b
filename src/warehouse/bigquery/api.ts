// Requests to BigQuery's REST API through Google's client, which finds the credentials and signs. What is repeated, and after how
// long, is decided here: every request is one that may be sent twice, since jobs have ids of our own.
import { resolve as resolvePath } from 'node:path'
import type { BigQuery, BigQueryOptions } from '@google-cloud/bigquery'
import type { Clock } from '../../core/clock.ts'
import { CdpError } from '../../core/errors.ts'
import { restError } from './errors.ts'
import type { Target } from './settings.ts'

export interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  /** Below `/bigquery/v2/projects/<project>`; with `upload`, below `/upload/bigquery/v2/projects/<project>`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly body?: unknown
  /** Opens the file that is sent with the body, anew for each try. */
  readonly upload?: () => NodeJS.ReadableStream
  /** Also when the run was interrupted: what was begun must be brought to an end. */
  readonly anyway?: boolean
}

export interface Api {
  /** Repeats what is worth repeating; throws a RestError. */
  request<T>(call: Call): Promise<T>
  /** Once, for callers that judge a failure themselves. */
  once<T>(call: Call): Promise<T>
  /** Waits before try number `tries`, counted from 1; false when it is not worth another. `anyway`: does not stop when interrupted. */
  backOff(error: unknown, tries: number, anyway?: boolean): Promise<boolean>
}

// 0.5 s, 1 s, 2 s, … with jitter, about a minute in all; the service asks for exponential waits and counts every try.
const maximumTries = 7
const firstWaitMs = 500
const longestWaitMs = 30_000
// The client has no time-out of its own that works, and a connection may be lost without a word.
const silenceMs = 120_000

export const createApi = async (
  target: Target,
  root: string,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<Api> => {
  const client = await createClient(target, root)
  const once = <T>(call: Call): Promise<T> => send<T>(client, target, call)
  const backOff = async (thrown: unknown, tries: number, anyway = false): Promise<boolean> => {
    const error = restError(thrown)
    if (!error.transient || tries >= maximumTries) return false
    const wait = Math.min(longestWaitMs, firstWaitMs * 2 ** (tries - 1)) * (0.5 + Math.random() / 2)
    await clock.sleep(Math.max(wait, error.retryAfterMs ?? 0), anyway ? undefined : signal)
    return true
  }
  const request = async <T>(call: Call): Promise<T> => {
    for (let tries = 1; ; tries++) {
      if (call.anyway !== true) signal?.throwIfAborted()
      try {
        return await once<T>(call)
      } catch (error) {
        if (!(await backOff(error, tries, call.anyway))) throw error
      }
    }
  }
  return { request, once, backOff }
}

const createClient = async (target: Target, root: string): Promise<BigQuery> => {
  const { BigQuery } = await import('@google-cloud/bigquery')
  const options: BigQueryOptions = {
    projectId: target.project,
    location: target.location,
    ...(target.apiEndpoint === undefined ? {} : { apiEndpoint: target.apiEndpoint }),
    ...credentialsOf(target.credentials, root),
    // Its own repeats are not ours to see.
    autoRetry: false,
  }
  if (target.apiEndpoint?.startsWith('http:') === true) {
    const { PassThroughClient } = await import('google-auth-library')
    options.authClient = new PassThroughClient()
  }
  const client = new BigQuery(options)
  // The variable BIGQUERY_EMULATOR_HOST replaces the address even when one is given.
  client.baseUrl = `${client.apiEndpoint}/bigquery/v2`
  return client
}

/** As Google's clients take them; nothing for the application-default credentials. */
export const credentialsOf = (
  given: string | undefined,
  root: string,
): Pick<BigQueryOptions, 'credentials' | 'keyFilename'> => {
  if (given === undefined) return {}
  if (!given.trimStart().startsWith('{')) return { keyFilename: resolvePath(root, given) }
  try {
    return { credentials: JSON.parse(given) as NonNullable<BigQueryOptions['credentials']> }
  } catch (error) {
    throw new CdpError('WAREHOUSE_OPEN', { path: 'BigQuery', reason: 'its credentials are no JSON' }, { cause: error })
  }
}

const json = { 'Content-Type': 'application/json' }

const send = <T>(client: BigQuery, target: Target, call: Call): Promise<T> => {
  const query = Object.fromEntries(Object.entries(call.query ?? {}).filter(([, value]) => value !== undefined))
  // As text: in objects the client replaces what looks like its mark for a project, even inside a statement.
  const body = call.body === undefined ? undefined : JSON.stringify(call.body)
  const upload = call.upload
  const options = {
    method: call.method ?? 'GET',
    uri: upload ? `${client.apiEndpoint}/upload/bigquery/v2/projects/${target.project}${call.path}` : call.path,
    qs: upload ? { ...query, uploadType: 'multipart' } : query,
    ...(body !== undefined && !upload ? { body, headers: json } : {}),
    ...(upload
      ? {
          multipart: [
            { ...json, body },
            { 'Content-Type': 'application/octet-stream', body: upload() },
          ],
        }
      : {}),
  }
  return new Promise<T>((done, fail) => {
    const silence = setTimeout(() => fail(restError(new TypeError('no answer within two minutes'))), silenceMs)
    client.request(options as Parameters<BigQuery['request']>[0], (error: unknown, answer: unknown) => {
      clearTimeout(silence)
      if (error) fail(restError(error))
      else done(answer as T)
    })
  })
}
