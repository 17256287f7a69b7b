// How every kind of answer ends: in the ledger, in the next run, and in what the user is told.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CdpError } from '../../src/core/errors.ts'
import type { Outcome } from '../../src/sync/destination.ts'
import { createLab, keyOf, type Lab, persons, type SyncPart } from './lab.ts'

let lab: Lab
const start = (part: SyncPart = {}): Lab => (lab = createLab(part))
afterEach(() => lab.close())

const minutes = (count: number): number => count * 60_000
const rows = (): Promise<unknown[]> =>
  lab.query(
    `select key ->> 'email' as email, status, attempts, reason from cdp.sync_rows where status <> 'delivered' order by 1`,
  )
const only = (email: string, outcome: Outcome) => {
  lab.memory.behave = (changes) =>
    changes.map((change) => (change.key['email'] === email ? outcome : ({ status: 'delivered' } as const)))
}
const always = (outcome: Outcome): void => {
  lab.memory.behave = (changes) => changes.map(() => outcome)
}
const healthy = (): void => {
  lab.memory.behave = () => undefined
}

describe('rejected rows', () => {
  beforeEach(async () => {
    start()
    await lab.people(persons(3))
    only('u2@x.vn', { status: 'rejected', reason: 'bad mailbox' })
  })

  it('are kept with their reason and come back with growing pauses', async () => {
    const first = await lab.runAll()
    expect(first.exitKind).toBeUndefined()
    expect(first.summaries[0]).toMatchObject({ status: 'done', delivered: 2, rejected: 1, sent: { upsert: 3 } })
    expect(await rows()).toEqual([{ email: 'u2@x.vn', status: 'rejected', attempts: 1, reason: 'bad mailbox' }])
    expect(await lab.run()).toMatchObject({ status: 'unchanged', requests: 0 })
    lab.clock.advance(minutes(16))
    expect(await lab.run()).toMatchObject({ rejected: 1, sent: { upsert: 1 }, plan: { sends: [{ why: 'retry' }] } })
    lab.clock.advance(minutes(16))
    expect(await lab.run()).toMatchObject({ requests: 0 })
    lab.clock.advance(minutes(16))
    healthy()
    expect(await lab.run()).toMatchObject({ delivered: 1 })
    expect(await rows()).toEqual([])
  })

  it('fail a strict run', async () => {
    expect((await lab.runAll({ strict: true })).exitKind).toBe('data')
  })

  it('come back at once when asked for', async () => {
    await lab.run()
    expect(await lab.run({ retryRejected: true })).toMatchObject({ rejected: 1, sent: { upsert: 1 } })
    expect(await rows()).toMatchObject([{ attempts: 2 }])
  })

  it('come back at once when their data changed, with the tries counted anew', async () => {
    await lab.run()
    await lab.run({ retryRejected: true })
    await lab.people([...persons(1), { person_id: 'p2', email: 'u2@x.vn', name: 'Other' }, ...persons(1, 3)])
    expect(await lab.run()).toMatchObject({ rejected: 1, plan: { sends: [{ why: 'added' }] } })
    expect(await rows()).toMatchObject([{ attempts: 1 }])
  })

  it('come back at once when the map changed', async () => {
    await lab.run()
    lab.sync({ map: { name: 'name', id: 'person_id' } })
    healthy()
    expect(await lab.run()).toMatchObject({ delivered: 3 })
  })

  it('that were never there are forgotten when they leave', async () => {
    await lab.run()
    await lab.people(persons(1))
    expect(await lab.run()).toMatchObject({ sent: { upsert: 0, remove: 1 } })
    expect(await lab.query('select count(*) as n from cdp.sync_rows')).toEqual([{ n: 1 }])
    expect(await lab.query(`select reason from cdp.sync_log where event = 'plan'`)).toEqual([
      { reason: 'never there and no longer wanted' },
    ])
  })

  it('that go back to what is there are in order again, without a call', async () => {
    healthy()
    await lab.run()
    only('u2@x.vn', { status: 'rejected', reason: 'no' })
    await lab.people([...persons(1), { person_id: 'p2', email: 'u2@x.vn', name: 'Other' }, ...persons(1, 3)])
    await lab.run()
    await lab.people(persons(3))
    expect(await lab.run()).toMatchObject({ requests: 0 })
    expect(await rows()).toEqual([])
  })

  it('of a removal are tried again without end', async () => {
    healthy()
    await lab.run()
    await lab.people(persons(2))
    always({ status: 'rejected', reason: 'locked' })
    for (let day = 0; day < 12; day++) {
      expect(await lab.run()).toMatchObject({ rejected: 1, sent: { remove: 1 } })
      lab.clock.advance(minutes(24 * 60 + 1))
    }
    healthy()
    expect(await lab.run()).toMatchObject({ removed: 1 })
    expect(lab.memory.held.has('u3@x.vn')).toBe(false)
  })
})

