// The plan of one sync: what would be sent, why, and what stands in the way. `cdp plan` prints it and `cdp sync` performs the same
// object, so that a dry run cannot disagree with the run.
import type { JsonObject } from '../core/json.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { consentDoubt, isOlder } from './consent.ts'
import type { Change, Mode, Operation } from './destination.ts'
import { diffStatement } from './diff.ts'
import { type GuardName, type TrippedGuard, trippedGuards } from './guards.ts'
import { skippedSelect } from './listing.ts'
import { type Shape, shapeOf } from './shape.ts'
import type { DiffFacts } from './source.ts'
import { isMessage, type SyncInput, takesSnapshot } from './spec.ts'
import { inputVersions, type SyncWorld } from './state.ts'
import { hashingProbe } from './values.ts'

/** Why a row goes out: it is new · its data changed · only the map did · an earlier attempt has to be made again (`retry`, `unknown`) · it left · consent. */
export type Why = 'added' | 'changed' | 'map' | 'retry' | 'unknown' | 'left' | 'consent'

export interface PlannedSend {
  readonly operation: Operation
  readonly why: Why
  readonly rows: number
}

export interface PlanRows {
  /** Rows of `from` = withheld + skipped + eligible. */
  readonly source: number
  readonly withheld: number
  readonly skipped: number
  readonly eligible: number
  /** Eligible = inSync + toSend + waiting + pending + unknown. */
  readonly inSync: number
  readonly toSend: number
  /** Rejected or put off, and their time has not come. */
  readonly waiting: number
  readonly pending: number
  /** Messages of which nobody can say whether they were sent. */
  readonly unknown: number
  /** Keys that no row wants: to be removed · put off, pending · kept because their row is skipped · that cannot be removed. */
  readonly toRemove: number
  readonly removalsWaiting: number
  readonly removalsPending: number
  readonly frozen: number
  readonly stuck: number
}

export interface SyncPlan {
  readonly sync: string
  readonly from: string
  readonly destination: string
  readonly target: string
  readonly mode: Mode
  readonly takes: 'changes' | 'snapshot'
  /** `guarded`: nothing is sent but removals for consent, or nothing at all where consent is in doubt. */
  readonly status: 'ready' | 'unchanged' | 'guarded'
  readonly reason: string | undefined
  readonly rows: PlanRows
  readonly skipped: Readonly<Record<string, number>>
  /** What goes out if no guard holds it back. */
  readonly sends: readonly PlannedSend[]
  readonly guards: readonly TrippedGuard[]
  /** One change of each operation, as it would go out. */
  readonly samples: readonly Change[]
  /** Calls needed and the least time the limits allow for them. */
  readonly calls: number
  readonly leastMs: number
}

/** A plan with what performing it needs. The relation `target` lives as long as the warehouse is open. */
export interface Prepared {
  readonly plan: SyncPlan
  readonly input: SyncInput
  readonly shape: Shape | undefined
  readonly target: string
  readonly epoch: number
  readonly inputs: string | undefined
  readonly hashing: string
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
  readonly rows: number
}

/** A plan of a sync at which nothing changed and nothing is due; nothing was read for it. */
export const quietPlan = ({ spec }: SyncInput): SyncPlan => ({
  ...emptyPlan(spec),
  status: 'unchanged',
  reason: 'nothing changed and nothing is due',
})

const emptyPlan = (spec: SyncInput['spec']): SyncPlan => ({
  sync: spec.id,
  from: spec.from,
  destination: spec.destination.name,
  target: spec.destination.target,
  mode: spec.mode,
  takes: spec.destination.takes,
  status: 'ready',
  reason: undefined,
  rows: {
    source: 0,
    withheld: 0,
    skipped: 0,
    eligible: 0,
    inSync: 0,
    toSend: 0,
    waiting: 0,
    pending: 0,
    unknown: 0,
    toRemove: 0,
    removalsWaiting: 0,
    removalsPending: 0,
    frozen: 0,
    stuck: 0,
  },
  skipped: {},
  sends: [],
  guards: [],
  samples: [],
  calls: 0,
  leastMs: 0,
})

