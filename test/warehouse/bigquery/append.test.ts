// How rows are appended where there is no Storage API: into a log by insertAll, elsewhere by INSERT.
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Warehouse } from '../../../src/warehouse/warehouse.ts'
import { openAt, refusalOf, type Sent, startService, type Service } from './service.ts'

let service: Service
let w: Warehouse
beforeEach(async () => {
  service = await startService()
  w = await openAt(service)
})
afterEach(async () => {
  await w.close()
  await service.close()
})

const log = { schema: 'cdp', name: 'sync_log' } as const
const streamed = (): Sent[] => service.sent.filter(({ path }) => path.endsWith('/insertAll'))
const rowsOf = ({ body }: Sent): { insertId: string; json: unknown }[] =>
  (body as { rows?: { insertId: string; json: unknown }[] }).rows ?? []

it('a log takes rows by insertAll, with the same ids when an answer was lost', async () => {
  service.refuse(/insertAll$/, 'lost')
  await w.append(log, [
    { sync: 's', seq: 2n ** 60n, happened_at: new Date(0), detail: '{"a":1}', held: true },
    { sync: 't', seq: 2, reason: null },
  ])
  const [lost, again] = streamed()
  expect(streamed().map(({ path }) => path)).toEqual(
    Array.from({ length: 2 }, () => '/datasets/cdp/tables/sync_log/insertAll'),
  )
  expect(lost && rowsOf(lost)).toEqual(again && rowsOf(again))
  expect(again && rowsOf(again)).toEqual([
    {
      insertId: expect.stringMatching(/^.{12}-0$/) as unknown,
      json: {
        sync: 's',
        seq: String(2n ** 60n),
        happened_at: '1970-01-01T00:00:00.000Z',
        detail: '{"a":1}',
        held: 'true',
      },
    },
    { insertId: expect.stringMatching(/^.{12}-1$/) as unknown, json: { sync: 't', seq: '2', reason: null } },
  ])
})

it('five hundred rows go in a request', async () => {
  await w.append(
    log,
    Array.from({ length: 1200 }, (_, seq) => ({ seq })),
  )
  expect(streamed().map((one) => rowsOf(one).length)).toEqual([500, 500, 200])
  expect(new Set(streamed().flatMap((one) => rowsOf(one).map(({ insertId }) => insertId))).size).toBe(1200)
})

it('a refused row is an error', async () => {
  service.answer(/insertAll$/, {
    insertErrors: [{ index: 0, errors: [{ reason: 'invalid', message: 'no such field: x' }] }],
  })
  const error = await refusalOf(w.append(log, [{ x: 1 }]))
  expect([error.code, error.message]).toEqual(['QUERY_FAILED', expect.stringContaining('no such field: x')])
})

it('what is changed later is never streamed: its rows come by INSERT', async () => {
  await w.append({ schema: 'cdp', name: 'sync_plan' }, [{ sync: 's', seq: 1 }])
  expect(streamed()).toEqual([])
  const statements = [...service.jobs.values()].map(({ configuration: { query } }) => query?.query)
  expect(statements.at(-1)).toBe('insert into `lotus`.`cdp`.`sync_plan` (`sync`, `seq`) values (@p1, @p2)')
})

it('an append is no part of a transaction', async () => {
  const error = await refusalOf(w.transaction(() => w.append(log, [{ seq: 1 }])))
  expect([error.code, streamed().length]).toEqual(['INTERNAL', 0])
})
