// Persons on BigQuery as on DuckDB: the same ids, history, evidence and traits, build after build.
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { IdentityOutcome } from '../../src/identity/build.ts'
import { evaluate } from '../../src/identity/evaluate.ts'
import { explainPerson } from '../../src/identity/explain.ts'
import type { IdentitySettings, ProfileSettings, TraitRule } from '../../src/identity/settings.ts'
import type { Warehouse } from '../../src/warehouse/warehouse.ts'
import { describeBigQuery, openBoth, patience, sameRows, type Both } from './harness.ts'
import {
  buildGraph,
  buildProfiles,
  each,
  forget,
  give,
  sameState,
  sameTexts,
  type Build,
  type Cells,
  type Types,
} from './people.ts'

const types: Types = {
  source: 'text',
  record_id: 'text',
  customer: 'integer',
  email: 'text',
  phone: 'text',
  full_name: 'text',
  seen_at: 'timestamp',
}
interface Values {
  readonly customer?: number
  readonly email?: string
  readonly phone?: string
  readonly name?: string
  readonly at?: string
}
const rec = (key: string, { customer, email, phone, name, at }: Values = {}): Cells => {
  const [source = '', record = ''] = key.split('/')
  return [
    source,
    record,
    customer === undefined ? null : String(customer),
    email ?? null,
    phone ?? null,
    name ?? null,
    at ?? null,
  ]
}
const settings = (over: Partial<IdentitySettings> = {}): IdentitySettings => ({
  record: ['source', 'record_id'],
  seen_at: 'seen_at',
  names: ['full_name'],
  identifiers: { customer: {}, email: {}, phone: {} },
  junk: [],
  ...over,
})
const day = (n: number): string => `2026-10-${String(n).padStart(2, '0')}T08:00:00.00000${n % 10}Z`
const rule = (pick: TraitRule['pick'], over: Partial<TraitRule> = {}): TraitRule => ({ pick, prefer: [], ...over })

