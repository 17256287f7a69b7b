// Ids over time: who keeps theirs, where the others lead, what is written down.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { build, clear, give, openMemory, personOf, settings, type TestRecord, type TestWarehouse } from './graph.ts'

let at: TestWarehouse
beforeAll(async () => {
  at = await openMemory()
})
afterAll(() => at.close())
beforeEach(() => clear(at.warehouse))

const columns = ['source', 'record_id', 'email', 'phone', 'seen_at']
const header = settings({ identifiers: { email: {}, phone: {} } })
const rec = (
  record_id: string,
  email: string | null,
  phone: string | null = null,
  day: number | null = 1,
): TestRecord => ({
  source: 's',
  record_id,
  email,
  phone,
  seen_at: day === null ? null : `2026-10-${String(day).padStart(2, '0')}T00:00:00Z`,
})
const built = async (records: readonly TestRecord[], header_ = header): Promise<Map<string, string>> => {
  await give(at.warehouse, columns, records)
  await build(at.warehouse, header_)
  return personOf(at.warehouse)
}
const history = (): Promise<Record<string, unknown>[]> =>
  at.warehouse.all(
    'select event, old_id, person_id, records, cause from cdp.person_history order by run_id, event, old_id, person_id',
  )
const redirects = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    (
      await at.warehouse.all<{ old_id: string; person_id: string }>(
        'select old_id, person_id from cdp.person_redirects',
      )
    ).map((row) => [row.old_id, row.person_id]),
  )

test('an id is text made from the graph, the oldest record and a count, so that another warehouse gives the same', async () => {
  const ids = await built([rec('2', 'a@e.vn', null, 2), rec('1', 'a@e.vn', null, 1), rec('3', 'c@e.vn')])
  expect(ids.get('s/1')).toMatch(/^p_[0-9a-f]{20}$/)
  expect(ids.get('s/1')).toBe(ids.get('s/2'))
  const other = await openMemory()
  try {
    await give(other.warehouse, columns, [rec('3', 'c@e.vn'), rec('1', 'a@e.vn', null, 1), rec('2', 'a@e.vn', null, 2)])
    await build(other.warehouse, header, { runId: 'quite another run' })
    expect(await personOf(other.warehouse)).toEqual(ids)
    await build(other.warehouse, header, { graph: 'households' })
    const households = await other.warehouse.all<{ person_id: string }>(
      "select distinct person_id from cdp.person where graph = 'households'",
    )
    expect(households.map((row) => row.person_id)).not.toContain(ids.get('s/1'))
  } finally {
    await other.close()
  }
})

test('when two persons turn out to be one the older stays, the other redirects, and the cause is written down', async () => {
  const before = await built([rec('1', 'a@e.vn', null, 3), rec('2', null, 'p', 2)])
  const [newer, older] = [before.get('s/1') ?? '', before.get('s/2') ?? '']
  const after = await built([rec('1', 'a@e.vn', null, 3), rec('2', null, 'p', 2), rec('3', 'a@e.vn', 'p', 1)])
  expect(new Set(after.values())).toEqual(new Set([older]))
  expect(await redirects()).toEqual({ [newer]: older })
  expect((await history()).filter((event) => event['event'] === 'merged')).toEqual([
    { event: 'merged', old_id: newer, person_id: older, records: 1, cause: 'email a@e.vn' },
  ])
  expect(await at.warehouse.all("select person_id, merged_into from cdp.person where status = 'merged'")).toEqual([
    { person_id: newer, merged_into: older },
  ])
})

test('age counts the run of birth first, then the earliest time with none last, then the record key', async () => {
  const first = await built([rec('9', 'a@e.vn', null, 9)])
  const second = await built([
    rec('9', 'a@e.vn', null, 9),
    rec('1', 'b@e.vn', 'p', 1),
    rec('2', 'c@e.vn', 'q', null),
    rec('3', 'd@e.vn', 'r', null),
  ])
  const joined = await built([
    rec('9', 'a@e.vn', 'x', 9),
    rec('1', 'b@e.vn', 'x', 1),
    rec('2', 'c@e.vn', 'q', null),
    rec('3', 'd@e.vn', 'q', null),
  ])
  expect(joined.get('s/1')).toBe(first.get('s/9'))
  expect(joined.get('s/3')).toBe(second.get('s/2'))
})

