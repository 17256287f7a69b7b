// The example project's days, at the level of the graph: its records model and header, what it expects.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { build, groups, openMemory, personOf, settings, type TestWarehouse } from './graph.ts'

const folder = new URL('../fixtures/example/', import.meta.url).pathname
interface Expected {
  readonly day1: {
    readonly people: { readonly records: number; readonly persons: number }
    readonly same_person: readonly string[][]
  }
  readonly day2: {
    readonly people: { readonly records: number; readonly persons: number }
    readonly merged: { readonly from: string; readonly into: string }
  }
}
const expected = JSON.parse(readFileSync(`${folder}expected.json`, 'utf8')) as Expected

let at: TestWarehouse
beforeAll(async () => {
  at = await openMemory()
})
afterAll(() => at.close())

const header = settings({
  record: ['source', 'record_id'],
  seen_at: 'updated_at',
  names: ['full_name'],
  identifiers: { email: { max_shared_by: 50 }, phone: { max_shared_by: 50 } },
})

const land = async (files: { readonly customers: string; readonly receipts: string }): Promise<void> => {
  const text = 'all_varchar = true, union_by_name = true, header = true'
  await at.warehouse.run(
    `create or replace table raw.shop_customers as select * from read_csv([${files.customers}], ${text})`,
  )
  await at.warehouse.run(
    `create or replace table raw.till_receipts as select * replace (cast(paid_at as timestamptz) as paid_at) from read_csv([${files.receipts}], ${text}) where amount <> 'not a number'`,
  )
  await at.warehouse.run(
    `create or replace table raw.shop_newsletter as select * from read_json('${folder}data/newsletter.ndjson', columns = {email: 'varchar', granted: 'boolean', "at": 'varchar'})`,
  )
}
const recordsModel = readFileSync(`${folder}models/records.sql`, 'utf8')
  .replace(/^\/\*[\s\S]*?\*\//, '')
  .replaceAll('n.at', 'n."at"')
const select = 'select source, record_id, email, phone, full_name, city, updated_at from main.records'

test('day 1 finds the persons expected, day 2 merges two of them and the older id stays', async () => {
  const day1 = { customers: `'${folder}data/shop-customers.csv'`, receipts: `'${folder}data/till-2026-10.csv'` }
  await land(day1)
  await at.warehouse.run(`create or replace view main.records as ${recordsModel}`)
  const first = await build(at.warehouse, header, { select })
  expect(first).toMatchObject(expected.day1.people)
  expect(await groups(at.warehouse)).toEqual(
    expected.day1.same_person.map((keys) => keys.toSorted()).toSorted((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1)),
  )
  const before = await personOf(at.warehouse)

  const again = await build(at.warehouse, header, { select })
  expect(again).toMatchObject({ created: 0, merged: 0, changedRecords: 0 })

  await land({
    customers: `${day1.customers}, '${folder}day2/shop-customers-2.csv'`,
    receipts: `${day1.receipts}, '${folder}day2/till-2026-10b.csv'`,
  })
  const second = await build(at.warehouse, header, { select })
  expect(second).toMatchObject({ ...expected.day2.people, merged: 1 })
  const after = await personOf(at.warehouse)
  const { from, into } = expected.day2.merged
  expect(after.get(into)).toBe(before.get(into))
  expect(after.get(from)).toBe(before.get(into))
  expect(await at.warehouse.all('select old_id, person_id from cdp.person_redirects')).toEqual([
    { old_id: before.get(from), person_id: before.get(into) },
  ])
  expect(await at.warehouse.all('select count(*) as n, count(distinct person_id) as p from main.people')).toEqual([
    { n: 16, p: 6 },
  ])
})
