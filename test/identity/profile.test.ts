// Golden profiles: which value each rule takes, and where it says it came from.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildProfile } from '../../src/identity/profile/build.ts'
import type { ProfileSettings, TraitRule } from '../../src/identity/settings.ts'
import type { Row } from '../../src/warehouse/warehouse.ts'
import { openMemory, type TestWarehouse } from './graph.ts'

let at: TestWarehouse
beforeAll(async () => {
  at = await openMemory()
})
afterAll(() => at.close())

type Given = readonly [
  person: string,
  source: string,
  id: string,
  day: number | null,
  name: string | null,
  amount?: number | null,
]

const people = async (given: readonly Given[]): Promise<void> => {
  const rows = given.map(
    ([person, source, id, day, name, amount]) =>
      `('${person}', '${source}', '${id}', ${day === null ? 'null' : `timestamptz '2026-10-${String(day).padStart(2, '0')} 00:00:00+00'`}, ${name === null ? 'null' : `'${name}'`}, ${amount ?? 'null'})`,
  )
  await at.warehouse.run(
    `create or replace table main.people (person_id varchar, source varchar, record_id varchar, seen_at timestamptz, name varchar, amount decimal(18, 2))`,
  )
  await at.warehouse.run(`insert into main.people values ${rows.join(', ')}`)
}

const rule = (pick: TraitRule['pick'], over: Partial<TraitRule> = {}): TraitRule => ({ pick, prefer: [], ...over })
const build = async (
  traits: Readonly<Record<string, TraitRule>>,
  over: Partial<ProfileSettings> & { readonly select?: string } = {},
): Promise<Row[]> => {
  const { select = 'select * from main.people', ...more } = over
  await buildProfile({
    warehouse: at.warehouse,
    profile: 'profiles',
    select,
    settings: { of: 'people', record: ['source', 'record_id'], seen_at: 'seen_at', traits, ...more },
    place: { file: 'models/profiles.sql' },
    publish: async (sql) => {
      await at.warehouse.run(`create or replace table main.profiles as ${sql}`)
    },
  })
  return at.warehouse.all('select * from main.profiles order by person_id')
}
interface Origin {
  readonly person_id: string
  readonly trait: string
  readonly record_key: string
  readonly rule: string
}
const origins = (): Promise<Origin[]> =>
  at.warehouse.all(
    "select person_id, trait, record_key, rule from cdp.trait_origins where profile = 'profiles' order by all",
  )

const name = async (picked: TraitRule): Promise<unknown> => (await build({ name: picked }))[0]?.['name']

