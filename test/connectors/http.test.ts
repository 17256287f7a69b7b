// The http source against real servers on loopback: every way of paging, cursors, credentials, limits, and what goes wrong.
import { afterEach, describe, expect, it } from 'vitest'
import { createPager, env, parseJson, recordsIn, type PagesRead, type Source } from 'composable-cdp'
import { http, type HttpSettings, type HttpStream } from '../../connectors/http.ts'
import type { LoadResult } from '../../src/ingest/land.ts'
import { startLoopback, type Loopback, type LoopbackAnswer, type LoopbackRequest } from '../../src/testing/loopback.ts'
import { sourceCasesFor, type SourceRow } from '../../src/testing/source-contract.ts'
import { openProject, type TestProject } from '../ingest/project.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of open.splice(0)) await thing.close()
})

type Answerer = (
  request: LoopbackRequest & { readonly query: URLSearchParams; readonly place: string },
  index: number,
) => LoopbackAnswer

const serve = async (answer: Answerer): Promise<Loopback> => {
  const server = await startLoopback((request, index) => {
    const url = new URL(request.path, 'http://x')
    return answer({ ...request, query: url.searchParams, place: url.pathname }, index)
  })
  open.push(server)
  return server
}

const landFrom = async (
  server: Loopback,
  stream: Partial<HttpStream>,
  settings: Partial<HttpSettings> = {},
  project?: TestProject,
): Promise<{ project: TestProject; result: LoadResult }> => {
  const into = project ?? (await openProject())
  if (!project) open.push(into)
  const source = http({
    baseUrl: `${server.url}/api`,
    ...settings,
    streams: { t: { path: '/items', key: ['id'], ...stream } },
  })
  const { from: _, ...landing } = source.streams['t'] ?? expect.fail()
  const from = pagesOf(source)
  const result = await into.land({ id: 's.t', relation: 's_t', ...landing, from: { kind: 'pages' } }, { pages: from })
  return { project: into, result }
}

const pagesOf = (source: Source): PagesRead => {
  const from = source.streams['t']?.from
  return from?.kind === 'pages' ? from : expect.fail('not read in pages')
}

const items = Array.from({ length: 25 }, (_, i) => ({ id: i + 1, name: `item ${i + 1}` }))
const slice = (from: number, size = 10): typeof items => items.slice(from, from + size)
const idsOf = async (project: TestProject): Promise<number[]> =>
  (await project.all<{ id: number }>('select id from raw.s_t order by id')).map((row) => row.id)
const allIds = items.map(({ id }) => id)

describe('http keeps the contract of sources: it', () => {
  it.for(sourceCasesFor(['cursor', 'network']))('$title', async ({ run }) => {
    let rows: readonly SourceRow[] = []
    let fault: 'down' | 'auth' | 'cut' | undefined
    const server = await serve(({ query, headers }) => {
      if (fault === 'down') return 'break'
      if (fault === 'auth' || headers['authorization'] !== 'Bearer s3cret-word')
        return { status: 401, body: { message: 'bad token s3cret-word' } }
      const page = Number(query.get('page') ?? 1)
      if (fault === 'cut' && page === 3) return 'break'
      const since = query.get('since')
      const chosen = since === null ? rows : rows.filter((row) => row.updated_at >= since)
      return { body: { data: chosen.slice((page - 1) * 1000, page * 1000) } }
    })
    const source = http({
      baseUrl: server.url,
      auth: { bearer: 's3cret-word' },
      streams: {
        whole: { path: 'rows', pages: { kind: 'page_number' }, key: ['id'], full: true },
        keyed: { path: 'rows', pages: { kind: 'page_number' }, key: ['id'] },
        incremental: {
          path: 'rows',
          pages: { kind: 'page_number' },
          key: ['id'],
          cursor: 'updated_at',
          since: { parameter: 'since' },
        },
      },
    })
    const kept = run({
      source,
      hold: async (held) => {
        rows = held
      },
      fault: async (kind) => {
        fault = kind
      },
      secrets: ['s3cret-word'],
    })
    await expect(kept).resolves.toBeUndefined()
  })
})

