// `cdp explain person`: who is found by what, and what is told of them.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { explainPerson, type ExplainFacts } from '../../src/identity/explain.ts'
import { buildProfile } from '../../src/identity/profile/build.ts'
import type { ProfileSettings } from '../../src/identity/settings.ts'
import { build, give, openMemory, personOf, settings, type TestRecord, type TestWarehouse } from './graph.ts'

const columns = ['source', 'record_id', 'customer_id', 'email', 'phone', 'full_name', 'seen_at']
const header = settings({
  names: ['full_name'],
  identifiers: { customer_id: { max_per_person: 1 }, email: {}, phone: { max_shared_by: 2 } },
})
const traits: ProfileSettings = {
  of: 'people',
  record: header.record,
  seen_at: 'seen_at',
  traits: { full_name: { pick: 'latest', prefer: ['shop'] }, records: { pick: 'count', prefer: [] } },
}
const rec = (key: string, over: Partial<TestRecord>, day = 1): TestRecord => {
  const [source = '', record_id = ''] = key.split('/')
  return { source, record_id, seen_at: `2026-10-0${day}T00:00:00Z`, ...over }
}
const records = [
  rec('shop/1', { email: 'an@e.vn', customer_id: 'A', full_name: 'Nguyễn Văn An' }, 1),
  rec('news/an', { email: 'an@e.vn', phone: '+84912345678', full_name: 'an' }, 2),
  rec('shop/2', { email: 'binh@e.vn', phone: '+84987654321', full_name: 'Bình' }, 3),
  rec('till/1', { phone: '+84900000001', full_name: 'Chi', email: 'an@e.vn' }, 4),
  rec('till/2', { phone: '+84900000001', full_name: 'Dũng' }, 5),
  rec('till/3', { phone: '+84900000001', full_name: 'Giang' }, 6),
  rec('crm/9', { email: 'an@e.vn', customer_id: 'B', full_name: 'Ân' }, 7),
]

let at: TestWarehouse
let facts: ExplainFacts
let an = ''
let binh = ''
beforeAll(async () => {
  at = await openMemory()
  const { warehouse } = at
  facts = {
    warehouse,
    region: 'VN',
    graphs: [
      { name: 'people', settings: header },
      { name: 'never_built', settings: header },
    ],
    profiles: [
      { name: 'profiles', settings: traits },
      { name: 'never_built_either', settings: traits },
    ],
  }
  await give(warehouse, columns, records)
  await build(warehouse, header)
  binh = (await personOf(warehouse)).get('shop/2') ?? ''
  await give(warehouse, columns, [...records, rec('till/4', { phone: '+84987654321', email: 'an@e.vn' }, 8)])
  await build(warehouse, header)
  an = (await personOf(warehouse)).get('shop/1') ?? ''
  await buildProfile({
    warehouse,
    profile: 'profiles',
    select: 'select * from main.people',
    settings: traits,
    place: { file: 'models/profiles.sql' },
    publish: async (select) => {
      await warehouse.run(`create or replace table main.profiles as ${select}`)
    },
  })
})
afterAll(() => at.close())