describe('a picked trait', () => {
  test('latest and earliest go by time, and a record without one comes last', async () => {
    await people([
      ['p', 'a', '1', 3, 'three'],
      ['p', 'a', '2', 1, 'one'],
      ['p', 'a', '3', null, 'never'],
    ])
    expect(await name(rule('latest'))).toBe('three')
    expect(await name(rule('last'))).toBe('three')
    expect(await name(rule('earliest'))).toBe('one')
    expect(await name(rule('first'))).toBe('one')
    await people([
      ['p', 'a', '2', null, 'b'],
      ['p', 'a', '1', null, 'a'],
    ])
    expect(await name(rule('latest'))).toBe('a')
    expect(await name(rule('earliest'))).toBe('a')
  })

  test('an empty value never wins over a present one', async () => {
    await people([
      ['p', 'a', '1', 1, 'old'],
      ['p', 'a', '2', 2, ''],
      ['p', 'a', '3', 3, null],
      ['p', 'a', '4', 4, '  '],
      ['q', 'a', '5', 1, ''],
      ['q', 'a', '6', 1, null],
    ])
    for (const pick of ['latest', 'earliest', 'most_frequent', 'most_complete', 'longest', 'max', 'min'] as const) {
      expect((await build({ name: rule(pick) })).map((row) => row['name'])).toEqual(['old', null])
    }
  })

  test('the preferred source comes first, where it has a value, and time decides inside it', async () => {
    const prefer = ['shop', 'crm']
    await people([
      ['p', 'till', '1', 9, 'till'],
      ['p', 'crm', '2', 5, 'crm'],
      ['p', 'shop', '3', 1, 'shop old'],
      ['p', 'shop', '4', 2, 'shop new'],
      ['p', 'shop', '5', 3, ''],
    ])
    expect(await name(rule('latest', { prefer }))).toBe('shop new')
    expect(await name(rule('earliest', { prefer }))).toBe('shop old')
    await people([
      ['p', 'till', '1', 9, 'till'],
      ['p', 'crm', '2', 5, 'crm'],
      ['p', 'shop', '3', 1, null],
    ])
    expect(await name(rule('latest', { prefer }))).toBe('crm')
    expect(await name(rule('most_frequent', { prefer: ['zalo'] }))).toBe('till')
  })

  test('ties in time go by the record key', async () => {
    await people([
      ['p', 'b', '1', 1, 'b1'],
      ['p', 'a', '2', 1, 'a2'],
      ['p', 'a', '10', 1, 'a10'],
    ])
    expect(await name(rule('latest'))).toBe('a10')
    expect(await name(rule('earliest'))).toBe('a10')
  })

  test('most_frequent counts records, a tie goes to the later value', async () => {
    await people([
      ['p', 'a', '1', 1, 'x'],
      ['p', 'a', '2', 2, 'x'],
      ['p', 'a', '3', 9, 'y'],
      ['q', 'a', '4', 1, 'x'],
      ['q', 'a', '5', 2, 'y'],
    ])
    expect((await build({ name: rule('most_frequent') })).map((row) => row['name'])).toEqual(['x', 'y'])
    expect(await origins()).toEqual([
      { person_id: 'p', trait: 'name', record_key: 'a/2', rule: 'most_frequent' },
      { person_id: 'q', trait: 'name', record_key: 'a/5', rule: 'most_frequent' },
    ])
  })

  test('longest counts characters', async () => {
    await people([
      ['p', 'a', '1', 1, 'Nguyễn Văn An'],
      ['p', 'a', '2', 2, 'N. V. An'],
      ['p', 'a', '3', 3, 'Nguyen Van  A'],
    ])
    expect(await name(rule('longest'))).toBe('Nguyen Van  A')
  })

  test('most_complete takes the record with the most traits filled', async () => {
    await people([
      ['p', 'a', '1', 1, 'full', 5],
      ['p', 'a', '2', 2, 'name only'],
      ['p', 'a', '3', 3, '', 7],
    ])
    expect((await build({ name: rule('most_complete'), amount: rule('latest') }))[0]).toEqual({
      person_id: 'p',
      name: 'full',
      amount: '7.00',
    })
  })

  test('goes by another time and comes from another column when told so', async () => {
    await people([
      ['p', 'a', '1', 1, 'x'],
      ['p', 'a', '2', 2, 'y'],
    ])
    const select = "select *, timestamptz '2026-12-01' - (record_id::int * interval 1 day) as paid_at from main.people"
    expect(await build({ who: rule('latest', { from: 'name', by: 'paid_at' }) }, { select })).toEqual([
      { person_id: 'p', who: 'x' },
    ])
    expect((await origins())[0]?.rule).toBe('latest of name by paid_at')
  })

  test('where a SELECT gives a record several times the values settle it', async () => {
    const twice: Given[] = [
      ['p', 'a', '1', 1, 'b'],
      ['p', 'a', '1', 1, 'a'],
      ['p', 'a', '1', 1, 'c'],
    ]
    await people(twice)
    expect(await name(rule('latest'))).toBe('a')
    await people(twice.toReversed())
    expect(await name(rule('latest'))).toBe('a')
  })
})

describe('a computed trait', () => {
  const traits = {
    highest: rule('max', { from: 'amount' }),
    lowest: rule('min', { from: 'amount' }),
    total: rule('sum', { from: 'amount' }),
    mean: rule('avg', { from: 'amount' }),
    paid: rule('count', { from: 'amount' }),
    records: rule('count'),
    names: rule('list', { from: 'name' }),
    spellings: rule('set', { from: 'name' }),
    since: rule('min', { from: 'seen_at' }),
  }

  test('leaves empty values out, and is in no origin', async () => {
    await people([
      ['p', 'a', '1', 1, 'x', 10],
      ['p', 'a', '2', 2, 'y', 20],
      ['p', 'a', '3', 3, 'x'],
      ['p', 'a', '4', 4, ''],
      ['q', 'a', '5', null, null],
    ])
    expect(await build(traits)).toEqual([
      {
        person_id: 'p',
        highest: '20.00',
        lowest: '10.00',
        total: '30.00',
        mean: 15,
        paid: 2,
        records: 4,
        names: ['x', 'y', 'x'],
        spellings: ['x', 'y'],
        since: '2026-10-01T00:00:00Z',
      },
      {
        person_id: 'q',
        highest: null,
        lowest: null,
        total: null,
        mean: null,
        paid: 0,
        records: 1,
        names: [],
        spellings: [],
        since: null,
      },
    ])
    expect(await origins()).toEqual([])
  })

  test('a sum of whole numbers is a whole number', async () => {
    await people([['p', 'a', '1', 1, 'x']])
    await build({ n: rule('sum') }, { select: 'select *, 7 as n from main.people' })
    expect((await at.warehouse.describe('select n from main.profiles'))[0]?.type).toBe('BIGINT')
  })
})

