// Making the plan of one sync: the diff, what it counts to, and the guards.
import { CdpError } from '../core/errors.ts'
import type { JsonObject } from '../core/json.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { consentDoubt, isOlder } from './consent.ts'
import type { Change, Operation } from './destination.ts'
import { diffStatement } from './diff.ts'
import { type GuardName, type TrippedGuard, trippedGuards } from './guards.ts'
import { stateTable } from '../warehouse/state-sql.ts'
import { skippedSelect } from './listing.ts'
import { emptyPlan, type PlanRows, type SyncPlan, type Why } from './plan.ts'
import { type Shape, shapeOf } from './shape.ts'
import type { DiffFacts } from './source.ts'
import { isMessage, type SyncInput, type SyncSpec, takesSnapshot } from './spec.ts'
import { inputVersions, type SyncWorld } from './state.ts'

/** A plan with what performing it needs. The scratch relation `target` (as SQL) lives as long as the warehouse is open. */
export interface Prepared {
  readonly plan: SyncPlan
  readonly input: SyncInput
  readonly shape: Shape | undefined
  readonly target: string
  readonly epoch: number
  readonly inputs: string | undefined
  /** JSON: what the fields are made of, to be remembered. */
  readonly map: string
  readonly hashing: string
  /** Whether the sync is known to the ledger. */
  readonly isKnown: boolean
  /** What the plan's relation says is to be done, without how often. */
  readonly actions: ReadonlySet<string>
  /** Keys decided without a call; the journal's entries are numbered after them. */
  readonly decided: number
  /** Which of the planned sends may go out. */
  readonly open: 'all' | 'consent' | 'none'
}

export interface PlanOptions {
  /** ISO: the run's instant, by which freshness is judged. */
  readonly instant: string
  /** Milliseconds: by which retries are due. */
  readonly now: number
  readonly allow: ReadonlySet<string>
  readonly retryRejected: boolean
}

interface Counted {
  readonly action: string
  readonly why: Why
  readonly operation: Operation
  readonly usable: boolean
  readonly n: number
}

/** Throws SYNC_FROM_MISSING, SYNC_COLUMN, SYNC_PERSON. Writes nothing but a temporary relation. */
export const preparePlan = async (
  warehouse: Warehouse,
  input: SyncInput,
  world: SyncWorld,
  options: PlanOptions,
): Promise<Prepared> => {
  const { spec } = input
  if (spec.purpose !== undefined && input.consent === undefined) {
    throw new CdpError('SYNC_CONSENT', { sync: spec.id, purpose: spec.purpose })
  }
  const state = world.states.get(spec.id)
  const epoch = (state?.epoch ?? 0) + 1
  const scratch = `plan of ${spec.id}`
  const target = warehouse.name({ schema: 'scratch', name: scratch })
  const doubt = await consentDoubt(warehouse, input, world, options.instant)
  const lastMap = state?.map ?? '{}'
  const isKnown = state !== undefined
  // What is known was hashed anew where it had to be.
  const hashing = state?.hashing ?? (await hashingOf(warehouse))
  const base = { input, target, epoch, inputs: inputVersions(input, world), hashing, isKnown }
  if (doubt !== undefined && !options.allow.has('consent')) {
    const guards: TrippedGuard[] = [{ name: 'consent', reason: doubt }]
    const plan: SyncPlan = { ...emptyPlan(spec), status: 'guarded', reason: doubt, guards }
    return { ...base, plan, shape: undefined, map: lastMap, actions: new Set(), decided: 0, open: 'none' }
  }
  const shape = await shapeOf(warehouse, input)
  const facts: DiffFacts = {
    epoch,
    now: new Date(options.now).toISOString(),
    retryRejected: options.retryRejected,
    lastMap: JSON.parse(lastMap) as Record<string, string>,
  }
  await warehouse.makeScratch(scratch, diffStatement(warehouse, input, shape, facts))
  const all = await warehouse.all<Counted & { readonly record: string | null }>(
    `select p.action, p.why, p.operation, coalesce(p.usable, false) as usable, count(*) as n,
       max(case when p.action = 'totals' then p.record end) as record from ${target} as p
     group by p.action, p.why, p.operation, p.usable order by p.action, p.why, p.operation, p.usable`,
  )
  const counted = all.filter((c) => c.action !== 'totals')
  const totals = JSON.parse(all.find((c) => c.action === 'totals')?.record ?? nothing) as Totals
  const guards = await guardsOf(warehouse, input, world, options, counted, totals)
  const rows = rowsOf(counted, totals)
  const sends = counted.filter((c) => c.action === 'send').map(({ operation, why, n }) => ({ operation, why, rows: n }))
  const polls = counted.some((c) => c.action === 'poll')
  const open = guards.length === 0 ? 'all' : takesSnapshot(spec) ? 'none' : 'consent'
  const plan: SyncPlan = {
    ...emptyPlan(spec),
    status: guards.length > 0 ? 'guarded' : sends.length === 0 && !polls ? 'unchanged' : 'ready',
    reason: guards.length > 0 ? guards.map((guard) => guard.reason).join('; ') : undefined,
    rows,
    skipped: rows.skipped === 0 ? {} : await skippedBy(warehouse, input, shape),
    sends,
    guards,
    samples: sends.length === 0 ? [] : await samplesOf(warehouse, target),
    ...callsOf(input, rows),
  }
  const decided = guards.length > 0 ? 0 : sum(counted, (c) => c.action === 'settle' || c.action === 'forget')
  const map = guards.length > 0 ? lastMap : JSON.stringify(shape.map)
  return { ...base, plan, shape, map, actions: new Set(counted.map((c) => c.action)), decided, open }
}

