// The webhook destination: the contract against its twin, then its request and the meaning of each answer against a plain server.
import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { env, type Change, type Destination, type JsonObject, type WriteResult } from 'composable-cdp'
import { webhook, type WebhookSettings } from '../../connectors/webhook.ts'
import twin from '../../connectors/webhook.sandbox.ts'
import { contextFor } from '../../src/testing/destination-contract.ts'
import { type LoopbackAnswer, startLoopback } from '../../src/testing/loopback.ts'
import { describeContract, jsonObject, startTwin, type Running } from './against-twin.ts'

const upsert = (index: number): Change => ({
  operation: 'upsert',
  id: `change-${index}`,
  key: { email: `an${index}.@example.com` },
  record: { name: `Nguyễn Văn ${index}.`, spend: 1000 + index },
})

const audience = async (running: Running): Promise<ReadonlyMap<string, JsonObject>> => {
  const { audiences } = await running.held()
  const held = Object.entries(jsonObject(jsonObject(audiences)['contract'] ?? {}))
  return new Map(held.map(([key, record]) => [key, jsonObject(record)]))
}

for (const semantics of ['state', 'message'] as const) {
  describeContract({
    title: `webhook of semantics ${semantics}`,
    twin,
    make: (url, options) =>
      webhook({
        url,
        semantics,
        secret: 'hush-hush-secret',
        headers: { 'x-sandbox-secret': 'hush-hush-secret', authorization: 'Bearer bearer-token' },
        ...options,
      }),
    harness: { upsert, mark: (index) => `an${index}.@`, secrets: ['hush-hush-secret', 'bearer-token'] },
    held: audience,
  })
}

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of open.splice(0)) await thing.close()
})

const against = async (
  answer: LoopbackAnswer | ((index: number) => LoopbackAnswer),
  settings: Partial<WebhookSettings> = {},
) => {
  const server = await startLoopback((_request, index) => (typeof answer === 'function' ? answer(index) : answer))
  open.push(server)
  const writer = await webhook({ url: `${server.url}/hook`, ...settings }).open({})
  open.push({ close: () => writer.close?.() ?? Promise.resolve() })
  const write = (changes: readonly Change[] = [upsert(0), upsert(1)], key = 'b1'): Promise<WriteResult> =>
    writer.write(changes, contextFor(key, { sync: 'spenders-to-webhook' }))
  return { server, write }
}

const waitOf = (result: WriteResult): number => {
  const [outcome] = 'refused' in result ? [] : result
  return outcome?.status === 'retry' ? (outcome.afterMs ?? -1) : -1
}

const statuses = (result: WriteResult): string[] => ('refused' in result ? ['refused'] : result.map((o) => o.status))

describe('the request', () => {
  it('is what the documentation says', async () => {
    const { server, write } = await against({})
    await write([upsert(0), { operation: 'remove', id: 'change-9', key: { phone: '+84900000000' }, record: {} }])
    const [request] = server.requests
    expect(request).toMatchObject({ method: 'POST', path: '/hook' })
    expect(request?.headers).toMatchObject({ 'content-type': 'application/json', 'idempotency-key': 'b1' })
    expect(request?.headers).not.toHaveProperty('cdp-signature')
    expect(request?.body).toEqual({
      sync: 'spenders-to-webhook',
      run: 'run-1',
      changes: [
        {
          op: 'upsert',
          id: 'change-0',
          key: { email: 'an0.@example.com' },
          record: { name: 'Nguyễn Văn 0.', spend: 1000 },
        },
        { op: 'remove', id: 'change-9', key: { phone: '+84900000000' } },
      ],
    })
  })

  it('is signed over the time and the bytes that are sent', async () => {
    const { server, write } = await against({}, { secret: 'not-a-secret' })
    await write()
    const [request] = server.requests
    const [, time, digest] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(request?.headers['cdp-signature'] ?? '') ?? []
    expect(Math.abs(Number(time) - Date.now() / 1000)).toBeLessThan(60)
    expect(digest).toBe(createHmac('sha256', 'not-a-secret').update(`${time}.${request?.text}`).digest('hex'))
  })

  it('takes its URL, secret and headers from the environment', async () => {
    const server = await startLoopback(() => ({}))
    open.push(server)
    Object.assign(process.env, { HOOK_TEST_URL: server.url, HOOK_TEST_TOKEN: 'Bearer from-env\n' })
    const destination: Destination = webhook({
      url: env('HOOK_TEST_URL'),
      headers: { authorization: env('HOOK_TEST_TOKEN') },
    })
    expect(destination.target).toBe('[secret HOOK_TEST_URL]')
    expect(destination.settings.filter((s) => s !== undefined)).toHaveLength(2)
    const writer = await destination.open({})
    await writer.write([upsert(0)], contextFor('b1'))
    await writer.close?.()
    delete process.env['HOOK_TEST_URL']
    delete process.env['HOOK_TEST_TOKEN']
    expect(server.requests[0]?.headers['authorization']).toBe('Bearer from-env')
  })

  it('names its target without credentials', () => {
    expect(webhook({ url: 'https://an:word@hooks.example.com/in?token=abcd' }).target).toBe(
      'https://hooks.example.com/in',
    )
  })
})