await describeBigQuery('persons on BigQuery and on DuckDB', (emulator) => {
  let both: Both
  beforeAll(async () => {
    both = await openBoth(emulator)
  }, patience)
  afterAll(async () => {
    await both.close()
  })
  beforeEach(() => forget(both), patience)

  let runs = 0
  const nextRun = (): string => `run-${String((runs += 1)).padStart(4, '0')}`
  const built = async (
    records: readonly Cells[],
    header: IdentitySettings,
    over: Partial<Build> = {},
  ): Promise<IdentityOutcome> => {
    await each(both, (w) => give(w, types, records))
    const run = nextRun()
    const outcome = await each(both, (w) => buildGraph(w, header, { run, ...over }))
    await sameTexts(both)
    return outcome
  }

  const guarded = settings({
    identifiers: { email: { max_shared_by: 2 }, phone: { max_shared_by: 2 }, customer: {} },
    junk: ['KHÁCH QUEN'],
  })

  it(
    'blocks junk and what too many share, keeps its decisions, and knows blanks of every kind',
    { timeout: patience },
    async () => {
      const till = ['Nguyễn Văn An', 'Văn An Nguyễn', 'Trần Thị Bình', 'Lê 𠮷 Chi'].map((name, n) =>
        rec(`till/${n}`, { phone: '+84911111112', name, ...(n === 2 ? { email: 'binh@e.vn' } : {}) }),
      )
      const others = [
        ...['a', 'b'].flatMap((source) => [
          rec(`${source}/1`, { email: 'test@test.com', customer: 0 }),
          rec(`${source}/2`, { phone: '+84000000000', email: ` khách quen${source === 'a' ? '' : '\u00a0'}` }),
          rec(`${source}/3`, { phone: '\u00a0\u3000+84912345678\u2003', name: 'Đặng', at: day(3) }),
          rec(`${source}/4`, { phone: '\t', email: '\u3000 ' }),
          rec(`${source}/5`, { email: `🙂${source}@e.vn`, customer: 9_007_199_254_740_000 }),
          rec(`${source}/6`, { phone: '+12222222222' }),
          rec(`${source}/7`, { phone: '11111' }),
          rec(`${source}/8`, { phone: '+84 987 654 321', email: `N${source}̃g\\'"@e.vn` }),
        ]),
        rec(`o'hara\\%/8`, { email: 'binh@e.vn' }),
      ]
      expect(await built([...till, ...others], guarded)).toMatchObject({ newlyBlocked: 7, merged: 0 })
      // What was blocked once stays so, though fewer share it now; one more is blocked.
      const many = ['Xuân', 'Yến', 'Zoë'].map((name) => rec(`z/${name}`, { email: 'many@e.vn', name }))
      expect(await built([...till.slice(0, 2), ...others, ...many], guarded)).toMatchObject({
        newlyBlocked: 1,
        retired: 1,
      })
      await sameState(both)
    },
  )

  it(
    'merges, splits, retires and redirects, with the same ids, causes and former records',
    { timeout: patience },
    async () => {
      const header = settings({
        identifiers: { customer: { max_per_person: 1 }, email: {}, phone: { max_shared_by: 2, max_per_person: 2 } },
      })
      const alone = [
        rec('c/1', { email: 'a@e.vn', at: day(1) }),
        rec('c/2', { email: 'b@e.vn', at: day(2) }),
        rec('c/3', { email: 'c@e.vn' }),
      ]
      const join23 = [
        rec('c/23', { email: 'b@e.vn', phone: 'p', at: day(9) }),
        rec('c/32', { email: 'c@e.vn', phone: 'p' }),
      ]
      const join12 = [rec('c/12', { email: 'a@e.vn', phone: 'q' }), rec('c/21', { email: 'b@e.vn', phone: 'q' })]
      const halves = (email: string): Cells[] => [
        rec('h/5', { email: 'half@e.vn', at: day(1) }),
        rec('h/1', { email, at: day(2) }),
      ]
      const shared = (emails: boolean): Cells[] =>
        [1, 2, 3].map((n) => rec(`s/${n}`, { phone: 'shared', at: day(n), ...(emails ? { email: `s${n}@e.vn` } : {}) }))
      const customers = (second: number): Cells[] => [
        rec('k/1', { customer: 1, phone: 'k', at: day(4) }),
        rec('k/2', { customer: second, phone: 'k', at: day(4) }),
        rec('k/3', { phone: 'k' }),
        rec('k/4', { customer: 1, phone: 'k2' }),
        rec('k/5', { customer: 1, phone: 'k3' }),
      ]
      await built([...alone, ...halves('half@e.vn'), ...shared(false), ...customers(1), rec('r/1')], header)
      expect(
        await built([...alone, ...join23, ...halves('other@e.vn'), ...shared(true), ...customers(2)], header),
      ).toMatchObject({ merged: 1, split: 4, retired: 1, newlyBlocked: 1 })
      expect(await built([...alone, ...join23, ...join12, ...shared(true), rec('r/1')], header)).toMatchObject({
        merged: 1,
      })
      await built([...alone, ...halves('half@e.vn'), ...customers(1), rec('r/1')], header)
      await sameState(both)
    },
  )

  it(
    'finds the same components by rounds in the warehouse, and again nothing to do',
    { timeout: patience },
    async () => {
      const chain = Array.from({ length: 14 }, (_, n) =>
        rec(`c/${(n * 5) % 14}`, { email: `e${Math.floor(n / 2)}@e.vn`, phone: `${Math.floor((n + 1) / 2)}` }),
      )
      expect(await built(chain, settings(), { inMemoryUpTo: 0 })).toMatchObject({ persons: 1 })
      expect(await built(chain, settings(), { inMemoryUpTo: 1 })).toMatchObject({ changedRecords: 0, created: 0 })
      expect(await built([], settings())).toMatchObject({ records: 0, persons: 0, retired: 1 })
      await sameState(both)
    },
  )

  it(
    'after a death between what is kept and the relation the next build puts it right',
    { timeout: patience },
    async () => {
      const first = [rec('a/1', { email: 'x@e.vn' }), rec('a/2', { email: 'y@e.vn' })]
      await built(first, settings())
      const second = [
        ...first,
        rec('a/3', { email: 'x@e.vn', phone: '7' }),
        rec('a/4', { email: 'y@e.vn', phone: '7' }),
      ]
      await each(both, (w) => give(w, types, second))
      const run = nextRun()
      await buildGraph(both.duck, settings(), { run })
      const death = (): Promise<void> => Promise.reject(new Error('the program is gone'))
      await expect(buildGraph(both.bigquery, settings(), { run, publish: death })).rejects.toThrow(
        'the program is gone',
      )
      // The relation is that of the build before; what is kept is of this one.
      const [left] = await both.bigquery.all(
        `select count(*) as n from ${both.bigquery.name({ schema: 'models', name: 'people' })}`,
      )
      expect(left).toEqual({ n: 2 })
      expect(await buildGraph(both.bigquery, settings(), { run: nextRun() })).toMatchObject({
        merged: 0,
        changedRecords: 0,
      })
      await sameState(both)
    },
  )

  it(
    'keeps nothing of a build that fails while it writes, and the next build is as if it had not been',
    { timeout: patience },
    async () => {
      const first = [rec('a/1', { email: 'x@e.vn' }), rec('a/2', { email: 'y@e.vn' })]
      await built(first, settings())
      await each(both, (w) => give(w, types, [...first, rec('a/3', { email: 'x@e.vn' })]))
      const run = nextRun()
      await buildGraph(both.duck, settings(), { run })
      const wrong = { status: 400, reason: 'invalid', message: 'something is wrong' } as const
      both.proxy.fail((seen) => /^insert into .*person_links/.test(seen.job?.query ?? ''), wrong)
      await expect(buildGraph(both.bigquery, settings(), { run })).rejects.toThrow('something is wrong')
      expect(both.proxy.unmet()).toBe(0)
      await buildGraph(both.bigquery, settings(), { run })
      await sameState(both)
    },
  )

  const traitTypes: Types = {
    source: 'text',
    record_id: 'integer',
    seen_at: 'timestamp',
    paid_at: 'date',
    name: 'text',
    amount: 'decimal(18,2)',
    exact: 'decimal(38,9)',
    visits: 'integer',
    score: 'double',
    vip: 'boolean',
    person_id: 'text',
  }
  const traits: ProfileSettings['traits'] = {
    ...Object.fromEntries(
      (['latest', 'earliest', 'first', 'last', 'most_frequent', 'most_complete', 'longest'] as const).flatMap(
        (pick) => [
          [pick, rule(pick, { from: 'name' })],
          [`${pick} Ưu tiên`, rule(pick, { from: 'name', prefer: ['shop', `o'hara\\`, 'crm'] })],
          [`${pick}_paid`, rule(pick, { from: 'amount', by: 'paid_at' })],
        ],
      ),
    ),
    name: rule('latest'),
    vip: rule('latest', { prefer: ['crm'] }),
    first_seen: rule('min', { from: 'seen_at' }),
    first_paid: rule('min', { from: 'paid_at' }),
    low: rule('min', { from: 'name' }),
    high: rule('max', { from: 'name' }),
    most: rule('max', { from: 'amount' }),
    total: rule('sum', { from: 'amount' }),
    exactly: rule('sum', { from: 'exact' }),
    visited: rule('sum', { from: 'visits' }),
    scored: rule('sum', { from: 'score' }),
    mean: rule('avg', { from: 'amount' }),
    exact_mean: rule('avg', { from: 'exact' }),
    mean_visits: rule('avg', { from: 'visits' }),
    mean_score: rule('avg', { from: 'score' }),
    records: rule('count'),
    named: rule('count', { from: 'name' }),
    names: rule('list', { from: 'name' }),
    spellings: rule('set', { from: 'name' }),
    amounts: rule('set', { from: 'amount' }),
    days: rule('list', { from: 'paid_at' }),
  }
  const profile: ProfileSettings = { of: 'given', record: ['source', 'record_id'], seen_at: 'seen_at', traits }
  const spellings = ['Zoë', 'Ưng', 'ưng', 'Đặng', 'an', 'A', '𠮷', '\uffee', '🙂', 'á', 'a\u0301', '  ', '', '\u00a0']
  const trait = (n: number, person: number): Cells => [
    ['shop', 'crm', 'till', `o'hara\\`][(n * 7) % 4] ?? null,
    String(n),
    n % 4 === 0 ? null : day(1 + ((n * 5) % 9)),
    n % 5 === 0 ? null : `2026-0${1 + ((n * 3) % 9)}-15`,
    n % 6 === 5 ? null : (spellings[(n * 11) % spellings.length] ?? null),
    n % 7 === 6 ? null : `${(n % 3) - 1}${n * 137}.${10 + (n % 90)}`.replace('00', '0'),
    n % 3 === 0 ? null : `${n}12345678901234567890.${123_456_789 - n}`,
    n % 5 === 1 ? null : String(n * 1_000_003 - 40),
    n % 4 === 3 ? null : String(n / 8 - 1),
    n % 3 === 1 ? null : String(n % 2 === 0),
    person === 6 ? null : `p${person}`,
  ]

  it('gives the same golden profiles by every rule, and the same origins', { timeout: patience }, async () => {
    const all = Array.from({ length: 60 }, (_, n) => trait(n, (n * n) % 7))
    const lonely: Cells = ['till', '900', null, null, ' ', null, null, null, null, null, 'lonely']
    await each(both, (w) => give(w, traitTypes, [...all, lonely]))
    await each(both, (w) => buildProfiles(w, profile))
    await sameState(both, ['profiles'])
    // A person less, some records less, and a record that the SELECT gives twice.
    const twice = (warehouse: Warehouse): string => {
      const given = warehouse.name({ schema: 'models', name: 'given' })
      return `select g.* from ${given} g where g.person_id <> 'lonely' and mod(g.record_id, 5) <> 2
union all select g.* from ${given} g where mod(g.record_id, 10) = 1`
    }
    await each(both, (w) => buildProfiles(w, profile, twice(w)))
    await sameTexts(both)
    await expect(sameRows(both.duck, both.bigquery, { schema: 'models', name: 'profiles' })).resolves.toBeUndefined()
  })

  it('explains a person alike, however they are asked for', { timeout: patience }, async () => {
    const header = settings({
      identifiers: { customer: { max_per_person: 1 }, email: {}, phone: { max_shared_by: 2 } },
    })
    const first = [
      rec('shop/1', { customer: 1, email: 'an@e.vn', name: 'Nguyễn Văn An', at: day(1) }),
      rec('shop/2', { email: 'binh@e.vn', phone: '+84912345678', at: day(2) }),
      ...['Chi', 'Dũng', 'Em'].map((name, n) => rec(`till/${n}`, { phone: '+84900000001', name })),
      rec('crm/9', { customer: 2, email: 'an@e.vn' }),
    ]
    await built(first, header)
    await built([...first, rec('web/1', { email: 'an@e.vn', phone: '+84912345678' })], header)
    const people: ProfileSettings = {
      of: 'people',
      record: header.record,
      seen_at: 'seen_at',
      traits: {
        full_name: rule('latest', { prefer: ['shop'] }),
        emails: rule('set', { from: 'email' }),
        records: rule('count'),
      },
    }
    await each(both, (w) => buildProfiles(w, people))
    const ids = await both.duck.all<{ person_id: string }>(`select p.person_id from cdp.person p order by 1`)
    const queries = [
      'shop/1',
      ' AN@E.vn',
      '0912 345 678',
      '0900000001',
      '2',
      `o'nobody\\`,
      ...ids.map((row) => row.person_id),
    ]
    for (const query of queries) {
      const found = await each(both, (warehouse) =>
        explainPerson(
          {
            warehouse,
            region: 'VN',
            graphs: [{ name: 'people', settings: header }],
            profiles: [{ name: 'profiles', settings: people }],
          },
          query,
        ),
      )
      expect(found.total > 0, query).toBe(!query.includes('nobody'))
    }
    const right = await each(both, (w) => {
      const found = `select r.record_key, r.person_id as person from ${w.name({ schema: 'cdp', name: 'person_records' })} r`
      return evaluate(w, { found, truth: `select r.record_key, 'one' as person from (${found}) r` })
    })
    expect(right).toMatchObject({ precision: 1, truePersons: 1 })
  })

  const value = fc.option(fc.nat(2), { nil: null })
  const drawn = fc.tuple(value, value, value, fc.option(fc.integer({ min: 1, max: 3 }), { nil: null }))
  const change = fc.record({ id: fc.nat(5), draw: fc.option(drawn, { nil: null, freq: 4 }) })
  const histories = fc.array(
    fc.record({
      start: fc.array(drawn, { minLength: 1, maxLength: 5 }),
      steps: fc.tuple(fc.array(change, { maxLength: 4 }), fc.array(change, { maxLength: 4 })),
    }),
    { minLength: 15, maxLength: 25 },
  )
  type Drawn = typeof drawn extends fc.Arbitrary<infer T> ? T : never

  it('through random histories', { timeout: patience }, async () => {
    const header = settings({
      names: [],
      identifiers: { customer: { max_per_person: 1 }, email: { max_shared_by: 2 }, phone: { max_per_person: 2 } },
    })
    const checked = fc.assert(
      fc.asyncProperty(histories, async (worlds) => {
        await forget(both)
        const now = new Map<string, Cells>()
        const put = (world: number, id: number, [customer, email, phone, at]: Drawn): void => {
          const key = `w${world}/${id}`
          now.set(
            key,
            rec(key, {
              ...(customer === null ? {} : { customer: 1000 * world + customer + 7 }),
              email: email === null ? '  ' : `é${email}@${world}.vn`,
              phone: phone === null ? '' : `p${phone}-${world}`,
              ...(at === null ? {} : { at: day(at) }),
            }),
          )
        }
        worlds.forEach(({ start }, world) => start.forEach((draw, id) => put(world, id, draw)))
        await built([...now.values()], header)
        for (const step of [0, 1] as const) {
          worlds.forEach(({ steps }, world) =>
            steps[step].forEach(({ id, draw }) => {
              if (draw === null) now.delete(`w${world}/${id}`)
              else put(world, id, draw)
            }),
          )
          await built([...now.values()], header)
        }
      }),
      { numRuns: 2, endOnFailure: true },
    )
    await expect(checked).resolves.toBeUndefined()
  })

  it('by statements of which Google refuses none', () => {
    expect(both.judge.refused()).toEqual([])
    expect(both.judge.accepted()).toBeGreaterThan(100)
  })
})
