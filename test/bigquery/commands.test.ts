// The whole command line on a BigQuery warehouse beside a DuckDB one: `--target` goes with every command.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { cleanUp, projectOf, type Project, type Ran } from '../e2e/project.ts'
import { config, shop } from '../e2e/shop.ts'
import { describeBigQuery, freshProject, patience, type Judged } from './harness.ts'

const timeout = patience

await describeBigQuery('the command line on BigQuery', (emulator) => {
  let judged: Judged
  let project: Project
  beforeAll(async () => {
    judged = await freshProject(emulator)
    const local = `local: duckdb({ path: '.cdp/test.duckdb' })`
    const production = `production: bigquery(${JSON.stringify({ ...judged.settings, pricePerTiB: 5 })})`
    project = projectOf({
      ...shop,
      'cdp.config.ts': config(`\n  schedule: { '0 5 * * *': { run: '*' } },`)
        .replace(local, `${local}, ${production}`)
        .replace('defineProject, duckdb', 'bigquery, defineProject, duckdb'),
      'syncs/out.ts': `import { defineSync } from 'composable-cdp'
import { file } from 'composable-cdp/connectors/file'

export default defineSync({ from: 'spenders', to: file({ path: 'out/spenders.ndjson' }), key: { email: 'email' }, map: { spend: 'spend' }, mode: 'mirror' })
`,
    })
  }, timeout)
  afterAll(async () => {
    await cleanUp()
    await judged.close()
  }, timeout)

  const on = (...args: string[]): Promise<Ran> => project.cdp(['--target', 'production', ...args])
  const both = async (...args: string[]): Promise<readonly [local: Ran, production: Ran]> => [
    await project.cdp(args),
    await on(...args),
  ]
  const told = (ran: Ran, ...without: string[]): unknown[] =>
    ran.rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !without.includes(name))))
  const now = ['--now', '2026-11-01T16:00:00Z']

  it('checks, plans with bytes and money, and runs', { timeout }, async () => {
    const checked = await on('check')
    expect(checked.code, checked.stderr).toBe(0)
    const [local, production] = await both('run', ...now)
    expect(production.code, production.stderr).toBe(0)
    expect(told(production, 'seconds', 'statements', 'bytes_billed')).toEqual(told(local, 'seconds'))
    expect(production.rows.find(({ step }) => step === 'spending')).toMatchObject({ bytes_billed: 0 })
    expect(production.stderr).toMatch(/\d+ statements were billed for 0 bytes/)
    const plan = await on('plan', '--full-refresh', ...now)
    expect(plan.code, plan.stderr).toBe(0)
    expect(plan.rows.find(({ step }) => step === 'spending')).toMatchObject({ bytes: 0, usd: 0 })
    expect(plan.rows.find(({ step }) => step === 'people')).toMatchObject({ accuracy: 'lower bound' })
    expect(plan.rows.find(({ sync }) => sync === 'out')).toMatchObject({ rows: 7, added: 7 })
    expect(plan.stderr).toContain('An estimate: 0 bytes read, 0.00 USD at 5 USD per TiB')
  })

  it('has nothing to do the second time', { timeout }, async () => {
    const again = await on('run', ...now)
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('Nothing to do')])
  })

  it('asks models by their names, and cdp and raw by theirs, and changes nothing', { timeout }, async () => {
    const asked = await on(
      'query',
      'select s.email, s.spend, (select count(*) from raw.shop_customers) as n, (select count(*) from cdp.runs) as runs from spenders s order by 2 limit 1',
    )
    expect(asked.code, asked.stderr).toBe(0)
    expect(asked.rows).toEqual([{ email: 'person5@example.com', spend: '500000', n: 12, runs: 1 }])
    const refused = await on('query', 'create table x as select 1 as a')
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('opened to read')])
  })

  it('tests, syncs, explains and says where things stand', { timeout }, async () => {
    const [localTests, tests] = await both('test', ...now)
    expect(tests.code, tests.stderr).toBe(0)
    expect(tests.rows).toEqual(localTests.rows)
    const sync = await on('sync', ...now)
    expect(sync.code, sync.stderr).toBe(0)
    expect(
      project
        .text('out/spenders.ndjson')
        .split('\n')
        .filter((line) => line !== ''),
    ).toHaveLength(7)
    const person = await on('explain', 'person', 'person1@example.com')
    const model = await on('explain', 'model', 'spending')
    const row = await on('explain', 'row', 'out', 'person5@example.com')
    expect([person.code, model.code, row.code], person.stderr + model.stderr + row.stderr).toEqual([
      0,
      0,
      expect.any(Number),
    ])
    expect(person.stdout).toContain('shop/11')
    expect(model.stdout).toContain('`models`.`people`')
    const status = await on('status')
    expect(status.code, status.stderr).toBe(0)
    expect(status.rows.map(({ type }) => type)).toEqual(expect.arrayContaining(['run', 'wrong', 'sync']))
    expect(status.stderr).toContain('BigQuery')
  })

  it('replays what was quarantined, and saves the state', { timeout }, async () => {
    const replayed = await on('replay')
    expect(replayed.code, replayed.stderr).toBe(0)
    expect(replayed.rows).toMatchObject([{ stream: 'shop.orders' }])
    const saved = await on('state', 'export', `${project.folder}/state`)
    expect(saved.code, saved.stderr).toBe(0)
    const refused = await on('state', 'import', `${project.folder}/state`)
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('person')])
    const scheduled = project.start(['--target', 'production', 'start'])
    await scheduled.said(/Schedule of shop/)
    scheduled.kill('SIGTERM')
    expect((await scheduled.ended).code).toBe(0)
  })

  it('sends nothing that is not GoogleSQL', () => {
    expect(judged.judge.refused().filter(({ statement }) => !statement.startsWith('call BQ.'))).toEqual([])
  })
})
