// A small project in memory for the tests of this folder: files are compiled and built on a real DuckDB.
import { systemClock } from '../../src/core/clock.ts'
import { buildModel } from '../../src/models/build.ts'
import { compileModels } from '../../src/models/compile.ts'
import type { BuildContext, BuildResult, CompiledModel } from '../../src/models/model.ts'
import { saveVersions, type SavedVersion } from '../../src/run/record.ts'
import { duckdb } from '../../src/warehouse/define-duckdb.ts'
import { openWarehouse, type Session, type Warehouse } from '../../src/warehouse/warehouse.ts'

export const inMemory = (): Promise<Warehouse> =>
  openWarehouse(duckdb({ path: ':memory:' }), { root: '/tmp', mode: 'write', waitMs: 0, clock: systemClock })

/** Compiles files below models/; throws when something is wrong with them. */
export const compiled = async (
  files: Readonly<Record<string, string>>,
  streams: readonly string[] = [],
  parser?: Session,
  engine = 'duckdb',
): Promise<readonly CompiledModel[]> => {
  const texts = Object.entries(files).map(([file, text]) => ({ file: `models/${file}`, text }))
  const { models, problems } = await compileModels(texts, {
    engine,
    streams,
    ...(parser === undefined ? {} : { session: () => Promise.resolve(parser) }),
  })
  if (problems.length > 0) throw new Error(problems.map((problem) => problem.message).join('\n'))
  return models
}

export const contextOf = (warehouse: Warehouse, more: Partial<BuildContext> = {}): BuildContext => ({
  warehouse,
  runId: 'run-1',
  instant: '2026-11-01T23:00:00.000Z',
  timeZone: 'Asia/Ho_Chi_Minh',
  region: 'VN',
  emit: () => undefined,
  fullRefresh: false,
  allow: new Set(),
  ...more,
})

/** Builds one model as a run does, and keeps its version as a run does. */
export const build = async (model: CompiledModel, context: BuildContext): Promise<BuildResult> => {
  const built = await buildModel(model, context)
  const { warehouse } = context
  const version: SavedVersion = {
    relation: model.name,
    version: context.runId,
    fingerprint: 'inputs',
    content: built.content ?? null,
    rows: built.rows ?? null,
    status: 'good',
    instant: null,
    built_at: context.instant,
  }
  await saveVersions(warehouse, [version], () => true)
  return built
}

export const rowsOf = (warehouse: Warehouse, select: string): Promise<unknown[][]> =>
  warehouse.all<Record<string, unknown>>(select).then((rows) => rows.map((row) => Object.values(row)))