describe('paging', () => {
  const cases: readonly { title: string; pages: HttpStream['pages']; answer: Answerer; requests: number }[] = [
    {
      title: 'by a link in the answer, absolute or relative',
      pages: { kind: 'json_link', path: 'paging.next' },
      answer: ({ query, headers }) => {
        const from = Number(query.get('from') ?? 0)
        const next =
          from === 0 ? `http://${headers['host'] ?? ''}/api/items?from=10` : from === 10 ? '/api/items?from=20' : null
        return { body: { items: slice(from), paging: { next } } }
      },
      requests: 3,
    },
    {
      title: 'by a Link header',
      pages: { kind: 'header_link' },
      answer: ({ query }) => {
        const from = Number(query.get('from') ?? 0)
        const link = `<http://x/first>; rel="first", </api/items?from=${from + 10}>; rel="next last"`
        return { body: slice(from), ...(from < 20 ? { headers: { link } } : {}) }
      },
      requests: 3,
    },
    {
      title: 'by a cursor in a header',
      pages: { kind: 'header_cursor', header: 'X-Next', parameter: 'after' },
      answer: ({ query }) => {
        const from = Number(query.get('after') ?? 0)
        return { body: slice(from), ...(from < 20 ? { headers: { 'x-next': String(from + 10) } } : {}) }
      },
      requests: 3,
    },
    {
      title: 'by offset, until a page is empty',
      pages: { kind: 'offset', limit: 10 },
      answer: ({ query }) => ({
        body: { items: slice(Number(query.get('offset')), Math.min(8, Number(query.get('limit')))) },
      }),
      requests: 5,
    },
    {
      title: 'by offset, until the total',
      pages: { kind: 'offset', parameter: 'skip', limitParameter: 'take', limit: 10, total: 'meta.total' },
      answer: ({ query }) => ({ body: { items: slice(Number(query.get('skip'))), meta: { total: 25 } } }),
      requests: 3,
    },
    {
      title: 'by page number, until the last',
      pages: { kind: 'page_number', parameter: 'p', first: 0, totalPages: 'pages' },
      answer: ({ query }) => ({ body: { items: slice(Number(query.get('p')) * 10), pages: 3 } }),
      requests: 3,
    },
    {
      title: 'by a cursor in the answer',
      pages: { kind: 'cursor', path: 'meta.next', parameter: 'after' },
      answer: ({ query }) => {
        const from = Number(query.get('after') ?? 0)
        return { body: { items: slice(from), meta: { next: from < 20 ? from + 10 : '' } } }
      },
      requests: 3,
    },
    {
      title: 'in one page',
      pages: { kind: 'single_page' },
      answer: () => ({ body: { items, next: '/api/items' } }),
      requests: 1,
    },
    {
      title: 'found from a link by itself',
      pages: { kind: 'auto' },
      answer: ({ query }) => {
        const from = Number(query.get('from') ?? 0)
        return { body: { results: slice(from), next: from < 20 ? `?from=${from + 10}` : null } }
      },
      requests: 3,
    },
    {
      title: 'found from a cursor by itself',
      pages: undefined,
      answer: ({ query }) => {
        const from = Number(query.get('cursor') ?? 0)
        return { body: { results: slice(from), ...(from < 20 ? { next_cursor: String(from + 10) } : {}) } }
      },
      requests: 3,
    },
    {
      title: 'found from a number of pages by itself',
      pages: undefined,
      answer: ({ query }) => ({ body: { results: slice((Number(query.get('page') ?? 1) - 1) * 10), total_pages: 3 } }),
      requests: 3,
    },
    { title: 'none, when nothing speaks of more', pages: undefined, answer: () => ({ body: items }), requests: 1 },
  ]
  it.for(cases)('$title', async ({ pages, answer, requests }) => {
    const server = await serve(answer)
    const { project, result } = await landFrom(server, pages === undefined ? {} : { pages })
    expect(await idsOf(project)).toEqual(allIds)
    expect(result.rowsNew).toBe(25)
    expect(server.requests).toHaveLength(requests)
  })

  it('in the body of a POST', async () => {
    const server = await serve(({ body, method }) => {
      const { after = 0, status } = body as { after?: number; status: string }
      if (method !== 'POST' || status !== 'open') return { status: 400 }
      return { body: { items: slice(after), after: after < 20 ? after + 10 : null } }
    })
    const { project } = await landFrom(server, {
      body: { status: 'open' },
      pages: { kind: 'cursor', path: 'after', parameter: 'after', in: 'body' },
    })
    expect(await idsOf(project)).toEqual(allIds)
  })

  it('that never ends is an error and lands nothing', async () => {
    const cursor = await serve(() => ({ body: { items: slice(0), next_cursor: 'x' } }))
    await expect(landFrom(cursor, {})).rejects.toMatchObject({ code: 'SOURCE_ANSWER' })
    expect(cursor.requests.length).toBeLessThan(4)
    const ignoring = await serve(({ query }) => ({ body: { at: query.get('page'), items: slice(0) } }))
    await expect(landFrom(ignoring, { pages: { kind: 'page_number' } })).rejects.toMatchObject({
      code: 'SOURCE_ANSWER',
      message: expect.stringContaining('same as the one before') as unknown,
    })
    let turn = 0
    const circle = await serve(() => ({ body: { items: [{ id: turn }], next: `/api/items?turn=${turn++ % 3}` } }))
    await expect(landFrom(circle, {})).rejects.toMatchObject({
      code: 'SOURCE_ANSWER',
      message: expect.stringContaining('never end') as unknown,
    })
  })

  it('does not follow a link to another host', async () => {
    const server = await serve(() => ({ body: { items: slice(0), next: 'http://127.0.0.2:9/items' } }))
    await expect(landFrom(server, {})).rejects.toMatchObject({ code: 'HTTP_SETTING' })
  })
})

