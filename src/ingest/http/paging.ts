// How the pages of a JSON API follow each other, as data: what to ask next, from what the last answer said. For source connectors.

/** How the next page is asked for. Paths lead into the answer, parts divided by dots (`meta.next`). */
export type Pagination =
  /** Looked for in the first answer: a link or cursor where APIs usually have one; else the answer is taken for all. */
  | { readonly kind: 'auto' }
  | { readonly kind: 'single_page' }
  /** The answer holds the URL of the next page. */
  | { readonly kind: 'json_link'; readonly path: string }
  /** A `Link` header (RFC 8288); default rel `next`. */
  | { readonly kind: 'header_link'; readonly rel?: string }
  /** A header of the answer goes into a parameter of the next request. */
  | {
      readonly kind: 'header_cursor'
      readonly header: string
      readonly parameter: string
      readonly in?: 'query' | 'body'
    }
  /** A field of the answer goes into a parameter of the next request. */
  | { readonly kind: 'cursor'; readonly path: string; readonly parameter: string; readonly in?: 'query' | 'body' }
  /** Until a page is empty or `total`, a path to the number of all records, is reached. Defaults `offset`, `limit`, 100. */
  | {
      readonly kind: 'offset'
      readonly parameter?: string
      readonly limitParameter?: string
      readonly limit?: number
      readonly total?: string
      readonly in?: 'query' | 'body'
    }
  /** Until a page is empty or `totalPages`, a path, is reached. Defaults `page`, first 1. */
  | {
      readonly kind: 'page_number'
      readonly parameter?: string
      readonly first?: number
      readonly totalPages?: string
      readonly in?: 'query' | 'body'
    }

/** What a request asks for beside what every request of the stream asks. */
export interface PageCall {
  /** In place of path and query: absolute, or relative to the URL before. */
  readonly link?: string
  readonly parameters?: Readonly<Record<string, string | number>>
  readonly in?: 'query' | 'body'
}

export interface PageAnswer {
  readonly body: unknown
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly rows: number
}

export interface Pager {
  readonly first: PageCall
  /** Undefined: that was the last page. */
  readonly next: (answer: PageAnswer) => PageCall | undefined
}

/**
 * A pager for one read.
 *
 * @example
 * const pages = createPager({ kind: 'cursor', path: 'meta.next', parameter: 'after' })
 * for (let call: PageCall | undefined = pages.first; call; call = pages.next(await ask(call))) ;
 */
export const createPager = (pagination: Pagination): Pager => {
  const { kind } = pagination
  if (kind === 'single_page') return { first: {}, next: () => undefined }
  if (kind === 'json_link') return { first: {}, next: ({ body }) => linkTo(at(body, pagination.path)) }
  if (kind === 'header_link') {
    return { first: {}, next: ({ headers }) => linkTo(linkIn(headers['link'] ?? '', pagination.rel ?? 'next')) }
  }
  if (kind === 'header_cursor') {
    return { first: {}, next: ({ headers }) => cursorCall(headers[pagination.header.toLowerCase()], pagination) }
  }
  if (kind === 'cursor') return { first: {}, next: ({ body }) => cursorCall(at(body, pagination.path), pagination) }
  if (kind === 'offset') return offsetPager(pagination)
  return kind === 'page_number' ? pageNumberPager(pagination) : autoPager()
}

type Of<K extends Pagination['kind']> = Extract<Pagination, { kind: K }>

const linkTo = (value: unknown): PageCall | undefined =>
  typeof value === 'string' && value !== '' ? { link: value } : undefined

const cursorCall = (
  value: unknown,
  { parameter, in: place }: Of<'cursor'> | Of<'header_cursor'>,
): PageCall | undefined =>
  (typeof value === 'string' && value !== '') || typeof value === 'number'
    ? { parameters: { [parameter]: value }, ...(place === undefined ? {} : { in: place }) }
    : undefined

const offsetPager = ({
  parameter = 'offset',
  limitParameter = 'limit',
  limit = 100,
  total,
  in: place,
}: Of<'offset'>): Pager => {
  const call = (offset: number): PageCall => ({
    parameters: { [parameter]: offset, [limitParameter]: limit },
    ...(place === undefined ? {} : { in: place }),
  })
  let offset = 0
  return {
    first: call(0),
    // By what came, not by what was asked for: a server may give fewer a page.
    next: ({ body, rows }) => {
      offset += rows
      const all = total === undefined ? undefined : at(body, total)
      return rows === 0 || (all !== undefined && offset >= Number(all)) ? undefined : call(offset)
    },
  }
}

