// Any schedule of faults and deaths, with the data changing in between: once it is quiet again, the destination holds what is wanted,
// and every message went out at most once. A failing case is printed with its seed; replay it with
// CDP_SEED=… CDP_PATH=…, make it small with CDP_SHRINK=1, look further with CDP_SEEDS=1000.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CdpError } from '../../src/core/errors.ts'
import type { Change, Outcome, WriteResult } from '../../src/sync/destination.ts'
import type { SeamPoint } from '../../src/sync/seam.ts'
import { createLab, type Lab, keyOf, take } from './lab.ts'

interface Person {
  readonly id: number
  readonly key: number | null
  readonly name: number | null
  readonly city: number
  readonly consent: boolean | null
}

type Fault =
  | 'fine'
  | 'lost'
  | 'unsent'
  | 'retry'
  | 'later'
  | 'rejected'
  | 'refused'
  | 'job'
  | 'throws'
  | 'auth'
  | 'short'

interface Step {
  readonly people: readonly Person[]
  /** What the destination does with call 1, 2, … of this run; fine after that. */
  readonly faults: readonly Fault[]
  /** At which point of the run the process dies; undefined: it lives. */
  readonly diesAt: number | undefined
}

const person = (id: number): fc.Arbitrary<Person> =>
  fc.record({
    id: fc.constant(id),
    // Few keys for many persons: they are shared, swapped and inherited.
    key: fc.oneof(
      { weight: 12, arbitrary: fc.integer({ min: 0, max: 9 }) },
      { weight: 1, arbitrary: fc.constant(null) },
    ),
    name: fc.option(fc.integer({ min: 0, max: 2 })),
    city: fc.integer({ min: 0, max: 1 }),
    consent: fc.oneof(
      { weight: 6, arbitrary: fc.constant(true) },
      { weight: 1, arbitrary: fc.constantFrom(false, null) },
    ),
  })

const people: fc.Arbitrary<Person[]> = fc
  .subarray([1, 2, 3, 4, 5, 6, 7], { minLength: 1 })
  .chain((ids) => fc.tuple(...ids.map(person)))

const step = (kinds: readonly Fault[]): fc.Arbitrary<Step> =>
  fc.record({
    people,
    faults: fc.array(fc.constantFrom<Fault>(...kinds), { maxLength: 6 }),
    diesAt: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
  })

class Death extends Error {}

const stateFaults: readonly Fault[] = [
  'fine',
  'lost',
  'unsent',
  'retry',
  'later',
  'rejected',
  'refused',
  'job',
  'throws',
  'auth',
  'short',
]
const messageFaults: readonly Fault[] = [
  'fine',
  'lost',
  'retry',
  'later',
  'rejected',
  'refused',
  'job',
  'throws',
  'auth',
]

/** The outcome of one call under a fault, and which of its changes really arrive. */
const suffer = (
  lab: Lab,
  fault: Exclude<Fault, 'fine'>,
  changes: readonly Change[],
  arrived: (change: Change) => void,
): WriteResult => {
  const all = (outcome: Outcome): readonly Outcome[] => changes.map(() => outcome)
  switch (fault) {
    case 'lost':
      for (const change of changes) arrived(change)
      return all({ status: 'unknown', reason: 'reset after it was read' })
    case 'unsent':
      return all({ status: 'unknown', reason: 'reset before it was read' })
    case 'retry':
      return all({ status: 'retry', reason: '503' })
    case 'later':
      return all({ status: 'retry', reason: '429', afterMs: 400_000 })
    case 'rejected':
      return changes.map((_, at): Outcome =>
        at === 0 ? { status: 'rejected', reason: 'bad' } : { status: 'delivered' },
      )
    case 'refused':
      return changes.length > 1 ? { refused: 'one of them' } : all({ status: 'delivered' })
    case 'job': {
      const job = `j${lab.memory.calls.length}`
      const ended = new Set<string>()
      const before = lab.memory.poll
      // What was taken into the job arrives when it is over, as it was given, and once.
      lab.memory.poll = (asked, inJob) => {
        if (asked !== job) return before?.(asked, inJob) ?? []
        if (!ended.has(job)) for (const change of changes) arrived(change)
        ended.add(job)
        return inJob.map(() => ({ status: 'delivered' }))
      }
      return all({ status: 'pending', job })
    }
    case 'throws':
      throw new CdpError('DESTINATION_FILE', { path: 'x', reason: 'broken pipe' })
    case 'auth':
      throw new CdpError('DESTINATION_AUTH', { destination: 'memory', target: 'memory', reason: '401' })
    case 'short':
      return []
    default:
      return fault satisfies never
  }
}

