// What a project for several engines adds to `cdp check`: SQL meant for all must mean the same on all, and be there for each. Models are
// prepared by DuckDB whatever the target is, so what has SQL for another engine alone cannot be prepared here.
import type { CdpError } from '../core/errors.ts'
import { compileModels, type CompiledModels, type ModelFile } from '../models/compile.ts'
import type { CompiledModel } from '../models/model.ts'
import { checkPortability } from '../models/portability/check.ts'
import { checkTypes, joined } from '../models/portability/check-types.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import type { CompiledProject } from './compiled.ts'

export interface EngineFacts {
  readonly project: CompiledProject
  readonly modelFiles: readonly ModelFile[]
  /** Of all warehouses of the project. */
  readonly engines: readonly string[]
  readonly folder: string
  /** For DuckDB's parser; once models are prepared, their stand-ins are in it. */
  readonly scratch: Warehouse
  /** ISO, UTC. */
  readonly instant: string
}

const compileFor = (engine: string, { project, modelFiles, folder, scratch }: EngineFacts): Promise<CompiledModels> =>
  compileModels(modelFiles, {
    engine,
    streams: project.streams.map((stream) => stream.relation),
    folder,
    session: () => Promise.resolve(scratch),
  })

/** What is wrong for one engine or the other. What loading found for the target is not said again. `models`: as DuckDB reads them. */
export const checkEngines = async (
  facts: EngineFacts,
  models: readonly CompiledModel[],
): Promise<readonly CdpError[]> => {
  const { project, modelFiles, engines, folder, scratch, instant } = facts
  const byText = await checkPortability(modelFiles, { engines, folder })
  const portability = joined(byText, await checkTypes(modelFiles, { engines, folder, scratch, instant, models }))
  const unreadable = new Set(portability.map((problem) => problem.place?.file))
  const problems = [...portability]
  for (const engine of engines) {
    if (engine === project.warehouse.engine) continue
    const compiled = await compileFor(engine, facts)
    const absent = new Set(
      compiled.problems.flatMap((problem) =>
        'engine' in problem.args && 'found' in problem.args ? [problem.args.model] : [],
      ),
    )
    problems.push(
      ...compiled.problems.filter((problem) => {
        if (problem.code === 'MODEL_ENGINE') return false
        if (problem.code === 'MODEL_SYNTAX') return !unreadable.has(problem.place?.file)
        return !(problem.code === 'UNKNOWN_MODEL' && 'name' in problem.args && absent.has(problem.args.name))
      }),
    )
  }
  return problems
}

export interface Preparable {
  readonly models: readonly CompiledModel[]
  /** Models without SQL for DuckDB, and why they are not prepared. */
  readonly missing: ReadonlyMap<string, string>
}

/** The models as DuckDB reads them. */
export const preparable = async (facts: EngineFacts): Promise<Preparable> => {
  const { project } = facts
  if (project.warehouse.engine === 'duckdb') return { models: project.models, missing: new Map() }
  const compiled = await compileFor('duckdb', facts)
  const wrong = new Set(compiled.problems.map((problem) => problem.place?.file))
  const models = compiled.models.filter((model) => !wrong.has(model.file))
  const names = new Set(models.map((model) => model.name))
  const missing = project.models.flatMap(({ name }): [string, string][] =>
    names.has(name) ? [] : [[name, `${name} has no SQL that duckdb, which prepares models here, can read`]],
  )
  return { models, missing: new Map(missing) }
}