const hashingOf = async (warehouse: Warehouse): Promise<string> => {
  const [probe] = await warehouse.all<{ hashing: string }>(`select ${warehouse.dialect.values.hashingProbe} as hashing`)
  return probe?.hashing ?? ''
}

interface Totals {
  readonly rows: number
  readonly withheld: number
  readonly skipped: number
}

const nothing = '{"rows":0,"withheld":0,"skipped":0}'

const sum = (counted: readonly Counted[], which: (c: Counted) => boolean): number =>
  counted.reduce((total, c) => (which(c) ? total + c.n : total), 0)

const rowsOf = (counted: readonly Counted[], totals: Totals): PlanRows => {
  const eligible = totals.rows - totals.withheld - totals.skipped
  const of = (action: string, usable: boolean): number =>
    sum(counted, (c) => c.action === action && c.usable === usable)
  const [toSend, waiting, pending] = [of('send', true), of('wait', true), of('poll', true)]
  const unknown = of('lost', true)
  return {
    source: totals.rows,
    withheld: totals.withheld,
    skipped: totals.skipped,
    eligible,
    inSync: eligible - toSend - waiting - pending - unknown,
    toSend,
    waiting,
    pending,
    unknown,
    toRemove: of('send', false),
    removalsWaiting: of('wait', false),
    removalsPending: of('poll', false),
    frozen: of('frozen', false),
    stuck: of('stuck', false),
  }
}

const guardsOf = async (
  warehouse: Warehouse,
  input: SyncInput,
  world: SyncWorld,
  options: PlanOptions,
  counted: readonly Counted[],
  totals: Totals,
): Promise<TrippedGuard[]> => {
  const { spec } = input
  const { keys, held } = asksLedger(spec, totals) ? await ledgerOf(warehouse, spec.id) : { keys: 0, held: 0 }
  const version = world.versions.get(spec.from)
  const sends = (why: readonly Why[]): number => sum(counted, (c) => c.action === 'send' && why.includes(c.why))
  const tripped: TrippedGuard[] = []
  if (version?.status === 'failed') {
    tripped.push({ name: 'failed', reason: `the last build of ${spec.from}, or one of its tests, failed` })
  }
  if (input.fromFreshnessMs !== undefined && isOlder(version?.built_at, options.instant, input.fromFreshnessMs)) {
    tripped.push({ name: 'stale', reason: `${spec.from} is older than it may be` })
  }
  if (isMessage(spec) && keys === 0 && sends(['added']) > 0) {
    tripped.push({ name: 'first-run', reason: `it sends messages, ${sends(['added'])} of them, for the first time` })
  }
  tripped.push(
    ...trippedGuards(spec.guard, {
      additions: sends(['added']),
      changes: sends(['changed', 'map']),
      removals: sends(['left']),
      held,
      sourceRows: totals.rows,
    }),
  )
  return tripped.filter((guard) => !options.allow.has(guard.name satisfies GuardName))
}

/** Whether a guard may depend on how much is there. */
const asksLedger = (spec: SyncSpec, totals: Totals): boolean =>
  isMessage(spec) || totals.rows === 0 || Object.values(spec.guard).some((bound) => typeof bound === 'string')

const ledgerOf = async (warehouse: Warehouse, sync: string): Promise<{ keys: number; held: number }> => {
  const [found] = await warehouse.all<{ n: number; held: number }>({
    sql: `select count(*) as n, count(case when r.held then 1 end) as held
      from ${stateTable(warehouse, 'sync_rows')} as r where r.sync = $1`,
    parameters: [sync],
  })
  return { keys: found?.n ?? 0, held: found?.held ?? 0 }
}

const skippedBy = async (
  warehouse: Warehouse,
  input: SyncInput,
  shape: Shape,
): Promise<Readonly<Record<string, number>>> => {
  const found = await warehouse.all<{ reason: string; n: number }>(
    `select s.reason, count(*) as n from (${skippedSelect(warehouse, input, shape)}) as s group by s.reason order by s.reason`,
  )
  return Object.fromEntries(found.map(({ reason, n }) => [reason, n]))
}

const samplesOf = async (warehouse: Warehouse, target: string): Promise<Change[]> => {
  const rows = await warehouse.all<{
    operation: Operation
    change_id: string
    key: string
    record: string
    reference: string | null
  }>(
    `select p.operation, p.change_id, p.key, p.record, p.reference from ${target} as p where p.action = 'send'
     qualify row_number() over (partition by p.operation order by p.key) = 1 order by p.operation`,
  )
  return rows.map((row) => ({
    operation: row.operation,
    id: row.change_id,
    key: JSON.parse(row.key) as JsonObject,
    record: JSON.parse(row.record) as JsonObject,
    ...(row.reference === null ? {} : { reference: row.reference }),
  }))
}

const callsOf = ({ spec }: SyncInput, rows: PlanRows): { calls: number; leastMs: number } => {
  const { batch, rate } = spec.destination.limits
  if (takesSnapshot(spec)) return { calls: rows.toSend + rows.toRemove > 0 ? 1 : 0, leastMs: 0 }
  const calls = Math.ceil(rows.toSend / batch) + Math.ceil(rows.toRemove / batch)
  return { calls, leastMs: rate === undefined ? 0 : Math.floor(Math.max(0, calls - 1) / rate.calls) * rate.perMs }
}
