// The start of a run of a sync in the ledger, in one transaction: the rows that go out, what is decided without a call, the rows that
// were kept aside. From here on the process may die at any point.
import type { Warehouse } from '../warehouse/warehouse.ts'
import { skippedSelect } from './listing.ts'
import type { Prepared } from './prepare.ts'
import { takesSnapshot } from './spec.ts'
import { planNumber } from './values.ts'

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

/** Which rows of the plan's relation go out, as SQL; undefined when none do. */
export const outgoing = ({ open, input, plan }: Prepared): string | undefined => {
  if (open === 'none' || plan.status === 'unchanged') return undefined
  if (open === 'consent') {
    const asked = plan.sends.some((send) => send.why === 'consent') || plan.rows.pending + plan.rows.removalsPending > 0
    return asked ? `(action = 'poll' or (action = 'send' and why = 'consent'))` : undefined
  }
  // A snapshot is written whole: rows whose nulls changed nothing are in it as they are now.
  return takesSnapshot(input.spec) ? `action in ('send', 'same')` : `action in ('send', 'poll')`
}

const count = async (warehouse: Warehouse, from: string, where: string): Promise<number> => {
  const [row] = await warehouse.all<{ n: number }>(`select count(*) as n from ${from} where ${where}`)
  return row?.n ?? 0
}

/** Writes the run's start. A plan that a guard holds back changes nothing but what consent asks for. */
export const beginRun = async (warehouse: Warehouse, prepared: Prepared, facts: BeginFacts): Promise<Begun> => {
  const { plan, target, epoch } = prepared
  const sync = warehouse.literal(plan.sync)
  const at = `cast('${facts.now}' as timestamptz)`
  return warehouse.transaction(async () => {
    await warehouse.run(`delete from cdp.sync_plan where sync = ${sync}`)
    const which = outgoing(prepared)
    let planned = 0
    let removes = 0
    let upserts = 0
    if (which !== undefined) {
      const { changed } = await warehouse.run(
        `insert into cdp.sync_plan
           (sync, epoch, seq, action, operation, why, key_hash, key, match, row_hash, seen, fields, change_id)
         select ${sync}, ${epoch}, ${planNumber}, case when action = 'poll' then 'poll' else 'send' end, operation, why, key_hash, key, match, row_hash, seen, fields, change_id
         from ${target} where ${which}`,
      )
      planned = changed
      removes = await count(warehouse, target, `${which} and action = 'send' and operation = 'remove'`)
      upserts = await count(warehouse, target, `${which} and action = 'send' and operation <> 'remove'`)
    }
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
  if (decided > 0) {
    await warehouse.run(
      `insert into cdp.sync_log (sync, epoch, seq, event, happened_at, key_hash, operation, row_hash, reason)
     select ${sync}, ${epoch}, row_number() over (order by key), 'plan', ${at}, key_hash, operation, row_hash,
       case when action = 'settle' then 'what is there is wanted again' else why end
     from ${target} where action in ('settle', 'forget')`,
    )
    await warehouse.run(
      `delete from cdp.sync_rows where sync = ${sync} and match in (select match from ${target} where action = 'forget')`,
    )
    await warehouse.run(
      `update cdp.sync_rows set status = 'delivered', wanted = p.operation, seen = p.seen, planned_hash = null, planned_fields = null,
         change_id = null, attempts = 0, next_attempt_at = null, reason = null, epoch = ${epoch}, updated_at = ${at}
       from ${target} p where sync_rows.sync = ${sync} and sync_rows.match = p.match and p.action = 'settle'`,
    )
  }
  // At these nothing can be done until their rows change: they are not due.
  await warehouse.run(
    `update cdp.sync_rows set next_attempt_at = null
     where sync = ${sync} and next_attempt_at is not null
       and match in (select match from ${target} where action in ('frozen', 'stuck', 'kept', 'lost'))`,
  )
  // A snapshot that is not written now must still know then which of its cells differ.
  if (takesSnapshot(prepared.input.spec)) return
  await warehouse.run(
    `update cdp.sync_rows set seen = p.seen
     from ${target} p where sync_rows.sync = ${sync} and sync_rows.match = p.match and p.action = 'same'`,
  )
}

const keepSkipped = async (warehouse: Warehouse, prepared: Prepared, sync: string): Promise<void> => {
  const { input, shape, plan, epoch } = prepared
  await warehouse.run(`delete from cdp.sync_skipped where sync = ${sync}`)
  if (shape === undefined || plan.rows.skipped === 0) return
  await warehouse.run(
    `insert into cdp.sync_skipped (sync, epoch, row_number, reason, key, person_id)
     select ${sync}, ${epoch}, row_number() over (order by reason, key, person_id), reason, key, person_id
     from (${skippedSelect(warehouse, input, shape)})`,
  )
}

// The sync is due until its run has ended well: a process that dies must not leave it looking unchanged.
const saveState = async (
  warehouse: Warehouse,
  { plan, input, epoch, inputs, map, hashing, decided }: Prepared,
  { now }: BeginFacts,
): Promise<void> => {
  await warehouse.run({ sql: 'delete from cdp.syncs where sync = $1', parameters: [plan.sync] })
  const known = plan.status === 'guarded' ? undefined : inputs
  await warehouse.run({
    sql: `insert into cdp.syncs (sync, epoch, definition, map, inputs, hashing, due_at, folded_seq, updated_at)
          values ($1, $2, $3, $4, $5, $6, cast($7 as timestamptz), $8, cast($7 as timestamptz))`,
    parameters: [plan.sync, epoch, input.spec.fingerprint, map, known ?? '[]', hashing, now, decided],
  })
}

const saveRun = async (
  warehouse: Warehouse,
  { plan, epoch }: Prepared,
  run: BeginFacts & { readonly upserts: number; readonly removes: number },
): Promise<void> => {
  const { rows } = plan
  await warehouse.run({
    sql: `insert into cdp.sync_runs (sync, epoch, run_id, started_at, finished_at, status, reason, source_rows, withheld, skipped, eligible,
            frozen, planned_upserts, planned_removes, delivered_upserts, delivered_removes, rejected, retrying, unknown, pending, waiting, calls)
          values ($1, $2, $3, cast($4 as timestamptz), null, 'running', $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, 0, 0, 0, 0, $13, 0)`,
    parameters: [
      plan.sync,
      epoch,
      run.runId,
      run.now,
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