const load = async (lab: Lab, rows: readonly Person[]): Promise<void> => {
  await lab.people(
    rows.map((row) => ({
      person_id: `p${row.id}`,
      email: row.key === null ? null : `k${row.key}`,
      name: row.name === null ? null : `n${row.name}`,
      city: `c${row.city}`,
    })),
  )
  const said = rows.filter((row) => row.consent !== null).map((row) => `('p${row.id}', 'mail', ${row.consent})`)
  await lab.model(
    'consent',
    `select * from (values ${[...said, `('x', 'mail', true)`].join(', ')}) t(person_id, purpose, granted)`,
  )
}

/** What the rows ask for: fields by key; keys that must not be there; keys left as they are, whatever that is. */
const wantedOf = (rows: readonly Person[]): { wanted: Map<string, Record<string, string>>; frozen: Set<string> } => {
  const refused = new Set(rows.filter((row) => row.consent === false).map((row) => row.key))
  const eligible = rows.filter((row) => row.consent === true && row.key !== null && !refused.has(row.key))
  const byKey = new Map<string, Person[]>()
  for (const row of eligible) byKey.set(`k${row.key}`, [...(byKey.get(`k${row.key}`) ?? []), row])
  const wanted = new Map<string, Record<string, string>>()
  const frozen = new Set<string>()
  for (const [key, [first, ...more]] of byKey) {
    if (more.length > 0) frozen.add(key)
    else if (first !== undefined) {
      wanted.set(key, { ...(first.name === null ? {} : { name: `n${first.name}` }), city: `c${first.city}` })
    }
  }
  return { wanted, frozen }
}

const expected: ReadonlySet<string> = new Set(['SYNC_DOWN', 'SYNC_CONNECTOR', 'DESTINATION_AUTH', 'SYNC_GUARDED'])

const play = async (lab: Lab, steps: readonly Step[], arrived: (change: Change) => void): Promise<void> => {
  const alive = new Set<number>()
  let pid = 0
  for (const { people: rows, faults, diesAt } of steps) {
    await load(lab, rows)
    const me = ++pid
    alive.add(me)
    let dead = false
    let points = 0
    const seam = (_point: SeamPoint): void => {
      points += 1
      if (points === diesAt) dead = true
      if (dead) throw new Death(`died at point ${points}`)
    }
    let call = 0
    lab.memory.behave = (changes) => {
      if (dead) throw new Death()
      const fault = faults[call++] ?? 'fine'
      return fault === 'fine' ? undefined : suffer(lab, fault, changes, arrived)
    }
    const owners = {
      self: { host: 'here', pid: me, began: String(me) },
      isAlive: (owner: { pid: number }) => alive.has(owner.pid),
    }
    try {
      const { error } = await lab.run({ seam, owners, allow: new Set(['first-run']), tuning: { window: 4, foldMs: 1 } })
      if (error !== undefined && !expected.has((error as CdpError).code)) throw error
    } catch (error) {
      if (!(error instanceof Death) && !dead) throw error
    }
    if (dead) alive.delete(me)
    lab.clock.advance(1000)
  }
}

/** Runs without faults until nothing is left to do. */
const calm = async (lab: Lab): Promise<void> => {
  lab.memory.behave = () => undefined
  for (let run = 0; run < 6; run++) {
    lab.clock.advance(1_500_000)
    const owners = { self: { host: 'here', pid: -1, began: '' }, isAlive: () => false }
    const summary = await lab.run({ owners, retryRejected: run === 0, allow: new Set(['first-run']) })
    if (summary.status === 'unchanged' && summary.plan.rows.source === 0) return
  }
  throw new Error('it does not become quiet')
}