describe('rows put off', () => {
  it('are tried again within the run, with patience', async () => {
    start()
    await lab.people(persons(3))
    let left = 3
    lab.memory.behave = (changes) =>
      changes.map((change) =>
        change.key['email'] === 'u2@x.vn' && left-- > 0
          ? { status: 'retry', reason: 'locked' }
          : { status: 'delivered' },
      )
    expect(await lab.run()).toMatchObject({ delivered: 3, retry: 0, requests: 4 })
    expect(await rows()).toEqual([])
  })

  it('keep their id, so that the vendor can know them', async () => {
    start()
    await lab.people(persons(1))
    lab.memory.behave = (_changes, call) => (call < 3 ? [{ status: 'retry', reason: 'x' }] : undefined)
    await lab.run()
    expect(new Set(lab.memory.calls.flat().map((change) => change.id)).size).toBe(1)
    expect(new Set(lab.memory.contexts.map((context) => context.idempotencyKey)).size).toBe(1)
  })

  it('are left to the next run when patience ends', async () => {
    start()
    await lab.people(persons(3))
    only('u2@x.vn', { status: 'retry', reason: 'locked' })
    expect(await lab.run()).toMatchObject({ status: 'done', delivered: 2, retry: 1, requests: 5 })
    expect(await rows()).toEqual([{ email: 'u2@x.vn', status: 'retry', attempts: 1, reason: 'locked' }])
    healthy()
    expect(await lab.run()).toMatchObject({ delivered: 1 })
  })

  it('wait as long as the vendor asks, the whole sync with them', async () => {
    start()
    await lab.people(persons(30))
    const began = lab.clock.now()
    lab.memory.behave = (changes, call) =>
      call === 1 ? changes.map(() => ({ status: 'retry', reason: '429', afterMs: 90_000 })) : undefined
    const summary = await lab.run()
    expect(summary).toMatchObject({ delivered: 30, retry: 0 })
    expect(lab.clock.now() - began).toBeGreaterThanOrEqual(90_000)
    expect(lab.clock.now() - began).toBeLessThan(100_000)
  })

  it('are not asked again before the time, nor in the next run', async () => {
    start()
    await lab.people(persons(3))
    always({ status: 'retry', reason: 'quota', afterMs: minutes(60) })
    const result = await lab.runAll()
    expect(result.exitKind).toBe('transient')
    expect(result.summaries[0]).toMatchObject({ status: 'stopped', retry: 3, requests: 1 })
    healthy()
    lab.clock.advance(minutes(30))
    expect(await lab.run()).toMatchObject({ requests: 0, plan: { rows: { waiting: 3 } } })
    lab.clock.advance(minutes(31))
    expect(await lab.run()).toMatchObject({ delivered: 3 })
  })
})

