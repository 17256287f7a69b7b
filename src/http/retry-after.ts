// How long an answer asks to wait, in whatever form it says so.

const resets = ['x-ratelimit-reset', 'x-rate-limit-reset', 'ratelimit-reset', 'x-ratelimit-reset-after'] as const

/**
 * Milliseconds to wait, or undefined when the answer does not say.
 * `Retry-After` (RFC 9110 §10.2.3: seconds, or a date, which is measured against the answer's own `Date` because clocks differ)
 * comes first; then a rate limit's reset, which vendors write as seconds to wait, as seconds or milliseconds since 1970, or as a date.
 */
export const retryAfter = (headers: Readonly<Record<string, string>>, now: number): number | undefined => {
  const theirs = Date.parse(headers['date'] ?? '')
  const clock = Number.isNaN(theirs) ? now : theirs
  return waitOf(headers['retry-after'], clock) ?? resetOf(headers, clock)
}

const resetOf = (headers: Readonly<Record<string, string>>, clock: number): number | undefined => {
  // A limit that has calls left says when it starts anew, not that one must wait.
  const remaining =
    headers['x-ratelimit-remaining'] ?? headers['x-rate-limit-remaining'] ?? headers['ratelimit-remaining']
  if (remaining !== undefined && Number(remaining) > 0) return undefined
  for (const name of resets) {
    const wait = waitOf(headers[name], clock)
    if (wait !== undefined) return wait
  }
  return undefined
}

const waitOf = (text: string | undefined, clock: number): number | undefined => {
  const value = text?.trim()
  if (value === undefined || value === '') return undefined
  if (/^-?\d+(?:\.\d+)?$/.test(value)) {
    const number = Number(value)
    if (number > 1e11) return Math.max(0, Math.round(number - clock))
    if (number > 1e9) return Math.max(0, Math.round(number * 1000 - clock))
    return Math.max(0, Math.round(number * 1000))
  }
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, at - clock)
}
