// JSON over HTTP as a source: REST APIs with the common ways of paging, a cursor parameter, a rate limit and retries of what passes.
import {
  CdpError,
  createPager,
  defineSource,
  explain,
  httpClient,
  isTransient,
  parseJson,
  recordsIn,
  requestWithRetry,
  resolve,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  type HttpResult,
  type Page,
  type PageCall,
  type Pagination,
  type ReadContext,
  type Setting,
  type Source,
  type StreamSettings,
} from 'composable-cdp'

export interface HttpStream extends StreamSettings {
  /** Below `baseUrl`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean>>
  /** Default GET, or POST where there is a body. */
  readonly method?: 'GET' | 'POST'
  readonly body?: Readonly<Record<string, unknown>>
  /** Path to the records in an answer (`data.items`); default the answer itself, or the one list in it. */
  readonly records?: string
  /** Default `{ kind: 'auto' }`. */
  readonly pages?: Pagination
  /** The query parameter that takes the highest cursor landed so far, inclusive; `first` for the first read; `format` if it wants another spelling. */
  readonly since?: { readonly parameter: string; readonly first?: string; readonly format?: (cursor: string) => string }
}

export interface HttpSettings {
  readonly baseUrl: Setting
  readonly auth?:
    | { readonly bearer: Setting }
    | { readonly user: Setting; readonly password: Setting }
    | { readonly header: string; readonly key: Setting }
    | { readonly parameter: string; readonly key: Setting }
  readonly headers?: Readonly<Record<string, Setting>>
  /** Requests are spread evenly. */
  readonly requestsPerSecond?: number
  /** Of one request; default 30,000. */
  readonly timeoutMs?: number
  /** Of one request, where it fails in a way that passes; default 5. */
  readonly attempts?: number
  readonly streams: Readonly<Record<string, HttpStream>>
}

/**
 * Lists of records of a JSON API.
 *
 * @example
 * const crm = http({
 *   baseUrl: 'https://api.example.com/v2',
 *   auth: { bearer: env('CRM_TOKEN') },
 *   requestsPerSecond: 5,
 *   streams: {
 *     contacts: { path: '/contacts', key: ['id'], cursor: 'updated_at', since: { parameter: 'updated_since' } },
 *     orders: { path: '/orders', key: ['id'], records: 'data.orders', pages: { kind: 'offset', limit: 200, total: 'meta.total' } },
 *   },
 * })
 */
export const http = (settings: HttpSettings): Source =>
  defineSource({
    streams: Object.fromEntries(
      Object.entries(settings.streams).map(([name, stream]) => {
        const landing = landingOf(stream)
        const secrets = [
          settings.baseUrl,
          ...Object.values(settings.auth ?? {}),
          ...Object.values(settings.headers ?? {}),
        ]
        const read = (context: ReadContext): AsyncGenerator<Page> => readPages(settings, stream, name, context)
        return [name, { ...landing, from: { kind: 'pages', settings: secrets, read } }]
      }),
    ),
  })

const landingOf = ({ key, cursor, full, types, timeZone, maxQuarantined }: HttpStream): StreamSettings => ({
  ...(key === undefined ? {} : { key }),
  ...(cursor === undefined ? {} : { cursor }),
  ...(full === undefined ? {} : { full }),
  ...(types === undefined ? {} : { types }),
  ...(timeZone === undefined ? {} : { timeZone }),
  ...(maxQuarantined === undefined ? {} : { maxQuarantined }),
})

