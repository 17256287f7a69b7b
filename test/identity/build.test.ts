// One build: what it joins, what it refuses to build from, what it leaves behind.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { build, clear, give, groups, openMemory, settings, type TestRecord, type TestWarehouse } from './graph.ts'

let at: TestWarehouse
beforeAll(async () => {
  at = await openMemory()
})
afterAll(() => at.close())
beforeEach(() => clear(at.warehouse))

const columns = ['source', 'record_id', 'email', 'phone', 'seen_at']
const rec = (key: string, email: string | null, phone: string | null): TestRecord => {
  const [source = '', record_id = ''] = key.split('/')
  return { source, record_id, email, phone }
}
const header = settings({ identifiers: { email: { max_shared_by: 50 }, phone: { max_shared_by: 50 } } })
const state = async (): Promise<unknown> => ({
  person: await at.warehouse.all('select * from cdp.person order by all'),
  records: await at.warehouse.all('select * from cdp.person_records order by all'),
  people: await at.warehouse.all('select * from main.people order by all'),
})

describe('a graph', () => {
  const given = [
    rec('a/1', 'x@e.vn', null),
    rec('a/2', 'x@e.vn', '+84912345678'),
    rec('b/3', null, ' +84912345678 '),
    rec('b/4', null, null),
    rec('b/5', '', '  '),
    rec('b/6', 'y@e.vn', ''),
    rec('b/7', '+84912345678', null),
  ]

  test('joins records that share a value of one identifier, across identifiers, and nobody by an empty one', async () => {
    await give(at.warehouse, columns, given)
    const outcome = await build(at.warehouse, header)
    expect(await groups(at.warehouse)).toEqual([['a/1', 'a/2', 'b/3'], ['b/4'], ['b/5'], ['b/6'], ['b/7']])
    expect(outcome).toMatchObject({ records: 7, persons: 5, created: 5, merged: 0, changedRecords: 7 })
  })

  test('is the SELECT plus person_id', async () => {
    await give(at.warehouse, columns, given)
    await build(at.warehouse, header)
    expect((await at.warehouse.describe('select * from main.people')).map((column) => column.name)).toEqual([
      ...columns,
      'person_id',
    ])
    const differing = await at.warehouse.all(
      '(select * exclude (person_id) from main.people) except (select * from main.given)',
    )
    expect(differing).toEqual([])
    expect(await at.warehouse.all('select count(*) as n from main.people')).toEqual([{ n: 7 }])
  })

  test('says of every shared value whose records it joined', async () => {
    await give(at.warehouse, columns, [...given, rec('c/8', 'test@test.com', null), rec('c/9', 'test@test.com', null)])
    await build(at.warehouse, header)
    expect(
      await at.warehouse.all('select record_key, identifier, value, status from cdp.person_links order by all'),
    ).toEqual([
      { record_key: 'a/1', identifier: 'email', value: 'x@e.vn', status: 'used' },
      { record_key: 'a/2', identifier: 'email', value: 'x@e.vn', status: 'used' },
      { record_key: 'a/2', identifier: 'phone', value: '+84912345678', status: 'used' },
      { record_key: 'b/3', identifier: 'phone', value: '+84912345678', status: 'used' },
      { record_key: 'c/8', identifier: 'email', value: 'test@test.com', status: 'blocked' },
      { record_key: 'c/9', identifier: 'email', value: 'test@test.com', status: 'blocked' },
    ])
    await give(at.warehouse, columns, [rec('a/1', 'x@e.vn', null)])
    await build(at.warehouse, header)
    expect(await at.warehouse.all('select * from cdp.person_links')).toEqual([])
  })

  test('compares values of any type as text', async () => {
    await at.warehouse.run(
      "create or replace table main.numbers as select * from (values ('a', 1, 7.0), ('b', 2, 7.00), ('c', 3, 8)) v(source, record_id, number)",
    )
    await build(at.warehouse, settings({ seen_at: undefined, identifiers: { number: {} } }), {
      select: 'select * from main.numbers',
    })
    expect(await groups(at.warehouse)).toEqual([['a/1', 'b/2'], ['c/3']])
  })

  test('keeps apart records whose keys look alike', async () => {
    await give(at.warehouse, columns, [
      { source: 'a/b', record_id: 'c' },
      { source: 'a', record_id: 'b/c' },
      { source: 'a%2Fb', record_id: 'c' },
    ])
    await build(at.warehouse, header)
    expect(await groups(at.warehouse)).toEqual([['a%252Fb/c'], ['a%2Fb/c'], ['a/b/c']])
  })

  test('of no records is empty', async () => {
    await give(at.warehouse, columns, [])
    expect(await build(at.warehouse, header)).toMatchObject({ records: 0, persons: 0 })
    expect(await at.warehouse.all('select * from main.people')).toEqual([])
  })

  test('leaves no work tables', async () => {
    await give(at.warehouse, columns, given)
    await build(at.warehouse, header)
    const left = await at.warehouse.all(
      "select table_name from duckdb_tables() where table_name like '%identity%' or temporary",
    )
    expect(left).toEqual([])
  })
})

