// Transactions as they are sent to BigQuery: one session each, and what becomes of them when an answer is lost or a statement fails.
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Warehouse } from '../../../src/warehouse/warehouse.ts'
import { openAt, refusalOf, startService, type Service } from './service.ts'

let service: Service
let w: Warehouse
let before: number
const stop = { now: new AbortController() }
beforeEach(async () => {
  stop.now = new AbortController()
  service = await startService()
  w = await openAt(service, { signal: stop.now.signal })
  before = service.sent.length
})
afterEach(async () => {
  await w.close()
  await service.close()
})

/** Statements of jobs that came to be since the warehouse was opened, with `*` in front where they are part of the session. */
const ran = (): string[] =>
  [...service.jobs.values()]
    .map(({ configuration: { query } }) => {
      const properties = (query?.['connectionProperties'] ?? []) as readonly { readonly value: string }[]
      return `${properties[0]?.value === 'session-1' ? '*' : ''}${query?.query ?? ''}`
    })
    .slice(1)

const end = '*call BQ.ABORT_SESSION()'

/** The same once sessions are gone, which nobody waits for but the closing. */
const ranInAll = async (): Promise<string[]> => {
  await w.close()
  return ran()
}

it('a transaction is one session, opened by its first statement', async () => {
  expect(await w.transaction(() => Promise.resolve(1))).toBe(1)
  expect(service.sent.length).toBe(before)
  await w.transaction(async () => {
    await w.run('insert into t (a) select 1')
    await w.transaction(() => w.all('select 1 as a'))
  })
  await w.run('select 2 as a')
  const all = await ranInAll()
  expect(all.filter((sql) => sql !== end)).toEqual([
    'begin transaction',
    '*insert into t (a) select 1',
    '*select 1 as a',
    '*commit transaction',
    'select 2 as a',
  ])
  expect(all.filter((sql) => sql === end)).toHaveLength(1)
})

it('its statements run one after another, and those of other tasks go on outside', async () => {
  let go = (): void => undefined
  const gate = new Promise<void>((done) => {
    go = done
  })
  const open = w.transaction(async () => {
    await Promise.all([1, 2, 3].map((n) => w.run(`update t set a = ${n} where true`)))
    await gate
  })
  await expect.poll(() => ran().filter((sql) => sql.startsWith('*update')).length).toBe(3)
  await w.run('select 1 as outside')
  go()
  await open
  expect(await ranInAll()).toEqual([
    'begin transaction',
    '*update t set a = 1 where true',
    '*update t set a = 2 where true',
    '*update t set a = 3 where true',
    'select 1 as outside',
    '*commit transaction',
    end,
  ])
})

it('a commit whose answer was lost is found under its id', async () => {
  service.refuse(/^POST \/jobs$/, 'cut', 'cut')
  await w.transaction(async () => {
    await w.run('delete from t where true')
    service.refuse(/^POST \/jobs$/, 'lost')
  })
  expect(await ranInAll()).toEqual(['begin transaction', '*delete from t where true', '*commit transaction', end])
})

it('a commit that is never answered says that nobody knows whether it took effect', async () => {
  const cut = Array.from({ length: 7 }, () => 'cut' as const)
  const work = w.transaction(async () => {
    await w.run('delete from t where true')
    service.refuse(/^POST \/jobs$/, ...cut)
  })
  const error = await refusalOf(work)
  expect([error.code, error.message]).toEqual(['WAREHOUSE_BUSY', expect.stringContaining('took effect is not known')])
})

it('a conflict with another change is worth another run', async () => {
  const message = 'Transaction is aborted due to concurrent update against table lotus:raw.t. Transaction ID: 4f2a'
  service.when(/^delete/, { error: { reason: 'invalidQuery', message } })
  const error = await refusalOf(w.transaction(() => w.run('delete from t where true')))
  expect([error.code, error.kind]).toEqual(['WAREHOUSE_BUSY', 'transient'])
  expect(await ranInAll()).toEqual(['begin transaction', '*delete from t where true', '*rollback transaction', end])
})

it('a statement outside of one that met another change is sent anew', async () => {
  const message = 'Could not serialize access to table lotus:raw.t due to concurrent update'
  service.when(/^delete/, { error: { reason: 'invalidQuery', message }, once: true })
  await w.run('delete from t where true')
  expect(await ranInAll()).toEqual(['delete from t where true', 'delete from t where true'])
})

it('after a failed statement nothing more is sent, not even anew, and nothing is committed', async () => {
  service.when(/fails/, { error: { reason: 'backendError', message: 'Error. Retrying may solve the problem.' } })
  const work = w.transaction(async () => {
    await w.run('insert into t select 1 as fails').catch(() => undefined)
    await w.run('insert into t select 2').catch(() => undefined)
  })
  expect((await refusalOf(work)).code).toBe('WAREHOUSE_BUSY')
  expect(await ranInAll()).toEqual([
    'begin transaction',
    '*insert into t select 1 as fails',
    '*rollback transaction',
    end,
  ])
})

it('what cannot be part of one is refused before it is sent', async () => {
  const attempts: readonly (() => Promise<unknown>)[] = [
    () => w.run('create table raw.t (a INT64)'),
    () => w.run('delete from t where true; drop table t'),
    () => w.run('begin select 1; end'),
    () => w.makeScratch('s', 'as select 1 as n'),
    () => w.load({ schema: 'raw', name: 't' }, ['n'], 'select 1'),
  ]
  for (const attempt of attempts) {
    const error = await refusalOf(w.transaction(attempt))
    expect([error.code, error.message]).toEqual(['INTERNAL', expect.stringContaining('was run in a transaction')])
  }
  await w.transaction(() => w.describe('select 1 as a'))
  expect(ran()).toEqual([])
})

it('an interrupted one is rolled back', async () => {
  const work = w.transaction(async () => {
    await w.run('delete from t where true')
    stop.now.abort(new RangeError('enough'))
    await w.run('insert into t select 1')
  })
  await expect(work).rejects.toThrow(RangeError)
  expect(await ranInAll()).toEqual(['begin transaction', '*delete from t where true', '*rollback transaction', end])
})
