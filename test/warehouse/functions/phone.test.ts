import * as fc from 'fast-check'
import { isValidPhoneNumber } from 'libphonenumber-js/max'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEngine, type Engine } from './engine.ts'
import { anything, codes, expected, numbersOf, written, type Cell } from './phone-cells.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
  await engine.connection.run('create table cells (place integer, value varchar, region varchar)')
})
afterAll(() => engine.close())

// One statement over a table, as a model would run it; a statement a number would test the planner.
const normalized = async (cells: readonly Cell[]): Promise<(string | null)[]> => {
  await engine.connection.run('truncate cells')
  const appender = await engine.connection.createAppender('cells')
  for (const [place, { value, region }] of cells.entries()) {
    appender.appendInteger(place)
    appender.appendVarchar(value)
    appender.appendVarchar(region)
    appender.endRow()
  }
  appender.closeSync()
  const reader = await engine.connection.runAndReadAll(
    'select cdp.normalize_phone(value, region) from cells order by place',
  )
  return reader.getRows().map(([value]) => (typeof value === 'string' ? value : null))
}

const wrong = (cells: readonly Cell[], found: readonly (string | null)[]): unknown[] =>
  cells.flatMap((cell, at) => {
    const should = expected(cell)
    return found[at] === should ? [] : [{ ...cell, found: found[at], should }]
  })

test('numbers with separators, national and international, are valid exactly if the library says so', async () => {
  const cells = fc.sample(written, { numRuns: 12_000, seed: 20_261_001 })
  const found = await normalized(cells)
  expect(wrong(cells, found)).toEqual([])
  expect(found.filter((number) => number !== null).length).toBeGreaterThan(3000)
})

test('every number that the rules accept in its own region is found in national form', async () => {
  const cells = numbersOf.flatMap(({ rule: { region, trunk }, number }) =>
    fc.sample(number, { numRuns: 2000, seed: 7 }).map((digits) => ({ value: trunk + digits, region })),
  )
  expect(wrong(cells, await normalized(cells))).toEqual([])
})

test('whatever is in the cell, what comes out is null or a number that can be dialled', async () => {
  const cells = fc.sample(anything, { numRuns: 12_000, seed: 42 })
  const found = await normalized(cells)
  const undialable = found.filter((number) => {
    if (number === null) return false
    const known = codes.some((code) => number.startsWith(`+${code}`))
    return known ? !isValidPhoneNumber(number) : !/^\+[2-9][0-9]{7,14}$/.test(number)
  })
  expect(undialable).toEqual([])
  expect(found.filter((number) => number !== null).length).toBeGreaterThan(200)
})
