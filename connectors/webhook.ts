// A destination for any system that can take a POST: batches of changes, signed, with an answer that may speak of single rows.
// The request and what each answer means are in docs/destinations/webhook.md.
import { createHmac } from 'node:crypto'
import { z } from 'zod'
import {
  CdpError,
  defineDestination,
  explain,
  httpClient,
  isSecret,
  resolve,
  type Change,
  type Destination,
  type HttpClient,
  type HttpResponse,
  type HttpResult,
  type Limits,
  type Outcome,
  type Setting,
  type WriteContext,
  type WriteResult,
} from 'composable-cdp'

export interface WebhookSettings {
  readonly url: Setting
  /** Signs each request: `cdp-signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`. */
  readonly secret?: Setting
  /** Sent with each request, for receivers that ask for a token. */
  readonly headers?: Readonly<Record<string, Setting>>
  /** Changes in a request; default 100. */
  readonly batch?: number
  /** Bytes of changes in a request; default 1,000,000. */
  readonly bytes?: number
  /** Requests at once; default 4. */
  readonly inFlight?: number
  /** Requests in a span of time; default as fast as they are answered. */
  readonly rate?: Limits['rate']
  /** `rows`: only rows that the answer names were taken; the others are unknown. */
  readonly confirm?: 'rows'
  /** `message`: what a row causes must not happen twice, so that only what surely was not taken is sent again. */
  readonly semantics?: 'state' | 'message'
  /** For one request; default 30,000. */
  readonly timeoutMs?: number
}

/**
 * POSTs changes as JSON to a URL.
 *
 * @example
 * to: webhook({ url: env('AUDIENCE_URL'), secret: env('AUDIENCE_SECRET') })
 */
export const webhook = (settings: WebhookSettings): Destination => {
  const message = settings.semantics === 'message'
  const target = shownUrl(settings.url)
  const batch = settings.batch ?? 100
  return defineDestination<string, string>({
    name: 'webhook',
    target,
    modes: ['upsert', 'update', 'insert', 'mirror', 'append'],
    semantics: message ? 'message' : 'state',
    takes: 'changes',
    confirmation: settings.confirm ?? 'none',
    repeatable: message ? 'never' : 'always',
    limits: {
      batch,
      bytes: settings.bytes ?? 1_000_000,
      inFlight: settings.inFlight ?? 4,
      ...(settings.rate ? { rate: settings.rate } : {}),
    },
    key: z.record(z.string(), z.unknown()),
    record: z.record(z.string(), z.unknown()),
    settings: [settings.url, settings.secret, ...Object.values(settings.headers ?? {})],
    open: () => {
      const secret = settings.secret === undefined ? undefined : resolve(settings.secret)
      const http = httpClient({
        baseUrl: settings.url,
        headers: settings.headers ?? {},
        timeoutMs: settings.timeoutMs ?? 30_000,
        // A connection used again may be closing just then, which would leave messages unknown.
        keepAlive: !message,
        secrets: secret === undefined ? [] : [secret],
      })
      const redirected = new Set<string>()
      return Promise.resolve({
        write: async (changes, context) => {
          if (changes.length > batch) return { refused: `${changes.length} changes are more than ${batch}` }
          const result = await http.request(requestOf(changes, context, secret))
          return outcomesOf({ http, result, changes, message, confirm: settings.confirm, redirected, target })
        },
        close: () => Promise.resolve(http.close()),
      })
    },
  })
}

// The host and path of a URL that is in the config; one from the environment stays hidden.
const shownUrl = (setting: Setting): string => {
  if (isSecret(setting) || !URL.canParse(setting)) return String(setting)
  const url = new URL(setting)
  return `${url.origin}${url.pathname === '/' ? '' : url.pathname}`
}

const requestOf = (changes: readonly Change[], context: WriteContext, secret: string | undefined) => {
  const body = JSON.stringify({
    sync: context.sync,
    run: context.run,
    changes: changes.map(({ operation, id, key, record }) =>
      operation === 'remove' ? { op: operation, id, key } : { op: operation, id, key, record },
    ),
  })
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'idempotency-key': context.idempotencyKey,
  }
  if (secret !== undefined) {
    const time = Math.floor(context.clock.now() / 1000)
    const digest = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')
    headers['cdp-signature'] = `t=${time},v1=${digest}`
  }
  return { method: 'POST', headers, body, signal: context.signal } as const
}

