// A destination that takes the whole wanted set: written when anything in it changed, whole or not at all.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CdpError } from '../../src/core/errors.ts'
import type { Json } from '../../src/core/json.ts'
import { createLab, type Lab, type SyncPart } from './lab.ts'

const part: SyncPart = { map: { name: 'name', city: 'city' }, destination: { takes: 'snapshot', semantics: 'state' } }
let lab: Lab
let written: { rows: Record<string, Json>[]; fields: readonly string[] }[]

beforeEach(() => {
  lab = createLab(part)
  written = []
  lab.memory.replace = (rows, context) => written.push({ rows, fields: context.fields })
})
afterEach(() => lab.close())

const people = (...rows: readonly (readonly [string, string | null, string | null])[]): Promise<void> =>
  lab.people(rows.map(([email, name, city]) => ({ person_id: email, email, name, city })))

describe('a snapshot', () => {
  it('is the wanted set by key, its fields in order, nulls as null', async () => {
    await people(['b@x.vn', 'B', null], ['a@x.vn', 'A', 'Huế'])
    expect(await lab.run()).toMatchObject({
      status: 'done',
      written: true,
      delivered: 2,
      sent: { upsert: 2, remove: 0 },
      requests: 1,
    })
    expect(written).toEqual([
      {
        fields: ['email', 'name', 'city'],
        rows: [
          { email: 'a@x.vn', name: 'A', city: 'Huế' },
          { email: 'b@x.vn', name: 'B', city: null },
        ],
      },
    ])
    expect(Object.keys(written[0]?.rows[0] ?? {})).toEqual(['email', 'name', 'city'])
  })

  it('is not written when nothing in it changed', async () => {
    await people(['a@x.vn', 'A', 'Huế'])
    await lab.run()
    await people(['a@x.vn', 'A', 'Huế'])
    expect(await lab.run()).toMatchObject({ status: 'unchanged', written: false })
    expect(await lab.run()).toMatchObject({ status: 'unchanged', written: false })
    expect(written).toHaveLength(1)
  })

  it('is written when a row left, in any mode', async () => {
    lab.sync({ ...part, mode: 'upsert' })
    await people(['a@x.vn', 'A', null], ['b@x.vn', 'B', null])
    await lab.run()
    await people(['a@x.vn', 'A', null])
    expect(await lab.run()).toMatchObject({ written: true, removed: 1, delivered: 0, sent: { upsert: 0, remove: 1 } })
    expect(written[1]?.rows).toHaveLength(1)
  })

  it('is not written for a value that became null, whose cell is empty at the next writing', async () => {
    await people(['a@x.vn', 'A', 'Huế'], ['b@x.vn', 'B', null])
    await lab.run()
    await people(['a@x.vn', 'A', null], ['b@x.vn', 'B', null])
    expect(await lab.run()).toMatchObject({ written: false })
    await people(['a@x.vn', 'A', null], ['b@x.vn', 'Bình', null])
    expect(await lab.run()).toMatchObject({ written: true, delivered: 1 })
    expect(written[1]?.rows[0]).toEqual({ email: 'a@x.vn', name: 'A', city: null })
    // What the file holds is known: the old value coming back is a change now.
    await people(['a@x.vn', 'A', 'Huế'], ['b@x.vn', 'Bình', null])
    expect(await lab.run()).toMatchObject({ written: true, delivered: 1 })
  })

  it('is tried again, and left as it was when the disk stays full', async () => {
    await people(['a@x.vn', 'A', null])
    let left = 2
    lab.memory.replace = () => {
      if (left-- > 0) throw new CdpError('DESTINATION_FILE', { path: 'x.csv', reason: 'disk full' })
    }
    expect(await lab.run()).toMatchObject({ status: 'done', written: true, requests: 3 })
    left = 100
    await people(['b@x.vn', 'B', null])
    const result = await lab.runAll()
    expect(result.exitKind).toBe('transient')
    expect(result.summaries[0]).toMatchObject({ status: 'stopped', written: false, waiting: 2 })
    expect([...lab.memory.held.keys()]).toEqual(['a@x.vn'])
    left = 0
    expect(await lab.run()).toMatchObject({ status: 'done', delivered: 1, removed: 1 })
  })

  it('holds only those with consent, and goes without those who took it back', async () => {
    await lab.close()
    lab = createLab({ ...part, purpose: 'mail' }, { consent: 'consent' })
    await people(['a@x.vn', 'A', null], ['b@x.vn', 'B', null])
    await lab.model('consent', `select person_id, 'mail' as purpose, true as granted from main.people`)
    await lab.run()
    await lab.model('consent', `select person_id, 'mail' as purpose, person_id = 'b@x.vn' as granted from main.people`)
    expect(await lab.run()).toMatchObject({ written: true, removed: 1, withheld: 1 })
    expect([...lab.memory.held.keys()]).toEqual(['b@x.vn'])
  })

  it('needs a connector that can write it', async () => {
    await people(['a@x.vn', 'A', null])
    const options = lab.options()
    const result = await lab.runAll({
      live: async () => ({
        ...(await options.live()),
        destination: () => ({ open: () => Promise.resolve({ write: () => Promise.resolve([]) }) }) as never,
      }),
    })
    expect(result.exitKind).toBe('bug')
    expect(result.summaries[0]).toMatchObject({ status: 'failed', written: false })
  })
})
