// Values in and out: what is written as a parameter or as SQL comes back as the seam says, to the last digit.
import { deepEqual, equal, fail, match, ok } from 'node:assert/strict'
import type { ColumnType, Value, Warehouse } from '../warehouse/warehouse.ts'
import { asKept, onOne, one, raw, refusal, type WarehouseCase } from './warehouse-harness.ts'

// Written as text and cast, so that the engine's own reading is part of what is held to.
const spelled: readonly (readonly [ColumnType, string, unknown])[] = [
  ['text', '', ''],
  ['text', `it's "Đặng" 漢字 🎉 \\n`, `it's "Đặng" 漢字 🎉 \\n`],
  ['text', '\uFEFFmarked\r\nand more than twelve bytes long', '\uFEFFmarked\r\nand more than twelve bytes long'],
  ['integer', '9007199254740991', 9_007_199_254_740_991],
  ['integer', '-9007199254740992', -9_007_199_254_740_992n],
  ['integer', '9223372036854775807', 9_223_372_036_854_775_807n],
  ['double', '0.1', 0.1],
  ['double', '-1e300', -1e300],
  ['boolean', 'true', true],
  ['date', '2026-10-01', '2026-10-01'],
  ['date', '0001-01-01', '0001-01-01'],
  ['date', '9999-12-31', '9999-12-31'],
  ['timestamp', '2026-10-01 15:00:00+07', '2026-10-01T08:00:00Z'],
  ['timestamp', '2026-10-01 08:00:00.120000+00', '2026-10-01T08:00:00.12Z'],
  ['timestamp', '1969-12-31 23:59:59.999999+00', '1969-12-31T23:59:59.999999Z'],
  ['decimal(18,2)', '1.10', '1.10'],
  ['decimal(18,2)', '-0.05', '-0.05'],
  ['decimal(4,1)', '-12.5', '-12.5'],
  ['decimal(9,4)', '99999.9999', '99999.9999'],
  ['decimal(38,9)', '12345678901234567890123456789.123456789', '12345678901234567890123456789.123456789'],
]

const spell: WarehouseCase = onOne('a value of each type comes back as the seam says, to the last digit', async (w) => {
  for (const [type, text, expected] of spelled) {
    const sql = `select cast($1 as ${w.typeName(type)}) as v, cast(null as ${w.typeName(type)}) as missing`
    deepEqual(
      await one(w, { sql, parameters: [text] }),
      { v: asKept(w, type, expected), missing: null },
      `${type} ${text}`,
    )
  }
})

const parsed = (value: Value | undefined): unknown =>
  typeof value === 'string' ? (JSON.parse(value) as unknown) : fail('JSON must come back as its text')

const stored: WarehouseCase = onOne('a relation of every type keeps what a parameter wrote', async (w) => {
  const types: readonly ColumnType[] = ['text', 'integer', 'double', 'boolean', 'date', 'timestamp', 'decimal(18,2)']
  const columns = [...types, 'json', 'bytes'] as const
  const target = w.name(raw('every_type'))
  await w.run(
    `create table ${target} (id ${w.typeName('integer')}, ${columns.map((type, at) => `c${at} ${w.typeName(type)}`).join(', ')})`,
  )
  const written = [
    'a',
    2n ** 60n,
    1.5,
    false,
    '2026-02-28',
    new Date('2026-10-01T08:00:00.123Z'),
    '10.00',
    '{"a":[1,"ü"]}',
    Uint8Array.of(0, 255, 39),
  ]
  const places = columns.map((_, at) => `$${at + 2}`).join(', ')
  await w.run({ sql: `insert into ${target} values ($1, ${places})`, parameters: [1, ...written] })
  await w.run({ sql: `insert into ${target} values ($1, ${places})`, parameters: [2, ...columns.map(() => null)] })
  const [full, empty] = await w.all(`select * from ${target} order by id`)
  const { c7, ...rest } = full ?? {}
  const { c0, c1, c2, c3, c4, c5, c6, c8 } = rest
  deepEqual(
    [c0, c1, c2, c3, c4, c5, c6],
    ['a', 2n ** 60n, 1.5, false, '2026-02-28', '2026-10-01T08:00:00.123Z', asKept(w, 'decimal(18,2)', '10.00')],
  )
  deepEqual(parsed(c7), { a: [1, 'ü'] })
  ok(c8 instanceof Uint8Array)
  deepEqual([...c8], [0, 255, 39])
  ok(Object.values({ ...empty, id: null }).every((value) => value === null))
})

const hostile = `'; drop table "x"; -- $2 \\' " \``

