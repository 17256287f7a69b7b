// What goes over the wire for a value of each type, and what counts as a change of it.
import { afterEach, describe, expect, it } from 'vitest'
import { createLab, type Lab, type SyncPart } from './lab.ts'

let lab: Lab
const start = (part: SyncPart = {}): Lab => (lab = createLab(part))
afterEach(() => lab.close())

const sentRecord = async (value: string, type = ''): Promise<unknown> => {
  await lab.model('people', `select 'a@x.vn' as email, ${value}${type === '' ? '' : `::${type}`} as v`)
  const before = lab.memory.calls.length
  await lab.run()
  return lab.memory.calls.slice(before).flat()[0]?.record['v']
}

describe('values', () => {
  it.each([
    ['42', 'integer', 42],
    ['-999999999999999', 'bigint', -999_999_999_999_999],
    ['1234567890123456', 'bigint', '1234567890123456'],
    ['170141183460469231731687303715884105727', 'hugeint', '170141183460469231731687303715884105727'],
    ['400000.00', 'decimal(18,2)', 400_000],
    ['-0.50', 'decimal(18,2)', -0.5],
    ['-.5', 'decimal(2,2)', -0.5],
    ['1234567890123.45', 'decimal(38,2)', 1_234_567_890_123.45],
    ['12345678901234.56', 'decimal(38,2)', '12345678901234.56'],
    ['1.5', 'double', 1.5],
    ['1', 'double', 1],
    ['-0.0', 'double', 0],
    ['1e300', 'double', 1e300],
    ['0.1', 'float', 0.1],
    ['true', 'boolean', true],
    [`'2026-10-21'`, 'date', '2026-10-21'],
    [`'2026-10-21 08:00:00'`, 'timestamp', '2026-10-21T08:00:00Z'],
    [`'2026-10-21 08:00:00.25+07'`, 'timestamptz', '2026-10-21T01:00:00.25Z'],
    [`'08:30:00'`, 'time', '08:30:00'],
    [`'quote " back \\ line' || chr(10) || 'x'`, 'varchar', 'quote " back \\ line\nx'],
    [`'Nguye' || chr(771) || chr(770) || 'n'`, 'varchar', 'Nguye\u0303\u0302n'.normalize('NFC')],
    [`''`, 'varchar', ''],
    [`'x'`, `enum('x', 'y')`, 'x'],
    [`'{"b": 1, "a": [1, {"c": null}]}'`, 'json', { b: 1, a: [1, { c: null }] }],
    [`['a', 'b']`, '', ['a', 'b']],
    [`{'a': 1, 'b': ['x']}`, '', { a: 1, b: ['x'] }],
    [`'ab'`, 'blob', 'YWI='],
  ])('sends %s as %s', async (value, type, expected) => {
    start({ map: { v: 'v' } })
    expect(await sentRecord(value, type)).toEqual(expected)
  })

  it('sends constants of any shape', async () => {
    start({ map: { list: { value: ['x', 1] }, on: { value: true }, none: { value: null } } })
    await lab.model('people', `select 'a@x.vn' as email`)
    await lab.run()
    expect(lab.memory.calls.flat()[0]?.record).toEqual({ list: ['x', 1], on: true })
  })

  it('sends an empty record where nothing is mapped', async () => {
    start({ map: {} })
    await lab.model('people', `select 'a@x.vn' as email`)
    await lab.run()
    await lab.model('people', `select 'a@x.vn' as email, 1 as more`)
    await lab.run()
    expect(lab.memory.calls.flat().map((change) => change.record)).toEqual([{}])
  })

  it.each([
    ['1::integer', '1.00::decimal(18,2)'],
    ['1::integer', '1.0::double'],
    ['0::integer', '(-0.0)::double'],
    ['1.50::decimal(18,2)', '1.5000::decimal(18,4)'],
    [`timestamp '2026-10-21 01:00:00'`, `timestamptz '2026-10-21 08:00:00+07'`],
    [`'{"b":1,"a":{"d":2,"c":3}}'::json`, `'{"a": {"c": 3, "d": 2}, "b": 1}'::json`],
    [`'ễ'`, `'e' || chr(770) || chr(771)`],
  ])('does not take %s and %s for different', async (a, b) => {
    start({ map: { v: 'v' } })
    await sentRecord(a)
    expect(await sentRecord(b)).toBeUndefined()
  })

  it.each([
    [`'1'`, '1'],
    [`''`, `' '`],
    ['1.5::double', '1.50001::double'],
    [`'{"a":[1,2]}'::json`, `'{"a":[2,1]}'::json`],
  ])('takes %s and %s for different', async (a, b) => {
    start({ map: { v: 'v' } })
    await sentRecord(a)
    expect(await sentRecord(b)).toBeDefined()
  })

  it('sets rows aside whose value no JSON can say, and freezes their key', async () => {
    start({ map: { v: 'v' } })
    await lab.model('people', `select 'a@x.vn' as email, 1.5::double as v`)
    await lab.run()
    await lab.model(
      'people',
      `select * from (values ('a@x.vn', 'nan'::double), ('b@x.vn', 'infinity'::double), ('c@x.vn', 2)) t(email, v)`,
    )
    const summary = await lab.run()
    expect(summary).toMatchObject({ skipped: 2, sent: { upsert: 1, remove: 0 }, plan: { rows: { frozen: 1 } } })
    expect([...lab.memory.held.keys()]).toEqual(['a@x.vn', 'c@x.vn'])
  })

  it('takes a key for the same when its column changes its type', async () => {
    start({ key: { id: 'id' }, map: {} })
    await lab.model('people', `select 7::integer as id`)
    await lab.run()
    await lab.model('people', `select '7' as id`)
    expect(await lab.run()).toMatchObject({ sent: { upsert: 0, remove: 0 } })
    await lab.model('people', `select 7.00::decimal(9,2) as id`)
    expect(await lab.run()).toMatchObject({ sent: { upsert: 0, remove: 0 } })
  })

  it('finds a key again whose text came in another Unicode form', async () => {
    start({ key: { name: 'v' }, map: {} })
    await lab.model('people', `select 'Nguyễn' as v`)
    await lab.run()
    await lab.model('people', `select 'Nguye' || chr(770) || chr(771) || 'n' as v`)
    expect(await lab.run()).toMatchObject({ sent: { upsert: 0, remove: 0 } })
  })
})

