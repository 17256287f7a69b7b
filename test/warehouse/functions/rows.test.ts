import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { portableFunctions } from '../../../src/warehouse/functions/index.ts'
import { allRows } from './all-rows.ts'
import { duckdbLiteral, openEngine, type Engine } from './engine.ts'

const rows = allRows

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine.close())

test('every function has rows, one of them with null, and there are no rows of other functions', () => {
  expect(Object.keys(rows).toSorted()).toEqual(portableFunctions.map(({ name }) => name).toSorted())
  const withoutNull = Object.entries(rows).filter(([, of]) => !of.some(([[first]]) => first === null))
  expect(withoutNull.map(([name]) => name)).toEqual([])
})

describe.each(Object.keys(rows))('cdp.%s', (name) => {
  test('gives what its rows say', async () => {
    const calls = (rows[name] ?? []).map(([args]) => `cdp.${name}(${args.map(duckdbLiteral).join(', ')})`)
    const found = await engine.evaluate(calls)
    expect(calls.map((call, at) => ({ call, gives: found[at]?.text }))).toEqual(
      calls.map((call, at) => ({ call, gives: rows[name]?.[at]?.[1] })),
    )
  })
})