test('a record that arrives late does not age an id', async () => {
  const before = await built([rec('1', 'a@e.vn', null, 5), rec('2', 'b@e.vn', null, 4)])
  await built([rec('1', 'a@e.vn', null, 5), rec('2', 'b@e.vn', null, 4), rec('0', 'a@e.vn', null, 1)])
  const after = await built([rec('1', 'a@e.vn', 'p', 5), rec('2', 'b@e.vn', 'p', 4), rec('0', 'a@e.vn', null, 1)])
  expect(after.get('s/1')).toBe(before.get('s/2'))
})

test('a split leaves the id where most of its records are, and what parts from it gets a new one', async () => {
  const before = await built([rec('1', 'a@e.vn'), rec('2', 'a@e.vn', 'p'), rec('3', null, 'p')])
  const old = before.get('s/1') ?? ''
  const after = await built([rec('1', 'a@e.vn'), rec('2', 'a@e.vn', 'other'), rec('3', null, 'p')])
  expect(after.get('s/1')).toBe(old)
  expect(after.get('s/2')).toBe(old)
  expect(after.get('s/3')).not.toBe(old)
  expect((await history()).at(-1)).toEqual({
    event: 'split',
    old_id: old,
    person_id: after.get('s/3'),
    records: 1,
    cause: 'no value joins its records any more',
  })
})

test('a split in halves leaves the id with its anchor record', async () => {
  const before = await built([rec('5', 'a@e.vn', null, 1), rec('1', 'a@e.vn', null, 2)])
  const after = await built([rec('5', 'a@e.vn', null, 1), rec('1', 'b@e.vn', null, 2)])
  expect(after.get('s/5')).toBe(before.get('s/5'))
  expect(after.get('s/1')).not.toBe(before.get('s/1'))
})

test('a split names the value that was blocked or refused', async () => {
  const shared = [rec('1', null, 'p', 1), rec('2', null, 'p', 2), rec('3', null, 'p', 3)]
  const before = await built(shared)
  const blocking = settings({ identifiers: { email: {}, phone: { max_shared_by: 2 } } })
  const told = shared.map((record, at_) => ({ ...record, email: `u${at_}@e.vn` }))
  const after = await built(told, blocking)
  expect(new Set(after.values()).size).toBe(3)
  expect(after.get('s/1')).toBe(before.get('s/1'))
  const causes = (await history()).filter((event) => event['event'] === 'split').map((event) => event['cause'])
  expect(causes).toEqual(['phone p is blocked', 'phone p is blocked'])

  await clear(at.warehouse)
  await built(told)
  await built(told, settings({ identifiers: { email: { max_per_person: 1 }, phone: {} } }))
  const refusals = (await history()).filter((event) => event['event'] === 'split').map((event) => event['cause'])
  expect(new Set(refusals)).toEqual(new Set(['phone p is refused: a person has at most 1 email']))
})

test('an id whose records all vanish is retired and never issued again', async () => {
  const before = await built([rec('1', 'a@e.vn'), rec('2', 'b@e.vn')])
  await built([rec('2', 'b@e.vn')])
  expect((await history()).at(-1)).toMatchObject({
    event: 'retired',
    old_id: before.get('s/1'),
    person_id: null,
    records: 1,
  })
  const back = await built([rec('1', 'a@e.vn'), rec('2', 'b@e.vn')])
  expect(back.get('s/1')).not.toBe(before.get('s/1'))
  expect(back.get('s/2')).toBe(before.get('s/2'))
  expect(await at.warehouse.all('select ordinal from cdp.person where anchor = $$s/1$$ order by 1')).toEqual([
    { ordinal: 0 },
    { ordinal: 1 },
  ])
})

test('redirects are flat after a chain of merges, and follow their own records when the merge is undone', async () => {
  const alone = [rec('1', 'a@e.vn', null, 1), rec('2', 'b@e.vn', null, 2), rec('3', 'c@e.vn', null, 3)]
  const ids = await built(alone)
  const [one = '', two = '', three = ''] = ['s/1', 's/2', 's/3'].map((key) => ids.get(key) ?? '')
  await built([...alone, rec('23', 'b@e.vn', 'p', 9), rec('32', 'c@e.vn', 'p', 9)])
  expect(await redirects()).toEqual({ [three]: two })
  await built([
    ...alone,
    rec('23', 'b@e.vn', 'p', 9),
    rec('32', 'c@e.vn', 'p', 9),
    rec('12', 'a@e.vn', 'q', 9),
    rec('21', 'b@e.vn', 'q', 9),
  ])
  expect(await redirects()).toEqual({ [three]: one, [two]: one })
  const apart = await built(alone)
  expect(apart.get('s/1')).toBe(one)
  expect(await redirects()).toEqual({ [three]: apart.get('s/3'), [two]: apart.get('s/2') })
  expect(apart.get('s/2')).not.toBe(two)
})
