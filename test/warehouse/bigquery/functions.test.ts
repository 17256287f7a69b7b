// The portable functions by Google's analyzer and its reference evaluator: the same rows as on DuckDB.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fingerprint } from '../../../src/core/hash.ts'
import { bigqueryFunctionsFingerprint } from '../../../src/warehouse/version.ts'
import { bigqueryInstall, portableFunctions } from '../../../src/warehouse/functions/index.ts'
import { allRows } from '../functions/all-rows.ts'
import { openGoogle, type Google } from './google.ts'
import { callOf, otherwise } from './spell.ts'

const words: Readonly<Record<string, string>> = {
  text: 'STRING',
  boolean: 'BOOL',
  integer: 'INT64',
  decimal: 'NUMERIC',
  double: 'FLOAT64',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
}

let google: Google
beforeAll(async () => {
  google = await openGoogle()
})
afterAll(() => google.close())

test('every function has a body for BigQuery, and the analyzer accepts its statement', async () => {
  expect(portableFunctions.filter((of) => of.bigquery === undefined).map((of) => of.name)).toEqual([])
  for (const statement of bigqueryInstall('cdp')) {
    expect(await google.refuses(statement), statement.slice(0, 200)).toBeUndefined()
  }
})

test('every function returns the type it declares', async () => {
  const typed = portableFunctions.filter(({ returns }) => returns !== 'any' && returns !== 'array')
  const found = await google.evaluate(typed.map(({ example }) => example.sql))
  expect(Object.fromEntries(typed.map(({ name }, at) => [name, found[at]?.type]))).toEqual(
    Object.fromEntries(typed.map(({ name, returns }) => [name, words[returns]])),
  )
})

test('every example gives its result', async () => {
  const found = await google.evaluate(portableFunctions.map(({ example }) => example.sql))
  expect(Object.fromEntries(portableFunctions.map(({ name }, at) => [name, found[at]?.text]))).toEqual(
    Object.fromEntries(portableFunctions.map(({ name, example }) => [name, example.result])),
  )
})

test('the version file names these functions', () => {
  expect(bigqueryFunctionsFingerprint, 'write this into src/warehouse/version.ts').toBe(
    fingerprint(bigqueryInstall('cdp')),
  )
})

describe.each(Object.entries(allRows))('cdp.%s', (name, of) => {
  test('gives what its rows say', async () => {
    const calls = of.flatMap((row) => {
      const call = callOf(name, row)
      return call === undefined ? [] : [{ call, gives: otherwise.find((one) => one.call.test(call))?.gives ?? row[1] }]
    })
    const found = await google.evaluate(calls.map(({ call }) => call))
    expect(calls.map(({ call }, at) => ({ call, gives: found[at]?.text }))).toEqual(calls)
  })
})
