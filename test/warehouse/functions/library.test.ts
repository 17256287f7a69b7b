import { afterAll, beforeAll, expect, test } from 'vitest'
import { duckdbInstall, portableFunctions } from '../../../src/warehouse/functions/index.ts'
import { openEngine, type Engine } from './engine.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine.close())

const duckdbTypes = {
  boolean: 'BOOLEAN',
  integer: 'BIGINT',
  decimal: 'DECIMAL(38,9)',
  double: 'DOUBLE',
  text: 'VARCHAR',
  date: 'DATE',
  timestamp: 'TIMESTAMP WITH TIME ZONE',
  'text array': 'VARCHAR[]',
}

test('every example gives its result', async () => {
  const values = await engine.evaluate(portableFunctions.map(({ example }) => example.sql))
  expect(Object.fromEntries(portableFunctions.map(({ name }, at) => [name, values[at]?.text]))).toEqual(
    Object.fromEntries(portableFunctions.map(({ name, example }) => [name, example.result])),
  )
})

test('every function returns the type it declares', async () => {
  const typed = portableFunctions.flatMap(({ name, returns, example }) =>
    returns === 'any' || returns === 'array' ? [] : [{ name, type: duckdbTypes[returns], sql: example.sql }],
  )
  const types = await engine.evaluate(typed.map(({ sql }) => sql))
  expect(Object.fromEntries(typed.map(({ name }, at) => [name, types[at]?.type]))).toEqual(
    Object.fromEntries(typed.map(({ name, type }) => [name, type])),
  )
})