describe('an answer of success', () => {
  it.each([
    ['empty', {}],
    ['blank', { body: ' \n' }],
    ['any JSON', { body: { accepted: 2 } }],
    ['202 without results', { status: 202, body: { ok: true } }],
    [
      'rows all named',
      {
        body: {
          results: [
            { index: 0, status: 'delivered' },
            { index: 1, status: 'delivered' },
          ],
        },
      },
    ],
  ])('that is %s took every row', async (_title, answer) => {
    const { write } = await against(answer)
    expect(statuses(await write())).toEqual(['delivered', 'delivered'])
  })

  it('speaks of single rows, and the others were taken', async () => {
    const { write } = await against({
      body: {
        results: [
          { index: 2, status: 'retry', reason: 'locked' },
          { index: 1, status: 'rejected', reason: 'no such city' },
          { index: 3, status: 'kept' },
          { index: 9, status: 'rejected', reason: 'no such row' },
          'noise',
        ],
      },
    })
    expect(await write([0, 1, 2, 3].map(upsert))).toEqual([
      { status: 'delivered' },
      { status: 'rejected', reason: 'no such city' },
      { status: 'retry', reason: 'locked' },
      { status: 'unknown', reason: 'the receiver says "kept", which is no known status' },
    ])
  })

  it.each([
    ['names one', { body: { results: [{ index: 0, status: 'delivered' }] } }, ['delivered', 'unknown']],
    ['is empty', {}, ['unknown', 'unknown']],
    ['names none', { body: { ok: true } }, ['unknown', 'unknown']],
  ])('that %s leaves the others unknown where rows must be confirmed', async (_title, answer, expected) => {
    const { write } = await against(answer, { confirm: 'rows' })
    expect(statuses(await write())).toEqual(expected)
  })

  it.each([
    ['a page of HTML', { body: '<html>sign in</html>' }, 'retry', 'unknown'],
    ['a bare word', { body: 'ok' }, 'retry', 'unknown'],
    ['ok: false', { body: { ok: false, error: 'busy' } }, 'retry', 'retry'],
  ])('that is %s took nothing', async (_title, answer, state, message) => {
    expect(statuses(await (await against(answer)).write())).toEqual([state, state])
    expect(statuses(await (await against(answer, { semantics: 'message' })).write())).toEqual([message, message])
  })
})

