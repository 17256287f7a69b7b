// A slice of one warehouse in another: which rows, with which types, in place of what was there, and what the next run makes of it.
import { afterEach, describe, expect, it } from 'vitest'
import { loadProject } from '../../src/project/load.ts'
import { performPull, type PullOptions, type Pulled } from '../../src/run/pull.ts'
import { rowsOf, sampleOf } from '../../src/run/pull-plan.ts'
import { performRun } from '../../src/run/run.ts'
import { duckdb } from '../../src/warehouse/define-duckdb.ts'
import { openWarehouse, type Row, type Warehouse } from '../../src/warehouse/warehouse.ts'
import { folderOf, removeFolders } from '../project/folder.ts'

afterEach(removeFolders)

const config = `import { defineProject, duckdb } from 'composable-cdp'
import { files } from 'composable-cdp/connectors/files'
export default defineProject({
  name: 'pulls',
  timeZone: 'Asia/Ho_Chi_Minh',
  warehouses: { local: duckdb({ path: 'local.duckdb' }), production: duckdb({ path: 'production.duckdb' }) },
  sources: { shop: files({ streams: {
    customers: { path: 'data/customers.csv', key: ['id'], types: { spent: 'decimal(18,2)', since: 'timestamp', born: 'date', extra: 'json' } },
    orders: { path: 'data/orders.csv', key: ['no'] },
  } }) },
})
`
const customers = Array.from({ length: 400 }, (_, at) => {
  const extra = `"{""tier"":${at % 3},""note"":""Đặng""}"`
  return `${at},Khách ${at},${at}.5,2026-01-0${(at % 9) + 1} 08:00:00.123456,199${at % 10}-02-03,${extra}`
})
const orders = Array.from({ length: 800 }, (_, at) => `${at},${at % 400},${at * 3}`)
const files = {
  'cdp.config.ts': config,
  'data/customers.csv': ['id,name,spent,since,born,extra', ...customers, ''].join('\n'),
  'data/orders.csv': ['no,customer,amount', ...orders, ''].join('\n'),
  'models/buyers.sql': `/* kind: view */ select customer, sum(amount) as amount from raw.shop_orders group by customer`,
  'models/known.sql': `select id as person_id, name, spent, array_agg(name) as names from raw.shop_customers group by id, name, spent`,
  'models/top.sql': 'select person_id, spent from known where spent > 100',
}

const clock = { now: () => Date.UTC(2026, 10, 2), sleep: () => Promise.resolve() }
const shared = {
  instant: '2026-11-02T00:00:00.000Z',
  clock,
  signal: new AbortController().signal,
  emit: () => undefined,
}

interface World {
  readonly root: string
  readonly pull: (selected: readonly string[], options?: Partial<PullOptions>) => Promise<readonly Pulled[]>
  readonly run: (target: string, selected?: readonly string[]) => Promise<void>
  readonly all: (target: string, sql: string) => Promise<Row[]>
}

const world = (): World => {
  const { root } = folderOf(files)
  let number = 0
  const open = (target: string, mode: 'read' | 'write'): Promise<Warehouse> =>
    openWarehouse(duckdb({ path: `${target}.duckdb` }), { root, mode, waitMs: 0, clock })
  return {
    root,
    run: async (target, selected) => {
      const result = await performRun({
        ...shared,
        project: (await loadProject(root, target)).compiled,
        openWarehouse: (mode) => open(target, mode),
        live: () => Promise.reject(new Error('no pages here')),
        runId: `run-${(number += 1)}`,
        allow: new Set(),
        selected: selected && new Set(selected),
        fullRefresh: false,
        strict: false,
        tempDir: `${root}/.cdp/tmp`,
      })
      expect(result.failed).toBeUndefined()
    },
    pull: async (selected, options = {}) => {
      const [from, into] = [await open('production', 'read'), await open('local', 'write')]
      try {
        return await performPull({
          ...shared,
          project: (await loadProject(root, 'production')).compiled,
          from,
          into,
          selected: new Set(selected),
          sample: 0.1,
          runId: `pull-${(number += 1)}`,
          tempDir: `${root}/.cdp/tmp`,
          ...options,
        })
      } finally {
        await from.close()
        await into.close()
      }
    },
    all: async (target, sql) => {
      const warehouse = await open(target, 'read')
      try {
        return await warehouse.all(sql)
      } finally {
        await warehouse.close()
      }
    },
  }
}

