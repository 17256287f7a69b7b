// Random worlds, hundreds in one build: each has its own values, so each is a graph of its own beside the others.
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  build,
  clear,
  give,
  groups,
  openMemory,
  personOf,
  settings,
  type TestRecord,
  type TestWarehouse,
} from './graph.ts'
import { keyOf, partition } from './reference.ts'

let at: TestWarehouse
beforeAll(async () => {
  at = await openMemory()
})
afterAll(() => at.close())
beforeEach(() => clear(at.warehouse))

const columns = ['source', 'record_id', 'customer', 'email', 'phone', 'seen_at']
const plain = settings({ identifiers: { customer: {}, email: {}, phone: {} } })
const limited = settings({ identifiers: { customer: { max_per_person: 1 }, email: {}, phone: { max_per_person: 2 } } })

const value = fc.option(fc.nat(4), { nil: null })
const drawn = fc.record({
  customer: value,
  email: value,
  phone: value,
  day: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null }),
})
type Drawn = typeof drawn extends fc.Arbitrary<infer T> ? T : never
const worlds = fc.array(fc.array(drawn, { minLength: 1, maxLength: 9 }), { minLength: 60, maxLength: 120 })

const recordOf = (world: number, id: number, draw: Drawn): TestRecord => ({
  source: `w${world}`,
  record_id: String(id),
  customer: draw.customer === null ? null : `c${draw.customer}-${world}`,
  email: draw.email === null ? '  ' : `e${draw.email}@world${world}.vn`,
  phone: draw.phone === null ? '' : `p${draw.phone}-${world}`,
  seen_at: draw.day === null ? null : `2026-10-0${draw.day}T00:00:00Z`,
})
const recordsOf = (drawings: readonly (readonly Drawn[])[]): TestRecord[] =>
  drawings.flatMap((world, w) => world.map((draw, id) => recordOf(w, id, draw)))

const expected = (records: readonly TestRecord[], header: typeof plain): string[][] => {
  const byWorld = new Map<string, TestRecord[]>()
  for (const record of records) {
    const world = String(record['source'])
    byWorld.set(world, [...(byWorld.get(world) ?? []), record])
  }
  return [...byWorld.values()]
    .flatMap((world) => partition(world, header))
    .toSorted((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1))
}

test.each([
  ['without limits', plain],
  ['with limits', limited],
])(
  'a graph %s is what a union-find in memory says, in whatever order records come, and building again changes nothing',
  async (_, header) => {
    await fc.assert(
      fc.asyncProperty(worlds, fc.array(fc.nat(), { minLength: 50, maxLength: 50 }), async (drawings, keys) => {
        await clear(at.warehouse)
        const records = recordsOf(drawings)
        await give(at.warehouse, columns, records)
        await build(at.warehouse, header)
        const found = await groups(at.warehouse)
        expect(found).toEqual(expected(records, header))
        const ids = await personOf(at.warehouse)

        const history = await at.warehouse.all('select * from cdp.person_history order by all')
        const links = await at.warehouse.all('select * from cdp.person_links order by all')
        const again = await build(at.warehouse, header)
        expect(again).toMatchObject({ created: 0, merged: 0, split: 0, retired: 0, changedRecords: 0, newlyBlocked: 0 })
        expect(await at.warehouse.all('select * from cdp.person_history order by all')).toEqual(history)
        expect(await at.warehouse.all('select * from cdp.person_links order by all')).toEqual(links)

        await clear(at.warehouse)
        const shuffled = records
          .map((record, index) => ({ record, by: (keys[index % keys.length] ?? 0) * 31 + ((index * 7919) % 101) }))
          .toSorted((a, b) => a.by - b.by)
          .map((entry) => entry.record)
        await give(at.warehouse, columns, shuffled)
        await build(at.warehouse, header)
        expect(await personOf(at.warehouse)).toEqual(ids)
      }),
      { numRuns: 4, endOnFailure: true },
    )
  },
  120_000,
)

const change = fc.record({ id: fc.nat(8), draw: fc.option(drawn, { nil: null, freq: 4 }) })
const histories = fc.array(
  fc.record({
    start: fc.array(drawn, { minLength: 1, maxLength: 6 }),
    steps: fc.tuple(...Array.from({ length: 3 }, () => fc.array(change, { maxLength: 4 }))),
  }),
  { minLength: 40, maxLength: 80 },
)