describe('records', () => {
  it('are found by path, or where there is one list', () => {
    expect(recordsIn([{ a: 1 }, 5, null], undefined)).toEqual([{ a: 1 }, { value: 5 }, { value: null }])
    expect(recordsIn({ a: { b: [{ c: 1 }] } }, 'a.b')).toEqual([{ c: 1 }])
    expect(recordsIn({ a: { b: { c: 1 } } }, 'a.b')).toEqual([{ c: 1 }])
    expect(recordsIn({ a: null }, 'a')).toEqual([])
    expect(recordsIn({ other: [1], data: [{ a: 1 }] }, undefined)).toEqual([{ a: 1 }])
    expect(recordsIn({ things: [{ a: 1 }], n: 1 }, undefined)).toEqual([{ a: 1 }])
    expect(recordsIn({ a: [1], b: [2] }, undefined)).toBeUndefined()
    expect(recordsIn({ a: 1 }, 'b')).toBeUndefined()
    expect(recordsIn(undefined, 'a')).toEqual([])
  })

  it('keep integers of any length, and text that looks like one', async () => {
    const text =
      '{"items":[{"id":12345678901234567890,"n":9007199254740993,"s":"x 12345678901234567890 \\" y","d":1.5,"neg":-1234567890123456}]}'
    expect(parseJson(text)).toEqual({
      items: [
        {
          id: 12345678901234567890n,
          n: 9007199254740993n,
          s: 'x 12345678901234567890 " y',
          d: 1.5,
          neg: -1234567890123456,
        },
      ],
    })
    const server = await serve(() => ({ body: text, headers: { 'content-type': 'application/json' } }))
    const { project } = await landFrom(server, {})
    expect(await project.all('select id, n, s from raw.s_t')).toEqual([
      { id: '12345678901234567890', n: 9007199254740993n, s: 'x 12345678901234567890 " y' },
    ])
  })

  it('that are not where they should be are an error; an empty page is none', async () => {
    const server = await serve(() => ({ body: { error: 'no such list' } }))
    await expect(landFrom(server, {})).rejects.toMatchObject({
      code: 'SOURCE_ANSWER',
      message: expect.stringContaining('records') as unknown,
    })
    const empty = await serve(() => ({ status: 204 }))
    expect((await landFrom(empty, {})).result).toMatchObject({ rowsRead: 0 })
  })
})