describe('nulls', () => {
  const row = (a: string | null, b: string | null): Promise<void> =>
    lab.model(
      'people',
      `select 'a@x.vn' as email, ${a === null ? 'null::varchar' : `'${a}'`} as a, ${b === null ? 'null::varchar' : `'${b}'`} as b`,
    )

  it('are not sent, and a value that becomes null is no change', async () => {
    start({ map: { a: 'a', b: 'b' } })
    await row('1', null)
    await lab.run()
    expect(lab.memory.calls.flat()[0]?.record).toEqual({ a: '1' })
    await row(null, null)
    expect(await lab.run()).toMatchObject({ sent: { upsert: 0, remove: 0 } })
    // Another field goes out; the null does not, and what is held is still known.
    await row(null, '2')
    await lab.run()
    expect(lab.memory.calls.flat()[1]?.record).toEqual({ b: '2' })
    await row('1', '2')
    expect(await lab.run()).toMatchObject({ sent: { upsert: 0, remove: 0 } })
    await row('3', '2')
    expect(await lab.run()).toMatchObject({ sent: { upsert: 1, remove: 0 } })
    expect(lab.memory.held.get('a@x.vn')).toEqual({ a: '3', b: '2' })
  })

  it('are sent where `clear` says so, once', async () => {
    start({ map: { a: 'a', b: 'b' }, clear: ['a'] })
    await row('1', '2')
    await lab.run()
    await row(null, null)
    await lab.run()
    expect(lab.memory.calls.flat()[1]?.record).toEqual({ a: null })
    await lab.people([])
    await row(null, null)
    expect(await lab.run()).toMatchObject({ sent: { upsert: 0, remove: 0 } })
  })
})

describe('a changed map', () => {
  const two = (): Promise<void> =>
    lab.model('people', `select * from (values ('a@x.vn', 'A', 'Huế'), ('b@x.vn', 'B', null)) t(email, name, city)`)

  it('that is narrower sends nothing', async () => {
    start({ map: { name: 'name', city: 'city' } })
    await two()
    await lab.run()
    lab.sync({ map: { name: 'name' } })
    expect(await lab.run()).toMatchObject({ status: 'unchanged', sent: { upsert: 0, remove: 0 } })
    expect(await lab.run()).toMatchObject({ reason: 'nothing changed and nothing is due' })
  })

  it('that is wider sends the rows where the new field is not null, and says why', async () => {
    start({ map: { name: 'name' } })
    await two()
    await lab.run()
    lab.sync({ map: { name: 'name', town: 'city' } })
    const summary = await lab.run()
    expect(summary.plan.sends).toEqual([{ operation: 'upsert', why: 'map', rows: 1 }])
    expect(lab.memory.held.get('a@x.vn')).toEqual({ name: 'A', town: 'Huế' })
    expect(await lab.run()).toMatchObject({ reason: 'nothing changed and nothing is due' })
  })

  it('that names another column of the same values sends nothing', async () => {
    start({ map: { name: 'name' } })
    await lab.model('people', `select 'a@x.vn' as email, 'A' as name, 'A' as full_name`)
    await lab.run()
    lab.sync({ map: { name: 'full_name' } })
    expect(await lab.run()).toMatchObject({ sent: { upsert: 0, remove: 0 } })
  })

  it('of a constant sends every row', async () => {
    start({ map: { tier: { value: 'gold' } } })
    await two()
    await lab.run()
    lab.sync({ map: { tier: { value: 'silver' } } })
    expect(await lab.run()).toMatchObject({ sent: { upsert: 2, remove: 0 } })
  })
})

describe('mistakes in a sync', () => {
  it.each([
    ['a column that is not there', { map: { name: 'nmae' } }, 'SYNC_COLUMN', 'Did you mean "name"?'],
    ['a model that is not built', { from: 'nobody' }, 'SYNC_FROM_MISSING', 'nobody'],
    ['a purpose without a consent model', { purpose: 'marketing.email' }, 'SYNC_CONSENT', 'marketing.email'],
  ] as const)('are told: %s', async (_what, part, code, words) => {
    start(part)
    await lab.people([{ person_id: 'p1', email: 'a@x.vn', name: 'A' }])
    const result = await lab.runAll()
    expect(result.exitKind).toBe('config')
    expect(result.summaries[0]).toMatchObject({ status: 'failed', error: { code }, requests: 0 })
    expect(result.summaries[0]?.reason).toContain(words)
    expect(await lab.plan()).toMatchObject({ status: 'failed', error: { code } })
  })
})
