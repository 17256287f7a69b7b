// Performing a plan: what a failure stops, what it leaves, what is written down, and which exit code it comes to.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { removeFolders, runProject, shop, statuses } from './project.ts'

afterEach(removeFolders)

const table = (select: string, tests = ''): string => `/*\nkind: table\n${tests}*/\n${select}\n`

describe('a run', () => {
  it('stops what depends on a model that fails and nothing else, and leaves the last good rows', async () => {
    const project = runProject(shop)
    await project.run()
    project.write('models/sums.sql', table('select 1 as id, cast(name as integer) as total from raw.shop_customers'))
    const result = await project.run()
    expect(statuses(result)).toMatchObject({
      buyers: 'unchanged',
      sums: 'failed',
      biggest: 'skipped',
      report: 'skipped',
    })
    expect(result.failed).toBe('data')
    expect(result.steps.find((step) => step.step === 'biggest')?.detail).toBe('sums failed')
    expect(await project.all('select sum(total) as total from sums')).toEqual([{ total: 350 }])
    expect(await project.all(`select relation from cdp.versions where status = 'failed' order by all`)).toEqual([
      { relation: 'biggest' },
      { relation: 'report' },
      { relation: 'sums' },
    ])
    // Nothing changed since, but what failed is tried again.
    expect(statuses(await project.run())).toMatchObject({ buyers: 'unchanged', sums: 'failed', biggest: 'skipped' })
    project.write('models/sums.sql', shop['models/sums.sql'] ?? '')
    expect(statuses(await project.run())).toMatchObject({ sums: 'done', biggest: 'done', report: 'done' })
    expect(await project.all(`select 1 from cdp.versions where status = 'failed'`)).toEqual([])
  })

  it('stops what depends on a stream that fails, and what was landed before stays', async () => {
    const project = runProject(shop)
    await project.run()
    writeFileSync(join(project.root, 'data/orders-2.csv'), Buffer.from('\ufeffno,customer,amount\n3,1,50\n', 'utf16le'))
    const result = await project.run()
    expect(statuses(result)).toMatchObject({
      'shop.customers': 'unchanged',
      'shop.orders': 'failed',
      buyers: 'unchanged',
      sums: 'skipped',
      biggest: 'skipped',
    })
    expect(result.failed).toBe('data')
    expect(await project.all('select count(*) as n from raw.shop_orders')).toEqual([{ n: 2 }])
  })

  it('takes a failed test for a failed model, and a warning for a word', async () => {
    const tested = (severity: string): string =>
      table(
        'select customer as id, sum(amount) as total from raw.shop_orders group by customer',
        `tests: [{ expression: total > 200, severity: ${severity} }]\n`,
      )
    const project = runProject({ ...shop, 'models/sums.sql': tested('warn') })
    const warned = await project.run()
    expect(statuses(warned)).toMatchObject({ sums: 'warned', biggest: 'done' })
    expect(warned.failed).toBeUndefined()
    project.write('models/sums.sql', tested('error'))
    const failed = await project.run()
    expect(statuses(failed)).toMatchObject({ sums: 'failed', biggest: 'skipped', buyers: 'unchanged' })
    expect(failed.failed).toBe('data')
    expect(failed.steps.find((step) => step.step === 'sums')?.detail).toMatch(/^same content; FAILED .*: 1 row$/)
    expect(await project.all('select count(*) as n from cdp.test_failures')).toEqual([{ n: 1 }])
  })

  it('counts warnings and quarantined rows as failures only where it is told to be strict', async () => {
    const bad = { ...shop, 'data/orders.csv': 'no,customer,amount\n1,1,100\n2,2,much\n' }
    const lenient = await runProject(bad).run()
    expect(statuses(lenient)['shop.orders']).toBe('warned')
    expect(lenient.failed).toBeUndefined()
    expect((await runProject(bad).run({ strict: true })).failed).toBe('data')
  })

  it('tests again when something a test reads changed, though the model did not', async () => {
    const project = runProject({
      ...shop,
      'models/buyers.sql': table(
        'select id, name from raw.shop_customers',
        'tests: [{ relationships: { column: id, to: sums, field: id } }]\n',
      ),
    })
    expect(statuses(await project.run())['buyers']).toBe('done')
    project.write('data/orders.csv', 'no,customer,amount\n1,1,100\n2,1,250\n')
    const result = await project.run()
    expect(result.steps.find((step) => step.step === 'buyers')).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(/^only tested; FAILED relationships/) as string,
    })
  })

  it('stops between two steps when it is interrupted, and the next one goes on', async () => {
    const project = runProject(shop)
    const stop = new AbortController()
    const result = await project.run({
      signal: stop.signal,
      emit: (event) => {
        if (event.type === 'step-finished' && event.step === 'shop.orders') stop.abort()
      },
    })
    expect(result.failed).toBe('interrupted')
    expect(statuses(result)).toEqual({ 'shop.customers': 'done', 'shop.orders': 'done' })
    expect(await project.all('select status, exit_code from cdp.runs')).toEqual([
      { status: 'interrupted', exit_code: 130 },
    ])
    expect(statuses(await project.run())).toMatchObject({
      'shop.orders': 'unchanged',
      buyers: 'done',
      sums: 'done',
    })
  })

  it('names every secret that is missing before it opens anything', async () => {
    const project = runProject({
      ...shop,
      'cdp.config.ts': (shop['cdp.config.ts'] ?? '')
        .replace(`'data/orders*.csv'`, `env('CDP_TEST_UNSET_1')`)
        .replace(`'data/customers*.csv'`, `env('CDP_TEST_UNSET_2')`)
        .replace(`'.cdp/test.duckdb'`, `env('CDP_TEST_UNSET_3')`),
    })
    const refused = project.run({ openWarehouse: () => Promise.reject(new Error('opened')) })
    await expect(refused).rejects.toMatchObject({
      code: 'SECRETS_MISSING',
      kind: 'config',
      args: { names: ['CDP_TEST_UNSET_3', 'CDP_TEST_UNSET_2', 'CDP_TEST_UNSET_1'] },
    })
    const one = project.run({ selected: new Set(['shop.orders']) })
    await expect(one).rejects.toMatchObject({ args: { names: ['CDP_TEST_UNSET_3', 'CDP_TEST_UNSET_1'] } })
  })

  it('writes down itself and each step, and marks a run whose process died', async () => {
    const project = runProject(shop)
    await project.run()
    expect(
      await project.all('select step, kind, status, rows, detail from cdp.run_steps order by finished_at, step'),
    ).toEqual(
      expect.arrayContaining([
        { step: 'shop.orders', kind: 'land', status: 'done', rows: 2, detail: '2 new, 0 changed' },
        { step: 'report', kind: 'view', status: 'done', rows: null, detail: null },
        { step: 'sums', kind: 'table', status: 'done', rows: 2, detail: null },
      ]),
    )
    await project.change(`update cdp.runs set status = 'running', finished_at = null, exit_code = null`)
    project.write('data/orders-2.csv', 'no,customer,amount\n3,1,50\n')
    await project.run({ fullRefresh: true })
    expect(await project.all('select run_id, command, status, exit_code, pid from cdp.runs order by run_id')).toEqual([
      { run_id: 'run-1', command: 'run', status: 'interrupted', exit_code: null, pid: process.pid },
      { run_id: 'run-2', command: 'run', status: 'done', exit_code: 0, pid: process.pid },
    ])
  })
})
