import { expect, test } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { duckdb } from '../../src/warehouse/define-duckdb.ts'
import { openWarehouse } from '../../src/warehouse/warehouse.ts'

test('smoke', async () => {
  const w = await openWarehouse(duckdb({ path: ':memory:' }), { root: '/tmp/wh', mode: 'write', waitMs: 0, clock: systemClock })
  console.error((await w.relations('cdp')).length, await w.all('select * from cdp.migrations'))
  console.error(await w.all({ sql: `select $1 as a, 1.10::decimal(18,2) d, 9007199254740993 big, timestamptz '2026-01-01 10:00:00.120+07' t, date '1969-01-01' dt, [1,null] l, {'a': 1.5::decimal(3,1), 'b': map{'x':1}} s, json '{"a":1}' j, 'a'::blob b, timestamp 'infinity' i, timestamp '1960-01-01 00:00:00.000001' o`, parameters: ['é'] }))
  console.error(await w.describe('select 1 a, json \'1\' j'))
  await expect(w.run('select 1\nfrom nope')).rejects.toMatchObject({ code: 'QUERY_FAILED', args: { line: 2, column: 6 } })
  await w.run('select 1\nfrom nope').catch((e) => console.error(e.message))
  await w.close()
})
