// What only several processes show: who holds a file, what a killed one leaves, what a full disk does.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { open } from '../../src/warehouse/duckdb/open.ts'
import type { OpenOptions, Warehouse } from '../../src/warehouse/warehouse.ts'
import { type Child, child } from './child.ts'

let folder: string
const children: Child[] = []

const opened = (options: Partial<OpenOptions> = {}): Promise<Warehouse> =>
  open({ path: 'test.duckdb' }, { root: folder, mode: 'write', waitMs: 0, clock: systemClock, ...options })

const started = (code: string, limit?: number): Child => {
  const process = child(folder, code, limit === undefined ? {} : { limit })
  children.push(process)
  return process
}

// Holds the file until its input ends.
const holding = (mode: 'read' | 'write'): string => `
const warehouse = await opened('${mode}')
say('open')
process.stdin.on('end', async () => { await warehouse.close() }).resume()`

describe('DuckDB and several processes', () => {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cdp-processes-'))
  })
  afterEach(async () => {
    for (const process of children.splice(0)) await process.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('names the program and the pid of who holds the file, and opens it when that one lets go', async () => {
    const holder = started(holding('write'))
    await holder.next()
    const refused = expect.objectContaining({ code: 'WAREHOUSE_LOCKED', kind: 'transient' })
    for (const mode of ['read', 'write'] as const) {
      const error: unknown = await opened({ mode }).catch((thrown: unknown) => thrown)
      expect(error).toEqual(refused)
      expect(String(error)).toMatch(/node.*\(pid \d+\)/)
      expect(String(error)).toContain(`pid ${holder.pid})`)
    }
    const told: string[] = []
    const onWait = (who: string): void => {
      told.push(who)
      void holder.stop()
    }
    const warehouse = await opened({ waitMs: 20_000, onWait })
    expect(told).toHaveLength(1)
    await warehouse.close()
  })

  it('lets processes read together, and a reader keeps a writer out', async () => {
    await (await opened()).close()
    const reader = started(holding('read'))
    await reader.next()
    const beside = await opened({ mode: 'read' })
    expect(await beside.relations('raw')).toEqual([])
    await beside.close()
    await expect(opened()).rejects.toMatchObject({ code: 'WAREHOUSE_LOCKED' })
    await reader.stop()
    await (await opened()).close()
  })

  it('does not lose its hold on the file when another opening of this process ends', async () => {
    await (await opened()).close()
    const [first, second] = await Promise.all([opened({ mode: 'read' }), opened({ mode: 'read' })])
    await first.close()
    const writer = started(
      `await opened('write').then((w) => w.close()).then(() => say('open'), (error) => say(error.code))`,
    )
    expect(await writer.next()).toBe('WAREHOUSE_LOCKED')
    await second.close()
  })

  it('keeps what was committed, and nothing else, when the process is killed', async () => {
    const killed = started(`
      const warehouse = await opened()
      await warehouse.run('create table raw.t as select range as n from range(1000)')
      await warehouse.transaction(async () => {
        await warehouse.run('insert into raw.t select range from range(500)')
        await warehouse.run('create table raw.half as select 1 as n')
        process.kill(process.pid, 'SIGKILL')
        await new Promise(() => setInterval(() => {}, 1000))
      })`)
    expect(await killed.ended).toBe('SIGKILL')
    expect(existsSync(join(folder, 'test.duckdb.wal'))).toBe(true)
    for (const mode of ['read', 'write'] as const) {
      const warehouse = await opened({ mode })
      expect(await warehouse.all('select count(*) as n from raw.t')).toEqual([{ n: 1000 }])
      expect(await warehouse.relations('raw')).toEqual([{ name: 't', isView: false }])
      await warehouse.close()
    }
    expect(existsSync(join(folder, 'test.duckdb.wal'))).toBe(false)
  })

  it.skipIf(process.platform === 'win32')('says that the disk is full and keeps the last good relation', async () => {
    await (await opened()).close()
    const limited = started(
      `
      const warehouse = await opened()
      await warehouse.run('create table raw.t as select 1 as n')
      const big = 'create or replace table raw.t as select range as n, md5(range::varchar) as h from range(1000000)'
      const reported = (error) => ({ code: error.code, kind: error.kind, message: error.message })
      say(await warehouse.run(big).catch(reported))
      say(await warehouse.transaction(() => warehouse.run(big)).catch(reported))
      say(await warehouse.unload('select range as n, md5(range::varchar) as h from range(1000000)', process.argv[1] + '/out.ndjson').catch(reported))
      say(await warehouse.all('select * from raw.t'))
      await warehouse.close()`,
      8192,
    )
    const full = {
      code: 'WAREHOUSE_FULL',
      kind: 'transient',
      message: expect.stringContaining('disk is full') as string,
    }
    for (const _ of ['run', 'transaction', 'unload']) expect(await limited.next()).toEqual(full)
    expect(await limited.next()).toEqual([{ n: 1 }])
    await limited.ended
    expect(existsSync(join(folder, 'out.ndjson'))).toBe(false)
    const warehouse = await opened()
    expect(await warehouse.all('select * from raw.t')).toEqual([{ n: 1 }])
    await warehouse.close()
  })
})
