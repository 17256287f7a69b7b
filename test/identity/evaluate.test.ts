import { afterAll, beforeAll, expect, test } from 'vitest'
import { evaluate } from '../../src/identity/evaluate.ts'
import { openMemory, type TestWarehouse } from './graph.ts'

let at: TestWarehouse
beforeAll(async () => {
  at = await openMemory()
})
afterAll(() => at.close())

const table = (rows: Readonly<Record<string, string>>): string =>
  `select * from (values ${Object.entries(rows)
    .map(([key, person]) => `('${key}', '${person}')`)
    .join(', ')}) v(record_key, person)`

test('pairs that are together are counted, right, found and true, among the records known to both', async () => {
  const found = table({ a: '1', b: '1', c: '1', d: '2', e: '3', x: '3' })
  const truth = table({ a: 'A', b: 'A', c: 'B', d: 'B', e: 'B', y: 'B' })
  expect(await evaluate(at.warehouse, { found, truth })).toEqual({
    records: 5,
    persons: 3,
    truePersons: 2,
    pairsFound: 3,
    pairsTrue: 4,
    pairsRight: 1,
    precision: 1 / 3,
    recall: 1 / 4,
    f1: expect.closeTo(2 / 7) as number,
  })
})

test('a graph that is right scores one, and so does one with nothing to find', async () => {
  const same = table({ a: '1', b: '1', c: '2' })
  expect(await evaluate(at.warehouse, { found: same, truth: same })).toMatchObject({ precision: 1, recall: 1, f1: 1 })
  const apart = table({ a: '1', b: '2' })
  expect(await evaluate(at.warehouse, { found: apart, truth: apart })).toMatchObject({ precision: 1, recall: 1, f1: 1 })
  const none = `${same} where false`
  expect(await evaluate(at.warehouse, { found: none, truth: same })).toMatchObject({ records: 0, pairsTrue: 0 })
})