describe('a destination that is down', () => {
  it('is noticed soon; nothing is marked, and the next run delivers', async () => {
    start({ destination: { limits: { batch: 10, inFlight: 4 } } })
    await lab.people(persons(1000))
    const began = lab.clock.now()
    always({ status: 'retry', reason: 'connection refused' })
    const result = await lab.runAll()
    expect(result.exitKind).toBe('transient')
    expect(result.summaries[0]).toMatchObject({ status: 'stopped', delivered: 0, error: { code: 'SYNC_DOWN' } })
    expect(result.summaries[0]?.waiting).toBeGreaterThan(900)
    expect(lab.memory.calls.length).toBeLessThan(25)
    expect(lab.clock.now() - began).toBeLessThan(15_000)
    healthy()
    expect(await lab.run()).toMatchObject({ status: 'done', delivered: 1000 })
    expect(await rows()).toEqual([])
  })

  it('that throws instead of answering is the same', async () => {
    start()
    await lab.people(persons(5))
    lab.memory.behave = () => {
      throw new CdpError('DESTINATION_FILE', { path: 'x', reason: 'disk full' })
    }
    expect(await lab.run()).toMatchObject({ status: 'stopped', retry: 5 })
  })

  it('does not stop a sync in which now and then a call fails', async () => {
    start({ destination: { limits: { batch: 1, inFlight: 1 } } })
    await lab.people(persons(40))
    lab.memory.behave = (_changes, call) => (call % 3 === 0 ? [{ status: 'retry', reason: 'reset' }] : undefined)
    expect(await lab.run()).toMatchObject({ status: 'done', delivered: 40 })
  })
})

describe('a refused credential', () => {
  it('stops the sync at once and says so', async () => {
    start({ destination: { limits: { batch: 1, inFlight: 1 } } })
    await lab.people(persons(20))
    lab.memory.behave = (_changes, call) => {
      if (call === 4) throw new CdpError('DESTINATION_AUTH', { destination: 'memory', target: 'memory', reason: '401' })
      return undefined
    }
    const result = await lab.runAll()
    expect(result.exitKind).toBe('auth')
    expect(result.summaries[0]).toMatchObject({
      status: 'failed',
      delivered: 3,
      waiting: 17,
      requests: 4,
      error: { code: 'DESTINATION_AUTH' },
    })
    healthy()
    expect(await lab.run()).toMatchObject({ status: 'done', delivered: 17 })
  })

  it('when it is opened sends nothing and loses nothing', async () => {
    start()
    await lab.people(persons(2))
    lab.memory.refuse = new CdpError('DESTINATION_AUTH', { destination: 'memory', target: 'memory', reason: 'no' })
    expect(await lab.run()).toMatchObject({ status: 'failed', waiting: 2, requests: 0 })
    lab.memory.refuse = undefined
    expect(await lab.run()).toMatchObject({ status: 'done', delivered: 2 })
  })
})

describe('a secret that is not set', () => {
  it('is told before anything is written down', async () => {
    const name = 'SYNC_TEST_SECRET_THAT_IS_NOT_SET'
    start()
    lab.sync({ secrets: [{ name, fallback: undefined, [Symbol.for('composable-cdp.secret')]: true } as never] })
    await lab.people(persons(1))
    expect(await lab.run()).toMatchObject({ status: 'failed', error: { code: 'SECRETS_MISSING' }, requests: 0 })
    expect(await lab.query('select * from cdp.sync_runs')).toEqual([])
  })
})

describe('rows of which nobody knows the end', () => {
  it('are sent again by the next run, whatever they were', async () => {
    start()
    await lab.people(persons(3))
    only('u2@x.vn', { status: 'unknown', reason: 'reset' })
    expect(await lab.run()).toMatchObject({ status: 'done', delivered: 2, unknown: 1 })
    expect(await rows()).toEqual([{ email: 'u2@x.vn', status: 'unknown', attempts: 1, reason: 'reset' }])
    healthy()
    expect(await lab.run()).toMatchObject({ delivered: 1, plan: { sends: [{ why: 'unknown' }] } })
  })

  it('are removed when they left meanwhile: they may be there', async () => {
    start()
    await lab.people(persons(2))
    lab.memory.behave = (changes) => {
      lab.memory.held.set('u2@x.vn', {})
      return changes.map((change) =>
        change.key['email'] === 'u2@x.vn' ? { status: 'unknown', reason: 'reset' } : { status: 'delivered' },
      )
    }
    await lab.run()
    healthy()
    await lab.people(persons(1))
    expect(await lab.run()).toMatchObject({ removed: 1 })
    expect([...lab.memory.held.keys()]).toEqual(['u1@x.vn'])
  })

  it('are sent as they were when a change of them was lost and taken back', async () => {
    start()
    await lab.people(persons(1))
    await lab.run()
    await lab.people([{ person_id: 'p1', email: 'u1@x.vn', name: 'Second' }])
    lab.memory.behave = (changes) => {
      lab.memory.held.set('u1@x.vn', { name: 'Second' })
      return changes.map(() => ({ status: 'unknown', reason: 'reset' }))
    }
    await lab.run()
    await lab.people(persons(1))
    healthy()
    await lab.run()
    expect(lab.memory.held.get('u1@x.vn')).toEqual({ name: 'Name 1' })
  })
})