const parameters: WarehouseCase = onOne('a parameter is a value, whatever it looks like', async (w) => {
  deepEqual(await w.all({ sql: 'select $1 as a, $2 as b', parameters: [hostile, 'b'] }), [{ a: hostile, b: 'b' }])
  deepEqual(await w.all({ sql: 'select $1 as a, $1 as b', parameters: [7] }), [{ a: 7, b: 7 }])
  const sql = 'select count(*) as n from (select $1 as v) as t where v = $2'
  deepEqual(await w.all({ sql, parameters: [hostile, hostile] }), [{ n: 1 }])
})

const lists: WarehouseCase = onOne('a list is one parameter, also an empty one', async (w) => {
  const hits = async (list: readonly unknown[]): Promise<unknown> =>
    (await one(w, { sql: 'select count(*) as n from unnest($1) as v', parameters: [list] }))['n']
  deepEqual([await hits(['a', hostile, null]), await hits([1, 2n, 2.5]), await hits([])], [3, 3, 0])
})

const arrays: WarehouseCase = onOne('a list in a result is a list, an empty one too', async (w) => {
  const row = await one(w, "select [] as e, [9007199254740993, 1] as i, ['a b', 'ü'] as t, [[] is null] as b")
  deepEqual(row, { e: [], i: [9_007_199_254_740_993n, 1], t: ['a b', 'ü'], b: [false] })
  // An engine may take a list that is null for an empty one.
  const none = await one(w, 'select case when n > 1 then [n] end as l from (select 1 as n) as t')
  ok(none['l'] === null || (Array.isArray(none['l']) && none['l'].length === 0))
})

const wrong: WarehouseCase = onOne(
  'a parameter that is no value, and a wrong number of them, are refused',
  async (w) => {
    for (const value of [undefined, { a: 1 }, Symbol('s'), new Date(Number.NaN)]) {
      await refusal('INTERNAL', w.all({ sql: 'select $1 as a', parameters: [value] }))
    }
    await refusal('INTERNAL', w.all({ sql: 'select $1 as a, $2 as b', parameters: [1] }))
  },
)

const literals: WarehouseCase = onOne('a literal is the text and nothing else', async (w) => {
  for (const text of [hostile, '', 'Đặng\n🎉', 'back\\slash']) {
    equal((await one(w, `select ${w.literal(text)} as v`))['v'], text)
  }
})

const identified = async (w: Warehouse, names: readonly string[]): Promise<void> => {
  for (const name of names) {
    const relation = raw(`r ${name}`)
    await w.run(`create table ${w.name(relation)} (${w.quote(name)} ${w.typeName('integer')})`)
    await w.run(`insert into ${w.name(relation)} (${w.quote(name)}) values (5)`)
    deepEqual(await w.all(`select ${w.quote(name)} from ${w.name(relation)}`), [{ [name]: 5 }])
  }
  deepEqual(
    (await w.relations('raw')).map((relation) => relation.name).toSorted(),
    names.map((name) => `r ${name}`).toSorted(),
  )
}

const identifiers: WarehouseCase = onOne('a quoted identifier may hold spaces and letters of any script', (w) =>
  identified(w, ['a b', 'Tên khách', 'select', 'ÄÖ漢', 'a-b_1']),
)

const quotes: WarehouseCase = onOne(
  'a quoted identifier may hold quotes',
  (w) => identified(w, ['say "hi"', "o'clock"]),
  'quotesInNames',
)

const nested: WarehouseCase = onOne('nested JSON comes back as its text', async (w) => {
  const json = '{"a":{"b":[1,2,{"c":null}]},"d":"say \\"hi\\""}'
  const target = w.name(raw('documents'))
  await w.run(`create table ${target} (v ${w.typeName('json')})`)
  await w.run({ sql: `insert into ${target} (v) values ($1)`, parameters: [json] })
  const { v } = await one(w, `select v from ${target}`)
  deepEqual(parsed(v), JSON.parse(json))
})

const refused: WarehouseCase = onOne('a statement the engine refuses keeps its reason and its text', async (w) => {
  const error = await refusal('QUERY_FAILED', w.all('select 1 as a\nfrom raw.nowhere_to_be_found'))
  match(error.message, /nowhere_to_be_found/)
  equal('sql' in error.args && error.args.sql, 'select 1 as a\nfrom raw.nowhere_to_be_found')
})

const placed: WarehouseCase = onOne('a refused statement says its line and column', async (w) => {
  const error = await refusal('QUERY_FAILED', w.all(`select '漢🎉' as a,\n  '🎉' as b, no_such_column from cdp.runs`))
  deepEqual({ line: 2, column: 13, ...error.args }, error.args)
})

export const valueCases: readonly WarehouseCase[] = [
  spell,
  stored,
  parameters,
  lists,
  arrays,
  wrong,
  literals,
  identifiers,
  quotes,
  nested,
  refused,
  placed,
]