describe('a person is found', () => {
  test.each([
    ['by id', () => an, 'person id'],
    ['by an id that was merged away', () => binh, 'former id'],
    ['by a record', () => 'till/1', 'record'],
    ['by an e-mail address as written', () => '  BINH@E.vn ', 'email binh@e.vn'],
    ['by a phone number as written', () => '0912 345 678', 'phone +84912345678'],
    ['by a customer number', () => 'A', 'customer_id A'],
  ])('%s', async (_, query, matchedBy) => {
    const found = await explainPerson(facts, query())
    expect(found).toMatchObject({ query: query(), matchedBy, total: 1 })
    expect(found.persons.map((person) => person.personId)).toEqual([an])
  })

  test('and several where a value is blocked', async () => {
    const found = await explainPerson(facts, '0900000001')
    expect(found.total).toBe(3)
    expect(found.persons.map((person) => person.records.map((record) => record.record))).toContainEqual(['till/2'])
  })

  test('and no more than ten of many are told', async () => {
    const many = Array.from({ length: 12 }, (_, id) => rec(`many/${id}`, { email: 'test@test.com' }))
    await give(at.warehouse, columns, many)
    const elsewhere = { ...facts, graphs: [{ name: 'many', settings: header }] }
    await build(at.warehouse, header, {
      graph: 'many',
      publish: async (select) => {
        await at.warehouse.run(`create or replace table main.many as ${select}`)
      },
    })
    const found = await explainPerson(elsewhere, 'test@test.com')
    expect(found.persons.length).toBe(10)
    expect(found.total).toBe(12)
  })

  test('and several where a link was refused', async () => {
    const found = await explainPerson(facts, 'an@e.vn')
    expect(found.persons.map((person) => person.records.map((record) => record.record))).toContainEqual(['crm/9'])
    expect(found.total).toBe(2)
  })

  test('or nobody is', async () => {
    expect(await explainPerson(facts, "o'nobody@e.vn")).toEqual({
      query: "o'nobody@e.vn",
      matchedBy: undefined,
      persons: [],
      total: 0,
    })
  })
})

describe('of a person is told', () => {
  const told = async () => (await explainPerson(facts, an)).persons[0]

  test('the records, oldest first, as the model gives them', async () => {
    const person = await told()
    expect(person).toMatchObject({ graph: 'people', personId: an, formerIds: [binh], status: 'active', recordCount: 5 })
    expect(person?.records.map((record) => record.record)).toEqual(['shop/1', 'news/an', 'shop/2', 'till/1', 'till/4'])
    expect(person?.records[0]?.row).toEqual({
      source: 'shop',
      record_id: '1',
      customer_id: 'A',
      email: 'an@e.vn',
      phone: null,
      full_name: 'Nguyễn Văn An',
      seen_at: '2026-10-01T00:00:00Z',
    })
  })

  test('the values that joined them, and those that did not', async () => {
    expect((await told())?.links).toEqual([
      {
        identifier: 'email',
        value: 'an@e.vn',
        status: 'used',
        reason: undefined,
        records: ['news/an', 'shop/1', 'till/1', 'till/4'],
        count: 4,
      },
      {
        identifier: 'phone',
        value: '+84900000001',
        status: 'blocked',
        reason: 'it seems to belong to 3 people, and 2 may share it',
        records: ['till/1'],
        count: 1,
      },
      {
        identifier: 'phone',
        value: '+84987654321',
        status: 'used',
        reason: undefined,
        records: ['shop/2', 'till/4'],
        count: 2,
      },
    ])
    const refused = (await explainPerson(facts, 'crm/9')).persons[0]
    expect(refused?.links).toEqual([
      {
        identifier: 'email',
        value: 'an@e.vn',
        status: 'refused',
        reason: 'a person has at most 1 customer_id',
        records: ['crm/9'],
        count: 1,
      },
    ])
  })

  test('each trait with its rule and the record it came from', async () => {
    expect((await told())?.profiles).toEqual([
      {
        profile: 'profiles',
        traits: [
          { trait: 'full_name', value: 'Bình', rule: 'latest, shop before others', record: 'shop/2' },
          { trait: 'records', value: 5, rule: 'count', record: undefined },
        ],
      },
    ])
  })

  test('the history of its ids', async () => {
    const history = (await told())?.history ?? []
    expect(history.map(({ event, oldId, personId, cause }) => ({ event, oldId, personId, cause }))).toEqual(
      expect.arrayContaining([
        { event: 'created', oldId: undefined, personId: an, cause: undefined },
        { event: 'created', oldId: undefined, personId: binh, cause: undefined },
        { event: 'merged', oldId: binh, personId: an, cause: 'phone +84987654321' },
      ]),
    )
    expect(history.length).toBe(3)
    expect(history[0]?.at).toBe('2026-11-01T00:00:00Z')
  })
})
