// Consent: rows without it stay here, and what was sent before it was withdrawn is removed. Where consent itself is in doubt, nothing moves.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLab, type Lab, persons, type SyncPart } from './lab.ts'

const purpose = 'marketing.email'
let lab: Lab
const start = (part: SyncPart = {}, freshnessMs?: number): Lab =>
  (lab = createLab({ purpose, ...part }, { consent: 'consent', ...(freshnessMs === undefined ? {} : { freshnessMs }) }))
const consent = (...rows: readonly (readonly [string, boolean | null])[]): Promise<void> =>
  lab.model(
    'consent',
    `select * from (values ${[...rows, ['other', true] as const].map(([person, granted]) => `('${person}', '${person === 'other' ? 'else' : purpose}', ${granted})`).join(', ')}) t(person_id, purpose, granted)`,
  )
afterEach(() => lab.close())

describe('consent', () => {
  beforeEach(() => {
    start()
  })

  it('keeps rows back whose person said no, or said nothing', async () => {
    await lab.people(persons(4))
    await consent(['p1', true], ['p2', false], ['p4', null])
    const summary = await lab.run()
    expect(summary).toMatchObject({
      delivered: 1,
      withheld: 3,
      plan: { rows: { source: 4, withheld: 3, eligible: 1 } },
    })
    expect([...lab.memory.held.keys()]).toEqual(['u1@x.vn'])
  })

  it('is asked before keys are looked at', async () => {
    await lab.people([{ person_id: 'p1', email: null, name: 'x' }, ...persons(1, 2)])
    await consent(['p2', true])
    expect(await lab.run()).toMatchObject({ withheld: 1, skipped: 0, delivered: 1 })
  })

  it.each(['mirror', 'upsert', 'insert'] as const)(
    'that is withdrawn removes what was sent, in mode %s',
    async (mode) => {
      await lab.close()
      start({ mode })
      await lab.people(persons(2))
      await consent(['p1', true], ['p2', true])
      await lab.run()
      await consent(['p1', true], ['p2', false])
      const summary = await lab.run()
      expect(summary).toMatchObject({ removed: 1, withheld: 1 })
      expect(summary.plan.sends).toEqual([{ operation: 'remove', why: 'consent', rows: 1 }])
      expect([...lab.memory.held.keys()]).toEqual(['u1@x.vn'])
      await consent(['p1', true], ['p2', true])
      expect(await lab.run()).toMatchObject({ delivered: 1 })
    },
  )

  it('of a shared key: one no wins over another yes, silence does not', async () => {
    await lab.people([
      { person_id: 'p1', email: 'shared@x.vn', name: 'A' },
      { person_id: 'p2', email: 'shared@x.vn', name: 'B' },
    ])
    await consent(['p1', true])
    expect(await lab.run()).toMatchObject({ delivered: 1, withheld: 1 })
    await consent(['p1', true], ['p2', false])
    const summary = await lab.run()
    expect(summary).toMatchObject({ removed: 1, withheld: 2, plan: { rows: { source: 2, withheld: 2, eligible: 0 } } })
    expect(lab.memory.held.size).toBe(0)
  })

  it('that lets one of two twins go leaves the key to the other', async () => {
    await lab.people([
      { person_id: 'p1', email: 'shared@x.vn', name: 'A' },
      { person_id: 'p2', email: 'shared@x.vn', name: 'B' },
      { person_id: 'p3', email: 'c@x.vn', name: 'C' },
    ])
    await consent(['p1', true], ['p2', true], ['p3', true])
    expect(await lab.run()).toMatchObject({ skipped: 2, delivered: 1 })
    await consent(['p1', true], ['p3', true])
    expect(await lab.run()).toMatchObject({ skipped: 0, withheld: 1, delivered: 1 })
    expect(lab.memory.held.get('shared@x.vn')).toEqual({ name: 'A' })
  })

  it('says so where nothing can be removed', async () => {
    await lab.close()
    start({ mode: 'upsert', destination: { removes: ['archive'] } })
    await lab.people(persons(1))
    await consent(['p1', true])
    await lab.run()
    await consent(['p1', false])
    expect(await lab.run()).toMatchObject({ sent: { upsert: 0, remove: 0 }, plan: { rows: { stuck: 1 } } })
    expect(lab.events).toContainEqual(
      expect.objectContaining({ type: 'warning', message: expect.stringContaining('1 keys are still at memory') }),
    )
  })
})

describe('consent in doubt', () => {
  const delivered = async (freshnessMs?: number): Promise<void> => {
    start({}, freshnessMs)
    await lab.people(persons(2))
    await consent(['p1', true], ['p2', true])
    await lab.run()
    expect(lab.memory.held.size).toBe(2)
    lab.memory.calls.length = 0
    await lab.people([...persons(1), ...persons(1, 3)])
  }
  /** Runs and plans; nothing may move. The reason that is told. */
  const heldBack = async (): Promise<string> => {
    const result = await lab.runAll()
    expect(result.exitKind).toBe('data')
    expect(result.summaries[0]).toMatchObject({ status: 'guarded', requests: 0, error: { code: 'SYNC_GUARDED' } })
    expect(lab.memory.calls).toHaveLength(0)
    expect(await lab.plan()).toMatchObject({ status: 'guarded', guards: [{ name: 'consent' }] })
    return result.summaries[0]?.reason ?? ''
  }

  it('stops everything when the relation is empty for the purpose', async () => {
    await delivered()
    await consent()
    expect(await heldBack()).toContain('no row for marketing.email')
  })

  it('stops everything when a person has two answers', async () => {
    await delivered()
    await consent(['p1', true], ['p2', true], ['p2', true])
    expect(await heldBack()).toContain('more than one row')
  })

  it('stops everything when its last build failed, and goes on when it is good again', async () => {
    await delivered()
    await lab.query(`update cdp.versions set status = 'failed' where relation = 'consent'`)
    expect(await heldBack()).toContain('failed')
    await lab.query(`update cdp.versions set status = 'good' where relation = 'consent'`)
    expect(await lab.run()).toMatchObject({ status: 'done', removed: 1 })
  })

  it('stops everything when it is not built', async () => {
    start()
    await lab.people(persons(1))
    expect(await heldBack()).toContain('not built')
  })

  it('stops everything when it is older than it may be', async () => {
    await delivered(3_600_000)
    lab.clock.advance(7_200_000)
    expect(await heldBack()).toContain('older')
  })

  it('is let through once by name, and a no among two answers wins', async () => {
    await delivered()
    await consent(['p1', true], ['p2', true], ['p2', false])
    expect(await lab.run({ allow: new Set(['consent']) })).toMatchObject({ status: 'done', removed: 1 })
    expect([...lab.memory.held.keys()]).toEqual(['u1@x.vn'])
  })
})
