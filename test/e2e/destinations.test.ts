// Destinations that are down, refuse the credential or refuse rows: how the program ends, what is written down, and what the next run does.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cleanUp, patience, projectOf, type Project, type Ran } from './project.ts'
import { hook, shop } from './shop.ts'
import { startVendor, type Vendor } from './vendor.ts'

describe('a destination that', { timeout: patience }, () => {
  let project: Project
  let vendor: Vendor
  const sync = (...args: string[]): Promise<Ran> => project.cdp(['sync', ...args], { env: { VENDOR_URL: vendor.url } })
  const statusOf = (id: string): Promise<unknown[]> =>
    project.all(`select status, held, count(*) as n from cdp.sync_rows where sync = '${id}' group by all order by all`)

  beforeAll(async () => {
    project = projectOf(shop)
    await project.must(['run', '--quiet'])
  }, patience)
  beforeEach(async () => {
    vendor = await startVendor()
  })
  afterEach(async () => {
    await vendor.close()
    project.remove('syncs')
  })
  afterAll(cleanUp)

  it('is down is noticed, exit 5, nothing counts as delivered, and the next run delivers', async () => {
    project.write('syncs/down.ts', hook({ from: 'spenders', to: ', batch: 1, inFlight: 1' }))
    const { url } = vendor
    await vendor.close()
    const ran = await project.cdp(['sync'], { env: { VENDOR_URL: url } })
    expect(ran.code).toBe(5)
    expect(ran.rows).toMatchObject([{ sync: 'down', status: 'stopped', delivered: 0 }])
    expect(ran.stderr).toContain('takes nothing at the moment')
    expect(ran.stderr).toContain('What is left goes out with the next run.')
    expect(await project.all(`select 1 from cdp.sync_rows where sync = 'down' and status = 'delivered'`)).toEqual([])
    vendor = await startVendor()
    expect(await sync()).toMatchObject({ code: 0, rows: [{ status: 'done', delivered: 7 }] })
    expect(Object.keys(vendor.holds['down'] ?? {})).toHaveLength(7)
    expect(await statusOf('down')).toEqual([{ status: 'delivered', held: true, n: 7 }])
  })

  it('refuses the credential stops its sync at once, exit 4, and no other', async () => {
    project.write('syncs/closed.ts', hook({ from: 'spenders', to: ', batch: 2, inFlight: 1' }))
    project.write('syncs/open.ts', hook({ from: 'spenders', to: ', batch: 2, inFlight: 1' }))
    vendor.at((request) => (request.sync === 'closed' ? { status: 401, body: { error: 'token expired' } } : undefined))
    const ran = await sync()
    expect(ran.code).toBe(4)
    expect(ran.rows).toMatchObject([
      { sync: 'closed', status: 'failed', delivered: 0, requests: 1 },
      { sync: 'open', status: 'done', delivered: 7 },
    ])
    expect(ran.stderr).toContain('DESTINATION_AUTH')
    expect(ran.stderr).toContain('token expired')
    vendor.at(() => undefined)
    expect(await sync()).toMatchObject({ code: 0, rows: [{ sync: 'closed', delivered: 7 }, { status: 'unchanged' }] })
    expect(vendor.sent('open')).toEqual({ upsert: 7, remove: 0, insert: 0 })
    expect(vendor.holds['closed']).toEqual(vendor.holds['open'])
  })

  it('refuses rows keeps the others, says why, and is asked again when it is told to', async () => {
    project.write('syncs/picky.ts', hook({ from: 'spenders', to: ', batch: 10' }))
    const reason = 'no such person'
    vendor.at(({ changes }) => ({
      body: {
        results: changes.flatMap((change, index) =>
          change.key['email'] === 'person7@example.com' ? [{ index, status: 'rejected', reason }] : [],
        ),
      },
    }))
    const ran = await sync('--strict')
    expect(ran).toMatchObject({ code: 3, rows: [{ status: 'done', delivered: 6, rejected: 1 }] })
    const status = await project.cdp(['status'])
    expect(status.rows).toContainEqual(
      expect.objectContaining({ type: 'sync', sync: 'picky', in_sync: 6, rejected: 1, top_reason: reason }),
    )
    const row = await project.cdp(['explain', 'row', 'picky', 'person7@example.com'])
    expect(row.stdout).toContain(reason)
    // Its time has not come.
    expect(await sync()).toMatchObject({ code: 0, rows: [{ sent: { upsert: 0 } }] })
    vendor.at(() => undefined)
    expect(await sync('--retry-rejected')).toMatchObject({ code: 0, rows: [{ sent: { upsert: 1 }, delivered: 1 }] })
    expect(vendor.holds['picky']).toEqual({ 'person7@example.com': { name: 'Nguyễn Văn 7', spend: 700_000 } })
  })
})