test('through additions, changes and deletions persons are those of a fresh build, and ids keep their rules', async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (worldsDrawn) => {
      await clear(at.warehouse)
      const now = new Map<string, TestRecord>()
      const put = (record: TestRecord): Map<string, TestRecord> => now.set(keyOf(record), record)
      worldsDrawn.forEach((world, w) => world.start.forEach((draw, id) => put(recordOf(w, id, draw))))
      const seen = new Set<string>()
      let before = new Map<string, string>()
      for (let step = 0; step <= 3; step++) {
        if (step > 0) {
          worldsDrawn.forEach((world, w) =>
            (world.steps[step - 1] ?? []).forEach(({ id, draw }) => {
              if (draw === null) now.delete(`w${w}/${id}`)
              else put(recordOf(w, id, draw))
            }),
          )
        }
        const records = [...now.values()]
        await give(at.warehouse, columns, records)
        await build(at.warehouse, limited)
        expect(await groups(at.warehouse)).toEqual(expected(records, limited))
        const after = await personOf(at.warehouse)
        await checkIds(before, after, seen)
        before = after
      }
    }),
    { numRuns: 4, endOnFailure: true },
  )
}, 120_000)

const known = fc.option(fc.nat(2), { nil: null })
const carrier = fc.tuple(known, known, known)

/** Combinations that no fuller one contains. */
const people = (carriers: readonly (readonly (number | null)[])[]): number => {
  const distinct = [...new Map(carriers.map((parts) => [JSON.stringify(parts), parts])).values()]
  const within = (a: readonly (number | null)[], b: readonly (number | null)[]): boolean =>
    a !== b && a.every((part, index) => part === null || part === b[index])
  return distinct.filter((parts) => !distinct.some((other) => within(parts, other))).length
}

test('the people behind a shared value are the combinations that no fuller one contains', async () => {
  const header = settings({ identifiers: { email: {}, customer: {}, phone: { max_shared_by: 1 } }, names: ['source'] })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(carrier, { minLength: 2, maxLength: 12 }), { minLength: 60, maxLength: 90 }),
      async (drawings) => {
        await clear(at.warehouse)
        const records = drawings.flatMap((carriers, w) =>
          carriers.map(([email, customer, name], id) => ({
            source: name === null ? null : `Name ${'abc'[name] ?? ''}`,
            record_id: `${w}-${id}`,
            email: email === null ? null : `e${email}-${w}@e.vn`,
            customer: customer === null ? null : `c${customer}-${w}`,
            phone: `phone ${w}`,
            seen_at: null,
          })),
        )
        await give(at.warehouse, columns, records)
        await build(at.warehouse, { ...header, record: ['record_id'] })
        const found = await at.warehouse.all<{ value: string; shared_by: number }>(
          "select value, shared_by from cdp.person_blocks where identifier = 'phone'",
        )
        const expectedCounts = drawings.map((carriers, w) => [`phone ${w}`, people(carriers)] as const)
        expect(new Map(found.map((row) => [row.value, row.shared_by]))).toEqual(
          new Map(expectedCounts.filter(([, count]) => count > 1)),
        )
      },
    ),
    { numRuns: 4, endOnFailure: true },
  )
}, 120_000)

interface Person {
  readonly person_id: string
  readonly status: string
  readonly born_run: string
}

const checkIds = async (before: Map<string, string>, after: Map<string, string>, seen: Set<string>): Promise<void> => {
  const persons = await at.warehouse.all<Person>('select person_id, status, born_run from cdp.person')
  const status = new Map(persons.map((person) => [person.person_id, person.status]))
  const active = new Set(after.values())
  expect(persons.length).toBe(status.size)
  expect(new Set(persons.filter((person) => person.status === 'active').map((person) => person.person_id))).toEqual(
    active,
  )
  // A retired or merged id never comes back.
  for (const id of active) if (!new Set(before.values()).has(id)) expect(seen.has(id)).toBe(false)
  for (const id of active) seen.add(id)
  const redirects = new Map(
    (
      await at.warehouse.all<{ old_id: string; person_id: string }>(
        'select old_id, person_id from cdp.person_redirects',
      )
    ).map((row) => [row.old_id, row.person_id]),
  )
  const merged = persons.filter((person) => person.status === 'merged').map((person) => person.person_id)
  expect(new Set(redirects.keys())).toEqual(new Set(merged))
  // Flattened: a redirect never leads to another one.
  for (const target of redirects.values()) expect(status.get(target)).not.toBe('merged')
  for (const id of new Set(before.values())) {
    const mine = [...before].filter(([, person]) => person === id).flatMap(([key]) => after.get(key) ?? [])
    if (mine.length === 0) {
      expect(status.get(id)).toBe('retired')
      continue
    }
    // It goes where most of its records went.
    const leads = active.has(id) ? id : redirects.get(id)
    const most = Math.max(...[...new Set(mine)].map((person) => mine.filter((one) => one === person).length))
    expect(mine.filter((one) => one === leads).length).toBe(most)
    // And an id that stays is the oldest of those that came.
    const born = persons.find((person) => person.person_id === id)?.born_run ?? ''
    if (leads !== id) expect((persons.find((person) => person.person_id === leads)?.born_run ?? '') <= born).toBe(true)
  }
}
