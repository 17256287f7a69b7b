// Retry for reads. Sources use it; destinations do not, because only the engine knows what may be sent twice.
import { systemClock, type Clock } from '../core/clock.ts'
import type { HttpClient, HttpRequest, HttpResult } from './types.ts'

export interface RetrySettings {
  /** Tries in all; default 5. */
  readonly attempts?: number
  /** Bound of the first wait, doubled each time; default 500. */
  readonly baseMs?: number
  /** Bound of a wait, also of one that is asked for: what asks for more ends the tries; default 60,000. */
  readonly maxMs?: number
  readonly clock?: Clock
  /** From 0 to 1, for jitter. */
  readonly random?: () => number
}

/** True when the same read may go well later: no answer, 408, 423, 425, 429, and 5xx except 501. */
export const isTransient = (result: HttpResult): boolean =>
  result.kind === 'failure'
    ? result.failure !== 'aborted'
    : [408, 423, 425, 429].includes(result.status) || (result.status >= 500 && result.status !== 501)

/**
 * Repeats a read until it is answered for good or the tries are used up, and returns the last result.
 * Waits as long as the answer asks (`Retry-After`), else a random time below a doubling bound.
 * Rejects only with the signal's reason.
 *
 * @example
 * const result = await requestWithRetry(http, { path: '/orders', query: { page: 3 }, signal }, { clock })
 */
export const requestWithRetry = async (
  client: HttpClient,
  request: HttpRequest,
  settings: RetrySettings = {},
): Promise<HttpResult> => {
  const { attempts = 5, baseMs = 500, maxMs = 60_000, clock = systemClock, random = Math.random } = settings
  for (let attempt = 1; ; attempt++) {
    const result = await client.request(request)
    request.signal?.throwIfAborted()
    if (attempt >= attempts || !isTransient(result)) return result
    const asked = result.kind === 'response' ? result.retryAfterMs : undefined
    if (asked !== undefined && asked > maxMs) return result
    await clock.sleep(asked ?? Math.ceil(random() * Math.min(maxMs, baseMs * 2 ** (attempt - 1))), request.signal)
  }
}
