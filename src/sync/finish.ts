// The end of a run in the ledger: what it came to, and when the sync is due again.
import type { Warehouse } from '../warehouse/warehouse.ts'
import { stateTable } from '../warehouse/state-sql.ts'

export type RunStatus = 'done' | 'stopped' | 'guarded' | 'failed' | 'interrupted'

export interface RunCounts {
  readonly deliveredUpserts: number
  readonly deliveredRemoves: number
  readonly rejected: number
  readonly retrying: number
  readonly unknown: number
  readonly pending: number
  /** Planned and never tried. */
  readonly waiting: number
  readonly calls: number
}

export interface RunEnd {
  readonly sync: string
  readonly epoch: number
  /** ISO. */
  readonly now: string
  readonly status: RunStatus
  readonly reason: string | undefined
  readonly counts: RunCounts
  /** Something is left to do even if no row says so: the next run must look. */
  readonly lookAgain: boolean
}

/** Closes a run whose journal is folded. The plan's rows go; what is owed is in cdp.sync_rows, what was never tried is found again by the next diff. */
export const finishRun = async (warehouse: Warehouse, end: RunEnd): Promise<void> => {
  const { sync, epoch, now, counts } = end
  await warehouse.transaction(async () => {
    await warehouse.run({
      sql: `update ${stateTable(warehouse, 'sync_runs')} set finished_at = $1, status = $2, reason = $3, delivered_upserts = $4,
              delivered_removes = $5, rejected = $6, retrying = $7, unknown = $8, pending = $9, waiting = $10, calls = $11
            where sync = $12 and epoch = $13`,
      parameters: [
        new Date(now),
        end.status,
        end.reason ?? null,
        counts.deliveredUpserts,
        counts.deliveredRemoves,
        counts.rejected,
        counts.retrying,
        counts.unknown,
        counts.pending,
        counts.waiting,
        counts.calls,
        sync,
        epoch,
      ],
    })
    await warehouse.run({
      sql: `delete from ${stateTable(warehouse, 'sync_plan')} where sync = $1`,
      parameters: [sync],
    })
    await warehouse.run({
      sql: `update ${stateTable(warehouse, 'syncs')} set updated_at = $1, due_at = ${dueAt(warehouse, end)} where sync = $2 and epoch = $3`,
      parameters: [new Date(now), sync, epoch],
    })
  })
}

// Rows without a next time wait for their data, or for a person.
const dueAt = (warehouse: Warehouse, { lookAgain }: RunEnd): string =>
  lookAgain
    ? '$1'
    : `(select min(r.next_attempt_at) from ${stateTable(warehouse, 'sync_rows')} as r where r.sync = $2 and r.status <> 'delivered')`
