// The two kinds of steps of a run: landing a stream, building a model. Each leaves the warehouse either as it was or as it should be.
import type { StepStatus } from '../core/events.ts'
import { land } from '../ingest/land.ts'
import { buildModel } from '../models/build.ts'
import { runTests, type TestFailure } from '../models/tests.ts'
import type { BuildContext } from '../models/model.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import type { LandStep, ModelStep } from './plan.ts'
import type { PerformOptions, StepOutcome } from './run.ts'
import { saveVersions, type Recorder } from './record.ts'
import { inputFingerprint, landedVersion, type Version, type Versions } from './versions.ts'

/** Lands one stream; its raw relation gets a new version only when its content changed. */
export const performLand = async (
  step: LandStep,
  versions: Versions,
  warehouse: Warehouse,
  options: PerformOptions,
): Promise<StepOutcome> => {
  if (step.action === 'none') return { status: 'unchanged', detail: step.reason }
  const { stream } = step
  const pages = stream.from.kind === 'pages' ? (await options.live()).pages(stream.id) : undefined
  const relation = `raw.${stream.relation}`
  let saved: Version | undefined
  const save = async (rowsTotal: number): Promise<void> => {
    saved = landedVersion(stream.relation, options.runId, rowsTotal)
    const built_at = new Date(options.clock.now()).toISOString()
    await saveVersions(warehouse, [{ ...saved, built_at }], (name) => versions.has(name))
  }
  const loaded = await land({
    warehouse,
    stream,
    ...(pages === undefined ? {} : { pages }),
    root: options.project.root,
    timeZone: options.project.timeZone,
    runId: options.runId,
    instant: options.instant,
    allow: options.allow,
    emit: options.emit,
    clock: options.clock,
    signal: options.signal,
    tempDir: options.tempDir,
    stored: async ({ changed, rowsTotal }) => {
      if (changed) await save(rowsTotal)
    },
  })
  if (saved === undefined && !versions.has(relation)) await save(loaded.rowsTotal)
  if (saved !== undefined) versions.set(relation, saved)
  const quarantined = loaded.rowsQuarantined
  const parts = [
    `${loaded.rowsNew} new`,
    `${loaded.rowsChanged} changed`,
    ...(loaded.rowsVanished > 0 ? [`${loaded.rowsVanished} vanished`] : []),
    ...(quarantined > 0 ? [`${quarantined} quarantined`] : []),
  ]
  return { status: quarantined > 0 ? 'warned' : 'done', rows: loaded.rowsRead, detail: parts.join(', ') }
}

/** Builds one model unless it would come out the same, then runs its tests. A model that failed, or reads one that did, is
 * marked so: its last good rows stay where they are, and no sync sends from them until it is good again. */
export const performModel = async (
  step: ModelStep,
  versions: Versions,
  broken: ReadonlySet<string>,
  recorder: Recorder,
  warehouse: Warehouse,
  options: PerformOptions,
): Promise<StepOutcome> => {
  const { model } = step
  const known = versions.get(model.name)
  const inputs = inputFingerprint(model, versions, {
    instant: options.instant,
    timeZone: options.project.timeZone,
    engine: warehouse.engine,
  })
  const save = (version: Pick<Version, 'version' | 'content' | 'rows' | 'status'>): void => {
    const instant = model.readsClock ? options.instant : null
    const full = { relation: model.name, fingerprint: inputs, instant, ...version }
    recorder.version({ ...full, built_at: new Date(options.clock.now()).toISOString() })
    versions.set(model.name, full)
  }
  const saveFailed = (): void =>
    save({
      version: known?.version ?? '',
      content: known?.content ?? null,
      rows: known?.rows ?? null,
      status: 'failed',
    })

  const cause = model.reads.find((name) => broken.has(name))
  if (cause !== undefined) {
    saveFailed()
    return { status: 'skipped', detail: `${cause} failed` }
  }
  const context: BuildContext = {
    warehouse,
    runId: options.runId,
    instant: options.instant,
    timeZone: options.project.timeZone,
    region: options.project.region,
    emit: options.emit,
    fullRefresh: options.fullRefresh,
    allow: options.allow,
  }
  if (!options.fullRefresh && known?.status === 'good' && known.fingerprint === inputs) {
    // A test can read more than its model does, and be due without it.
    const due = model.tests.some((test) => test.reads.some((name) => versions.get(name)?.version === options.runId))
    if (!due) return { status: 'unchanged', detail: 'unchanged' }
    const tested = testOutcome(await runTests(model, context))
    if (tested.wrong) save({ ...known, status: 'failed' })
    return {
      status: tested.status,
      rows: known.rows ?? undefined,
      detail: ['only tested', ...tested.details].join('; '),
    }
  }
  const built = await buildModel(model, context).catch((error: unknown) => {
    // What was interrupted is not wrong: its last good rows are still those of its version.
    if (!options.signal.aborted) saveFailed()
    throw error
  })
  const tested = testOutcome(await runTests(model, context))
  const equal = built.unchanged ?? (built.content !== undefined && known?.content === built.content)
  const same = equal && known !== undefined && known.version !== ''
  save({
    version: same ? known.version : options.runId,
    content: built.content ?? null,
    rows: built.rows ?? null,
    status: tested.wrong ? 'failed' : 'good',
  })
  const detail = [built.detail, same ? 'same content' : undefined, ...tested.details].filter(
    (part) => part !== undefined,
  )
  return { status: tested.status, rows: built.rows, detail: detail.join('; ') || undefined }
}

const testOutcome = (
  failures: readonly TestFailure[],
): { readonly status: StepStatus; readonly wrong: boolean; readonly details: readonly string[] } => {
  const wrong = failures.some((failure) => failure.severity === 'error')
  const details = failures.map(
    ({ test, severity, rows }) =>
      `${severity === 'error' ? 'FAILED' : 'warning'} ${test}: ${rows} row${rows === 1 ? '' : 's'}`,
  )
  return { status: wrong ? 'failed' : failures.length > 0 ? 'warned' : 'done', wrong, details }
}
