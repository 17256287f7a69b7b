// The one HTTP client of the product: connectors talk to the network through it and through nothing else.
// It retries nothing: for destinations that is the engine's, for sources see retry.ts. Axios is loaded with the first request.
import { systemClock } from '../core/clock.ts'
import { CdpError } from '../core/errors.ts'
import { redact, resolve } from '../core/secret.ts'
import type { Sender } from './send.ts'
import type { HttpClient, HttpClientSettings, HttpRequest } from './types.ts'

/**
 * A client for one base URL. Settings from the environment are read now; a bad one is HTTP_SETTING.
 *
 * @example
 * const http = httpClient({ baseUrl: 'https://api.example.com', headers: { authorization: env('API_TOKEN') } })
 * const result = await http.request({ path: '/v1/contacts', body: { email: 'an@example.com' } })
 * const wait = result.kind === 'response' && result.status === 429 ? result.retryAfterMs : undefined
 */
export const httpClient = (settings: HttpClientSettings): HttpClient => {
  const base = parseBase(resolve(settings.baseUrl))
  const headers = headersOf(settings, base)
  const hidden = hiddenIn(settings, headers, base)
  base.username = ''
  base.password = ''
  const hide = (text: string): string =>
    redact(hidden.reduce((out, value) => out.replaceAll(value, '[redacted]'), text))
  let sender: Promise<Sender> | undefined
  const start = async (): Promise<Sender> => {
    const { makeSender } = await import('./send.ts')
    return makeSender({
      keepAlive: settings.keepAlive ?? true,
      maxSockets: settings.maxSockets ?? 16,
      maxBytes: settings.maxBytes ?? 64 * 1024 * 1024,
      clock: settings.clock ?? systemClock,
      hide,
    })
  }
  return {
    request: async (request) => {
      sender ??= start()
      const body = bodyOf(request.body)
      return (await sender).send({
        method: request.method ?? (body === undefined ? 'GET' : 'POST'),
        url: urlOf(base, request),
        headers: {
          ...(typeof request.body === 'string' ? {} : jsonHeaders(body)),
          ...headers,
          ...lower(request.headers),
        },
        body,
        timeoutMs: request.timeoutMs ?? settings.timeoutMs ?? 30_000,
        signal: request.signal,
      })
    },
    redact: hide,
    close: () => {
      void sender?.then(
        (made) => made.close(),
        () => undefined,
      )
    },
  }
}

const parseBase = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new CdpError('HTTP_SETTING', { setting: 'the URL', problem: 'it does not start with http:// or https://' })
}

const lower = (headers: HttpRequest['headers'] = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

// A token pasted with its line break is the commonest bad setting; what remains unsendable is named, not shown.
const headersOf = (settings: HttpClientSettings, base: URL): Record<string, string> => {
  const out: Record<string, string> = {}
  if (base.username !== '' || base.password !== '') {
    const pair = `${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`
    out['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`
  }
  for (const [name, setting] of Object.entries(settings.headers ?? {})) {
    const value = resolve(setting).trim()
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      throw new CdpError('HTTP_SETTING', {
        setting: `the header "${name}"`,
        problem: 'it holds a character that no header may hold',
      })
    }
    out[name.toLowerCase()] = value
  }
  return out
}

// Whole values and their parts ("Bearer x" hides x too); short words would redact ordinary text.
const hiddenIn = (settings: HttpClientSettings, headers: Record<string, string>, base: URL): string[] => {
  const found = [base.username, base.password, decodeURIComponent(base.password), ...(settings.secrets ?? [])]
  for (const [name, value] of Object.entries(headers)) {
    if (/auth|token|secret|key|cookie|password|signature/i.test(name)) found.push(value, ...value.split(' ').slice(1))
  }
  for (const [name, value] of base.searchParams) {
    if (/auth|token|secret|key|password|signature|sig$/i.test(name)) found.push(value, encodeURIComponent(value))
  }
  return [...new Set(found.filter((value) => value.length >= 4))].toSorted((a, b) => b.length - a.length)
}

const bodyOf = (body: unknown): string | undefined =>
  body === undefined || typeof body === 'string' ? body : JSON.stringify(body)

const jsonHeaders = (body: string | undefined): Record<string, string> => ({
  accept: 'application/json',
  ...(body === undefined ? {} : { 'content-type': 'application/json' }),
})

// A link to another origin would carry the credentials there.
const urlOf = (base: URL, request: HttpRequest): string => {
  const path = request.path ?? ''
  let url: URL
  if (/^https?:\/\//i.test(path)) {
    url = new URL(path)
    if (url.origin !== base.origin) {
      throw new CdpError('HTTP_SETTING', {
        setting: `a link to ${url.origin}`,
        problem: `requests go only to ${base.origin}`,
      })
    }
  } else {
    const [pathname = '', query] = path.split('?', 2)
    url = new URL(base)
    url.pathname =
      pathname === '' ? base.pathname : `${base.pathname.replace(/\/$/, '')}/${pathname.replace(/^\//, '')}`
    for (const [name, value] of new URLSearchParams(query)) url.searchParams.append(name, value)
  }
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return url.href
}
