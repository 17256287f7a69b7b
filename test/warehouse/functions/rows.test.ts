import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { portableFunctions } from '../../../src/warehouse/functions/index.ts'
import { duckdbLiteral, openEngine, type Engine, type Rows } from './engine.ts'
import { casts } from './rows/casts.ts'
import { dates } from './rows/dates.ts'
import { numbers } from './rows/numbers.ts'
import { phone } from './rows/phone.ts'
import { text } from './rows/text.ts'
import { values } from './rows/values.ts'

const rows: Rows = { ...values, ...text, ...phone, ...casts, ...dates, ...numbers }

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