interface Answered {
  readonly http: HttpClient
  readonly result: HttpResult
  readonly changes: readonly Change[]
  readonly message: boolean
  readonly confirm: 'rows' | undefined
  /** Ids of changes that met a redirect before. */
  readonly redirected: Set<string>
  readonly target: string
}

const outcomesOf = (answered: Answered): WriteResult => {
  const { http, result, changes, message } = answered
  const reason = explain(http, result)
  const all = (outcome: Outcome): Outcome[] => changes.map(() => outcome)
  // Whether it was taken cannot be known: a state is written again, a message is not.
  const doubtful = (why: string): Outcome[] =>
    all(message ? { status: 'unknown', reason: why } : { status: 'retry', reason: why })
  if (result.kind === 'failure') {
    return result.mayBeProcessed ? doubtful(reason) : all({ status: 'retry', reason })
  }
  const { status } = result
  if (status >= 200 && status < 300) return taken(answered, result, doubtful)
  if (status === 401 || status === 403) {
    throw new CdpError('DESTINATION_AUTH', { destination: 'webhook', target: answered.target, reason })
  }
  if (status === 423 || status === 429) return all(later(reason, result))
  if (status >= 300 && status < 400) return redirect(answered, doubtful)
  if (status === 408 || (status >= 500 && status !== 501))
    return message ? doubtful(reason) : all(later(reason, result))
  return { refused: reason }
}

const later = (reason: string, { retryAfterMs }: HttpResponse): Outcome => ({
  status: 'retry',
  reason,
  ...(retryAfterMs === undefined ? {} : { afterMs: retryAfterMs }),
})

// The body would go to a place nobody named. One more try, for a load balancer in between; then it is refused.
const redirect = (
  { changes, redirected, result, message }: Answered,
  doubtful: (why: string) => Outcome[],
): Outcome[] => {
  const place = result.kind === 'response' ? (result.headers['location'] ?? '') : ''
  const reason = `answered with a redirect${URL.canParse(place) ? ` to ${shownUrl(place)}` : ''}, which is not followed: write the final URL in \`url\``
  if (message) return doubtful(reason)
  return changes.map(({ id }) => {
    if (redirected.has(id)) return { status: 'rejected', reason }
    redirected.add(id)
    return { status: 'retry', reason }
  })
}

const taken = (answered: Answered, result: HttpResponse, doubtful: (why: string) => Outcome[]): Outcome[] => {
  const { http, changes, confirm } = answered
  const unnamed: Outcome =
    confirm === 'rows' ? { status: 'unknown', reason: 'the answer does not name this row' } : { status: 'delivered' }
  if (result.body === undefined) return changes.map(() => unnamed)
  if (!result.isJson) return doubtful(`${explain(http, result)} (not JSON, so nothing was taken)`)
  const answer = answerSchema.safeParse(result.body)
  if (!answer.success) return changes.map(() => unnamed)
  if (answer.data.ok === false) return changes.map(() => later(explain(http, result), result))
  const outcomes: Outcome[] = changes.map(() => unnamed)
  for (const entry of answer.data.results ?? []) {
    const row = rowSchema.safeParse(entry)
    if (!row.success || row.data.index >= outcomes.length) continue
    outcomes[row.data.index] = rowOutcome(http, row.data)
  }
  return outcomes
}

const answerSchema = z.object({ ok: z.unknown().optional(), results: z.array(z.unknown()).optional() })
const rowSchema = z.object({ index: z.int().min(0), status: z.string(), reason: z.string().optional() })

const rowOutcome = (http: HttpClient, row: z.infer<typeof rowSchema>): Outcome => {
  const reason = http.redact(row.reason ?? 'the receiver gave no reason').slice(0, 300)
  if (row.status === 'delivered') return { status: 'delivered' }
  if (row.status === 'rejected' || row.status === 'retry') return { status: row.status, reason }
  return { status: 'unknown', reason: `the receiver says "${row.status.slice(0, 40)}", which is no known status` }
}
