// Datasets that are called otherwise: what is written as `raw.…`, `cdp.…` and without a dataset finds them, by the stand-in.
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import { bigquery } from '../../../src/warehouse/define-bigquery.ts'
import { openWarehouse, type Warehouse } from '../../../src/warehouse/warehouse.ts'
import { findEmulator } from '../../bigquery-emulator/emulator.ts'

const emulator = await findEmulator()
const timeout = 600_000

describe.skipIf(typeof emulator === 'string')('names in datasets that are called otherwise', () => {
  let w: Warehouse
  beforeAll(async () => {
    const settings = {
      project: `names-${process.pid}`,
      location: 'US',
      apiEndpoint: typeof emulator === 'string' ? '' : emulator.url,
      datasets: { raw: 'crm_raw', models: 'crm', cdp: 'crm_state' },
    }
    w = await openWarehouse(bigquery(settings), { root: tmpdir(), mode: 'write', waitMs: 0, clock: systemClock })
  }, timeout)
  afterAll(() => w.close())

  it('are found by statements, by functions and by views that outlive the setting', { timeout }, async () => {
    await w.run('create table raw.people (name STRING, born DATE)')
    await w.run({ sql: 'insert into raw.people (name, born) values ($1, $2)', parameters: ['Đặng', '1990-01-02'] })
    const folded = { schema: 'models', name: 'folded' } as const
    await w.run(`create view ${w.name(folded)} as select cdp.fold(p.name) as name from raw.people as p, cdp.settings`)
    expect(await w.all('select name from folded')).toEqual([{ name: 'dang' }])
    expect(await w.describe('select * from folded, `raw.people` as p')).toHaveLength(3)
    expect(await w.all(`select table_name, view_definition from \`crm\`.INFORMATION_SCHEMA.VIEWS`)).toEqual([
      { table_name: 'folded', view_definition: expect.stringMatching(/crm_state.*crm_raw.*crm_state/s) as unknown },
    ])
    await w.transaction(async () => {
      await w.run('delete from raw.people where true')
      await w.run({ sql: 'insert into raw.people (name) values ($1)', parameters: ['An'] })
    })
    expect(
      await w.all('select f.name, (select max(version) > 0 from cdp.migrations) as made from folded as f'),
    ).toEqual([{ name: 'an', made: true }])
  })
})
