// The whole path at its simplest: what changed is sent, what left is removed, and nothing is sent twice.
import { afterEach, describe, expect, it } from 'vitest'
import { createLab, type Lab, persons, type SyncPart } from './lab.ts'

let lab: Lab
const start = (part: SyncPart = {}): Lab => (lab = createLab(part))
afterEach(() => lab.close())

describe('a mirror', () => {
  it('sends every row the first time, and nothing when nothing changed', async () => {
    start()
    await lab.people(persons(25))
    const first = await lab.run()
    expect(first).toMatchObject({ status: 'done', sent: { upsert: 25, remove: 0 }, delivered: 25, requests: 3 })
    expect(lab.memory.held.size).toBe(25)
    const second = await lab.run()
    expect(second).toMatchObject({ status: 'unchanged', sent: { upsert: 0, remove: 0 }, requests: 0 })
    expect(lab.memory.calls).toHaveLength(3)
  })

  it('sends only what changed, and removes what left', async () => {
    start()
    await lab.people(persons(25))
    await lab.run()
    lab.memory.calls.length = 0
    await lab.people(
      [...persons(20), { person_id: 'p30', email: 'u30@x.vn', name: 'New' }].map((row) =>
        row.email === 'u3@x.vn' ? { ...row, name: 'Renamed' } : row,
      ),
    )
    const summary = await lab.run()
    expect(summary).toMatchObject({ sent: { upsert: 2, remove: 5 }, delivered: 2, removed: 5 })
    expect(lab.memory.held.size).toBe(21)
    expect(lab.memory.held.get('u3@x.vn')).toEqual({ name: 'Renamed' })
    // Removals go first, in calls of their own.
    expect(lab.memory.calls.map((call) => new Set(call.map((change) => change.operation === 'remove')).size)).toEqual([
      1, 1,
    ])
    expect(lab.memory.calls[0]?.[0]?.operation).toBe('remove')
  })

  it('looks again when the version moved, and sends nothing when the rows are the same', async () => {
    start()
    await lab.people(persons(3))
    await lab.run()
    await lab.people(persons(3))
    expect(await lab.run()).toMatchObject({ status: 'unchanged', requests: 0, reason: 'nothing differs' })
    expect(await lab.run()).toMatchObject({ status: 'unchanged', reason: 'nothing changed and nothing is due' })
  })

  it('writes what it did into the ledger and the log, raw keys only into the ledger', async () => {
    start()
    await lab.people(persons(2))
    await lab.run()
    expect(
      await lab.query(`select key ->> 'email' as email, status, held, attempts from cdp.sync_rows order by 1`),
    ).toEqual([
      { email: 'u1@x.vn', status: 'delivered', held: true, attempts: 0 },
      { email: 'u2@x.vn', status: 'delivered', held: true, attempts: 0 },
    ])
    const log = await lab.query(`select * from cdp.sync_log order by seq`)
    expect(log).toHaveLength(2)
    expect(log[0]).toMatchObject({
      sync: 'vips',
      epoch: 1,
      event: 'outcome',
      operation: 'upsert',
      status: 'delivered',
      reason: 'added',
    })
    expect(JSON.stringify(log)).not.toContain('u1@x.vn')
    expect(
      await lab.query('select status, source_rows, eligible, delivered_upserts, calls from cdp.sync_runs'),
    ).toEqual([{ status: 'done', source_rows: 2, eligible: 2, delivered_upserts: 2, calls: 1 }])
    expect(await lab.query('select * from cdp.sync_plan')).toEqual([])
  })

  it('plans the same as it then does, and planning sends nothing', async () => {
    start()
    await lab.people(persons(12))
    const plan = await lab.plan()
    expect(lab.memory.calls).toHaveLength(0)
    expect(plan).toMatchObject({
      status: 'ready',
      calls: 2,
      sends: [{ operation: 'upsert', why: 'added', rows: 12 }],
      rows: { source: 12, eligible: 12, inSync: 0, toSend: 12 },
    })
    const summary = await lab.run()
    expect(summary.plan).toEqual(plan)
    const sample = plan.samples[0]
    expect(lab.memory.calls.flat()).toContainEqual(sample)
    expect(await lab.plan()).toMatchObject({ status: 'unchanged' })
  })
})