describe('another answer', () => {
  it.each([
    [408, 'retry', 'unknown'],
    [423, 'retry', 'retry'],
    [429, 'retry', 'retry'],
    [500, 'retry', 'unknown'],
    [502, 'retry', 'unknown'],
    [599, 'retry', 'unknown'],
    [302, 'retry', 'unknown'],
    [501, 'refused', 'refused'],
    [400, 'refused', 'refused'],
    [404, 'refused', 'refused'],
    [409, 'refused', 'refused'],
    [413, 'refused', 'refused'],
    [422, 'refused', 'refused'],
  ])('%i means %s for a state and %s for a message', async (status, state, message) => {
    const answer = { status, body: { error: 'because' } }
    expect(new Set(statuses(await (await against(answer)).write()))).toEqual(new Set([state]))
    expect(new Set(statuses(await (await against(answer, { semantics: 'message' })).write()))).toEqual(
      new Set([message]),
    )
  })

  it('asks to wait by seconds or by date', async () => {
    const at = new Date(Date.now() + 90_000).toUTCString()
    const { write } = await against((index) => ({ status: 429, headers: { 'retry-after': index === 0 ? '30' : at } }))
    expect(await write([upsert(0)])).toMatchObject([{ status: 'retry', afterMs: 30_000 }])
    expect(Math.abs(waitOf(await write([upsert(0)])) - 90_000)).toBeLessThan(10_000)
  })

  it('that is a redirect is tried once more, then refused, and never followed', async () => {
    const { server, write } = await against({
      status: 307,
      headers: { location: 'https://elsewhere.example/in?token=abcd' },
    })
    expect(statuses(await write())).toEqual(['retry', 'retry'])
    const result = await write([upsert(0), upsert(2)])
    expect(statuses(result)).toEqual(['rejected', 'retry'])
    expect(JSON.stringify(result)).toContain('https://elsewhere.example/in,')
    expect(JSON.stringify(result)).not.toContain('abcd')
    expect(server.requests).toHaveLength(2)
  })

  it('is not had when nobody listens, and then even a message may be sent again', async () => {
    const { server, write } = await against({}, { semantics: 'message' })
    await server.close()
    expect(statuses(await write())).toEqual(['retry', 'retry'])
  })
})

const deliver = async (
  changes: readonly Change[],
  key: string,
  settings: Partial<WebhookSettings> = {},
  running?: Running,
) => {
  const mine = running ?? (await startTwin(twin))
  if (!running) open.push(mine)
  const writer = await webhook({ url: mine.url, ...settings }).open({})
  open.push({ close: () => writer.close?.() ?? Promise.resolve() })
  return { running: mine, result: await writer.write(changes, contextFor(key)) }
}

describe('the sandbox receiver', () => {
  it('keeps fields that are not sent and clears those that are null', async () => {
    const first = upsert(0)
    const { running } = await deliver([first], 'b1')
    await deliver([{ ...first, id: 'v2', record: { city: 'Huế', name: null } }], 'b2', {}, running)
    expect(await audience(running)).toEqual(new Map([['an0.@example.com', { spend: 1000, city: 'Huế' }]]))
  })

  it('applies nothing twice under one idempotency key, and refuses the key for other changes', async () => {
    const { running } = await deliver([upsert(0)], 'b1')
    await deliver([upsert(0)], 'b1', {}, running)
    const other = await deliver([upsert(1)], 'b1', {}, running)
    expect(other.result).toEqual({ refused: 'answered 422: this idempotency-key came with other changes before' })
    expect(await running.held()).toMatchObject({ changes: 1, repeated: 0 })
  })

  it('inserts only what is not there and updates only what is', async () => {
    const { running } = await deliver(
      [
        { ...upsert(0), operation: 'update' },
        { ...upsert(1), operation: 'insert' },
      ],
      'b1',
    )
    await deliver([{ ...upsert(1), id: 'x', operation: 'insert', record: { name: 'no' } }], 'b2', {}, running)
    await deliver([{ ...upsert(1), id: 'y', operation: 'update', record: { city: 'Huế' } }], 'b3', {}, running)
    expect(await audience(running)).toEqual(
      new Map([['an1.@example.com', { name: 'Nguyễn Văn 1.', spend: 1001, city: 'Huế' }]]),
    )
  })

  it('refuses a wrong signature', async () => {
    const headers = { 'x-sandbox-secret': 'right' }
    await expect(deliver([upsert(0)], 'b1', { secret: 'wrong', headers })).rejects.toMatchObject({ kind: 'auth' })
    await expect(deliver([upsert(0)], 'b1', { headers })).rejects.toMatchObject({ kind: 'auth' })
    expect((await deliver([upsert(0)], 'b1', { secret: 'right', headers })).result).toMatchObject([
      { status: 'delivered' },
    ])
  })

  it('names the row at fault in a body that breaks the contract', async () => {
    const bad = { ...upsert(1), key: {} }
    expect((await deliver([upsert(0), bad], 'b1')).result).toEqual({
      refused: 'answered 400: changes[1].key: is empty',
    })
  })
})