const pageNumberPager = ({ parameter = 'page', first = 1, totalPages, in: place }: Of<'page_number'>): Pager => {
  const call = (page: number): PageCall => ({
    parameters: { [parameter]: page },
    ...(place === undefined ? {} : { in: place }),
  })
  let page = first
  return {
    first: call(first),
    next: ({ body, rows }) => {
      page += 1
      const pages = totalPages === undefined ? undefined : at(body, totalPages)
      return rows === 0 || (pages !== undefined && page - first >= Number(pages)) ? undefined : call(page)
    },
  }
}

const autoPager = (): Pager => {
  let found: Pager | undefined
  return {
    first: {},
    next: (answer) => {
      found ??= createPager(detect(answer))
      return found.next(answer)
    },
  }
}

const linkPlaces = [
  'next',
  'links.next',
  'links.next.href',
  '_links.next',
  '_links.next.href',
  'paging.next',
  'paging.next.link',
  'pagination.next',
  'pagination.next_url',
  'meta.next',
  'meta.pagination.links.next',
  'next_url',
  'next_page_url',
  'next_link',
  'nextLink',
  '@odata.nextLink',
  'info.next',
]
const cursorPlaces: readonly (readonly [string, string])[] = [
  ['next_cursor', 'cursor'],
  ['nextCursor', 'cursor'],
  ['meta.next_cursor', 'cursor'],
  ['pagination.next_cursor', 'cursor'],
  ['paging.next_cursor', 'cursor'],
  ['response_metadata.next_cursor', 'cursor'],
  ['cursor.next', 'cursor'],
  ['paging.next.after', 'after'],
  ['paging.cursors.after', 'after'],
  ['next_page_token', 'page_token'],
  ['nextPageToken', 'pageToken'],
  ['continuation_token', 'continuation_token'],
]
const pageCounts = [
  'total_pages',
  'totalPages',
  'last_page',
  'meta.total_pages',
  'meta.last_page',
  'pagination.total_pages',
  'info.pages',
]

/** The pagination that a first answer shows. */
export const detect = ({ body, headers }: PageAnswer): Pagination => {
  if (linkIn(headers['link'] ?? '', 'next') !== undefined) return { kind: 'header_link' }
  const link = linkPlaces.find((path) => isLink(at(body, path)))
  if (link !== undefined) return { kind: 'json_link', path: link }
  const cursor = cursorPlaces.find(
    ([path]) => cursorCall(at(body, path), { kind: 'cursor', path, parameter: '' }) !== undefined,
  )
  if (cursor) return { kind: 'cursor', path: cursor[0], parameter: cursor[1] }
  const pages = pageCounts.find((path) => Number(at(body, path)) > 1)
  return pages === undefined ? { kind: 'single_page' } : { kind: 'page_number', totalPages: pages }
}

const isLink = (value: unknown): boolean => typeof value === 'string' && /^(https?:\/\/|\/|\?)/i.test(value)

/** The value at a path; undefined where a part is missing. A key that has dots itself is found too. */
export const at = (body: unknown, path: string): unknown => {
  if (path === '') return body
  if (typeof body !== 'object' || body === null) return undefined
  const values = new Map<string, unknown>(Object.entries(body))
  if (values.has(path)) return values.get(path)
  const dot = path.indexOf('.')
  return dot < 0 ? undefined : at(values.get(path.slice(0, dot)), path.slice(dot + 1))
}

/** The target of a `Link` header's relation (RFC 8288 §3). */
const linkIn = (header: string, rel: string): string | undefined => {
  for (const match of header.matchAll(/<([^>]*)>((?:\s*;\s*[\w*]+\s*=\s*(?:"[^"]*"|[^\s,;]+))*)/g)) {
    const found = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s,;]+))/i.exec(match[2] ?? '')
    if ((found?.[1] ?? found?.[2] ?? '').toLowerCase().split(/\s+/).includes(rel.toLowerCase())) return match[1]
  }
  return undefined
}
