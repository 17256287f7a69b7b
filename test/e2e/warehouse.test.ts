// Several programs at one warehouse, and a disk that is full: who is told what, and that nothing is left half done.
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { duckdb } from '../../src/warehouse/define-duckdb.ts'
import { openWarehouse, type Warehouse } from '../../src/warehouse/warehouse.ts'
import { cleanUp, patience, projectOf, type Project } from './project.ts'
import { shopWithSync } from './shop.ts'
import { startVendor, type Vendor } from './vendor.ts'

describe('a warehouse', { timeout: patience }, () => {
  let project: Project
  let vendor: Vendor
  const opened: Warehouse[] = []
  const hold = async (mode: 'read' | 'write'): Promise<Warehouse> => {
    const path = join(project.folder, '.cdp/test.duckdb')
    const options = { root: project.folder, mode, waitMs: 0, clock: systemClock }
    const warehouse = await openWarehouse(duckdb({ path }), options)
    opened.push(warehouse)
    return warehouse
  }

  beforeAll(async () => {
    project = projectOf(shopWithSync)
    await project.must(['run', '--quiet'])
  }, patience)
  beforeEach(async () => {
    vendor = await startVendor()
  })
  afterEach(async () => {
    for (const warehouse of opened.splice(0)) await warehouse.close()
    await vendor.close()
  })
  afterAll(cleanUp)

  it('that another program writes to is waited for, then its holder is named, exit 5', async () => {
    await hold('write')
    for (const args of [['run'], ['sync'], ['query', 'select 1']]) {
      const ran = await project.cdp(['--wait', '200ms', ...args], { env: { VENDOR_URL: vendor.url } })
      expect(ran, args[0]).toMatchObject({ code: 5, stdout: '' })
      expect(ran.stderr).toContain(`(pid ${process.pid})`)
      expect(ran.stderr).toContain('--wait 60s')
    }
  })

  it('is opened as soon as the other lets go', async () => {
    const held = await hold('write')
    const running = project.start(['--wait', '60s', 'run'])
    await running.said(/Waiting up to .* \(pid \d+\)/)
    await held.close()
    expect((await running.ended).code).toBe(0)
  })

  it('that is read is read by others too, and kept from writers', async () => {
    await hold('read')
    expect(await project.cdp(['query', 'select 1 as one'])).toMatchObject({ code: 0, rows: [{ one: 1 }] })
    const ran = await project.cdp(['--wait', '200ms', 'run'])
    expect(ran.code).toBe(5)
    expect(ran.stderr).toContain(`(pid ${process.pid})`)
    expect(ran.stderr).toContain('A program that only reads the file also keeps writers out.')
  })

  it('is free while a vendor is awaited; the sync itself is not, and the second one is told', async () => {
    let go: () => void = () => undefined
    const answered = new Promise<void>((done) => (go = done))
    const asked = new Promise<void>((done) => {
      vendor.at(async () => {
        done()
        await answered
        return undefined
      })
    })
    const first = project.start(['sync'], { env: { VENDOR_URL: vendor.url } })
    await asked
    expect((await project.cdp(['query', 'select count(*) as n from spenders'])).rows).toEqual([{ n: 7 }])
    expect((await project.cdp(['run', '--full-refresh'])).code).toBe(0)
    const second = await project.cdp(['sync'], { env: { VENDOR_URL: vendor.url } })
    expect(second).toMatchObject({ code: 5, rows: [{ sync: 'spenders', status: 'busy', requests: 0 }] })
    expect(second.stderr).toContain(`is being delivered by pid ${first.pid} `)
    go()
    expect(await first.ended).toMatchObject({ code: 0, rows: [{ status: 'done', delivered: 7 }] })
    expect(vendor.sent('spenders').upsert).toBe(7)
    expect(await project.all(`select command, status from cdp.runs where command = 'sync' order by run_id`)).toEqual([
      { command: 'sync', status: 'done' },
      { command: 'sync', status: 'failed' },
    ])
  })

  describe('on a disk that is full', () => {
    // Only root may mount a disk that is small enough to fill.
    let mounted: string | undefined
    beforeEach(({ skip }) => {
      const small = join(project.folder, 'small')
      mkdirSync(small, { recursive: true })
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', small], { stdio: 'pipe' })
        mounted = small
      } catch {
        skip('no small disk can be mounted here')
      }
    })
    afterEach(() => {
      if (mounted !== undefined) execFileSync('umount', ['-l', mounted])
      mounted = undefined
    })
    /** Takes all that is left; returns what gives it back. */
    const fill = (): (() => void) => {
      const filler = join(project.folder, 'small/filler')
      const file = openSync(filler, 'w')
      const block = Buffer.alloc(64 * 1024)
      try {
        for (;;) writeSync(file, block)
      } catch {
        closeSync(file)
      }
      return () => writeFileSync(filler, '')
    }

    it('says so, exit 5, and goes on where it was once there is room', async () => {
      const inside = (args: string[]) =>
        project.cdp(['--project', 'small', ...args], { env: { VENDOR_URL: vendor.url } })
      for (const [file, text] of Object.entries(shopWithSync)) project.write(`small/${file}`, text)
      const ran = await inside(['run'])
      expect(ran.code, ran.stderr).toBe(0)
      const big = Array.from({ length: 50_000 }, (_, n) => `C${n},${n},${n}`).join('\n')
      project.write('small/data/orders-2.csv', `order_no,customer_id,amount\n${big}\n`)
      let free = fill()
      const full = await inside(['run'])
      expect(full.code, full.stderr).toBe(5)
      expect(full.stderr).toContain('The disk is full')
      free()
      const kept = await inside([
        'query',
        'select (select count(*) from raw.shop_orders) as orders, (select count(*) from spenders) as spenders',
      ])
      expect(kept.rows).toEqual([{ orders: 12, spenders: 7 }])
      expect((await inside(['run'])).code).toBe(0)
      free = fill()
      const sent = await inside(['sync'])
      expect(sent.code, sent.stderr).toBe(5)
      expect(vendor.requests).toEqual([])
      free()
      expect(await inside(['sync'])).toMatchObject({ code: 0, rows: [{ delivered: 7 }] })
    })
  })
})