const account = async (lab: Lab): Promise<void> => {
  const [ledger] = await lab.query<{ n: number; keys: number }>(
    'select count(*) as n, count(distinct key_hash) as keys from cdp.sync_rows',
  )
  expect(ledger?.n).toBe(ledger?.keys)
  const [log] = await lab.query<{ n: number; ids: number }>(
    'select count(*) as n, count(distinct (epoch, seq)) as ids from cdp.sync_log',
  )
  expect(log?.n).toBe(log?.ids)
  expect(await lab.query('select 1 from cdp.sync_plan')).toEqual([])
  const { rows } = await lab.plan({ retryRejected: true })
  expect(rows.source).toBe(rows.withheld + rows.skipped + rows.eligible)
  expect(rows.eligible).toBe(rows.inSync + rows.toSend + rows.waiting + rows.pending + rows.unknown)
}

const parameters = (runs: number): fc.Parameters<unknown> => ({
  numRuns: Number(process.env['CDP_SEEDS'] ?? runs),
  ...(process.env['CDP_SEED'] === undefined ? {} : { seed: Number(process.env['CDP_SEED']) }),
  ...(process.env['CDP_PATH'] === undefined ? {} : { path: process.env['CDP_PATH'] }),
  endOnFailure: process.env['CDP_SHRINK'] === undefined,
})

describe('after any faults and deaths', () => {
  it('the destination holds what is wanted, and the books are right', { timeout: 3_600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step(stateFaults), { minLength: 1, maxLength: 5 }), people, async (steps, last) => {
        const lab = createLab(
          {
            map: { name: 'name', city: 'city' },
            purpose: 'mail',
            guard: { allowEmpty: true },
            destination: { limits: { batch: 2, inFlight: 2 } },
          },
          { consent: 'consent' },
        )
        try {
          await play(lab, steps, (change) => take(lab.memory, change))
          await load(lab, last)
          await calm(lab)
          const { wanted, frozen } = wantedOf(last)
          for (const [key, fields] of wanted) expect(lab.memory.held.get(key)).toMatchObject(fields)
          for (const key of lab.memory.held.keys()) expect(wanted.has(key) || frozen.has(key)).toBe(true)
          await account(lab)
          // What the ledger calls delivered is there, and nothing is there that it does not at least call possible.
          const rows = await lab.query<{ key: string; status: string; held: boolean }>(
            `select key ->> 'email' as key, status, held from cdp.sync_rows`,
          )
          const delivered = rows.filter((row) => row.status === 'delivered')
          for (const row of delivered) expect(lab.memory.held.has(row.key)).toBe(true)
          const possible = new Set(rows.filter((row) => row.held).map((row) => row.key))
          for (const key of lab.memory.held.keys()) expect(possible.has(key)).toBe(true)
        } finally {
          await lab.close()
        }
      }),
      parameters(20),
    )
  })

  it('every message went out at most once, and none was forgotten', { timeout: 3_600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step(messageFaults), { minLength: 1, maxLength: 5 }), people, async (steps, last) => {
        const lab = createLab(
          {
            mode: 'append',
            map: { name: 'name' },
            purpose: 'mail',
            destination: { semantics: 'message', limits: { batch: 2, inFlight: 2 } },
          },
          { consent: 'consent' },
        )
        const sent: string[] = []
        const arrived = (change: Change): void => {
          sent.push(keyOf(change.key))
        }
        lab.memory.held.set = (key, value) => {
          sent.push(key)
          return Map.prototype.set.call(lab.memory.held, key, value) as typeof lab.memory.held
        }
        try {
          await play(lab, steps, arrived)
          await load(lab, last)
          await calm(lab)
          expect(sent.length).toBe(new Set(sent).size)
          const undecided = await lab.query<{ key: string }>(
            `select key ->> 'email' as key from cdp.sync_rows where status = 'unknown'`,
          )
          const known = new Set([...sent, ...undecided.map((row) => row.key)])
          for (const key of wantedOf(last).wanted.keys()) expect(known.has(key)).toBe(true)
          await account(lab)
        } finally {
          await lab.close()
        }
      }),
      parameters(12),
    )
  })
})