const readPages = async function* (
  settings: HttpSettings,
  stream: HttpStream,
  name: string,
  context: ReadContext,
): AsyncGenerator<Page> {
  const client = clientOf(settings, context)
  const origin = new URL(resolve(settings.baseUrl))
  const problem = problemsOf(client, { source: name, target: origin.host })
  const pace = pacer(settings.requestsPerSecond, context)
  const pages = createPager(stream.pages ?? { kind: 'auto' })
  const asked = new Set<string>()
  let [total, before, url] = [0, '', urlBelow(origin, stream.path)]
  try {
    for (let call: PageCall | undefined = pages.first; call !== undefined;) {
      if (call.link !== undefined) url = new URL(call.link, url)
      const key = JSON.stringify({ ...call, link: call.link === undefined ? '' : url.href })
      if (asked.has(key)) throw problem.answer('its next page is one that it has already given, so it would never end')
      asked.add(key)
      await pace()
      const request = requestOf(settings, stream, call, url, context.cursor)
      const result = await requestWithRetry(
        client,
        { ...request, signal: context.signal },
        { clock: context.clock, ...(settings.attempts === undefined ? {} : { attempts: settings.attempts }) },
      )
      if (result.kind === 'failure' || result.status < 200 || result.status > 299) throw problem.refused(result)
      const body = bodyOf(result, problem.answer)
      const rows = recordsIn(body, stream.records)
      if (rows === undefined) {
        throw problem.answer(
          `there is no list of records ${stream.records === undefined ? 'in it; say where with `records`' : `at ${stream.records}`}`,
        )
      }
      const content = JSON.stringify(rows, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
      if (rows.length > 0 && content === before) {
        throw problem.answer('a page is the same as the one before, so it seems to ignore which page is asked for')
      }
      before = content
      total += rows.length
      context.progress(total)
      yield { rows }
      call = pages.next({ body, headers: result.headers, rows: rows.length })
    }
  } finally {
    client.close()
  }
}

const urlBelow = (base: URL, path: string): URL => {
  const url = new URL(`${base.origin}${base.pathname.replace(/\/$/, '')}/${path.replace(/^\//, '')}`)
  for (const [name, value] of base.searchParams) url.searchParams.append(name, value)
  return url
}

const clientOf = (settings: HttpSettings, { clock }: ReadContext): HttpClient => {
  const { auth } = settings
  const secrets: string[] = []
  const secret = (setting: Setting): string => {
    const value = resolve(setting).trim()
    secrets.push(value, encodeURIComponent(value))
    return value
  }
  const headers: Record<string, Setting> = { ...settings.headers }
  if (auth && 'bearer' in auth) headers['authorization'] = `Bearer ${secret(auth.bearer)}`
  else if (auth && 'user' in auth) {
    const pair = Buffer.from(`${resolve(auth.user)}:${secret(auth.password)}`).toString('base64')
    headers['authorization'] = `Basic ${pair}`
  } else if (auth && 'header' in auth) headers[auth.header] = secret(auth.key)
  else if (auth) secret(auth.key)
  return httpClient({
    baseUrl: settings.baseUrl,
    headers,
    secrets,
    clock,
    ...(settings.timeoutMs === undefined ? {} : { timeoutMs: settings.timeoutMs }),
  })
}

/** Waits so that requests start evenly. */
const pacer = (perSecond: number | undefined, { clock, signal }: ReadContext): (() => Promise<void>) => {
  let due = 0
  return async () => {
    if (perSecond === undefined) return
    const now = clock.now()
    if (due > now) await clock.sleep(due - now, signal)
    due = Math.max(now, due) + 1000 / perSecond
  }
}

const requestOf = (
  settings: HttpSettings,
  stream: HttpStream,
  call: PageCall,
  url: URL,
  cursor: string | undefined,
): HttpRequest => {
  const { auth } = settings
  const key = auth && 'parameter' in auth ? { [auth.parameter]: resolve(auth.key).trim() } : {}
  const { since } = stream
  const from = cursor === undefined ? since?.first : (since?.format?.(cursor) ?? cursor)
  const inBody = call.in === 'body'
  const body = stream.body === undefined && !inBody ? undefined : { ...stream.body, ...(inBody ? call.parameters : {}) }
  return {
    ...(stream.method === undefined ? {} : { method: stream.method }),
    path: url.href,
    // A link to the next page has its query in it.
    query:
      call.link === undefined
        ? {
            ...stream.query,
            ...(since === undefined ? {} : { [since.parameter]: from }),
            ...(inBody ? {} : call.parameters),
            ...key,
          }
        : key,
    ...(body === undefined ? {} : { body }),
  }
}

const bodyOf = (result: HttpResponse, answer: (reason: string) => CdpError): unknown => {
  if (result.text.trim() === '') return undefined
  try {
    return parseJson(result.text)
  } catch {
    throw answer(
      `it is not JSON: ${result.text
        .replaceAll(/<[^>]*>|\s+/g, ' ')
        .trim()
        .slice(0, 120)}`,
    )
  }
}

const problemsOf = (client: HttpClient, where: { readonly source: string; readonly target: string }) => ({
  answer: (reason: string): CdpError => new CdpError('SOURCE_ANSWER', { ...where, reason: client.redact(reason) }),
  refused: (result: HttpResult): CdpError => {
    const args = { ...where, reason: explain(client, result) }
    if (result.kind === 'response' && [401, 403].includes(result.status)) return new CdpError('SOURCE_AUTH', args)
    return new CdpError(isTransient(result) ? 'SOURCE_UNREACHABLE' : 'SOURCE_REFUSED', args)
  },
})