describe('a graph that cannot be built says why and leaves everything as it was', () => {
  const good = [rec('a/1', 'x@e.vn', null), rec('a/2', 'x@e.vn', null)]
  const failure = async (records: readonly TestRecord[], over = {}): Promise<object> => {
    await give(at.warehouse, columns, good)
    await build(at.warehouse, header)
    const before = JSON.stringify(await state())
    await give(at.warehouse, columns, records)
    const error: unknown = await build(at.warehouse, header, over).catch((thrown: unknown) => thrown)
    return { error, unchanged: JSON.stringify(await state()) === before }
  }

  test('when a record comes twice', async () => {
    const twice = [rec('a/1', 'other@e.vn', null), ...[1, 2, 3].map(() => rec('b/1', null, null))]
    expect(await failure([...good, ...twice])).toMatchObject({
      error: {
        code: 'IDENTITY_RECORD_TWICE',
        kind: 'data',
        args: { keys: 2, examples: ['b/1 (3 times)', 'a/1 (2 times)'] },
        message:
          'people has 2 record keys more than once (source, record_id must be unique): b/1 (3 times), a/1 (2 times). Persons are as they were.',
      },
      unchanged: true,
    })
  })

  test('when a record has no key', async () => {
    const nameless = [
      { source: 'a', record_id: null },
      { source: null, record_id: '9' },
    ]
    expect(await failure([...good, ...nameless])).toMatchObject({
      error: { code: 'IDENTITY_RECORD_NULL', args: { records: 2 } },
      unchanged: true,
    })
  })

  test.each([
    [
      'a column of the header is missing, with the near name',
      'select source, record_id, email, phone as phones, seen_at from main.given',
      { code: 'MODEL_COLUMN', args: { column: 'phone', near: ' Did you mean "phones"?' } },
    ],
    [
      'the SELECT gives a person_id of its own',
      'select *, 1 as "Person_ID" from main.given',
      { code: 'IDENTITY_COLUMN', args: { column: 'Person_ID' } },
    ],
    [
      'seen_at is text',
      "select * replace ('yesterday' as seen_at) from main.given",
      { code: 'IDENTITY_COLUMN', args: { column: 'seen_at' } },
    ],
  ])('when %s', async (_, select, error) => {
    expect(await failure(good, { select })).toMatchObject({ error, unchanged: true })
  })

  test('when its relation cannot be written', async () => {
    const publish = (): Promise<void> => Promise.reject(new Error('the disk is gone'))
    expect(await failure([...good, rec('c/3', null, null)], { publish })).toMatchObject({
      error: { message: 'the disk is gone' },
      unchanged: true,
    })
  })
})
