// What the service and the way to it answer instead of a result, as errors a person can act on.
import { CdpError } from '../../core/errors.ts'

/** One entry of the service's `errors`, and `status.errorResult` of a job. */
export interface ErrorProto {
  readonly reason?: string
  readonly message?: string
  readonly location?: string
}

// Server errors and limits on rates, by the service's names; `quotaExceeded` does not pass by waiting.
const passingReasons = new Set([
  'backendError',
  'internalError',
  'rateLimitExceeded',
  'jobRateLimitExceeded',
  'jobBackendError',
  'jobInternalError',
  'userRateLimitExceeded',
])
const passingStatuses = new Set([408, 429, 500, 502, 503, 504])

/** A refused request, or one that got no answer. Never leaves this folder. */
export class RestError extends Error {
  /** Undefined when there was no answer. */
  readonly status: number | undefined
  readonly reason: string
  /** May be repeated. */
  readonly transient: boolean
  /** The credential is missing, refused, or not allowed to do this. */
  readonly auth: boolean
  readonly retryAfterMs: number | undefined
  /** A job ended with it; otherwise a request did. */
  readonly ofJob: boolean

  constructor(
    message: string,
    facts: Pick<RestError, 'status' | 'reason' | 'transient' | 'auth' | 'retryAfterMs' | 'ofJob'>,
    cause: unknown,
  ) {
    super(message, { cause })
    this.name = 'RestError'
    this.status = facts.status
    this.reason = facts.reason
    this.transient = facts.transient
    this.auth = facts.auth
    this.retryAfterMs = facts.retryAfterMs
    this.ofJob = facts.ofJob
  }
}

interface Thrown {
  readonly code?: number | string
  readonly message?: string
  readonly errors?: readonly ErrorProto[]
  readonly response?: {
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: unknown
    readonly request?: unknown
  }
}

const networkCodes = /^(?:E[A-Z_]+|UND_ERR_.*|ERR_STREAM_PREMATURE_CLOSE)$/

/** Whatever the client threw. Its message gathers all errors and their advice; the first says what happened. */
export const restError = (thrown: unknown): RestError => {
  if (thrown instanceof RestError) return thrown
  const { code, message, errors, response } = (thrown ?? {}) as Thrown
  const [first] = errors ?? []
  const status = typeof code === 'number' ? code : undefined
  const reason = first?.reason ?? ''
  const text = first?.message ?? message ?? String(thrown)
  const unsigned =
    /could not load the default credentials|invalid_grant|invalid_client|unable to detect a project id|no such file|ENOENT/i.test(
      text,
    )
  const unanswered =
    status === undefined &&
    !unsigned &&
    (networkCodes.test(String(code)) ||
      thrown instanceof TypeError ||
      /socket|network|premature|timeout|fetch/i.test(text))
  const retryAfter = Number(response?.headers?.['retry-after'])
  return new RestError(
    text,
    {
      status,
      reason,
      transient:
        passingReasons.has(reason) ||
        (reason === '' && status !== undefined && passingStatuses.has(status)) ||
        (status !== undefined && status >= 500) ||
        status === 429 ||
        unanswered,
      auth:
        unsigned ||
        status === 401 ||
        (status === 403 && /^(?:accessDenied|insufficientPermissions|forbidden|authError)$/.test(reason)),
      retryAfterMs: Number.isFinite(retryAfter) ? retryAfter * 1000 : undefined,
      ofJob: false,
    },
    thrown,
  )
}

/** What a COMMIT throws: without an answer nobody knows whether it took effect. */
export const uncertain = (thrown: unknown): unknown =>
  thrown instanceof RestError && thrown.transient && !thrown.ofJob
    ? new RestError(`${thrown.message}; whether the transaction took effect is not known`, thrown, thrown)
    : thrown

// Two that changed the same rows at the same time: of one statement, and of a transaction.
const conflict = /could not serialize access|aborted due to concurrent update/i

/** The same of a job that ended with an error. */
export const jobError = (error: ErrorProto): RestError => {
  const reason = error.reason ?? ''
  const facts = {
    status: undefined,
    reason,
    transient: passingReasons.has(reason) || conflict.test(error.message ?? ''),
    auth: reason === 'accessDenied',
    retryAfterMs: undefined,
    ofJob: true,
  }
  return new RestError(error.message ?? 'the job failed and gave no reason', facts, undefined)
}

interface Failed {
  readonly sql: string
  /** `project:location.id`, where there was a job. */
  readonly job: string | undefined
  /** From an offset in what was sent to one in `sql`. */
  readonly place?: (offset: number) => number
  readonly sent?: string
  readonly maximumBytesBilled?: string | undefined
}

/** QUERY_FAILED, QUERY_COST, WAREHOUSE_AUTH or WAREHOUSE_BUSY; what is no RestError stays as it is. */
export const statementError = (thrown: unknown, failed: Failed, target: string): unknown => {
  if (!(thrown instanceof RestError)) return thrown
  const { message, place } = placed(thrown.message, failed)
  const named = [thrown.reason, failed.job === undefined ? '' : `job ${failed.job}`].filter((part) => part !== '')
  const reason = named.length > 0 ? `${message} (${named.join(', ')})` : message
  const context = { cause: thrown }
  if (thrown.auth) return new CdpError('WAREHOUSE_AUTH', { target, reason }, context)
  if (thrown.transient) return new CdpError('WAREHOUSE_BUSY', { target, reason }, context)
  if (thrown.reason === 'bytesBilledLimitExceeded') {
    const needed = /(\d+) or higher required/.exec(thrown.message)?.[1]
    const facts = { limit: failed.maximumBytesBilled ?? '', needed: needed ?? '', sql: failed.sql }
    return new CdpError('QUERY_COST', facts, context)
  }
  return new CdpError('QUERY_FAILED', { reason, sql: failed.sql, ...place }, context)
}

// `Unrecognized name: x at [2:13]`. Columns count code points, and a tab reaches to the next multiple of eight.
const placed = (
  message: string,
  failed: Failed,
): { readonly message: string; readonly place: { readonly line?: number; readonly column?: number } } => {
  const found = /\s*\bat \[(\d+):(\d+)\]\s*$/.exec(message)
  if (!found) return { message, place: {} }
  const sent = failed.sent ?? failed.sql
  const offset = offsetOf(sent, Number(found[1]), Number(found[2]))
  const before = failed.sql.slice(0, failed.place?.(offset) ?? offset)
  const line = before.split('\n').length
  const column = Array.from(before.slice(before.lastIndexOf('\n') + 1)).length + 1
  return { message: message.slice(0, found.index), place: { line, column } }
}

const tab = 8

const offsetOf = (sql: string, line: number, column: number): number => {
  const lines = sql.split('\n')
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0)
  let at = 1
  let offset = start
  for (const letter of lines[line - 1] ?? '') {
    if (at >= column) break
    at = letter === '\t' ? at + tab - ((at - 1) % tab) : at + 1
    offset += letter.length
  }
  return offset
}
