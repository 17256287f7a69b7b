// Axios, wrapped once: one request out, one answer or one failure back. Loaded only with the first request.
import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  type RequestOptions,
  request as httpRequest,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { TLSSocket } from 'node:tls'
import axios, { AxiosError, type AxiosResponse } from 'axios'
import type { Clock } from '../core/clock.ts'
import { retryAfter } from './retry-after.ts'
import type { HttpFailure, HttpResponse, HttpResult } from './types.ts'

interface SenderSettings {
  readonly keepAlive: boolean
  readonly maxSockets: number
  readonly maxBytes: number
  readonly clock: Clock
  readonly hide: (text: string) => string
}

interface Sending {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

export interface Sender {
  send(sending: Sending): Promise<HttpResult>
  close(): void
}

export const makeSender = (settings: SenderSettings): Sender => {
  const pool = { keepAlive: settings.keepAlive, maxSockets: settings.maxSockets }
  const agents = { httpAgent: new HttpAgent(pool), httpsAgent: new HttpsAgent(pool) }
  const send = async (sending: Sending): Promise<HttpResult> => {
    const stop = new AbortController()
    const abort = (): void => stop.abort()
    const watch = watchSocket()
    let late = false
    const timer = setTimeout(() => {
      late = true
      stop.abort()
    }, sending.timeoutMs)
    if (sending.signal?.aborted) abort()
    sending.signal?.addEventListener('abort', abort, { once: true })
    try {
      const answer = await axios.request<string>({
        method: sending.method,
        url: sending.url,
        headers: {
          'user-agent': 'composable-cdp',
          ...(settings.keepAlive ? {} : { connection: 'close' }),
          ...sending.headers,
        },
        data: sending.body,
        adapter: 'http',
        ...agents,
        // A local server is never meant for the proxy of the environment.
        ...(isLoopback(sending.url) ? { proxy: false as const } : {}),
        transport: watch,
        signal: stop.signal,
        maxRedirects: 0,
        maxContentLength: settings.maxBytes,
        maxBodyLength: Infinity,
        responseType: 'text',
        transformRequest: [(data: unknown) => data],
        transformResponse: [(data: unknown) => data],
        validateStatus: () => true,
      })
      return toResponse(answer, settings.clock)
    } catch (thrown) {
      return toFailure(thrown, { late, ms: sending.timeoutMs, sent: watch.sent(), hide: settings.hide })
    } finally {
      clearTimeout(timer)
      sending.signal?.removeEventListener('abort', abort)
    }
  }
  return {
    send,
    close: () => {
      agents.httpAgent.destroy()
      agents.httpsAgent.destroy()
    },
  }
}

// Passes requests on to Node and remembers whether one byte can have reached the other side: before the connection stands, none has.
interface Watch {
  request(options: RequestOptions, done: (answer: IncomingMessage) => void): ClientRequest
  sent(): boolean
}

const watchSocket = (): Watch => {
  let sent = false
  const mark = (): void => {
    sent = true
  }
  return {
    sent: () => sent,
    request: (options, done) => {
      const request = (options.protocol === 'https:' ? httpsRequest : httpRequest)(options, done)
      request.once('response', mark)
      request.once('socket', (socket) => {
        const secure = socket instanceof TLSSocket
        const stands = secure ? Reflect.get(socket, 'secureConnecting') === false : !socket.connecting
        if (request.reusedSocket || stands) mark()
        else socket.once(secure ? 'secureConnect' : 'connect', mark)
      })
      return request
    },
  }
}

const isLoopback = (url: string): boolean => /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(new URL(url).hostname)

const toResponse = (answer: AxiosResponse<string>, clock: Clock): HttpResponse => {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined && value !== null)
      headers[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : String(value)
  }
  const text = answer.data ?? ''
  return {
    kind: 'response',
    status: answer.status,
    headers,
    text,
    ...parse(text),
    retryAfterMs: retryAfter(headers, clock.now()),
  }
}

// What the text is decides, not the content type: vendors mislabel both ways.
const parse = (text: string): { body: unknown; isJson: boolean } => {
  if (text.trim() === '') return { body: undefined, isJson: false }
  try {
    return { body: JSON.parse(text) as unknown, isJson: true }
  } catch {
    return { body: text, isJson: false }
  }
}

interface FailureFacts {
  readonly late: boolean
  readonly ms: number
  readonly sent: boolean
  readonly hide: (text: string) => string
}

const toFailure = (thrown: unknown, facts: FailureFacts): HttpFailure => {
  const code = codeOf(thrown)
  const failure = facts.late ? 'timeout' : kindOf(code, facts.sent)
  const said = thrown instanceof Error && thrown.message !== '' ? thrown.message : code
  const what: Record<HttpFailure['failure'], string> = {
    dns: `the host's name could not be resolved (${code})`,
    connect: `no connection could be made (${code})`,
    tls: `no secure connection could be made (${said})`,
    timeout: `no answer within ${facts.ms} ms`,
    reset: `the connection broke before the answer was whole (${code})`,
    aborted: 'the request was given up because the run is ending',
    answer: `the answer could not be read (${said})`,
  }
  return { kind: 'failure', failure, mayBeProcessed: facts.sent, reason: facts.hide(what[failure]) }
}

// Axios copies the code of the socket's error; several addresses of one host fail as an AggregateError.
const codeOf = (thrown: unknown): string => {
  if (typeof thrown !== 'object' || thrown === null) return 'unknown'
  if ('code' in thrown && typeof thrown.code === 'string') return thrown.code
  if ('errors' in thrown && Array.isArray(thrown.errors)) return codeOf(thrown.errors[0])
  if ('cause' in thrown) return codeOf(thrown.cause)
  return 'unknown'
}

const kindOf = (code: string, sent: boolean): HttpFailure['failure'] => {
  if (code === AxiosError.ERR_CANCELED) return 'aborted'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'dns'
  if (/CERT|TLS|SSL|SIGNED|EPROTO/.test(code)) return 'tls'
  if (!sent) return 'connect'
  if (code === AxiosError.ERR_BAD_RESPONSE || code.startsWith('Z_') || code.startsWith('HPE_')) return 'answer'
  return 'reset'
}
