// Which values join nobody, and how many people a shared value is taken to belong to.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { build, clear, give, groups, openMemory, settings, type TestRecord, type TestWarehouse } from './graph.ts'

let at: TestWarehouse
beforeAll(async () => {
  at = await openMemory()
})
afterAll(() => at.close())
beforeEach(() => clear(at.warehouse))

const columns = ['source', 'record_id', 'email', 'phone', 'full_name', 'seen_at']
const header = settings({
  identifiers: { email: { max_shared_by: 3 }, phone: { max_shared_by: 3 } },
  names: ['full_name'],
})
const receipts = (count: number, of: (at: number) => Partial<TestRecord>): TestRecord[] =>
  Array.from({ length: count }, (_, id) => ({ source: 'till', record_id: `R${id}`, ...of(id) }))
const blocks = (): Promise<unknown[]> =>
  at.warehouse.all(
    'select identifier, value, reason, shared_by, allowed, records, examples, decided_run from cdp.person_blocks order by all',
  )
const built = async (records: readonly TestRecord[], over: Parameters<typeof build>[2] = {}): Promise<number> => {
  await give(at.warehouse, columns, records)
  return (await build(at.warehouse, header, over)).persons
}

const junk = [
  'test@test.com',
  'N/A',
  'none',
  'null',
  'unknown',
  '0000000000',
  '+84000000000',
  '+6588888888',
  '+12222222222',
  '+420 777 777 777',
  '00000000-0000-0000-0000-000000000000',
  '-',
  'không có',
]
const fine = [
  '+84987654321',
  '0987654321',
  '+84912345678',
  'an@example.com',
  '11111',
  '7',
  'support@shop.vn',
  '+84900000000',
]
const three = (values: readonly string[]): TestRecord[] =>
  values.flatMap((phone) => receipts(3, (id) => ({ phone, record_id: `${phone} ${id}` })))

describe('junk', () => {
  test('joins nobody and is recorded once, whatever it looks like', async () => {
    expect(await built(three(junk))).toBe(junk.length * 3)
    const found = await at.warehouse.all<{ value: string }>(
      "select value from cdp.person_blocks where reason = 'junk' and records = 3 and shared_by is null",
    )
    expect(found.map((row) => row.value).toSorted()).toEqual(junk.toSorted())
    await built([...three(junk), ...receipts(2, () => ({ phone: 'N/A' })).map((r) => ({ ...r, source: 'more' }))])
    expect(await at.warehouse.all('select records from cdp.person_blocks where records <> 3')).toEqual([])
    expect((await blocks()).length).toBe(junk.length)
  })

  test('is not what only looks like it', async () => {
    expect(await built(three(fine))).toBe(fine.length)
    expect(await blocks()).toEqual([])
  })

  test('of the project joins nobody either', async () => {
    await give(
      at.warehouse,
      columns,
      receipts(3, (id) => ({ phone: id === 0 ? 'Khách Quen' : 'khách quen ' })),
    )
    const outcome = await build(at.warehouse, { ...header, junk: ['KHÁCH QUEN'] })
    expect(outcome.persons).toBe(3)
  })
})

describe('a value shared by more people than may share it', () => {
  test('is blocked, with its evidence', async () => {
    expect(
      await built(
        receipts(4, (id) => ({ phone: '+84911111112', full_name: `Name ${'ABCD'[id]}` })),
        { runId: 'run-x' },
      ),
    ).toBe(4)
    expect(await blocks()).toEqual([
      {
        identifier: 'phone',
        value: '+84911111112',
        reason: 'shared',
        shared_by: 4,
        allowed: 3,
        records: 4,
        examples: 'till/R0, till/R1, till/R2, till/R3',
        decided_run: 'run-x',
      },
    ])
  })

  test('is not blocked at the limit', async () => {
    expect(await built(receipts(3, (id) => ({ phone: '+84911111112', full_name: `Name ${'ABC'[id]}` })))).toBe(1)
  })

  test('stays blocked when fewer share it later, and its record is kept as it was', async () => {
    await built(receipts(4, (id) => ({ phone: '+84911111112', full_name: `Name ${'ABCD'[id]}` })))
    const before = await blocks()
    expect(await built(receipts(2, (id) => ({ phone: '+84911111112', full_name: `Name ${'AB'[id]}` })))).toBe(2)
    expect(await blocks()).toEqual(before)
  })

  test.each<[string, number, (id: number) => Partial<TestRecord>, number]>([
    ['500 receipts of one name are one person', 500, () => ({ full_name: 'Nguyễn Văn An' }), 1],
    ['400 records with a name each are 400 people', 400, (id) => ({ full_name: `Khach ${String(id)} Le` }), 400],
    [
      'spellings of a name are one, in any order of its words',
      6,
      (id) => ({
        full_name:
          [
            'Nguyễn Văn An',
            'nguyen van an',
            'An  Nguyen Van',
            'NGUYEN, VAN AN',
            'Nguye\u0302\u0303n Va\u0306n An',
            'Văn An Nguyễn',
          ][id] ?? '',
      }),
      1,
    ],
    ['a record without a name may be any of those with one', 8, (id) => ({ full_name: id < 4 ? 'An' : null }), 1],
    ['no names at all tell nobody apart', 10, () => ({}), 1],
    ['an e-mail address each makes them people', 10, (id) => ({ email: `u${id}@e.vn` }), 10],
    [
      'some with an e-mail address and some without are one',
      10,
      (id) => ({ full_name: 'An', email: id % 2 === 0 ? 'an@e.vn' : null }),
      1,
    ],
    [
      'a name alone and an e-mail address alone are two',
      10,
      (id) => (id % 2 === 0 ? { full_name: 'An' } : { email: 'an@e.vn' }),
      2,
    ],
    [
      'junk says nothing',
      10,
      (id) => ({ full_name: id % 2 === 0 ? 'An' : 'N/A', email: id % 3 === 0 ? 'test@test.com' : null }),
      1,
    ],
  ])('%s', async (_, count, of, people) => {
    await give(
      at.warehouse,
      columns,
      receipts(count, (id) => ({ phone: '+84911111112', ...of(id) })),
    )
    await build(
      at.warehouse,
      settings({ identifiers: { email: {}, phone: { max_shared_by: 1 } }, names: ['full_name'] }),
    )
    const found = await at.warehouse.all<{ shared_by: number }>(
      "select shared_by from cdp.person_blocks where reason = 'shared'",
    )
    expect(found.map((row) => row.shared_by)).toEqual(people > 1 ? [people] : [])
  })

  test('with nothing to tell people apart by is never blocked', async () => {
    await give(
      at.warehouse,
      columns,
      receipts(10, () => ({ phone: '+84911111112' })),
    )
    const outcome = await build(at.warehouse, settings({ identifiers: { phone: { max_shared_by: 1 } } }))
    expect(outcome.persons).toBe(1)
  })

  test('blocks for one graph only, and leaves its records their other values', async () => {
    await built([
      ...receipts(4, (id) => ({
        phone: '+84911111112',
        full_name: `Name ${'ABCD'[id]}`,
        email: id < 2 ? 'ab@e.vn' : null,
      })),
    ])
    expect(await groups(at.warehouse)).toEqual([['till/R0', 'till/R1'], ['till/R2'], ['till/R3']])
    const other = await build(at.warehouse, settings({ identifiers: { phone: {} } }), {
      graph: 'households',
      publish: () => Promise.resolve(),
    })
    expect(other.persons).toBe(1)
  })
})
