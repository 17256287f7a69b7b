// Commands for developing against a shared warehouse, as they are typed: what `--dev` is refused for, and what `cdp pull` takes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cleanUp, patience, projectOf, type Project } from './project.ts'

const config = `import { bigquery, defineProject, duckdb } from 'composable-cdp'
import { files } from 'composable-cdp/connectors/files'
export default defineProject({
  name: 'develop',
  warehouses: {
    local: duckdb({ path: '.cdp/test.duckdb' }),
    other: duckdb({ path: '.cdp/other.duckdb' }),
    production: bigquery({ project: 'lotus', location: 'EU', apiEndpoint: 'http://127.0.0.1:9' }),
  },
  sources: { shop: files({ streams: { orders: { path: 'data/orders.csv', key: ['no'] } } }) },
})
`
const orders = Array.from({ length: 300 }, (_, at) => `${at},${at % 7}`)

describe('developing', { timeout: patience }, () => {
  let project: Project
  beforeAll(async () => {
    project = projectOf({
      'cdp.config.ts': config,
      'data/orders.csv': ['no,city', ...orders, ''].join('\n'),
      'models/cities.sql': 'select city, count(*) as orders from raw.shop_orders group by city',
    })
    await project.must(['run', '--quiet', '--target', 'other'])
  }, patience)
  afterAll(cleanUp)

  it.each([
    [['run', '--dev', 'Lan Anh', '--target', 'production'], 'DEV_NAME', '"Lan Anh" is none'],
    [['run', '--dev', 'lan'], 'DEV_UNSUPPORTED', 'local is a file of one (duckdb)'],
    [['pull', 'cities', '--dev', 'lan', '--target', 'other'], 'DEV_UNSUPPORTED', 'other is a file of one'],
    [['sync', '--dev', 'lan', '--target', 'production'], 'DEV_DELIVERS', '`cdp sync` does nothing'],
    [['start', '--dev', 'lan', '--target', 'production'], 'DEV_DELIVERS', '`cdp start` does nothing'],
    [['pull', 'cities', '--target', 'local'], 'PULL_TARGETS', 'they are the same warehouse'],
    [['pull', 'cities', '--target', 'other', '--rows', 'ten'], 'PULL_ROWS', '"ten" is none'],
    [['pull', 'cities', '--target', 'other', '--sample', '10'], 'PULL_SAMPLE', '"10" is none'],
    [['pull', 'cities', '--target', 'other', '--maximum-bytes', 'all'], 'BYTES_INVALID', '--maximum-bytes "all"'],
  ])('is refused before anything is done: cdp %j', async (args, code, message) => {
    const ran = await project.cdp(args)
    expect(ran).toMatchObject({ code: 2, stdout: '' })
    expect(ran.stderr).toContain(message)
    expect(ran.stderr).toContain(code)
    expect(project.has('.cdp/test.duckdb')).toBe(false)
  })

  it('takes a slice by percentage, by number and by condition', async () => {
    const pulled = async (...args: string[]): Promise<unknown> =>
      JSON.parse((await project.must(['pull', 'shop.orders', '--target', 'other', '--json', ...args])).stdout)
    const all = { relation: 'shop.orders', by: 'no', bytes: null, bytes_billed: null }
    expect(await pulled('--rows', '20', '--where', 'city = 3')).toEqual({ ...all, rows: 20 })
    expect(await project.all('select distinct city from raw.shop_orders')).toEqual([{ city: 3 }])
    expect(await pulled('--where', 'city = 3')).toEqual({ ...all, by: 'all rows', rows: 43 })
    expect(await pulled('--sample', '50%', '--rows', '20')).toEqual({ ...all, rows: 20 })
    const some = (await pulled('--sample', '10%')) as { readonly rows: number }
    expect(some.rows).toBeGreaterThan(10)
    expect(some.rows).toBeLessThan(60)
  })
})