/** Throws SYNC_FROM_MISSING, SYNC_COLUMN, SYNC_PERSON. Writes nothing but a temporary relation. */
export const preparePlan = async (
  warehouse: Warehouse,
  input: SyncInput,
  world: SyncWorld,
  options: PlanOptions,
): Promise<Prepared> => {
  const { spec } = input
  const state = world.states.get(spec.id)
  const epoch = (state?.epoch ?? 0) + 1
  const target = warehouse.quote(`plan of ${spec.id}`)
  const doubt = await consentDoubt(warehouse, input, world, options.instant)
  const [probe] = await warehouse.all<{ hashing: string }>(`select ${hashingProbe} as hashing`)
  const base = { input, target, epoch, inputs: inputVersions(input, world), hashing: probe?.hashing ?? '' }
  if (doubt !== undefined && !options.allow.has('consent')) {
    const guards: TrippedGuard[] = [{ name: 'consent', reason: doubt }]
    const plan: SyncPlan = { ...emptyPlan(spec), status: 'guarded', reason: doubt, guards }
    return { ...base, plan, shape: undefined, open: 'none' }
  }
  const shape = await shapeOf(warehouse, input)
  const facts: DiffFacts = {
    epoch,
    now: new Date(options.now).toISOString(),
    retryRejected: options.retryRejected,
    lastMap: state === undefined ? shape.map : (JSON.parse(state.map) as Record<string, string>),
  }
  await warehouse.run(diffStatement(warehouse, input, shape, facts, target))
  const counted = await warehouse.all<Counted>(
    `select action, why, operation, coalesce(usable, false) as usable, count(*) as rows from ${target}
     where action <> 'totals' group by action, why, operation, usable order by action, why, operation`,
  )
  const guards = await guardsOf(warehouse, input, world, options, counted, await totalsOf(warehouse, target))
  const rows = rowsOf(counted, await totalsOf(warehouse, target))
  const sends = counted
    .filter((c) => c.action === 'send')
    .map(({ operation, why, rows: n }) => ({ operation, why, rows: n }))
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
    samples: await samplesOf(warehouse, target),
    ...callsOf(input, rows),
  }
  return { ...base, plan, shape, open }
}

interface Totals {
  readonly rows: number
  readonly withheld: number
  readonly skipped: number
}

const totalsOf = async (warehouse: Warehouse, target: string): Promise<Totals> => {
  const [row] = await warehouse.all<{ record: string }>(`select record from ${target} where action = 'totals'`)
  return row === undefined ? { rows: 0, withheld: 0, skipped: 0 } : (JSON.parse(row.record) as Totals)
}

const sum = (counted: readonly Counted[], which: (c: Counted) => boolean): number =>
  counted.reduce((total, c) => (which(c) ? total + c.rows : total), 0)

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
  const [ledger] = await warehouse.all<{ keys: number; held: number }>({
    sql: 'select count(*) as keys, count(*) filter (held) as held from cdp.sync_rows where sync = $1',
    parameters: [spec.id],
  })
  const version = world.versions.get(spec.from)
  const sends = (why: readonly Why[]): number => sum(counted, (c) => c.action === 'send' && why.includes(c.why))
  const tripped: TrippedGuard[] = []
  if (version?.status === 'failed') {
    tripped.push({ name: 'failed', reason: `the last build of ${spec.from}, or one of its tests, failed` })
  }
  if (input.fromFreshnessMs !== undefined && isOlder(version?.built_at, options.instant, input.fromFreshnessMs)) {
    tripped.push({ name: 'stale', reason: `${spec.from} is older than it may be` })
  }
  if (isMessage(spec) && (ledger?.keys ?? 0) === 0 && sends(['added']) > 0) {
    tripped.push({ name: 'first-run', reason: `it sends messages, ${sends(['added'])} of them, for the first time` })
  }
  tripped.push(
    ...trippedGuards(spec.guard, {
      additions: sends(['added']),
      changes: sends(['changed', 'map']),
      removals: sends(['left']),
      held: ledger?.held ?? 0,
      sourceRows: totals.rows,
    }),
  )
  return tripped.filter((guard) => !options.allow.has(guard.name satisfies GuardName))
}

const skippedBy = async (
  warehouse: Warehouse,
  input: SyncInput,
  shape: Shape,
): Promise<Readonly<Record<string, number>>> => {
  const found = await warehouse.all<{ reason: string; rows: number }>(
    `select reason, count(*) as rows from (${skippedSelect(warehouse, input, shape)}) group by reason order by reason`,
  )
  return Object.fromEntries(found.map(({ reason, rows }) => [reason, rows]))
}

const samplesOf = async (warehouse: Warehouse, target: string): Promise<Change[]> => {
  const rows = await warehouse.all<{
    operation: Operation
    change_id: string
    key: string
    record: string
    reference: string | null
  }>(
    `select operation, change_id, key, record, reference from ${target} where action = 'send'
     qualify row_number() over (partition by operation order by key) = 1 order by operation`,
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