describe('a pull', () => {
  it('copies rows with all their columns and types, the same ones every time', async () => {
    const { run, pull, all } = world()
    await run('production')
    const [first] = await pull(['shop.customers'])
    expect(first).toMatchObject({ relation: 'shop.customers', by: 'id', bytes: null })
    expect(first?.rows).toBeGreaterThan(20)
    expect(first?.rows).toBeLessThan(70)
    const local = await all('local', 'select * from raw.shop_customers order by id')
    const ids = local.map((row) => Number(row['id'])).join(', ')
    expect(local).toEqual(await all('production', `select * from raw.shop_customers where id in (${ids}) order by id`))
    const types =
      "select column_name, data_type from information_schema.columns where table_name = 'shop_customers' order by all"
    expect(await all('local', types)).toEqual(await all('production', types))
    const recorded = `select * from cdp.schemas where stream = 'shop.customers' order by all`
    expect(await all('local', recorded)).toEqual(await all('production', recorded))
    await pull(['shop.customers'])
    expect(await all('local', 'select * from raw.shop_customers order by id')).toEqual(local)
    expect(await all('local', `select command, status from cdp.runs order by run_id`)).toEqual([
      { command: 'pull', status: 'done' },
      { command: 'pull', status: 'done' },
    ])
  })

  it('takes the same persons of every relation by one column, and whole rows where there is none', async () => {
    const { run, pull, all } = world()
    await run('production')
    expect(await pull(['buyers', 'shop.orders'], { by: 'customer' })).toMatchObject([
      { relation: 'shop.orders', by: 'customer' },
      { relation: 'buyers', by: 'customer' },
    ])
    const pulledPersons = 'select distinct customer from raw.shop_orders order by 1'
    expect(await all('local', pulledPersons)).toEqual(await all('local', 'select customer from buyers order by 1'))
    expect(await pull(['buyers'])).toMatchObject([{ by: 'whole rows' }])
    expect(await pull(['known'], { sample: 1 })).toMatchObject([{ rows: 400, by: 'all rows' }])
    expect(await all('local', 'select * from known order by 1')).toEqual(
      await all('production', 'select * from known order by 1'),
    )
  })

  it('takes only rows of which a condition is true, and no more than so many, the same ones every time', async () => {
    const { run, pull, all } = world()
    await run('production')
    const where = 'spent >= 100 -- and below 200\n and spent < 200'
    expect(await pull(['shop.customers'], { sample: 1, where })).toMatchObject([{ rows: 100, by: 'all rows' }])
    expect(await all('local', 'select min(id) as a, max(id) as b from raw.shop_customers')).toEqual([
      { a: '100', b: '199' },
    ])
    const ids = 'select id from raw.shop_customers order by cast(id as int)'
    const taken = async (slice: Partial<PullOptions>): Promise<Row[]> => {
      const [pulled] = await pull(['shop.customers'], slice)
      const rows = await all('local', ids)
      expect(pulled?.rows).toBe(rows.length)
      return rows
    }
    const ten = await taken({ sample: 1, rows: 10 })
    expect(ten.length).toBe(10)
    expect(await taken({ sample: 1, rows: 10 })).toEqual(ten)
    expect(await taken({ sample: 1, rows: 20 })).toEqual(expect.arrayContaining(ten))
    expect(await taken({ sample: 0.1, rows: 10 })).toEqual(ten)
    expect((await taken({ sample: 1, rows: 1000, where })).length).toBe(100)
    expect(await pull(['buyers'], { sample: 1, rows: 7 })).toMatchObject([{ rows: 7, by: 'whole rows' }])
    expect(await all('local', 'select count(*) as n from cdp.runs where status <> $$done$$')).toEqual([{ n: 0 }])
  })

  it('gives the next run its slice to build from, in place of what was there', async () => {
    const { run, pull, all } = world()
    await run('production')
    await run('local')
    expect(await all('local', 'select count(*) as n from top')).toEqual([{ n: 300 }])
    const [known] = await pull(['known'])
    await run('local', ['top'])
    const [top] = await all('local', 'select count(*) as n from top')
    expect(top).toEqual((await all('local', 'select count(*) as n from known where spent > 100'))[0])
    expect(Number(top?.['n'])).toBeLessThan(known?.rows ?? 0)
  })

  it('says what is not there, and what cannot be sampled by', async () => {
    const { run, pull, all } = world()
    await run('production', ['shop.customers'])
    await expect(pull(['shop.customers', 'top'])).rejects.toMatchObject({
      code: 'PULL_MISSING',
      args: { relation: 'top' },
    })
    await expect(pull(['shop.customers'], { by: 'nam' })).rejects.toMatchObject({
      code: 'PULL_COLUMN',
      args: { near: ' Did you mean "name"?' },
    })
    await expect(pull(['shop.customers'], { where: "nam = 'Khách 1'" })).rejects.toMatchObject({
      code: 'PULL_WHERE',
      args: { relation: 'shop.customers', reason: expect.stringContaining('Referenced column "nam" not found') },
    })
    expect(await all('local', `select status from cdp.runs`)).toEqual([])
    expect(rowsOf(' 10 ')).toBe(10)
    for (const text of ['0', '-1', '1.5', 'ten', '']) expect(() => rowsOf(text)).toThrow('--rows takes a number')
    expect(sampleOf('0.5%')).toBeCloseTo(0.005)
    for (const text of ['5', '0%', '101%', 'x%']) expect(() => sampleOf(text)).toThrow('--sample takes a part')
  })
})
