// A developer's copy: which datasets it makes, and for how long.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bigquery, type BigQuerySettings } from '../../../src/warehouse/define-bigquery.ts'
import { developedWarehouse, openWarehouse } from '../../../src/warehouse/warehouse.ts'
import { recordingClock, refusalOf, startService, type Service } from './service.ts'

let service: Service
beforeEach(async () => {
  service = await startService()
  service.when(/select max\(version\)/, { error: { reason: 'notFound', message: 'Not found: Table migrations' } })
})
afterEach(() => service.close())

const made = async (settings: Partial<BigQuerySettings>): Promise<string[]> => {
  const shared = bigquery({ project: 'lotus', location: 'EU', apiEndpoint: service.url, ...settings })
  const own = await developedWarehouse(shared, 'lan')
  if (!own) throw new Error('BigQuery has copies for developers')
  const options = { root: '/nowhere', mode: 'write', waitMs: 0, clock: recordingClock() } as const
  await (await openWarehouse(own, options)).close()
  const statements = [...service.jobs.values()].map(({ configuration: { query } }) => query?.query ?? '')
  return statements.flatMap((sql) => sql.match(/create schema[^;]*/gi) ?? []).map((sql) => sql.trim())
}

it('is made in datasets of its own, whose tables go after 14 days', async () => {
  expect(await made({})).toEqual([
    "create schema if not exists `lotus`.`models_dev_lan` options (location = 'EU', default_table_expiration_days = 14)",
    "create schema if not exists `lotus`.`cdp_dev_lan` options (location = 'EU', default_table_expiration_days = 14)",
  ])
})

it('stays as long as the settings say', async () => {
  const statements = await made({ developmentDays: 3, datasets: { models: 'mart' } })
  expect(statements).toEqual([
    "create schema if not exists `lotus`.`mart_dev_lan` options (location = 'EU', default_table_expiration_days = 3)",
    "create schema if not exists `lotus`.`cdp_dev_lan` options (location = 'EU', default_table_expiration_days = 3)",
  ])
})

it('is refused for a time that is none', async () => {
  const error = await refusalOf(made({ developmentDays: 0 }))
  expect(error.code).toBe('WAREHOUSE_OPEN')
  expect(error.message).toContain('developmentDays is 0; write a number of days above 0')
  expect(service.sent).toEqual([])
})