describe('a change that was lost, then refused, then taken back', () => {
  it('is followed by the row as it is: nobody knows which of the two is there', async () => {
    start()
    await lab.people(persons(1))
    await lab.run()
    await lab.people([{ person_id: 'p1', email: 'u1@x.vn', name: 'Second' }])
    lab.memory.behave = (changes) => {
      lab.memory.held.set('u1@x.vn', { name: 'Second' })
      return changes.map(() => ({ status: 'unknown', reason: 'reset' }))
    }
    await lab.run()
    always({ status: 'rejected', reason: 'no' })
    await lab.run()
    healthy()
    await lab.people(persons(1))
    expect(await lab.run()).toMatchObject({ delivered: 1 })
    expect(lab.memory.held.get('u1@x.vn')).toEqual({ name: 'Name 1' })
  })
})

describe('ids of changes', () => {
  it('differ when a row comes back to what it was, or a key comes back after it was removed', async () => {
    start()
    const named = (name: string): Promise<void> =>
      lab.people([{ person_id: 'p1', email: 'u1@x.vn', name }, ...persons(1, 2)])
    await named('A')
    await lab.run()
    await named('B')
    await lab.run()
    await named('A')
    await lab.run()
    await lab.people(persons(1, 2))
    await lab.run()
    await named('A')
    await lab.run()
    const ids = lab.memory.calls
      .flat()
      .filter((change) => change.key['email'] === 'u1@x.vn')
      .map((change) => change.id)
    expect(ids).toHaveLength(5)
    expect(new Set(ids).size).toBe(5)
  })

  it('stay the same over runs until the change has arrived', async () => {
    start()
    await lab.people(persons(1))
    always({ status: 'unknown', reason: 'reset' })
    await lab.run()
    await lab.run()
    healthy()
    await lab.run()
    expect(new Set(lab.memory.calls.flat().map((change) => change.id)).size).toBe(1)
  })
})

describe('a batch refused whole', () => {
  const refusing = (bad: ReadonlySet<string>): void => {
    lab.memory.behave = (changes) =>
      changes.some((change) => bad.has(keyOf(change.key))) ? { refused: 'one of them is wrong' } : undefined
  }

  it('is split until the rows at fault are alone', async () => {
    start({ destination: { limits: { batch: 100, inFlight: 1 } } })
    await lab.people(persons(100))
    refusing(new Set(['u7@x.vn', 'u93@x.vn']))
    const summary = await lab.run()
    expect(summary).toMatchObject({ status: 'done', delivered: 98, rejected: 2 })
    expect(summary.requests).toBeLessThan(1 + 2 * 7 * 2 + 1)
    expect(await rows()).toEqual([
      { email: 'u7@x.vn', status: 'rejected', attempts: 1, reason: 'one of them is wrong' },
      { email: 'u93@x.vn', status: 'rejected', attempts: 1, reason: 'one of them is wrong' },
    ])
  })

  it('costs no more than its bound when everything is at fault', async () => {
    start({ destination: { limits: { batch: 100, inFlight: 1 } } })
    await lab.people(persons(100))
    lab.memory.behave = () => ({ refused: 'no' })
    const summary = await lab.run()
    expect(summary).toMatchObject({ delivered: 0, rejected: 100, requests: 1 + 2 * 7 * 5 })
    expect(await lab.query(`select distinct reason from cdp.sync_rows order by 1`)).toEqual([
      { reason: 'batch refused, row not isolated: no' },
      { reason: 'no' },
    ])
  })
})

