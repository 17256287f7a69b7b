// The start of a run of a sync in the ledger, in one transaction: the rows that go out, what is decided without a call, the rows that
// were kept aside. From here on the process may die at any point.
import type { Warehouse } from '../warehouse/warehouse.ts'
import { planNumber } from './decide.ts'
import { instantOf, stateTable } from '../warehouse/state-sql.ts'
import { skippedSelect } from './listing.ts'
import type { Prepared } from './prepare.ts'
import { takesSnapshot } from './spec.ts'

export interface Begun {
  /** Rows that go out: numbers 1 to this one of the plan, polls included. A snapshot takes all or none. */
  readonly planned: number
  readonly upserts: number
  readonly removes: number
}

export interface BeginFacts {
  readonly runId: string
  /** ISO. */
  readonly now: string
}

/** Which rows of the plan's relation `p` go out, as SQL; undefined when none do. */
export const outgoing = ({ open, input, plan }: Prepared): string | undefined => {
  if (open === 'none' || plan.status === 'unchanged') return undefined
  if (open === 'consent') {
    const asked = plan.sends.some((send) => send.why === 'consent') || plan.rows.pending + plan.rows.removalsPending > 0
    return asked ? `(p.action = 'poll' or (p.action = 'send' and p.why = 'consent'))` : undefined
  }
  // A snapshot is written whole: rows whose nulls changed nothing are in it as they are now.
  return takesSnapshot(input.spec) ? `p.action in ('send', 'same')` : `p.action in ('send', 'poll')`
}

/** Writes the run's start. A plan that a guard holds back changes nothing but what consent asks for. */
export const beginRun = async (warehouse: Warehouse, prepared: Prepared, facts: BeginFacts): Promise<Begun> => {
  const { plan, target, epoch } = prepared
  const sync = warehouse.literal(plan.sync)
  const at = instantOf(warehouse, facts.now)
  const table = stateTable(warehouse, 'sync_plan')
  return warehouse.transaction(async () => {
    const which = outgoing(prepared)
    let planned = 0
    if (which !== undefined) {
      const { changed } = await warehouse.run(
        `insert into ${table}
           (sync, epoch, seq, action, operation, why, key_hash, key, match, row_hash, seen, fields, change_id)
         select ${sync}, ${epoch}, ${planNumber(warehouse)}, case when p.action = 'poll' then 'poll' else 'send' end, p.operation, p.why,
           p.key_hash, p.key, p.match, p.row_hash, p.seen, p.fields, p.change_id
         from ${target} as p where ${which}`,
      )
      planned = changed
    }
    const sends =
      which === undefined ? [] : plan.sends.filter((send) => prepared.open === 'all' || send.why === 'consent')
    const sumOf = (removals: boolean): number =>
      sends.reduce((total, send) => ((send.operation === 'remove') === removals ? total + send.rows : total), 0)
    const [upserts, removes] = [sumOf(false), sumOf(true)]
    if (plan.status !== 'guarded') {
      await decideInLedger(warehouse, prepared, sync, at)
      await keepSkipped(warehouse, prepared, sync)
    }
    await saveState(warehouse, prepared, facts)
    await saveRun(warehouse, prepared, { ...facts, upserts, removes })
    return { planned, upserts, removes }
  })
}

