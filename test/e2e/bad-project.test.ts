// A project with something wrong in it: what is said of it and where, how the program ends, and that what was good stays.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cleanUp, patience, projectOf, type Project } from './project.ts'
import { hook, models, shop } from './shop.ts'
import { startVendor, type Vendor } from './vendor.ts'

const files: Readonly<Record<string, string>> = { ...shop, 'syncs/spenders.ts': hook({ from: 'spenders' }) }

describe('a project with', { timeout: patience }, () => {
  let project: Project
  let vendor: Vendor
  const sync = () => project.cdp(['sync'], { env: { VENDOR_URL: vendor.url } })

  beforeAll(async () => {
    vendor = await startVendor()
    project = projectOf(files)
    await project.must(['run', '--quiet'])
    await project.must(['sync', '--quiet'], { env: { VENDOR_URL: vendor.url } })
  }, patience)
  afterEach(() => {
    if (project.has('syncs/others.ts')) project.remove('syncs/others.ts')
    for (const [file, text] of Object.entries(files)) if (!file.startsWith('data/')) project.write(file, text)
  })
  afterAll(async () => {
    await vendor.close()
    await cleanUp()
  })

  it('SQL that cannot be read: every place is named, exit 2, nothing is run', async () => {
    project.write('models/records.sql', '/*\nkind: view\n*/\nselect id,\n  from from raw.shop_customers\n')
    project.write('models/spending.sql', '/*\nkind: tabel\n*/\nselect 1 as one\n')
    const before = await project.all('select count(*) as n from cdp.runs')
    for (const command of ['check', 'run', 'sync']) {
      const ran = await project.cdp([command], { env: { VENDOR_URL: vendor.url } })
      expect(ran, command).toMatchObject({ code: 2, stdout: '' })
      expect(ran.stderr).toMatch(/^models\/records\.sql:5:\d+$/m)
      expect(ran.stderr).toMatch(/^  from from raw\.shop_customers\n {7}\^/m)
      expect(ran.stderr).toMatch(/^models\/spending\.sql:2$/m)
      expect(ran.stderr).toContain('Did you mean "table"?')
      expect(ran.stderr).toContain('2 problems found; nothing was run.')
    }
    expect(await project.all('select count(*) as n from cdp.runs')).toEqual(before)
  })

  it('SQL that the engine refuses: check finds it without building anything', async () => {
    project.write('models/spending.sql', models['models/spending.sql'].replace('sum(o.amount)', 'sum(o.amuont)'))
    const ran = await project.cdp(['check'])
    expect(ran.code).toBe(2)
    expect(ran.stderr).toMatch(/^models\/spending\.sql:5:\d+$/m)
    expect(ran.stderr).toContain('amount')
  })

  it('a segment that gives a person twice: exit 3, the last good members stay, and nothing is sent', async () => {
    const [members, sent] = [await project.all('select * from spenders order by all'), vendor.requests.length]
    project.write(
      'models/spenders.sql',
      `${models['models/spenders.sql']}union all select person_id, email, full_name, 1 from profiles where email is not null\n`,
    )
    const ran = await project.cdp(['run'])
    expect(ran.code).toBe(3)
    expect(ran.rows).toContainEqual(expect.objectContaining({ step: 'spenders', status: 'failed' }))
    expect(ran.stderr).toMatch(/does not give each person once: 7 person ids occur more than once/)
    expect(ran.stderr).toContain('models/spenders.sql:4')
    expect(await project.all('select * from spenders order by all')).toEqual(members)
    expect(await project.all('select count(*) as n from cdp.segment_members where left_at is null')).toEqual([
      { n: members.length },
    ])
    const held = await sync()
    expect(held.code).toBe(3)
    expect(held.rows).toMatchObject([{ sync: 'spenders', status: 'guarded' }])
    expect(vendor.requests).toHaveLength(sent)
    project.write('models/spenders.sql', models['models/spenders.sql'])
    expect((await project.cdp(['run'])).code).toBe(0)
    expect(await sync()).toMatchObject({
      code: 0,
      rows: [{ status: expect.stringMatching(/done|unchanged/) as string }],
    })
    expect(vendor.requests).toHaveLength(sent)
  })

  it('a sync mapped to a column that is not there: check and sync name the near one, nothing is sent', async () => {
    const sent = vendor.requests.length
    project.write('syncs/spenders.ts', hook({ from: 'spenders', map: `name: 'full_nmae', spend: 'spend'` }))
    const checked = await project.cdp(['check'])
    expect(checked.code).toBe(2)
    expect(checked.stderr).toContain('syncs/spenders.ts')
    expect(checked.stderr).toContain('map.name: spenders has no column "full_nmae". Did you mean "full_name"?')
    const ran = await sync()
    expect(ran.code).toBe(2)
    expect(ran.stderr).toContain('Did you mean "full_name"?')
    expect(vendor.requests).toHaveLength(sent)
  })

  it('secrets that are not set: check and plan work without, sync names all of them and exits 2', async () => {
    project.write(
      'syncs/spenders.ts',
      hook({ from: 'spenders', map: `sum: 'spend'`, to: `, secret: env('VENDOR_SECRET')` }),
    )
    project.write(
      'syncs/others.ts',
      hook({ from: 'profiles', map: `name: 'full_name'` }).replace('VENDOR_URL', 'OTHER_URL'),
    )
    const env = { VENDOR_URL: vendor.url }
    for (const command of ['check', 'plan']) expect(await project.cdp([command]), command).toMatchObject({ code: 0 })
    const ran = await project.cdp(['sync'], { env })
    expect(ran.code).toBe(2)
    expect(ran.stderr).toContain('VENDOR_SECRET')
    expect(ran.stderr).toContain('OTHER_URL')
    expect(await project.all(`select 1 from cdp.sync_rows where sync = 'others'`)).toEqual([])
  })

  it('a secret in a URL or a header: neither it nor what the vendor repeats of it is shown or kept', async () => {
    const secret = 'k3y-that-nobody-may-see'
    project.write(
      'syncs/spenders.ts',
      hook({ from: 'spenders', map: `total: 'spend'`, to: `, headers: { authorization: env('VENDOR_TOKEN') }` }),
    )
    vendor.at(() => ({ status: 400, body: { error: `bad token ${secret}` } }))
    const env = { VENDOR_URL: `${vendor.url}/?token=${secret}`, VENDOR_TOKEN: secret }
    const ran = await project.cdp(['sync'], { env })
    vendor.at(() => undefined)
    expect(ran.rows).toMatchObject([{ status: 'done', rejected: 7 }])
    const [kept] = await project.all<{ reason: string }>(`select min(reason) as reason from cdp.sync_rows`)
    expect(kept?.reason).toContain('bad token')
    const status = await project.cdp(['status'], { env })
    for (const text of [ran.stdout, ran.stderr, kept?.reason, status.stdout]) expect(text).not.toContain(secret)
  })

  it('a schedule that is none: check and start say so and exit 2', async () => {
    project.write(
      'cdp.config.ts',
      (files['cdp.config.ts'] ?? '').replace('  },\n})', `  },\n  schedule: { 'every hour': { run: '*' } },\n})`),
    )
    for (const command of ['check', 'start']) {
      const ran = await project.cdp([command])
      expect(ran.code, command).toBe(2)
      expect(ran.stderr, command).toContain('"every hour" is not a cron expression')
    }
  })
})
