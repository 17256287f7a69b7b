// `cdp explain`: what the project and the warehouse say of one person or one model.
import { explainPerson, type ExplainFacts } from '../identity/explain.ts'
import type { Explained } from '../identity/explanation.ts'
import type { IdentitySettings, ProfileSettings } from '../identity/settings.ts'
import { CdpError } from '../core/errors.ts'
import { descendants } from '../core/graph.ts'
import { didYouMean } from '../core/nearest.ts'
import { render, type CompiledModel } from '../models/model.ts'
import type { CompiledProject } from '../project/compiled.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { projectGraph } from './select.ts'
import { readVersions, type Version } from './versions.ts'

export type { Explained, PersonExplanation } from '../identity/explanation.ts'

/** By person id, record key, e-mail, phone or any other identifier's value. */
export const explainPersonOf = (project: CompiledProject, warehouse: Warehouse, query: string): Promise<Explained> => {
  const models = (kind: CompiledModel['kind']) => project.models.filter((model) => model.kind === kind)
  const facts: ExplainFacts = {
    warehouse,
    region: project.region,
    graphs: models('identity').map(({ name, header }) => ({ name, settings: header as IdentitySettings })),
    profiles: models('profile').map(({ name, header }) => ({ name, settings: header as ProfileSettings })),
  }
  return explainPerson(facts, query)
}

export interface ModelExplanation {
  readonly name: string
  readonly kind: string
  readonly file: string
  readonly description: string
  readonly reads: readonly string[]
  /** Models and syncs that stop when this one fails. */
  readonly readBy: readonly string[]
  readonly refresh: string
  readonly tests: readonly string[]
  readonly version: Version | undefined
  /** The statement as the engine gets it. */
  readonly sql: string
}

export const explainModel = async (
  project: CompiledProject,
  warehouse: Warehouse,
  name: string,
  instant: string,
): Promise<ModelExplanation> => {
  const model = project.models.find((one) => one.name === name)
  if (model === undefined) {
    const near = didYouMean(
      name,
      project.models.map((one) => one.name),
    )
    throw new CdpError('SELECTOR_UNKNOWN', { selector: name, near })
  }
  return {
    name,
    kind: model.kind,
    file: model.file,
    description: model.description,
    reads: model.reads,
    readBy: [...descendants(projectGraph(project).graph, name)],
    refresh: model.readsClock ? model.refresh : 'when what it reads changed',
    tests: model.tests.map((test) => test.name),
    version: (await readVersions(warehouse)).get(name),
    sql: render(model.sql, warehouse, instant),
  }
}
