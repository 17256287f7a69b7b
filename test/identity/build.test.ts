import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { build, give, groups, openMemory, personOf, settings, type TestRecord, type TestWarehouse } from './graph.ts'

let at: TestWarehouse
beforeAll(async () => {
  at = await openMemory()
})
afterAll(() => at.close())
beforeEach(async () => {
  for (const name of [
    'person',
    'person_records',
    'person_former_records',
    'person_links',
    'person_blocks',
    'person_history',
    'person_redirects',
  ])
    await at.warehouse.run(`delete from cdp.${name}`)
})

const columns = ['source', 'record_id', 'email', 'phone', 'full_name', 'seen_at']
const rec = (
  key: string,
  email: string | null,
  phone: string | null,
  seen_at: string | null = null,
  full_name: string | null = null,
): TestRecord => {
  const [source = '', record_id = ''] = key.split('/')
  return { source, record_id, email, phone, full_name, seen_at }
}
const header = settings({
  identifiers: { email: { max_shared_by: 50 }, phone: { max_shared_by: 50 } },
  names: ['full_name'],
})

describe('a graph', () => {
  test('joins records that share a value, across types, and leaves the others alone', async () => {
    await give(at.warehouse, columns, [
      rec('a/1', 'x@e.vn', null),
      rec('a/2', 'x@e.vn', '+84912345678'),
      rec('b/3', null, '+84912345678'),
      rec('b/4', null, null),
      rec('b/5', '', '  '),
      rec('b/6', 'y@e.vn', null),
    ])
    const outcome = await build(at.warehouse, header)
    expect(await groups(at.warehouse)).toEqual([['a/1', 'a/2', 'b/3'], ['b/4'], ['b/5'], ['b/6']])
    expect(outcome).toMatchObject({ records: 6, persons: 4, created: 4, merged: 0 })
    const again = await build(at.warehouse, header)
    expect(again).toMatchObject({ created: 0, merged: 0, split: 0, retired: 0, changedRecords: 0 })
    console.error(await personOf(at.warehouse), await at.warehouse.all('from cdp.person_links'))
  })
})
