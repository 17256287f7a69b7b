// What a pull from a warehouse that bills by bytes says before it reads, and what it refuses then: against a server that answers as
// BigQuery's API is documented to, since the stand-in of the other tests tells no bytes.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { loadProject } from '../../src/project/load.ts'
import { performPull, type Pulled } from '../../src/run/pull.ts'
import type { PullPrice } from '../../src/run/pull-plan.ts'
import { duckdb } from '../../src/warehouse/define-duckdb.ts'
import { openWarehouse } from '../../src/warehouse/warehouse.ts'
import { folderOf, removeFolders } from '../project/folder.ts'
import { openAt, refusalOf, startService, type Service } from '../warehouse/bigquery/service.ts'

const config = `import { bigquery, defineProject, duckdb } from 'composable-cdp'
export default defineProject({
  name: 'prices',
  warehouses: {
    local: duckdb({ path: 'local.duckdb' }),
    production: bigquery({ project: 'lotus', location: 'asia-southeast1', pricePerTiB: 8 }),
  },
  sources: {},
})
`
const model = '/* kind: table */ select 1 as n'

let service: Service
beforeEach(async () => {
  service = await startService()
  const tables = ['small', 'large'].map((tableId) => ({ type: 'TABLE', tableReference: { tableId } }))
  service.answer(/datasets\/raw\/tables$/, {})
  service.answer(/datasets\/models\/tables$/, { tables })
  const fields = [{ name: 'n', type: 'INTEGER' }]
  service.when(/small/, { fields, processed: '20000000', billed: '30000000', pages: [[['1'], ['2']]] })
  service.when(/large/, { fields, processed: String(2 ** 40), billed: String(2 ** 40), pages: [[['3']]] })
})
afterEach(async () => {
  await service.close()
  removeFolders()
})

const pull = async (
  selected: readonly string[],
  maximumBytes?: number,
): Promise<{ pulled: readonly Pulled[]; priced: readonly PullPrice[] }> => {
  const { root } = folderOf({ 'cdp.config.ts': config, 'models/small.sql': model, 'models/large.sql': model })
  const { compiled: project } = await loadProject(root, 'production')
  const from = await openAt(service, { mode: 'read' })
  const into = await openWarehouse(duckdb({ path: ':memory:' }), { root, mode: 'write', waitMs: 0, clock: systemClock })
  const priced: PullPrice[] = []
  try {
    const pulled = await performPull({
      project,
      from,
      into,
      selected: new Set(selected),
      sample: 1,
      maximumBytes,
      priced: (price) => {
        expect(work()).toEqual([])
        priced.push(price)
      },
      runId: 'pull-1',
      instant: '2026-11-02T00:00:00.000Z',
      clock: systemClock,
      signal: new AbortController().signal,
      emit: () => undefined,
      tempDir: `${root}/.cdp/tmp`,
    })
    return { pulled, priced }
  } finally {
    await from.close()
    await into.close()
  }
}
const isPulled = /small|large/
/** The limits of the statements that read a relation. */
const work = (): unknown[] =>
  [...service.jobs.values()].flatMap(({ configuration: { query } }) =>
    isPulled.test(query?.query ?? '') ? [query?.['maximumBytesBilled']] : [],
  )

it('says the price before it reads anything, and what was billed at the end', async () => {
  const { pulled, priced } = await pull(['small', 'large'])
  const bytes = 2 ** 40 + 20_000_000
  expect(priced).toEqual([{ bytes, usd: (bytes / 2 ** 40) * 8 }])
  expect(pulled).toEqual([
    { relation: 'large', rows: 1, by: 'all rows', bytes: 2 ** 40, bytes_billed: 2 ** 40 },
    { relation: 'small', rows: 2, by: 'all rows', bytes: 20_000_000, bytes_billed: 30_000_000 },
  ])
})

it('is refused above the limit before it costs anything, with the numbers', async () => {
  const error = await refusalOf(pull(['small', 'large'], 1e9))
  expect(error.code).toBe('PULL_COST')
  expect(error.message).toBe(
    'Reading it is estimated at 1.1 TB, more than the 1.0 GB of --maximum-bytes; large alone is 1.1 TB. Nothing was read and it cost nothing.',
  )
  expect(work()).toEqual([])
})

it('holds each statement to what is left of the limit, should an estimate be too low', async () => {
  await pull(['small'], 50_000_000)
  expect(work()).toEqual(['50000000'])
})
