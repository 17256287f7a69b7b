// What an HTTP request and its end are, as plain data.
import type { Clock } from '../core/clock.ts'
import type { Setting } from '../core/secret.ts'

export interface HttpClientSettings {
  /** Where paths start. User and password in it become a Basic authorization header. */
  readonly baseUrl: Setting
  /** Sent with every request; a value from the environment is read when the client is made. */
  readonly headers?: Readonly<Record<string, Setting>>
  /** For one request, from its start to the last byte of its answer; default 30,000. */
  readonly timeoutMs?: number
  /** Whether connections are used again; default true. Without, no request can meet a connection that its server is just closing. */
  readonly keepAlive?: boolean
  /** Connections at once; default 16. */
  readonly maxSockets?: number
  /** Bytes of one answer; default 64 MiB. */
  readonly maxBytes?: number
  /** Values never shown in a message, besides credential headers and what came from the environment. */
  readonly secrets?: readonly string[]
  readonly clock?: Clock
}

export interface HttpRequest {
  /** Default GET, or POST when there is a body. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Appended to the base; or a whole URL of the same origin (a next-page link). */
  readonly path?: string
  /** `undefined` is left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  /** A string is sent as it is; anything else as JSON. */
  readonly body?: unknown
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

/** An answer, of whatever status. A redirect is one too: it is not followed. */
export interface HttpResponse {
  readonly kind: 'response'
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** The parsed JSON; the text when it is none; undefined when it is empty or blank. */
  readonly body: unknown
  readonly isJson: boolean
  /** What `Retry-After`, or else a rate-limit header, asks for. */
  readonly retryAfterMs: number | undefined
}

/** No answer, or half of one. */
export interface HttpFailure {
  readonly kind: 'failure'
  readonly failure: 'dns' | 'connect' | 'tls' | 'timeout' | 'reset' | 'aborted' | 'answer'
  /** False: nothing was sent. True: the other side may have read and processed the request. */
  readonly mayBeProcessed: boolean
  /** One line for people, without credentials. */
  readonly reason: string
}

export type HttpResult = HttpResponse | HttpFailure

export interface HttpClient {
  /** Never throws for an answer or for a failure of the network. */
  request(request: HttpRequest): Promise<HttpResult>
  /** The text without this client's credentials and without values of the environment. */
  redact(text: string): string
  /** Closes idle connections. */
  close(): void
}