describe('a profile', () => {
  test('has one row a person, person_id first, traits in the order of the header and of their own type', async () => {
    await people([
      ['p', 'a', '1', 1, 'x', 1],
      ['q', 'a', '2', 1, 'y'],
      ['q', 'a', '3', 1, 'z'],
    ])
    await build({ name: rule('latest'), amount: rule('latest'), seen_at: rule('latest') })
    expect(
      (await at.warehouse.describe('select * from main.profiles')).map((column) => `${column.name} ${column.type}`),
    ).toEqual(['person_id VARCHAR', 'name VARCHAR', 'amount DECIMAL(18,2)', 'seen_at TIMESTAMP WITH TIME ZONE'])
    expect(await at.warehouse.all('select count(*) as n from main.profiles')).toEqual([{ n: 2 }])
  })

  test('keeps origins up to date and leaves those of others alone', async () => {
    await at.warehouse.run("insert into cdp.trait_origins values ('other', 'p', 'name', 'a/1', 'latest')")
    await people([
      ['p', 'a', '1', 1, 'x'],
      ['q', 'a', '2', 1, 'y'],
      ['r', 'a', '3', 1, null],
    ])
    await build({ name: rule('latest') })
    expect(await origins()).toEqual([
      { person_id: 'p', trait: 'name', record_key: 'a/1', rule: 'latest' },
      { person_id: 'q', trait: 'name', record_key: 'a/2', rule: 'latest' },
    ])
    await people([
      ['p', 'a', '1', 1, 'x'],
      ['p', 'a', '4', 2, 'new'],
    ])
    await build({ name: rule('latest') })
    expect(await origins()).toEqual([{ person_id: 'p', trait: 'name', record_key: 'a/4', rule: 'latest' }])
    expect(await at.warehouse.all("select count(*) as n from cdp.trait_origins where profile = 'other'")).toEqual([
      { n: 1 },
    ])
    await at.warehouse.run("delete from cdp.trait_origins where profile = 'other'")
  })

  test('each picked value is the value of the record it names', async () => {
    const sources = fc.constantFrom('shop', 'crm', 'till')
    const drawn = fc.tuple(
      fc.nat(5),
      sources,
      fc.option(fc.integer({ min: 1, max: 4 }), { nil: null }),
      fc.option(fc.constantFrom('x', 'yy', 'zzz', ''), { nil: null }),
    )
    const picksOf = ['latest', 'earliest', 'most_frequent', 'most_complete', 'longest'] as const
    await fc.assert(
      fc.asyncProperty(fc.array(drawn, { minLength: 1, maxLength: 40 }), async (rows) => {
        await people(rows.map(([person, source, day, value], id) => [`p${person}`, source, String(id), day, value]))
        const traits = Object.fromEntries(
          picksOf.flatMap((pick) => [
            [pick, rule(pick, { from: 'name' })],
            [`${pick}_shop`, rule(pick, { from: 'name', prefer: ['shop', 'crm'] })],
          ]),
        )
        const profiles = await build(traits)
        const from = new Map((await origins()).map((row) => [`${row.person_id} ${row.trait}`, row.record_key]))
        for (const profile of profiles) {
          for (const trait of Object.keys(traits)) {
            const record = from.get(`${profile['person_id'] as string} ${trait}`)
            const [, source, , value] = rows[Number(record?.split('/')[1] ?? -1)] ?? [0, '', null, null]
            expect(profile[trait]).toBe(value)
            const own = rows.filter(
              ([person, , , other]) => `p${person}` === profile['person_id'] && (other ?? '') !== '',
            )
            expect(record !== undefined).toBe(own.length > 0)
            const wantsShop = trait.endsWith('_shop') && own.some(([, other]) => other === 'shop')
            expect(wantsShop ? source : 'shop').toBe('shop')
          }
        }
      }),
      { numRuns: 10, endOnFailure: true },
    )
  })

  test.each<[string, Readonly<Record<string, TraitRule>>, object]>([
    [
      'a trait of a column that is not there',
      { nam: rule('latest') },
      { code: 'MODEL_COLUMN', args: { column: 'nam', near: ' Did you mean "name"?' } },
    ],
    [
      'a time that is not there',
      { name: rule('latest', { by: 'paid_at' }) },
      { code: 'MODEL_COLUMN', args: { column: 'paid_at' } },
    ],
    [
      'a sum of text',
      { total: rule('sum', { from: 'name' }) },
      {
        code: 'PROFILE_RULE',
        message: 'The trait total is the sum of `name`, which is text: use cdp.safe_decimal(…) in the SELECT.',
      },
    ],
  ])('refuses %s', async (_, traits, error) => {
    await people([['p', 'a', '1', 1, 'x']])
    await expect(build(traits)).rejects.toMatchObject(error)
  })
})
