// Guards: what they hold back is held back whole, before anything is sent; removals for consent go out all the same.
import { afterEach, describe, expect, it } from 'vitest'
import { trippedGuards } from '../../src/sync/guards.ts'
import { createLab, type Lab, persons } from './lab.ts'

let lab: Lab
afterEach(() => lab?.close())

describe('guards', () => {
  it('hold a plan with too many removals back, until it is let through once', async () => {
    lab = createLab({ guard: { maxRemovals: '20%' } })
    await lab.people(persons(50))
    await lab.run()
    await lab.people([...persons(30), ...persons(2, 60)])
    const result = await lab.runAll()
    expect(result.exitKind).toBe('data')
    expect(result.summaries[0]).toMatchObject({ status: 'guarded', sent: { upsert: 0, remove: 0 }, requests: 0 })
    expect(result.summaries[0]?.error).toMatchObject({
      hint: expect.stringContaining('cdp sync --select vips --allow removals'),
    })
    // It is not forgotten, nor mistaken for nothing to do.
    expect(await lab.run()).toMatchObject({ status: 'guarded' })
    expect(await lab.run({ allow: new Set(['removals']) })).toMatchObject({ status: 'done', removed: 20, delivered: 2 })
    expect(await lab.query('select status, reason is not null as why from cdp.sync_runs order by epoch')).toEqual([
      { status: 'done', why: false },
      { status: 'guarded', why: true },
      { status: 'guarded', why: true },
      { status: 'done', why: false },
    ])
  })

  it('let removals for consent through', async () => {
    lab = createLab({ purpose: 'mail', guard: { maxRemovals: 0, maxAdditions: 0 } }, { consent: 'consent' })
    await lab.people(persons(3))
    await lab.model('consent', `select person_id, 'mail' as purpose, true as granted from main.people`)
    await lab.run({ allow: new Set(['additions']) })
    await lab.people([...persons(2), ...persons(1, 9)])
    await lab.model(
      'consent',
      `select * from (values ('p1', 'mail', true), ('p2', 'mail', false), ('p9', 'mail', true)) t(person_id, purpose, granted)`,
    )
    const summary = await lab.run()
    expect(summary).toMatchObject({ status: 'guarded', sent: { upsert: 0, remove: 1 }, removed: 1 })
    expect([...lab.memory.held.keys()]).toEqual(['u1@x.vn', 'u3@x.vn'])
  })

  it('do not let an empty source wipe the destination', async () => {
    lab = createLab()
    await lab.people(persons(2))
    await lab.run()
    await lab.people([])
    expect(await lab.run()).toMatchObject({ status: 'guarded', plan: { guards: [{ name: 'empty' }] } })
    expect(lab.memory.held.size).toBe(2)
    expect(await lab.run({ allow: new Set(['empty']) })).toMatchObject({ status: 'done', removed: 2 })
    // Empty and nothing there: nothing to guard.
    expect(await lab.run()).toMatchObject({ status: 'unchanged' })
  })

  it('send nothing from a model whose last build or test failed', async () => {
    lab = createLab()
    await lab.people(persons(2))
    await lab.query(`update cdp.versions set status = 'failed' where relation = 'people'`)
    expect(await lab.run()).toMatchObject({ status: 'guarded', plan: { guards: [{ name: 'failed' }] }, requests: 0 })
  })

  it('send nothing from a model that is older than it may be', async () => {
    lab = createLab({}, { freshnessMs: 1000 })
    await lab.people(persons(2))
    lab.clock.advance(5000)
    expect(await lab.run()).toMatchObject({ status: 'guarded', plan: { guards: [{ name: 'stale' }] }, requests: 0 })
  })
})

describe('bounds', () => {
  const facts = { additions: 0, changes: 0, removals: 0, held: 100, sourceRows: 100 }

  it('of a percent are measured by what is there, and act only above 20 keys', () => {
    expect(trippedGuards({ maxRemovals: '10%' }, { ...facts, removals: 10 })).toEqual([])
    expect(trippedGuards({ maxRemovals: '10%' }, { ...facts, removals: 11 })).toHaveLength(1)
    expect(trippedGuards({ maxRemovals: '10%' }, { ...facts, removals: 20, held: 20 })).toEqual([])
    expect(trippedGuards({ maxAdditions: '10%' }, { ...facts, additions: 500, held: 0 })).toEqual([])
  })

  it('of a count act at any size', () => {
    expect(
      trippedGuards(
        { maxAdditions: 0, maxChanges: 1, maxRemovals: 2 },
        { ...facts, additions: 1, changes: 2, removals: 3, held: 0 },
      ).map((guard) => guard.name),
    ).toEqual(['additions', 'changes', 'removals'])
    expect(
      trippedGuards(
        { maxAdditions: 1, maxChanges: 2, maxRemovals: 3 },
        { ...facts, additions: 1, changes: 2, removals: 3 },
      ),
    ).toEqual([])
  })
})
