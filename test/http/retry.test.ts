// Waiting as an answer asks, and repeating reads.
import { afterEach, describe, expect, it } from 'vitest'
import type { Clock } from '../../src/core/clock.ts'
import { httpClient } from '../../src/http/client.ts'
import { retryAfter } from '../../src/http/retry-after.ts'
import { requestWithRetry } from '../../src/http/retry.ts'
import { type Loopback, type LoopbackAnswer, startLoopback } from '../../src/testing/loopback.ts'

const now = Date.parse('2026-11-25T03:00:00Z')

describe('the wait that an answer asks for', () => {
  it.each([
    ['seconds', { 'retry-after': '7' }, 7000],
    ['parts of a second', { 'retry-after': '0.5' }, 500],
    ['a date', { 'retry-after': 'Wed, 25 Nov 2026 03:00:30 GMT' }, 30_000],
    [
      'a date, by the clock of the one who answers',
      { 'retry-after': 'Wed, 25 Nov 2026 05:00:30 GMT', date: 'Wed, 25 Nov 2026 05:00:00 GMT' },
      30_000,
    ],
    ['a date that has passed', { 'retry-after': 'Wed, 25 Nov 2026 02:00:00 GMT' }, 0],
    ['a reset in seconds', { 'x-ratelimit-reset': '12' }, 12_000],
    ['a reset as seconds since 1970', { 'x-ratelimit-reset': String(now / 1000 + 5) }, 5000],
    ['a reset as milliseconds since 1970', { 'x-rate-limit-reset': String(now + 250) }, 250],
    ['a reset as a date', { 'ratelimit-reset': '2026-11-25T03:01:00Z' }, 60_000],
    ['Retry-After before a reset', { 'retry-after': '1', 'x-ratelimit-reset': '9' }, 1000],
    ['no wait while calls are left', { 'x-ratelimit-remaining': '3', 'x-ratelimit-reset': '9' }, undefined],
    ['nothing', {}, undefined],
    ['nonsense', { 'retry-after': 'soon' }, undefined],
  ])('may be given as %s', (_title, headers, wait) => {
    expect(retryAfter(headers as Record<string, string>, now)).toBe(wait)
  })
})

describe('a read that is repeated', () => {
  let server: Loopback | undefined
  afterEach(async () => {
    await server?.close()
  })

  const waits: number[] = []
  const clock: Clock = {
    now: () => now,
    sleep: (ms, signal) => {
      signal?.throwIfAborted()
      waits.push(ms)
      return Promise.resolve()
    },
  }

  const read = async (answers: readonly LoopbackAnswer[], attempts?: number) => {
    waits.length = 0
    server = await startLoopback((_request, index) => answers[index] ?? { body: 'past the end' })
    const http = httpClient({ baseUrl: server.url })
    const result = await requestWithRetry(http, {}, { clock, random: () => 1, ...(attempts ? { attempts } : {}) })
    http.close()
    return result
  }

  it('waits as it is asked, else twice as long each time', async () => {
    const result = await read([
      { status: 429, headers: { 'retry-after': '3' } },
      { status: 503 },
      'break',
      { body: { page: 1 } },
    ])
    expect(result).toMatchObject({ status: 200, body: { page: 1 } })
    expect(waits).toEqual([3000, 1000, 2000])
  })

  it('ends with the last answer when the tries are used up', async () => {
    expect(await read([{ status: 500 }, { status: 502 }], 2)).toMatchObject({ status: 502 })
    expect(waits).toEqual([500])
  })

  it('takes a 404 and a 501 as said', async () => {
    expect(await read([{ status: 404 }])).toMatchObject({ status: 404 })
    expect(await read([{ status: 501 }])).toMatchObject({ status: 501 })
    expect(waits).toEqual([])
  })

  it('does not wait for an hour', async () => {
    expect(await read([{ status: 429, headers: { 'retry-after': '3600' } }])).toMatchObject({
      status: 429,
      retryAfterMs: 3_600_000,
    })
    expect(waits).toEqual([])
  })

  it('ends with the reason of the one who gave up', async () => {
    server = await startLoopback(() => ({ status: 503 }))
    const http = httpClient({ baseUrl: server.url })
    const stop = new AbortController()
    stop.abort(new Error('enough'))
    await expect(requestWithRetry(http, { signal: stop.signal }, { clock })).rejects.toThrow('enough')
    http.close()
  })
})
