// The HTTP client against real servers: what it sends, what it returns, what it never shows.
import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { httpClient } from '../../src/http/client.ts'
import { explain } from '../../src/http/explain.ts'
import type { HttpClient, HttpClientSettings, HttpResponse, HttpResult } from '../../src/http/types.ts'
import { type Loopback, type LoopbackAnswer, type LoopbackRequest, startLoopback } from '../../src/testing/loopback.ts'
import { env } from '../../src/core/secret.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const thing of open.splice(0)) await thing.close()
})

const serve = async (answer: (request: LoopbackRequest, index: number) => LoopbackAnswer): Promise<Loopback> => {
  const server = await startLoopback(answer)
  open.push(server)
  return server
}

const client = (settings: HttpClientSettings): HttpClient => {
  const made = httpClient(settings)
  open.push(made)
  return made
}

const answered = (result: HttpResult): HttpResponse => {
  if (result.kind !== 'response') throw new Error(result.reason)
  return result
}

describe('a request', () => {
  it('joins base, path and query, and sends JSON', async () => {
    const server = await serve(() => ({ body: { fine: true } }))
    const http = client({ baseUrl: `${server.url}/v1/?account=7`, headers: { 'X-Team': 'crm' } })
    const result = answered(
      await http.request({ path: '/people?page=2', query: { size: 10, none: undefined }, body: { name: 'Nguyễn' } }),
    )
    expect(result).toMatchObject({ status: 200, body: { fine: true }, isJson: true, retryAfterMs: undefined })
    const [request] = server.requests
    expect(request).toMatchObject({
      method: 'POST',
      path: '/v1/people?account=7&page=2&size=10',
      body: { name: 'Nguyễn' },
    })
    expect(request?.headers).toMatchObject({ 'content-type': 'application/json', 'x-team': 'crm' })
  })

  it('sends text as it is and a body-less request as GET', async () => {
    const server = await serve(() => ({}))
    const http = client({ baseUrl: `${server.url}/hook` })
    await http.request({ body: '{"a": 1}', headers: { 'content-type': 'application/json' } })
    await http.request({})
    expect(server.requests.map((r) => [r.method, r.path, r.text])).toEqual([
      ['POST', '/hook', '{"a": 1}'],
      ['GET', '/hook', ''],
    ])
  })

  it('turns user and password of the base into an authorization header', async () => {
    const server = await serve(() => ({}))
    await client({ baseUrl: server.url.replace('//', '//an:p%40ss@') }).request({ path: '/x' })
    expect(server.requests[0]?.headers['authorization']).toBe(`Basic ${Buffer.from('an:p@ss').toString('base64')}`)
  })

  it('goes to a whole URL of the same origin and to no other', async () => {
    const server = await serve(() => ({}))
    const http = client({ baseUrl: `${server.url}/v1` })
    await http.request({ path: `${server.url}/v1/next?after=3` })
    expect(server.requests[0]?.path).toBe('/v1/next?after=3')
    await expect(http.request({ path: 'http://127.0.0.1:9/steal' })).rejects.toMatchObject({ code: 'HTTP_SETTING' })
  })

  it('uses a connection again', async () => {
    const ports = new Set<string>()
    const server = await serve(() => ({}))
    const http = client({ baseUrl: server.url })
    for (let i = 0; i < 3; i++) ports.add(answered(await http.request({})).headers['connection'] ?? '')
    expect([...ports]).toEqual(['keep-alive'])
    const once = client({ baseUrl: server.url, keepAlive: false })
    expect(answered(await once.request({})).headers['connection']).toBe('close')
  })
})

describe('an answer', () => {
  it('is returned whatever its status, and a redirect is not followed', async () => {
    const server = await serve((_request, index) => ({
      status: [302, 404, 500][index] ?? 200,
      headers: { location: '/else' },
    }))
    const http = client({ baseUrl: server.url })
    const statuses = [await http.request({}), await http.request({}), await http.request({})].map(
      (r) => answered(r).status,
    )
    expect(statuses).toEqual([302, 404, 500])
    expect(server.requests).toHaveLength(3)
  })

  it('is JSON when its text is, whatever it is labelled', async () => {
    const texts = ['{"ok":true}', '<html>no</html>', '', ' \n', 'ok', '[1]']
    const server = await serve((_request, index) => ({
      headers: { 'content-type': 'text/html' },
      body: texts[index] ?? '',
    }))
    const http = client({ baseUrl: server.url })
    const seen: unknown[] = []
    for (const _ of texts) {
      const result = answered(await http.request({}))
      seen.push([result.isJson, result.body])
    }
    expect(seen).toEqual([
      [true, { ok: true }],
      [false, '<html>no</html>'],
      [false, undefined],
      [false, undefined],
      [false, 'ok'],
      [true, [1]],
    ])
  })

  it('that is larger than allowed is a failure, and may have been processed', async () => {
    const server = await serve(() => ({ body: 'x'.repeat(10_000) }))
    const result = await client({ baseUrl: server.url, maxBytes: 1000 }).request({})
    expect(result).toMatchObject({ kind: 'failure', failure: 'answer', mayBeProcessed: true })
  })
})

