// The schedule, and what a signal does to work that is under way: the batch in flight is finished, and nothing else is begun.
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cleanUp, patience, projectOf, type Project } from './project.ts'
import { config, shopWithSync } from './shop.ts'
import { startVendor, type Vendor } from './vendor.ts'

const files = {
  ...shopWithSync,
  'cdp.config.ts': config(`\n  schedule: { '* * * * * *': { run: '*', sync: '*' } },`),
}

interface Gate {
  readonly reached: Promise<void>
  open(): void
}

/** Holds the vendor's answers from its nth request on. */
const holdAt = (vendor: Vendor, nth: number): Gate => {
  let open: () => void = () => undefined
  const opened = new Promise<void>((done) => (open = done))
  const reached = new Promise<void>((done) => {
    vendor.at(async (_request, count) => {
      if (count < nth) return undefined
      done()
      await opened
      return undefined
    })
  })
  return { reached, open }
}

let project: Project
let vendor: Vendor
const env = (): { env: Record<string, string> } => ({ env: { VENDOR_URL: vendor.url } })

beforeEach(async () => {
  vendor = await startVendor()
  project = projectOf(files)
})
afterEach(async () => {
  await vendor.close()
  await cleanUp()
})
afterAll(cleanUp)

describe('cdp start', { timeout: patience }, () => {
  it('runs and syncs by the schedule, holds the warehouse only while it works, takes what is new, ends with 0', async () => {
    const running = project.start(['start'], env())
    await running.said(/"job":"sync".*"status":"done"/)
    expect(await project.all('select count(*) as n from spenders')).toEqual([{ n: 7 }])
    const arrived = new Promise<void>((done) => {
      vendor.at(({ changes }) => {
        if (changes.some((change) => change.key['email'] === 'new@example.com')) done()
        return undefined
      })
    })
    project.write('data/orders-2.csv', 'order_no,customer_id,amount\nB1,13,700000\n')
    project.write('data/customers-2.csv', 'id,email,phone,full_name\n13,new@example.com,,Võ Giang\n')
    await arrived
    running.kill('SIGTERM')
    const ran = await running.ended
    expect(ran).toMatchObject({ code: 0, signal: null })
    expect(ran.rows.every((row) => row['job'] === 'run' || row['job'] === 'sync')).toBe(true)
    expect(Object.keys(vendor.holds['spenders'] ?? {})).toHaveLength(8)
    expect(await project.all(`select 1 from cdp.runs where status = 'running'`)).toEqual([])
  })

  it('finishes the batch in flight when it is told to stop, and the next one sends the rest', async () => {
    const gate = holdAt(vendor, 2)
    const running = project.start(['start'], env())
    await gate.reached
    expect(await project.all('select count(*) as n from spenders')).toEqual([{ n: 7 }])
    running.kill('SIGTERM')
    await running.said(/Finishing what is in flight/)
    gate.open()
    const ran = await running.ended
    expect(ran).toMatchObject({ code: 0, signal: null })
    expect(ran.rows.at(-1)).toMatchObject({ job: 'sync', status: 'interrupted', delivered: 4, waiting: 3 })
    expect(vendor.requests).toHaveLength(2)
    expect(await project.cdp(['sync'], env())).toMatchObject({ code: 0, rows: [{ sent: { upsert: 3 }, delivered: 3 }] })
    expect(vendor.sent('spenders')).toEqual({ upsert: 7, remove: 0, insert: 0 })
  })

  it('outlives a bad night: a job that fails is said and tried again', async () => {
    let refused = 0
    const recovered = new Promise<void>((done) => {
      vendor.at(() => {
        refused += 1
        if (refused === 1) return { status: 401 }
        done()
        return undefined
      })
    })
    const running = project.start(['start'], env())
    await running.said(/DESTINATION_AUTH/)
    await recovered
    await running.said(/"status":"done"/)
    running.kill('SIGINT')
    expect(await running.ended).toMatchObject({ code: 0 })
  })
})

describe('a signal', { timeout: patience }, () => {
  it('lets a sync finish the batch in flight, exit 130; what was delivered is known', async () => {
    await project.must(['run', '--quiet'])
    const gate = holdAt(vendor, 2)
    const running = project.start(['sync'], env())
    await gate.reached
    running.kill('SIGINT')
    await running.said(/Finishing what is in flight; interrupt again to leave at once/)
    gate.open()
    expect(await running.ended).toMatchObject({
      code: 130,
      rows: [{ status: 'interrupted', delivered: 4, waiting: 3 }],
    })
    expect(await project.all(`select count(*) as n from cdp.sync_rows where status = 'delivered'`)).toEqual([{ n: 4 }])
    expect(await project.all(`select status, exit_code from cdp.runs where command = 'sync'`)).toEqual([
      { status: 'interrupted', exit_code: 130 },
    ])
  })

  it('given twice ends it at once, and the next sync settles what was on its way', async () => {
    await project.must(['run', '--quiet'])
    const gate = holdAt(vendor, 2)
    const running = project.start(['sync'], env())
    await gate.reached
    running.kill('SIGTERM')
    await running.said(/Finishing what is in flight/)
    running.kill('SIGTERM')
    expect(await running.ended).toMatchObject({ code: null, signal: 'SIGINT' })
    gate.open()
    vendor.at(() => undefined)
    expect(await project.cdp(['sync'], env())).toMatchObject({ code: 0, rows: [{ status: 'done' }] })
    expect(Object.keys(vendor.holds['spenders'] ?? {})).toHaveLength(7)
  })

  it('ends a wait for the warehouse, exit 130', async () => {
    await project.must(['run', '--quiet'])
    const gate = await project.read(async () => {
      const running = project.start(['--wait', '60s', 'run', '--full-refresh'])
      await running.said(/Waiting up to/)
      running.kill('SIGTERM')
      return running.ended
    })
    expect(gate).toMatchObject({ code: 130, stdout: '' })
    expect(gate.stderr).toContain('INTERRUPTED')
  })
})
