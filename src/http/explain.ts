// One line that says how a request ended, for outcomes and errors.
import type { HttpClient, HttpResult } from './types.ts'

/**
 * `answered 400: Property values were not valid`, or why there was no answer. At most 300 characters, without credentials.
 *
 * @example
 * return { status: 'rejected', reason: explain(http, result) }
 */
export const explain = (client: HttpClient, result: HttpResult): string => {
  if (result.kind === 'failure') return result.reason
  const said = result.isJson ? messageIn(result.body) : textOf(result.text)
  return client.redact(`answered ${result.status}${said === '' ? '' : `: ${said}`}`).slice(0, 300)
}

// Where APIs put their words, in order of use.
const places = ['message', 'error_description', 'error', 'detail', 'title', 'reason', 'errors'] as const

const messageIn = (body: unknown, depth = 0): string => {
  if (typeof body === 'string') return textOf(body)
  if (typeof body !== 'object' || body === null || depth > 3) return ''
  if (Array.isArray(body)) return messageIn(body[0], depth + 1)
  const said = new Map<string, unknown>(Object.entries(body))
  for (const place of places) {
    const found = messageIn(said.get(place), depth + 1)
    if (found !== '') return found
  }
  return ''
}

const textOf = (text: string): string =>
  text
    .replaceAll(/<(script|style)[^>]*>.*?<\/\1>/gis, ' ')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
