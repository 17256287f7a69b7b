// What a run would do, as plain data: `cdp plan` prints it and `cdp run` performs it, so the two cannot disagree.
// Whether a model changes can depend on what the steps before it bring; such a step is planned as `maybe`.
import { missing } from '../core/secret.ts'
import type { Session, Warehouse } from '../warehouse/warehouse.ts'
import type { CompiledModel } from '../models/model.ts'
import type { CompiledProject, CompiledStream } from '../project/compiled.ts'
import { changedFiles, type FileChange } from '../ingest/changed-files.ts'
import { inputFingerprint, readVersions, type Versions } from './versions.ts'

export interface LandStep {
  readonly kind: 'land'
  readonly id: string
  readonly stream: CompiledStream
  readonly action: 'do' | 'none'
  readonly reason: string
}

export interface ModelStep {
  readonly kind: 'model'
  readonly id: string
  readonly model: CompiledModel
  readonly action: 'do' | 'maybe' | 'none'
  readonly reason: string
}

export type RunStep = LandStep | ModelStep

export interface RunPlan {
  readonly steps: readonly RunStep[]
  /** Nothing is to be done: no step would execute a statement. */
  readonly quiet: boolean
  /** Versions of all relations as they were when the plan was made. */
  readonly versions: Versions
}

export interface PlanOptions {
  readonly instant: string
  readonly selected: ReadonlySet<string> | undefined
  readonly fullRefresh: boolean
}

/** Reads the state and the files' names and sizes; executes no model and reads no data. A missing secret is no obstacle. */
export const planRun = async (
  session: Session & Pick<Warehouse, 'engine' | 'quote' | 'landing'>,
  project: CompiledProject,
  options: PlanOptions,
): Promise<RunPlan> => {
  const wanted = (name: string): boolean => options.selected?.has(name) ?? true
  const versions = await readVersions(session)
  const streams = project.streams.filter((stream) => wanted(stream.id))
  const lands = await landSteps(session, project, streams)
  const moving = new Set(lands.filter((s) => s.action === 'do').map((s) => `raw.${s.stream.relation}`))
  const facts = { instant: options.instant, timeZone: project.timeZone, engine: session.engine }
  const models: ModelStep[] = []
  for (const model of project.models) {
    if (!wanted(model.name)) continue
    const step = modelStep(model, versions, moving, options.fullRefresh, inputFingerprint(model, versions, facts))
    if (step.action !== 'none') moving.add(model.name)
    models.push(step)
  }
  const steps = [...lands, ...models]
  return { steps, quiet: steps.every((step) => step.action === 'none'), versions }
}

const landSteps = async (
  session: Session & Pick<Warehouse, 'quote'>,
  project: CompiledProject,
  streams: readonly CompiledStream[],
): Promise<LandStep[]> => {
  if (project.developer !== undefined) {
    const reason = 'landed data is read as it is under --dev'
    return streams.map((stream) => ({ kind: 'land', id: stream.id, stream, action: 'none', reason }))
  }
  const known = streams.filter((stream) => missing(stream.secrets).length === 0)
  const changes = await changedFiles(session, known, project.root)
  return streams.map((stream) => landStep(stream, changes.get(stream.id)))
}

const landStep = (stream: CompiledStream, change: FileChange | undefined): LandStep => {
  const step = (action: LandStep['action'], reason: string): LandStep => ({
    kind: 'land',
    id: stream.id,
    stream,
    action,
    reason,
  })
  const lacking = missing(stream.secrets)
  if (lacking.length > 0) return step('do', `asks its source, by ${lacking.join(', ')}, which is not set here`)
  if (stream.from.kind === 'pages') return step('do', 'asks its source')
  const count = change?.changed.length ?? 0
  if (count === 0) return step('none', 'no new or changed file')
  return step('do', `${count} new or changed file${count === 1 ? '' : 's'}`)
}

const modelStep = (
  model: CompiledModel,
  versions: Versions,
  moving: ReadonlySet<string>,
  fullRefresh: boolean,
  inputs: string,
): ModelStep => {
  const step = (action: ModelStep['action'], reason: string): ModelStep => ({
    kind: 'model',
    id: model.name,
    model,
    action,
    reason,
  })
  const known = versions.get(model.name)
  if (fullRefresh) return step('do', 'full refresh')
  if (known === undefined) return step('do', 'not built yet')
  if (known.status === 'failed') return step('do', 'its last build or a test failed')
  const mover = model.reads.find((name) => moving.has(name))
  if (known.fingerprint !== inputs && mover === undefined)
    return step('do', 'its definition, an input or the time changed')
  if (mover !== undefined) return step(known.fingerprint === inputs ? 'maybe' : 'do', `reads ${mover}`)
  return step('none', 'unchanged')
}
