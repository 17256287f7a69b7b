// Messages: sent at most once. What may have been sent is listed and left to a person.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CdpError } from '../../src/core/errors.ts'
import { createLab, type Lab, persons } from './lab.ts'

let lab: Lab
const firstRun = { allow: new Set(['first-run']) }
const emails = (): unknown[] => lab.memory.calls.flat().map((change) => change.key['email'])

beforeEach(async () => {
  lab = createLab({ mode: 'append', destination: { semantics: 'message', limits: { batch: 1, inFlight: 1 } } })
  await lab.people(persons(3))
})
afterEach(() => lab.close())

describe('a sync of messages', () => {
  it('sends nothing when it is switched on, until that is allowed', async () => {
    const result = await lab.runAll()
    expect(result.exitKind).toBe('data')
    expect(result.summaries[0]).toMatchObject({
      status: 'guarded',
      requests: 0,
      plan: { guards: [{ name: 'first-run' }] },
    })
    expect(await lab.run()).toMatchObject({ status: 'guarded' })
    expect(await lab.run(firstRun)).toMatchObject({ status: 'done', delivered: 3 })
    await lab.people(persons(4))
    expect(await lab.run()).toMatchObject({ status: 'done', delivered: 1 })
  })

  it('sends a key once, whatever changes in its row, in the map, or at its consent', async () => {
    await lab.run(firstRun)
    await lab.people([{ person_id: 'p9', email: 'u1@x.vn', name: 'Other' }, ...persons(2, 2)])
    lab.sync({
      mode: 'append',
      map: { name: 'name', id: 'person_id' },
      destination: { semantics: 'message', limits: { batch: 1, inFlight: 1 } },
    })
    expect(await lab.run()).toMatchObject({ requests: 0 })
    await lab.people(persons(1, 2))
    await lab.run()
    await lab.people(persons(3))
    expect(await lab.run()).toMatchObject({ requests: 0 })
    expect(emails()).toEqual(['u1@x.vn', 'u2@x.vn', 'u3@x.vn'])
  })

  it('never sends again what may have been sent', async () => {
    lab.memory.behave = (changes) =>
      changes.map((change) =>
        change.key['email'] === 'u2@x.vn' ? { status: 'unknown', reason: 'time-out' } : { status: 'delivered' },
      )
    expect(await lab.run(firstRun)).toMatchObject({ status: 'done', delivered: 2, unknown: 1 })
    lab.memory.behave = () => undefined
    expect(await lab.run()).toMatchObject({ status: 'unchanged', reason: 'nothing changed and nothing is due' })
    await lab.people([...persons(1), { person_id: 'p2', email: 'u2@x.vn', name: 'Changed' }, ...persons(1, 3)])
    expect(await lab.run({ retryRejected: true })).toMatchObject({
      requests: 0,
      plan: { rows: { unknown: 1, inSync: 2 } },
    })
    expect(emails()).toHaveLength(3)
  })

  it('takes a connector that throws for one that may have sent, but not where the credential was refused', async () => {
    lab.memory.behave = (_changes, call) => {
      if (call === 1) throw new CdpError('DESTINATION_FILE', { path: 'x', reason: 'reset' })
      if (call === 2) throw new CdpError('DESTINATION_AUTH', { destination: 'memory', target: 'memory', reason: '401' })
      return undefined
    }
    expect(await lab.run(firstRun)).toMatchObject({ status: 'failed', unknown: 1, retry: 1, waiting: 1 })
    lab.memory.behave = () => undefined
    expect(await lab.run()).toMatchObject({ status: 'done', delivered: 2 })
    expect(emails()).toEqual(['u1@x.vn', 'u2@x.vn', 'u2@x.vn', 'u3@x.vn'])
  })

  it('tries again what was surely not sent, with an intent for each try', async () => {
    lab.memory.behave = (_changes, call) => (call === 1 ? [{ status: 'retry', reason: '429' }] : undefined)
    expect(await lab.run(firstRun)).toMatchObject({ delivered: 3 })
    const log = await lab.query<{ event: string; status: string | null }>(
      `select event, l.status from cdp.sync_log l join cdp.sync_rows r using (key_hash) where r.key ->> 'email' = 'u1@x.vn' order by l.seq`,
    )
    expect(log.map((entry) => entry.status ?? entry.event)).toEqual(['intent', 'retry', 'intent', 'delivered'])
  })

  it('stops when calls time out one after the other, instead of losing them all', async () => {
    await lab.people(persons(50))
    lab.memory.behave = (changes) => changes.map(() => ({ status: 'unknown', reason: 'time-out' }))
    expect(await lab.run(firstRun)).toMatchObject({ status: 'stopped', unknown: 5, waiting: 45 })
  })

  it('splits a batch that was refused before anything was sent', async () => {
    lab.sync({ mode: 'append', destination: { semantics: 'message', limits: { batch: 3, inFlight: 1 } } })
    lab.memory.behave = (changes) =>
      changes.some((change) => change.key['email'] === 'u2@x.vn') ? { refused: 'template' } : undefined
    expect(await lab.run(firstRun)).toMatchObject({ delivered: 2, rejected: 1 })
  })
})
