// `max_per_person`: what is refused, in which order, and how it is told.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { build, clear, give, groups, openMemory, settings, type TestRecord, type TestWarehouse } from './graph.ts'

let at: TestWarehouse
beforeAll(async () => {
  at = await openMemory()
})
afterAll(() => at.close())
beforeEach(() => clear(at.warehouse))

const columns = ['source', 'record_id', 'customer_id', 'email', 'phone', 'seen_at']
const header = settings({ identifiers: { customer_id: { max_per_person: 1 }, email: {}, phone: {} } })
const rec = (
  record_id: string,
  customer_id: string | null,
  email: string | null,
  phone: string | null,
  day = 1,
): TestRecord => ({
  source: 's',
  record_id,
  customer_id,
  email,
  phone,
  seen_at: `2026-10-${String(day).padStart(2, '0')}T00:00:00Z`,
})
const built = async (records: readonly TestRecord[]): Promise<string[][]> => {
  await give(at.warehouse, columns, records)
  await build(at.warehouse, header)
  return groups(at.warehouse)
}
const refused = (): Promise<unknown[]> =>
  at.warehouse.all(
    "select record_key, identifier, value, reason from cdp.person_links where status = 'refused' order by all",
  )

test('two customers who share a phone stay two, and the record without a number goes with the earlier one', async () => {
  expect(await built([rec('1', 'A', null, 'p', 2), rec('2', 'B', null, 'p', 1), rec('3', null, null, 'p', 3)])).toEqual(
    [['s/1'], ['s/2', 's/3']],
  )
  expect(await refused()).toEqual([
    { record_key: 's/1', identifier: 'phone', value: 'p', reason: 'a person has at most 1 customer_id' },
  ])
})

test('the stronger identifier decides before the weaker', async () => {
  const records = [
    rec('1', 'A', 'e1', 'p'),
    rec('2', null, 'e1', 'p2'),
    rec('3', 'B', null, 'p2'),
    rec('4', null, null, 'p'),
  ]
  expect(await built(records)).toEqual([['s/1', 's/2', 's/4'], ['s/3']])
})

test('inside a type the value that fewer records carry decides first', async () => {
  // p2 (two records) joins 3 to B before p1 (three records) is looked at.
  const records = [
    rec('1', 'A', null, 'p1'),
    rec('2', 'B', 'e', 'p2'),
    rec('3', null, null, 'p2'),
    rec('4', null, 'f', 'p1'),
    rec('5', null, 'f', 'p1'),
    rec('6', null, 'e', 'p1'),
  ]
  expect(await built(records)).toEqual([
    ['s/1', 's/4', 's/5'],
    ['s/2', 's/3', 's/6'],
  ])
  expect(await refused()).toMatchObject([{ record_key: 's/6', identifier: 'phone', value: 'p1' }])
})

test('the same customer number everywhere is no conflict', async () => {
  expect(await built([rec('1', 'A', null, 'p'), rec('2', 'A', null, 'p'), rec('3', 'A', null, null)])).toEqual([
    ['s/1', 's/2', 's/3'],
  ])
  expect(await refused()).toEqual([])
})

test('junk in the limited column is no value, even where one record alone carries it', async () => {
  expect(await built([rec('1', 'A', null, 'p'), rec('2', 'N/A', null, 'p'), rec('3', '', null, 'p')])).toEqual([
    ['s/1', 's/2', 's/3'],
  ])
})

test('a person may have as many values as the limit says', async () => {
  const two = settings({ identifiers: { customer_id: { max_per_person: 2 }, email: {}, phone: {} } })
  await give(at.warehouse, columns, [
    rec('1', 'A', null, 'p', 1),
    rec('2', 'B', null, 'p', 2),
    rec('3', 'C', null, 'p', 3),
  ])
  await build(at.warehouse, two)
  expect(await groups(at.warehouse)).toEqual([['s/1', 's/2'], ['s/3']])
})