/** What needs no call: keys that are as wanted again, keys that were never there and are wanted no longer, hints made anew. */
const decideInLedger = async (warehouse: Warehouse, prepared: Prepared, sync: string, at: string): Promise<void> => {
  const { target, epoch, decided } = prepared
  const ledger = stateTable(warehouse, 'sync_rows')
  const ofAction = (actions: string): string =>
    `r.match in (select p.match from ${target} as p where p.action in (${actions}))`
  if (decided > 0) {
    await warehouse.run(
      `insert into ${stateTable(warehouse, 'sync_log')} (sync, epoch, seq, event, happened_at, key_hash, operation, row_hash, reason)
     select ${sync}, ${epoch}, row_number() over (order by p.key), 'plan', ${at}, p.key_hash, p.operation, p.row_hash,
       case when p.action = 'settle' then 'what is there is wanted again' else p.why end
     from ${target} as p where p.action in ('settle', 'forget')`,
    )
    await warehouse.run(`delete from ${ledger} as r where r.sync = ${sync} and ${ofAction(`'forget'`)}`)
    await warehouse.run(
      `update ${ledger} as r set status = 'delivered', wanted = p.operation, seen = p.seen, planned_hash = null, planned_fields = null,
         change_id = null, attempts = 0, next_attempt_at = null, reason = null, epoch = ${epoch}, updated_at = ${at}
       from ${target} as p where r.sync = ${sync} and r.match = p.match and p.action = 'settle'`,
    )
  }
  const has = (...names: readonly string[]): boolean => names.some((name) => prepared.actions.has(name))
  // At these nothing can be done until their rows change: they are not due.
  if (has('frozen', 'stuck', 'kept', 'lost'))
    await warehouse.run(
      `update ${ledger} as r set next_attempt_at = null
     where r.sync = ${sync} and r.next_attempt_at is not null and ${ofAction(`'frozen', 'stuck', 'kept', 'lost'`)}`,
    )
  // A snapshot that is not written now must still know then which of its cells differ.
  if (takesSnapshot(prepared.input.spec) || !has('same')) return
  await warehouse.run(
    `update ${ledger} as r set seen = p.seen
     from ${target} as p where r.sync = ${sync} and r.match = p.match and p.action = 'same'`,
  )
}

const keepSkipped = async (warehouse: Warehouse, prepared: Prepared, sync: string): Promise<void> => {
  const { input, shape, plan, epoch } = prepared
  const table = stateTable(warehouse, 'sync_skipped')
  await warehouse.run(`delete from ${table} where sync = ${sync}`)
  if (shape === undefined || plan.rows.skipped === 0) return
  await warehouse.run(
    `insert into ${table} (sync, epoch, row_number, reason, key, person_id)
     select ${sync}, ${epoch}, row_number() over (order by s.reason, s.key, coalesce(s.person_id, '')), s.reason, ${warehouse.dialect.json.of('s.key')}, s.person_id
     from (${skippedSelect(warehouse, input, shape)}) as s`,
  )
}

// The sync is due until its run has ended well: a process that dies must not leave it looking unchanged.
const saveState = async (
  warehouse: Warehouse,
  { plan, input, epoch, inputs, map, hashing, isKnown, decided }: Prepared,
  { now }: BeginFacts,
): Promise<void> => {
  const table = stateTable(warehouse, 'syncs')
  const known = (plan.status === 'guarded' ? undefined : inputs) ?? '[]'
  const values = [plan.sync, epoch, input.spec.fingerprint, map, known, hashing, new Date(now), decided]
  const { json } = warehouse.dialect
  await warehouse.run({
    sql: isKnown
      ? `update ${table} set epoch = $2, definition = $3, map = ${json.of('$4')}, inputs = ${json.of('$5')}, hashing = $6, due_at = $7,
           folded_seq = $8, updated_at = $7 where sync = $1`
      : `insert into ${table} (sync, epoch, definition, map, inputs, hashing, due_at, folded_seq, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $7)`,
    parameters: values,
  })
}

const saveRun = async (
  warehouse: Warehouse,
  { plan, epoch }: Prepared,
  run: BeginFacts & { readonly upserts: number; readonly removes: number },
): Promise<void> => {
  const { rows } = plan
  await warehouse.run({
    sql: `insert into ${stateTable(warehouse, 'sync_runs')} (sync, epoch, run_id, started_at, finished_at, status, reason, source_rows, withheld, skipped, eligible,
            frozen, planned_upserts, planned_removes, delivered_upserts, delivered_removes, rejected, retrying, unknown, pending, waiting, calls)
          values ($1, $2, $3, $4, null, 'running', $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, 0, 0, 0, 0, $13, 0)`,
    parameters: [
      plan.sync,
      epoch,
      run.runId,
      new Date(run.now),
      plan.reason ?? null,
      rows.source,
      rows.withheld,
      rows.skipped,
      rows.eligible,
      rows.frozen,
      run.upserts,
      run.removes,
      run.upserts + run.removes,
    ],
  })
}
