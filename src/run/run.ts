// `cdp run`: performs a plan. Lands what is new, builds what that changes in order, runs the models' tests, and saves versions.
// A step that fails stops what depends on it and nothing else.
import { mkdirSync } from 'node:fs'
import { CdpError, reasonOf, type ErrorKind } from '../core/errors.ts'
import type { StepStatus } from '../core/events.ts'
import { exitCodeOf, kindOfError, worstKind } from '../core/exit.ts'
import { missingSecrets } from '../project/secrets.ts'
import type { Meter } from '../warehouse/step.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import type { RunOptions } from './options.ts'
import { planRun, type RunPlan, type RunStep } from './plan.ts'
import { createSpending, newMeter } from './spending.ts'

export interface StepResult {
  readonly step: string
  readonly kind: string
  readonly status: StepStatus
  readonly rows: number | undefined
  readonly detail: string | undefined
  readonly seconds: number
  /** What its statements cost. */
  readonly meter: Meter
  readonly error: unknown
}

export interface RunResult {
  readonly runId: string
  readonly steps: readonly StepResult[]
  /** The worst kind of error met, or undefined when all went well. */
  readonly failed: ErrorKind | undefined
}

export interface PerformOptions extends RunOptions {
  readonly fullRefresh: boolean
  /** Quarantined rows and warnings count as failures. */
  readonly strict: boolean
  /** Bytes that the statements of all steps together may be billed for. */
  readonly maximumBytes?: number | undefined
  readonly tempDir: string
}

/** What performing one step gave; `changed` says whether what reads it must look again. */
export interface StepOutcome {
  readonly status: StepStatus
  readonly rows?: number | undefined
  readonly detail?: string | undefined
  readonly error?: unknown
}

const kindOf = (step: RunStep): string => (step.kind === 'land' ? 'land' : step.model.kind)

/** Opens the warehouse, plans and performs. With nothing to do it executes no model and writes nothing. Throws SECRETS_MISSING before. */
export const performRun = async (options: PerformOptions): Promise<RunResult> => {
  const { project, selected } = options
  const streams = project.streams.map(({ id }) => id).filter((id) => selected?.has(id) ?? true)
  const names = missingSecrets(project, { warehouse: true, streams })
  if (names.length > 0) throw new CdpError('SECRETS_MISSING', { names })
  const warehouse = await options.openWarehouse('write')
  try {
    const plan = await planRun(warehouse, project, options)
    if (plan.quiet) return quietResult(plan, options)
    const { asOnlyRun } = await import('./owner.ts')
    return await asOnlyRun(warehouse, options, async () => {
      // Where others may write, they may have done so since.
      const now = warehouse.supports.concurrentWriters ? await planRun(warehouse, project, options) : plan
      return now.quiet ? quietResult(now, options) : performPlan(now, warehouse, options)
    })
  } finally {
    await warehouse.close()
  }
}

const quietResult = (plan: RunPlan, options: PerformOptions): RunResult => {
  const steps = plan.steps.map((step) => result(step, { status: 'unchanged', detail: step.reason }, 0, newMeter()))
  for (const step of steps) emitFinished(step, options)
  return { runId: options.runId, steps, failed: undefined }
}

const performPlan = async (plan: RunPlan, warehouse: Warehouse, options: PerformOptions): Promise<RunResult> => {
  const { performLand, performModel } = await import('./steps.ts')
  const { createRecorder, finishRun, startRun } = await import('./record.ts')
  mkdirSync(options.tempDir, { recursive: true })
  await startRun(warehouse, { ...options, command: 'run' })
  const steps: StepResult[] = []
  const recorder = createRecorder(warehouse, options.runId, plan.versions)
  const broken = new Set<string>()
  const spending = createSpending(options.runId, options.maximumBytes)
  for (const step of plan.steps) {
    if (options.signal.aborted) break
    const started = options.clock.now()
    options.emit({ type: 'step-started', step: step.id, kind: kindOf(step) })
    const meter = newMeter()
    const limit = step.kind === 'model' ? step.model.maximumBytesBilled : undefined
    let outcome: StepOutcome
    try {
      outcome = await spending.step({ name: step.id, meter, ...(limit === undefined ? {} : { limit }) }, () =>
        step.kind === 'land'
          ? performLand(step, plan.versions, warehouse, options)
          : performModel(step, plan.versions, broken, recorder, warehouse, options),
      )
    } catch (error) {
      outcome = { status: 'failed', detail: reasonOf(error), error }
    }
    if (outcome.status === 'failed' || outcome.status === 'skipped') broken.add(step.id)
    if (step.kind === 'land' && outcome.status === 'failed') broken.add(`raw.${step.stream.relation}`)
    const finished = options.clock.now()
    const done = result(step, outcome, (finished - started) / 1000, meter)
    steps.push(done)
    await recorder.step({ ...done, finishedAt: new Date(finished).toISOString() })
    emitFinished(done, options)
  }
  await recorder.flush()
  const interrupted = options.signal.aborted
  const failed = interrupted ? 'interrupted' : worstOf(steps, options.strict)
  await finishRun(warehouse, {
    ...options,
    status: interrupted ? 'interrupted' : failed === undefined ? 'done' : 'failed',
    exitCode: exitCodeOf(failed),
  })
  return { runId: options.runId, steps, failed }
}

const worstOf = (steps: readonly StepResult[], strict: boolean): ErrorKind | undefined =>
  worstKind(
    steps.map((step) => {
      if (step.status === 'failed') return step.error === undefined ? 'data' : kindOfError(step.error)
      return strict && step.status === 'warned' ? 'data' : undefined
    }),
  )

const result = (step: RunStep, outcome: StepOutcome, seconds: number, meter: Meter): StepResult => ({
  step: step.id,
  kind: kindOf(step),
  status: outcome.status,
  rows: outcome.rows,
  detail: outcome.detail,
  seconds,
  meter,
  error: outcome.error,
})

const emitFinished = (step: StepResult, options: PerformOptions): void => {
  options.emit({
    type: 'step-finished',
    step: step.step,
    kind: step.kind,
    status: step.status,
    ms: step.seconds * 1000,
    ...(step.rows === undefined ? {} : { rows: step.rows }),
    ...(step.detail === undefined ? {} : { detail: step.detail }),
    ...(step.error === undefined ? {} : { error: step.error }),
  })
}