describe('a request', () => {
  it('carries the credential in each way there is', async () => {
    const server = await serve(() => ({ body: [] }))
    await landFrom(server, {}, { auth: { bearer: env('CDP_TEST_NO_SUCH', 'tok') } })
    await landFrom(server, {}, { auth: { user: 'an', password: 'pw:1' } })
    await landFrom(server, {}, { auth: { header: 'X-Api-Key', key: 'k1' }, headers: { 'x-more': 'yes' } })
    await landFrom(server, { query: { status: 'open', n: 5 } }, { auth: { parameter: 'key', key: 'k2' } })
    const [bearer, basic, header, parameter] = server.requests
    expect(bearer?.headers['authorization']).toBe('Bearer tok')
    expect(basic?.headers['authorization']).toBe(`Basic ${Buffer.from('an:pw:1').toString('base64')}`)
    expect(header?.headers).toMatchObject({ 'x-api-key': 'k1', 'x-more': 'yes' })
    expect(parameter?.path).toBe('/api/items?status=open&n=5&key=k2')
  })

  it('asks from the cursor on, as the API wants it spelled', async () => {
    const server = await serve(() => ({ body: [{ id: 1, at: '2026-10-01T08:00:00Z' }] }))
    const stream: Partial<HttpStream> = {
      cursor: 'at',
      since: { parameter: 'since', first: '2020-01-01', format: (cursor) => String(Date.parse(cursor) / 1000) },
    }
    const { project } = await landFrom(server, stream)
    await landFrom(server, stream, {}, project)
    expect(server.requests.map((request) => request.path)).toEqual([
      '/api/items?since=2020-01-01',
      '/api/items?since=1790841600',
    ])
  })

  it('is tried again after 429, 503, a reset and a time-out, and waits as long as it is told', async () => {
    const faults: LoopbackAnswer[] = [
      { status: 429, headers: { 'retry-after': '7' } },
      { status: 503 },
      'break',
      'hang',
    ]
    const server = await serve((_request, index) => faults[index] ?? { body: items })
    const { project } = await landFrom(server, {}, { timeoutMs: 300 })
    expect(await idsOf(project)).toEqual(allIds)
    expect(server.requests).toHaveLength(5)
  })

  it('that the server refuses is not tried again', async () => {
    const server = await serve(() => ({ status: 404, body: { message: 'no such thing' } }))
    await expect(landFrom(server, {})).rejects.toMatchObject({
      code: 'SOURCE_REFUSED',
      message: expect.stringContaining('no such thing') as unknown,
    })
    expect(server.requests).toHaveLength(1)
  })

  it('that gets a page of HTML in place of JSON says so', async () => {
    const server = await serve(() => ({
      body: '<html><title>Log in</title></html>',
      headers: { 'content-type': 'text/html' },
    }))
    await expect(landFrom(server, {})).rejects.toMatchObject({
      code: 'SOURCE_ANSWER',
      message: expect.stringContaining('not JSON: Log in') as unknown,
    })
  })

  it('keeps to the rate that is set', async () => {
    const server = await serve(({ query }) => ({ body: slice((Number(query.get('page')) - 1) * 10) }))
    const waits: number[] = []
    let now = 0
    const source = http({
      baseUrl: server.url,
      requestsPerSecond: 4,
      streams: { t: { path: 'items', pages: { kind: 'page_number' } } },
    })
    const from = pagesOf(source)
    const clock = {
      now: () => now,
      sleep: async (ms: number) => {
        waits.push(ms)
        now += ms
      },
    }
    for await (const page of from.read({
      cursor: undefined,
      clock,
      signal: new AbortController().signal,
      progress: () => undefined,
    }))
      now += 'rows' in page ? 100 : 0
    expect(waits).toEqual([150, 150, 150])
  })

  it('is stopped by the signal', async () => {
    const server = await serve(() => 'hang')
    const source = http({ baseUrl: server.url, streams: { t: { path: 'items' } } })
    const from = pagesOf(source)
    const stop = new AbortController()
    const pages = from.read({
      cursor: undefined,
      clock: { now: () => 0, sleep: async () => undefined },
      signal: stop.signal,
      progress: () => undefined,
    })
    const first = pages[Symbol.asyncIterator]().next()
    stop.abort(new Error('stopped'))
    await expect(first).rejects.toThrow('stopped')
  })
})

describe('createPager', () => {
  it('takes a key with dots for a path', () => {
    const pager = createPager({ kind: 'json_link', path: '@odata.nextLink' })
    expect(pager.next({ body: { '@odata.nextLink': '/next' }, headers: {}, rows: 1 })).toEqual({ link: '/next' })
  })
})