describe('modes', () => {
  it('upsert adds and changes, and leaves what left', async () => {
    start({ mode: 'upsert' })
    await lab.people(persons(3))
    await lab.run()
    await lab.people([{ person_id: 'p1', email: 'u1@x.vn', name: 'Other' }])
    expect(await lab.run()).toMatchObject({ sent: { upsert: 1, remove: 0 } })
    expect(lab.memory.held.size).toBe(3)
  })

  it('update says so of every row', async () => {
    start({ mode: 'update' })
    await lab.people(persons(2))
    await lab.run()
    expect(lab.memory.calls.flat().map((change) => change.operation)).toEqual(['update', 'update'])
  })

  it('insert sends a key once, whatever becomes of its row', async () => {
    start({ mode: 'insert' })
    await lab.people(persons(2))
    await lab.run()
    await lab.people([{ person_id: 'p1', email: 'u1@x.vn', name: 'Other' }])
    await lab.run()
    await lab.people(persons(3))
    const summary = await lab.run()
    expect(summary.sent).toEqual({ upsert: 1, remove: 0 })
    expect(lab.memory.calls.flat().map((change) => [change.operation, change.key['email']])).toEqual([
      ['insert', 'u1@x.vn'],
      ['insert', 'u2@x.vn'],
      ['insert', 'u3@x.vn'],
    ])
  })
})

describe('keys', () => {
  it('removes the old key and adds the new one when a key changes', async () => {
    start()
    await lab.people(persons(2))
    await lab.run()
    await lab.people([{ person_id: 'p1', email: 'new@x.vn', name: 'Name 1' }, ...persons(1, 2)])
    expect(await lab.run()).toMatchObject({ sent: { upsert: 1, remove: 1 } })
    expect([...lab.memory.held.keys()].toSorted()).toEqual(['new@x.vn', 'u2@x.vn'])
  })

  it('never removes a key that another row took over: two persons swap their keys', async () => {
    start({ map: { name: 'name', id: 'person_id' } })
    await lab.people(persons(2))
    await lab.run()
    await lab.people([
      { person_id: 'p1', email: 'u2@x.vn', name: 'Name 1' },
      { person_id: 'p2', email: 'u1@x.vn', name: 'Name 2' },
    ])
    expect(await lab.run()).toMatchObject({ sent: { upsert: 2, remove: 0 } })
    expect(lab.memory.held.get('u2@x.vn')).toEqual({ name: 'Name 1', id: 'p1' })
  })

  it('removes by the key as it was delivered when a merge takes a person away', async () => {
    start()
    await lab.people(persons(2))
    await lab.run()
    await lab.people([{ person_id: 'p1', email: 'u2@x.vn', name: 'Name 1' }])
    expect(await lab.run()).toMatchObject({ sent: { upsert: 1, remove: 1 } })
    expect([...lab.memory.held]).toEqual([['u2@x.vn', { name: 'Name 1' }]])
  })

  it('sets rows without a key aside, lists them, and goes on with the rest', async () => {
    start()
    await lab.people([
      ...persons(2),
      { person_id: 'p8', email: null, name: 'x' },
      { person_id: 'p9', email: '  ', name: 'x' },
    ])
    const summary = await lab.run()
    expect(summary).toMatchObject({ delivered: 2, skipped: 2, plan: { skipped: { 'null key': 1, 'empty key': 1 } } })
    expect(await lab.query('select reason, person_id from cdp.sync_skipped order by row_number')).toEqual([
      { reason: 'empty key', person_id: 'p9' },
      { reason: 'null key', person_id: 'p8' },
    ])
  })

  it('skips all rows that share a key, and freezes the key where it was delivered before', async () => {
    start()
    await lab.people(persons(2))
    await lab.run()
    await lab.people([
      ...persons(2),
      { person_id: 'p3', email: 'u1@x.vn', name: 'Twin' },
      ...['a', 'b'].map((name) => ({ person_id: name, email: 'both@x.vn', name })),
    ])
    const plan = await lab.plan()
    expect(plan.rows).toMatchObject({
      source: 5,
      skipped: 4,
      eligible: 1,
      inSync: 1,
      frozen: 1,
      toSend: 0,
      toRemove: 0,
    })
    expect(await lab.run()).toMatchObject({ sent: { upsert: 0, remove: 0 }, skipped: 4 })
    expect(lab.memory.held.get('u1@x.vn')).toEqual({ name: 'Name 1' })
    await lab.people([{ person_id: 'p3', email: 'u1@x.vn', name: 'Twin' }])
    await lab.run()
    expect([...lab.memory.held]).toEqual([['u1@x.vn', { name: 'Twin' }]])
  })

  it('takes several columns as one key', async () => {
    start({ key: { email: 'email', name: 'name' }, map: { id: 'person_id' } })
    await lab.people([
      { person_id: 'p1', email: 'a@x.vn', name: 'A' },
      { person_id: 'p2', email: 'a@x.vn', name: 'B' },
    ])
    await lab.run()
    expect(lab.memory.calls.flat().map((change) => change.key)).toEqual([
      { email: 'a@x.vn', name: 'A' },
      { email: 'a@x.vn', name: 'B' },
    ])
    await lab.people([{ person_id: 'p2', email: 'a@x.vn', name: 'B' }])
    expect(await lab.run()).toMatchObject({ sent: { upsert: 0, remove: 1 } })
  })
})