describe('a connector that misbehaves', () => {
  it.each([
    ['too few outcomes', () => [{ status: 'delivered' } as const]],
    ['no list', () => undefined as never],
    ['a made-up outcome', (): never => Array.from({ length: 3 }, () => ({ status: 'perhaps' })) as never],
  ])('by %s leaves its rows unknown and is told as a fault of it', async (_what, answer) => {
    start()
    await lab.people(persons(3))
    const behave = answer() === undefined ? () => 'nonsense' as never : answer
    lab.memory.behave = behave
    const result = await lab.runAll()
    expect(result.exitKind).toBe('bug')
    expect(result.summaries[0]).toMatchObject({ unknown: 3, delivered: 0, error: { code: 'SYNC_CONNECTOR' } })
  })

  it('by throwing something that is no error of ours stops the sync', async () => {
    start({ destination: { limits: { batch: 1, inFlight: 1 } } })
    await lab.people(persons(3))
    lab.memory.behave = () => {
      throw new TypeError('x is not a function')
    }
    const result = await lab.runAll()
    expect(result.exitKind).toBe('bug')
    expect(result.summaries[0]).toMatchObject({ status: 'failed', unknown: 1, waiting: 2 })
  })
})

describe('jobs', () => {
  const intoJob = (): void => {
    lab.memory.behave = (changes) => changes.map(() => ({ status: 'pending', job: 'j1' }))
  }

  it('are asked for until they are over', async () => {
    start()
    await lab.people(persons(3))
    intoJob()
    let asked = 0
    lab.memory.poll = (_job, changes) =>
      changes.map((change) => {
        if (++asked <= 3) return { status: 'pending', job: 'j1' }
        return change.key['email'] === 'u2@x.vn' ? { status: 'rejected', reason: 'dead' } : { status: 'delivered' }
      })
    expect(await lab.run()).toMatchObject({
      status: 'done',
      delivered: 2,
      rejected: 1,
      pending: 0,
      sent: { upsert: 3 },
    })
    expect(await rows()).toEqual([{ email: 'u2@x.vn', status: 'rejected', attempts: 1, reason: 'dead' }])
  })

  it('outlive the run, keep newer versions waiting, and then only the newest is sent', async () => {
    start()
    await lab.people(persons(2))
    intoJob()
    lab.memory.poll = (_job, changes) => changes.map(() => ({ status: 'pending', job: 'j1' }))
    expect(await lab.run()).toMatchObject({ pending: 2, delivered: 0 })
    healthy()
    await lab.people([{ person_id: 'p1', email: 'u1@x.vn', name: 'Newer' }, ...persons(1, 2)])
    expect(await lab.run()).toMatchObject({
      pending: 2,
      sent: { upsert: 0 },
      plan: { rows: { pending: 2, toSend: 0 } },
    })
    lab.memory.poll = undefined
    const settled = await lab.run()
    expect(settled).toMatchObject({ pending: 0, delivered: 2 })
    expect(lab.memory.polls.at(-1)?.changes.map((change) => change.key['email'])).toEqual(['u1@x.vn', 'u2@x.vn'])
    expect(await lab.run()).toMatchObject({ delivered: 1, plan: { sends: [{ why: 'changed', rows: 1 }] } })
    expect(lab.memory.held.get('u1@x.vn')).toEqual({ name: 'Newer' })
    expect(await lab.run()).toMatchObject({ reason: 'nothing changed and nothing is due' })
  })
})

describe('an interrupt', () => {
  it('finishes the calls in flight, and the rest goes out with the next run', async () => {
    start({ destination: { limits: { batch: 1, inFlight: 1 } } })
    await lab.people(persons(10))
    const stop = new AbortController()
    lab.memory.behave = (_changes, call) => {
      if (call === 4) stop.abort(new CdpError('INTERRUPTED', { what: 'by hand' }))
      return undefined
    }
    const result = await lab.runAll({ signal: stop.signal })
    expect(result.exitKind).toBe('interrupted')
    expect(result.summaries[0]).toMatchObject({ status: 'interrupted', delivered: 4, waiting: 6, unknown: 0 })
    healthy()
    expect(await lab.run()).toMatchObject({ delivered: 6 })
    expect(lab.memory.calls).toHaveLength(10)
  })
})