describe('no answer', () => {
  it('says that nothing was sent when nobody listens', async () => {
    const server = await startLoopback(() => ({}))
    await server.close()
    const result = await client({ baseUrl: server.url }).request({ body: {} })
    expect(result).toMatchObject({ kind: 'failure', failure: 'connect', mayBeProcessed: false })
    expect(result).toHaveProperty('reason', expect.stringContaining('ECONNREFUSED'))
  })

  it('says that nothing was sent when the name is not known', async () => {
    const result = await client({ baseUrl: 'http://no-such-host.invalid' }).request({ body: {} })
    expect(result).toMatchObject({ kind: 'failure', failure: 'dns', mayBeProcessed: false })
  })

  it('says that it may have been processed when the connection breaks after sending', async () => {
    const server = await serve(() => 'break')
    const result = await client({ baseUrl: server.url }).request({ body: {} })
    expect(result).toMatchObject({ kind: 'failure', failure: 'reset', mayBeProcessed: true })
  })

  it('says that it may have been processed when the time is over', async () => {
    const server = await serve(() => 'hang')
    const result = await client({ baseUrl: server.url, timeoutMs: 60 }).request({ body: {} })
    expect(result).toMatchObject({
      kind: 'failure',
      failure: 'timeout',
      mayBeProcessed: true,
      reason: 'no answer within 60 ms',
    })
  })

  it('says that nothing was sent when TLS does not come about', async () => {
    const plain = createServer((socket) => socket.once('data', () => socket.destroy()))
    await new Promise<void>((ready) => plain.listen(0, '127.0.0.1', ready))
    open.push({ close: () => new Promise((done) => plain.close(done)) })
    const address = plain.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const result = await client({ baseUrl: `https://127.0.0.1:${port}` }).request({ body: {} })
    expect(result).toMatchObject({ kind: 'failure', mayBeProcessed: false })
  })

  it('ends at once when the caller gives up', async () => {
    const server = await serve(() => 'hang')
    const stop = new AbortController()
    const pending = client({ baseUrl: server.url }).request({ body: {}, signal: stop.signal })
    setTimeout(() => stop.abort(), 30)
    expect(await pending).toMatchObject({ kind: 'failure', failure: 'aborted' })
    expect(await client({ baseUrl: server.url }).request({ signal: stop.signal })).toMatchObject({
      failure: 'aborted',
      mayBeProcessed: false,
    })
  })
})

describe('messages', () => {
  it('explain an answer in its own words, in one line', async () => {
    const bodies = [
      { status: 'error', message: 'Property values were not valid' },
      { error: { message: 'no such list' } },
      { errors: [{ detail: 'too long' }] },
      '<html><style>b{}</style><b>Bad</b>\n gateway</html>',
    ]
    const server = await serve((_request, index) => ({ status: 400, body: bodies[index] }))
    const http = client({ baseUrl: server.url })
    const said: string[] = []
    for (const _ of bodies) said.push(explain(http, await http.request({})))
    expect(said).toEqual([
      'answered 400: Property values were not valid',
      'answered 400: no such list',
      'answered 400: too long',
      'answered 400: Bad gateway',
    ])
  })

  it('never show a credential, even one that the other side repeats', async () => {
    process.env['CLIENT_TEST_TOKEN'] = 'tok-from-environment'
    const server = await serve((request) => ({
      status: 401,
      body: { message: `bad ${request.headers['authorization']} ${request.path}` },
    }))
    const http = client({
      baseUrl: `${server.url.replace('//', '//an:hidden-word@')}/?api_key=k%2Fey-1234`,
      headers: { authorization: 'Bearer literal-token', 'x-token': env('CLIENT_TEST_TOKEN') },
      secrets: ['shared-secret'],
    })
    const result = await http.request({})
    delete process.env['CLIENT_TEST_TOKEN']
    const said = `${explain(http, result)} ${http.redact('tok-from-environment hidden-word shared-secret')}`
    expect(said).toContain('bad [redacted]')
    expect(said).not.toMatch(/literal-token|k%2Fey-1234|tok-from-environment|hidden-word|shared-secret/)
  })

  it('name a header that cannot be sent and not its value', () => {
    expect(() => httpClient({ baseUrl: 'http://x.test', headers: { authorization: 'Bearer a\nb' } })).toThrow(
      /header "authorization"(?!.*Bearer)/,
    )
    expect(() => httpClient({ baseUrl: 'ftp://x.test' })).toThrow(/http/)
  })
})
