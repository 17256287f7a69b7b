// What a run writes about itself: one row in cdp.runs, one row a step in cdp.run_steps, and the versions of what it built.
import type { Clock } from '../core/clock.ts'
import { insertRows } from '../warehouse/statements.ts'
import { inStep } from '../warehouse/step.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { packageVersion } from '../core/package.ts'
import { thisProcess } from './options.ts'
import type { StepResult } from './run.ts'
import { metered } from './spending.ts'
import type { Version } from './versions.ts'

export interface EndedStep extends StepResult {
  /** ISO, UTC. */
  readonly finishedAt: string
}

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
          values ($1, $2, $3, $4, null, 'running', null, $5, $6, $7)`,
    parameters: [run.runId, run.command, new Date(run.instant), new Date(run.clock.now()), packageVersion(), host, pid],
  })
}

export const finishRun = async (
  warehouse: Warehouse,
  run: { readonly runId: string; readonly clock: Clock; readonly status: string; readonly exitCode: number },
): Promise<void> => {
  await recording(run.runId, () =>
    warehouse.run({
      sql: `update cdp.runs set status = $1, exit_code = $2, finished_at = $3 where run_id = $4`,
      parameters: [run.status, run.exitCode, new Date(run.clock.now()), run.runId],
    }),
  )
}

/** Writes down steps that ended. Several at a time, because a statement costs more than the row it writes. */
export const recordSteps = async (warehouse: Warehouse, runId: string, steps: readonly EndedStep[]): Promise<void> => {
  if (steps.length === 0) return
  const rows = steps.map(({ step, kind, status, rows: count, detail, seconds, meter, finishedAt }) => ({
    run_id: runId,
    step,
    kind,
    status,
    rows: count ?? null,
    detail: detail ?? null,
    seconds,
    ...metered(meter),
    finished_at: finishedAt,
  }))
  await insertRows(warehouse, { schema: 'cdp', name: 'run_steps' }, rows)
}

export interface SavedVersion extends Version {
  /** ISO, UTC. */
  readonly built_at: string
}

/** Saves versions in place of those that are known. Several at a time, because a statement costs more than the row it writes. */
export const saveVersions = async (
  warehouse: Warehouse,
  versions: readonly SavedVersion[],
  isKnown: (relation: string) => boolean,
): Promise<void> => {
  const known = versions.map(({ relation }) => relation).filter(isKnown)
  const rows = versions.map((version) => ({ ...version }))
  const insert = (): Promise<void> => insertRows(warehouse, { schema: 'cdp', name: 'versions' }, rows)
  // One statement, which takes effect by itself.
  if (known.length === 0 && rows.length <= kept) return insert()
  await warehouse.transaction(async () => {
    if (known.length > 0) {
      const marks = known.map((_, at) => `$${at + 1}`).join(', ')
      await warehouse.run({ sql: `delete from cdp.versions where relation in (${marks})`, parameters: known })
    }
    await insert()
  })
}

/** Keeps steps and versions of models until there are some, and writes them down together. A process that dies before builds those models again. */
export interface Recorder {
  step(step: EndedStep): Promise<void>
  version(version: SavedVersion): void
  flush(): Promise<void>
}

const kept = 25

// What was done is written down also when the run was interrupted.
const recording = <T>(run: string, work: () => Promise<T>): Promise<T> =>
  inStep({ run, step: 'record', anyway: true }, work)

export const createRecorder = (warehouse: Warehouse, runId: string, known: ReadonlyMap<string, Version>): Recorder => {
  const before = new Set(known.keys())
  const steps: EndedStep[] = []
  const versions = new Map<string, SavedVersion>()
  const flush = (): Promise<void> => recording(runId, write)
  const write = async (): Promise<void> => {
    if (versions.size > 0) await saveVersions(warehouse, [...versions.values()], (relation) => before.has(relation))
    for (const relation of versions.keys()) before.add(relation)
    versions.clear()
    await recordSteps(warehouse, runId, steps.splice(0))
  }
  return {
    flush,
    version: (version) => void versions.set(version.relation, version),
    async step(step) {
      steps.push(step)
      if (steps.length >= kept) await flush()
    },
  }
}