describe('limits', () => {
  it('of rows, bytes and calls at once are kept', async () => {
    start({ destination: { limits: { batch: 7, bytes: 700, inFlight: 3 } } })
    await lab.people(persons(40))
    let open = 0
    let most = 0
    lab.memory.behave = async (changes) => {
      most = Math.max(most, ++open)
      await new Promise((resolve) => setTimeout(resolve, 2))
      open -= 1
      return changes.map(() => ({ status: 'delivered' }) as const)
    }
    await lab.run()
    expect(most).toBe(3)
    expect(Math.max(...lab.memory.calls.map((call) => call.length))).toBeLessThanOrEqual(7)
    expect(Math.max(...lab.memory.calls.map((call) => JSON.stringify(call).length))).toBeLessThanOrEqual(702)
    expect(lab.memory.calls.flat()).toHaveLength(40)
  })

  it('of calls in a span of time are kept in every span, and used up', async () => {
    start({ destination: { limits: { batch: 1, inFlight: 4, rate: { calls: 5, perMs: 1000 } } } })
    await lab.people(persons(23))
    const at: number[] = []
    lab.memory.behave = () => {
      at.push(lab.clock.now())
      return undefined
    }
    const plan = await lab.plan()
    expect(plan).toMatchObject({ calls: 23, leastMs: 4000 })
    await lab.run()
    const spans = at.slice(5).map((time, n) => time - (at[n] ?? 0))
    expect(Math.min(...spans)).toBeGreaterThanOrEqual(1000)
    expect((at.at(-1) ?? 0) - (at[0] ?? 0)).toBe(4000)
  })
})

describe('a record of the vendor behind two keys', () => {
  it('is not taken away by the old key while the new one is wanted', async () => {
    start()
    const answer = (removal: Outcome): void => {
      lab.memory.behave = (changes) =>
        changes.map((change) =>
          change.operation === 'remove' ? removal : { status: 'delivered', reference: 'record-7' },
        )
    }
    answer({ status: 'rejected', reason: 'locked' })
    await lab.people(persons(1))
    await lab.run()
    await lab.people([{ person_id: 'p1', email: 'new@x.vn', name: 'Name 1' }])
    // The removal went first and failed; then the same record was added under its new key.
    expect(await lab.run()).toMatchObject({ rejected: 1, delivered: 1 })
    answer({ status: 'delivered' })
    lab.clock.advance(minutes(60))
    expect(await lab.run()).toMatchObject({ requests: 0, removed: 0 })
    expect(await lab.query(`select reason from cdp.sync_log where event = 'plan'`)).toEqual([
      { reason: 'another key of the same record is wanted' },
    ])
    expect(lab.memory.calls.at(-1)?.map((change) => change.operation)).toEqual(['upsert'])
  })

  it('is named to the connector by its reference from then on', async () => {
    start()
    lab.memory.behave = (changes) => changes.map(() => ({ status: 'delivered', reference: 'record-7' }))
    await lab.people(persons(1))
    await lab.run()
    await lab.people([{ person_id: 'p1', email: 'u1@x.vn', name: 'Other' }])
    await lab.run()
    await lab.people(persons(1, 2))
    await lab.run()
    expect(lab.memory.calls.flat().map((change) => change.reference)).toEqual([
      undefined,
      'record-7',
      'record-7',
      undefined,
    ])
  })
})

describe('fast hashes of another engine', () => {
  it('are made anew, and nothing is taken for new or gone', async () => {
    start({ key: { email: 'email', name: 'name' }, map: { id: 'person_id' } })
    await lab.people(persons(5))
    await lab.run()
    await lab.query(`update cdp.sync_rows set match = match + 1, seen = seen + 1`)
    await lab.query(`update cdp.syncs set hashing = 'older'`)
    await lab.people(persons(5))
    expect(await lab.plan()).toMatchObject({ rows: { inSync: 5, toSend: 0, toRemove: 0 } })
    expect(await lab.run()).toMatchObject({ requests: 0, plan: { rows: { inSync: 5 } } })
  })
})
