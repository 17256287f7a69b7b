// A warehouse that is lost and built again from its sources and a state export: nobody gets another id, nothing is sent again.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cleanUp, patience, projectOf } from './project.ts'
import { hook, shopWithSync } from './shop.ts'
import { startVendor, type Vendor } from './vendor.ts'

// Files of one load count in the order of their names.
const secondDay = {
  // 3 turns out to be 4; 9 leaves the segment.
  'data/customers2.csv': 'id,email,phone,full_name\n3,person4@example.com,,Nguyễn Văn 3\n',
  'data/orders2.csv': 'order_no,customer_id,amount\nA9,9,1\n',
}

describe('cdp state', { timeout: patience }, () => {
  let vendor: Vendor
  beforeAll(async () => {
    vendor = await startVendor()
  })
  afterAll(async () => {
    await vendor.close()
    await cleanUp()
  })

  it('carries ids, history and ledger into a new database', async () => {
    const env = { VENDOR_URL: vendor.url }
    const project = projectOf({
      ...shopWithSync,
      'syncs/welcome.ts': hook({ from: 'spenders', to: `, semantics: 'message'`, mode: 'append' }),
    })
    const runAndSync = async (): Promise<void> => {
      await project.must(['run', '--quiet'])
      await project.must(['sync', '--quiet', '--allow', 'first-run'], { env })
    }
    await runAndSync()
    for (const [file, text] of Object.entries(secondDay)) project.write(file, text)
    await runAndSync()
    const facts = (): Promise<unknown[]> =>
      project.all(`select 'person' as what, record_id as name, person_id as fact from people
        union all select 'redirect', old_id, person_id from cdp.person_redirects
        union all select 'member', person_id, concat(entered_at, ' ', left_at) from cdp.segment_members
        union all select sync, key, concat_ws(' ', status, held, row_hash, attempts, first_delivered_at) from cdp.sync_rows
        order by all`)
    const [before, holds, requests] = [await facts(), structuredClone(vendor.holds), vendor.requests.length]
    expect(requests).toBeGreaterThan(5)

    const exported = await project.must(['state', 'export', 'backup'])
    expect(exported.rows).toContainEqual({ relation: 'person_redirects', rows: 1, note: null })
    const refused = await project.cdp(['state', 'import', 'backup'])
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('Nothing was imported')

    project.remove('.cdp')
    await project.must(['state', 'import', 'backup'])
    await runAndSync()
    expect(await facts()).toEqual(before)
    expect(vendor.requests).toHaveLength(requests)

    // And it goes on from there: 9 is back, and 4, under the id of 3, has another name.
    project.write('data/orders3.csv', 'order_no,customer_id,amount\nA9,9,900000\n')
    await runAndSync()
    expect(vendor.requests.slice(requests).flatMap(({ changes }) => changes.map(({ key }) => key['email']))).toEqual([
      'person9@example.com',
    ])
    expect(vendor.holds['spenders']).toEqual({
      ...holds['spenders'],
      'person9@example.com': { name: 'Nguyễn Văn 9', spend: 900_000 },
    })
  })
})
