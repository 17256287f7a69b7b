// One run at a time where several processes may write; seen on a DuckDB that says it is such a warehouse.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '../../src/core/clock.ts'
import type { CdpError } from '../../src/core/errors.ts'
import { asOnlyRun } from '../../src/run/owner.ts'
import type { OwnerWorld } from '../../src/sync/lease.ts'
import { insertRows } from '../../src/warehouse/statements.ts'
import type { Warehouse } from '../../src/warehouse/warehouse.ts'
import { inMemory } from '../models/project.ts'

const clock: Clock = { now: () => 1_000_000_000_000, sleep: () => Promise.resolve() }
const world: OwnerWorld = {
  self: { host: 'here', pid: 7, began: '' },
  isAlive: ({ pid }) => pid !== 666,
}
const run = <T>(warehouse: Warehouse, runId: string, work: () => Promise<T>): Promise<T> =>
  asOnlyRun(warehouse, { runId, clock }, work, world)

describe('a warehouse that several processes may write', () => {
  let one: Warehouse
  let warehouse: Warehouse
  beforeEach(async () => {
    one = await inMemory()
    warehouse = { ...one, supports: { ...one.supports, concurrentWriters: true } }
  })
  afterEach(() => one.close())
  const said = async (): Promise<unknown[]> =>
    (await one.all<{ name: string }>(`select name from cdp.settings where name like 'run:%'`)).map(({ name }) => name)
  const hold = (name: string, holder: { readonly host: string; readonly pid: number; readonly age: number }) => {
    const { age, ...owner } = holder
    const value = JSON.stringify({ ...owner, began: '', heartbeat: clock.now() - age })
    return insertRows(one, { schema: 'cdp', name: 'settings' }, [{ name: `run:${name}`, value }])
  }

  it('has one run at a time; the second does nothing', async () => {
    const done = await run(warehouse, 'first', async () => {
      expect(await said()).toEqual(['run:first'])
      const second = run(warehouse, 'second', () => Promise.resolve('both'))
      await expect(second).rejects.toMatchObject({
        code: 'RUN_BUSY',
        args: { run: 'first', holder: 'pid 7 on here' },
      })
      return 'done'
    })
    expect(done).toBe('done')
    expect(await said()).toEqual([])
  })

  it('lets go when the run fails', async () => {
    await expect(run(warehouse, 'first', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect(await said()).toEqual([])
  })

  it.each([
    ['a process of this machine that is dead', { host: 'here', pid: 666, age: 0 }, true],
    ['one that lives', { host: 'here', pid: 8, age: 3_600_000 }, false],
    ['one of another machine that was silent for ten minutes', { host: 'there', pid: 8, age: 600_000 }, true],
    ['one of another machine that was heard of since', { host: 'there', pid: 8, age: 599_999 }, false],
  ])('takes over from %s, or gives way to it', async (_, holder, taken) => {
    await hold('other', holder)
    const mine = await run(warehouse, 'mine', () => Promise.resolve('done')).catch((error: CdpError) => error.code)
    expect(mine).toBe(taken ? 'done' : 'RUN_BUSY')
    expect(await said()).toEqual(taken ? [] : ['run:other'])
  })

  it('writes nothing where only one process can write', async () => {
    await run(one, 'first', async () => expect(await said()).toEqual([]))
  })
})
