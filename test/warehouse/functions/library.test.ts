import { afterAll, beforeAll, expect, test } from 'vitest'
import { duckdbInstall, portableFunctions } from '../../../src/warehouse/functions/index.ts'
import { openEngine, type Engine } from './engine.ts'
import { callsOf, mentions } from './expansion.ts'

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

test('names are unique, and a function stands after those it calls', () => {
  const names = portableFunctions.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  const tooEarly = portableFunctions.flatMap((of, at) =>
    callsOf(of).flatMap((called) => (names.indexOf(called) < at && names.includes(called) ? [] : [[of.name, called]])),
  )
  expect(tooEarly).toEqual([])
})

test('no function mentions a value so often that nesting a few is slow to plan', () => {
  const often = portableFunctions.flatMap((of) =>
    of.params.flatMap(({ name, type }, place) => (type === 'any' && mentions(of, place) > 15 ? [[of.name, name]] : [])),
  )
  expect(often).toEqual([])
  expect(
    mentions(
      portableFunctions.find(({ name }) => name === 'normalize_phone'),
      0,
    ),
  ).toBe(1)
})

test('the library can live in a schema of another name', async () => {
  const elsewhere = await openEngine('my "cdp"')
  const reader = await elsewhere.connection.runAndReadAll(
    `select "my ""cdp""".years_between('1990-10-21', '2026-10-21')`,
  )
  elsewhere.close()
  expect(reader.getRows()).toEqual([[36n]])
  expect(duckdbInstall('other').join('\n')).not.toMatch(/\bcdp\./)
})

test('functions work inside lambdas, joins, groups, views and over prepared parameters', async () => {
  const { connection } = engine
  await connection.run(
    "create view folded as select cdp.fold(name) as name from (values ('Đặng'), ('dang'), ('An')) t(name)",
  )
  const rows = async (sql: string): Promise<unknown> => (await connection.runAndReadAll(sql)).getRowsJson()
  expect(await rows('select name, count(*) from folded group by name order by name')).toEqual([
    ['an', '1'],
    ['dang', '2'],
  ])
  expect(await rows("select list_transform(['1', 'x'], lambda item: cdp.safe_int(item))")).toEqual([[['1', null]]])
  expect(
    await rows('select count(*) from range(3) a(i) join range(3) b(j) on cdp.safe_int(i) = cdp.safe_int(j)'),
  ).toEqual([['3']])
  const statement = await connection.prepare("select cdp.normalize_phone($1, 'VN')")
  statement.bindVarchar(1, '0912 345 678')
  expect((await statement.runAndReadAll()).getRows()).toEqual([['+84912345678']])
})
