// What work costs: asked before, added up after, and never more than is allowed.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { inStep } from '../../../src/warehouse/step.ts'
import type { Warehouse } from '../../../src/warehouse/warehouse.ts'
import { openAt, refusalOf, startService, type Service } from './service.ts'

let service: Service
let opened: Warehouse | undefined
beforeEach(async () => {
  service = await startService()
})
afterEach(async () => {
  await opened?.close()
  opened = undefined
  await service.close()
})

const step = { run: 'r', step: 'model people' }

const caps = (): unknown[] =>
  [...service.jobs.values()].slice(1).map(({ configuration: { query } }) => query?.['maximumBytesBilled'])

it('the bytes of a statement are asked by a dry run, also of one that writes, and with its parameters', async () => {
  const w = (opened = await openAt(service, { mode: 'read' }, { maximumBytesBilled: '1 MB' }))
  service.when(/dear/, { processed: '123456789012' })
  const jobs = service.jobs.size
  const sql = 'create or replace table models.dear as select * from raw.t where n > $1'
  expect(await w.cost({ sql, parameters: [1] })).toEqual({ bytes: 123_456_789_012, accuracy: 'UPPER_BOUND' })
  expect(service.jobs.size).toBe(jobs)
  const asked = service.sent.at(-1)?.body.configuration
  expect([asked?.dryRun, asked?.query?.['maximumBytesBilled']]).toEqual([true, undefined])
})

it('a step adds up what its statements were billed for', async () => {
  const w = (opened = await openAt(service))
  service.when(/ten/, { billed: '10485760' })
  const meter = { statements: 0, billedBytes: 0 }
  await inStep({ ...step, meter }, async () => {
    await w.run('select 1 as ten')
    await w.transaction(() => w.all('select 2 as ten'))
    for await (const _ of w.stream('select 3 as ten')) expect(_.rowCount).toBe(0)
    await w.run('select 4 as free')
  })
  await w.run('select 5 as ten')
  expect(meter).toEqual({ statements: 4, billedBytes: 31_457_280 })
})

it('the lower of the limits of warehouse and step holds, and is named when it is too low', async () => {
  const w = (opened = await openAt(service, {}, { maximumBytesBilled: '50 GB' }))
  await w.run('select 1 as a')
  await inStep({ ...step, maximumBytesBilled: '9000000000' }, () => w.run('select 1 as a'))
  await inStep({ ...step, maximumBytesBilled: '90000000000' }, () => w.run('select 1 as a'))
  expect(caps()).toEqual(['50000000000', '9000000000', '50000000000'])
  const message = 'Query exceeded limit for bytes billed: 1000000. 10485760 or higher required.'
  service.when(/dear/, { error: { reason: 'bytesBilledLimitExceeded', message } })
  const work = inStep({ ...step, maximumBytesBilled: '1000000' }, () => w.run('select 1 as dear'))
  const error = await refusalOf(work)
  expect(error.code).toBe('QUERY_COST')
  expect(error.message).toContain('more than the 1,000,000 bytes that are allowed: 10,485,760 bytes')
})
