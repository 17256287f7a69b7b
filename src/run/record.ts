// What a run writes about itself: one row in cdp.runs, one row a step in cdp.run_steps.
import type { Clock } from '../core/clock.ts'
import { insertRows } from '../warehouse/statements.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { packageVersion } from '../core/package.ts'
import { thisProcess } from './options.ts'
import type { StepResult } from './run.ts'

export interface EndedStep extends StepResult {
  /** ISO, UTC. */
  readonly finishedAt: string
}

const iso = (clock: Clock): string => new Date(clock.now()).toISOString()

/** Opens the record of a run. Runs that never finished are those whose process died: they are marked so. */
export const startRun = async (
  warehouse: Warehouse,
  run: { readonly runId: string; readonly command: string; readonly instant: string; readonly clock: Clock },
): Promise<void> => {
  const { host, pid } = thisProcess()
  await warehouse.run({
    sql: `update cdp.runs set status = 'interrupted' where status = 'running' and host = $1`,
    parameters: [host],
  })
  await warehouse.run({
    sql: `insert into cdp.runs (run_id, command, instant, started_at, finished_at, status, exit_code, version, host, pid)
          values ($1, $2, cast($3 as timestamptz), cast($4 as timestamptz), null, 'running', null, $5, $6, $7)`,
    parameters: [run.runId, run.command, run.instant, iso(run.clock), packageVersion(), host, pid],
  })
}

export const finishRun = async (
  warehouse: Warehouse,
  run: { readonly runId: string; readonly clock: Clock; readonly status: string; readonly exitCode: number },
): Promise<void> => {
  await warehouse.run({
    sql: `update cdp.runs set status = $1, exit_code = $2, finished_at = cast($3 as timestamptz) where run_id = $4`,
    parameters: [run.status, run.exitCode, iso(run.clock), run.runId],
  })
}

/** Writes down steps that ended. Several at a time, because a statement costs more than the row it writes. */
export const recordSteps = async (warehouse: Warehouse, runId: string, steps: readonly EndedStep[]): Promise<void> => {
  if (steps.length === 0) return
  const rows = steps.map(({ step, kind, status, rows: count, detail, seconds, finishedAt }) => ({
    run_id: runId,
    step,
    kind,
    status,
    rows: count ?? null,
    detail: detail ?? null,
    seconds,
    finished_at: finishedAt,
  }))
  await insertRows(warehouse, { schema: 'cdp', name: 'run_steps' }, rows)
}
