// Loads a project whole: configuration, models and syncs, every problem found before anything runs. This is the slow way in; a command
// that finds a good compiled project (cache.ts) never comes here.
import { existsSync } from 'node:fs'
import { join, resolve as resolvePath } from 'node:path'
import { hasBrand } from '../core/brand.ts'
import { systemClock } from '../core/clock.ts'
import { CdpError, Problems } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import { compileModels, type ModelFile } from '../models/compile.ts'
import { problemsOf } from '../models/zod-problems.ts'
import { duckdb } from '../warehouse/define-duckdb.ts'
import { openWarehouse, type Warehouse } from '../warehouse/warehouse.ts'
import { madeBy, saveCompiled } from './cache.ts'
import { readCode } from './code.ts'
import { compileStreams } from './compile-streams.ts'
import { compileSyncs } from './compile-syncs.ts'
import type { CompiledProject } from './compiled.ts'
import type { ProjectDefinition } from './define-project.ts'
import { importCode } from './import-code.ts'
import { collectInputs, type Inputs } from './inputs.ts'
import { configFile, liveOf, type LiveProject } from './live.ts'
import { placeOfPath } from './places.ts'
import { projectSchema } from './schema.ts'

export interface LoadedProject {
  readonly compiled: CompiledProject
  readonly live: LiveProject
  /** Model files as read, for `cdp check`. */
  readonly modelFiles: readonly ModelFile[]
  /** Of all warehouses of the project, each once. */
  readonly engines: readonly string[]
  /** The models folder, as in the files' paths. */
  readonly modelsFolder: string
}

/** Throws Problems with all that is wrong, PROJECT_NOT_FOUND, or TARGET_UNKNOWN. Keeps the compiled project for the next command. */
export const loadProject = async (folder: string, target?: string): Promise<LoadedProject> => {
  const root = resolvePath(folder)
  if (!existsSync(join(root, configFile))) throw new CdpError('PROJECT_NOT_FOUND', { folder: root })
  const madeMs = Date.now()
  const inputs = collectInputs(root)
  const problems: CdpError[] = []

  const first = await importCode(root, [configFile], readCode(root, [configFile], inputs))
  problems.push(...first.problems)
  const text = inputs.text(configFile) ?? ''
  const config = readConfig(first.exports.get(configFile), first.problems.length > 0, text)
  problems.push(...config.problems)
  const { definition } = config
  if (definition !== undefined && target !== undefined && !(target in definition.warehouses)) {
    throw new CdpError('TARGET_UNKNOWN', { target, known: Object.keys(definition.warehouses) })
  }
  const chosen = target ?? Object.keys(definition?.warehouses ?? {})[0] ?? ''
  const warehouse = definition?.warehouses[chosen]

  const streams = compileStreams(definition?.sources ?? {}, { file: configFile, text })
  problems.push(...streams.problems)
  const modelFiles = readModels(definition?.models ?? 'models', inputs)
  const models = await withScratch(root, (session) =>
    compileModels(modelFiles, {
      engine: warehouse?.engine ?? 'duckdb',
      streams: definition && streams.streams.map((stream) => stream.relation),
      folder: definition?.models ?? 'models',
      session,
    }),
  )
  problems.push(...models.problems)
  const { names } = models
  if (definition?.consent !== undefined && !names.includes(definition.consent)) {
    const reason = `consent: there is no model "${definition.consent}".${didYouMean(definition.consent, names)}`
    const place = placeOfPath(configFile, text, ['consent'])
    problems.push(new CdpError('CONFIG_INVALID', { where: configFile, reason }, { place }))
  }

  const folderOfSyncs = definition?.syncs ?? 'syncs'
  const syncFiles = inputs
    .list(folderOfSyncs)
    .filter((name) => /\.[mc]?[jt]s$/.test(name) && !/\.(d|test|spec)\.[mc]?ts$/.test(name))
    .map((name) => `${folderOfSyncs}/${name}`)
  const code = readCode(root, syncFiles, inputs)
  const second = await importCode(root, syncFiles, code)
  problems.push(...second.problems.filter((problem) => !problems.some((known) => known.message === problem.message)))
  const syncs = compileSyncs(
    [...second.exports].map(([file, value]) => ({ file, text: code.files.get(file) ?? '', value })),
    {
      models: names,
      consent: definition && { model: definition.consent, required: definition.requirePurpose },
    },
  )
  problems.push(...syncs.problems)
  if (problems.length > 0 || definition === undefined || warehouse === undefined) throw new Problems(problems)

  const engines = [...new Set(Object.values(definition.warehouses).map(({ engine }) => engine))]
  const compiled: CompiledProject = {
    madeBy: madeBy(),
    root,
    name: definition.name,
    region: definition.region,
    timeZone: definition.timeZone,
    target: chosen,
    warehouse,
    streams: streams.streams,
    models: models.models,
    syncs: syncs.syncs,
    consent: definition.consent,
    requirePurpose: definition.requirePurpose,
    schedule: definition.schedule,
    inputs: inputs.all(),
    warnings: [...syncs.warnings, ...(await portabilityWarnings(modelFiles, engines, definition.models))],
  }
  saveCompiled(compiled, target, madeMs)
  const live = liveOf(definition.sources, syncs.destinations)
  return { compiled, live, modelFiles, engines, modelsFolder: definition.models }
}

// A run goes on where the SQL works; that it will not everywhere is said, once a file. `cdp check` says it place by place, as errors.
const portabilityWarnings = async (
  files: readonly ModelFile[],
  engines: readonly string[],
  folder: string,
): Promise<CompiledProject['warnings']> => {
  if (engines.length < 2) return []
  const { checkPortability } = await import('../models/portability/check.ts')
  const counts = new Map<string, number>()
  for (const { place } of await checkPortability(files, { engines, folder })) {
    if (place) counts.set(place.file, (counts.get(place.file) ?? 0) + 1)
  }
  return [...counts].map(([file, count]) => ({
    message: `does not mean the same on ${engines.join(' and ')} (${count} ${count === 1 ? 'place' : 'places'}): see cdp check.`,
    file,
  }))
}

type Checked = Omit<
  ProjectDefinition,
  'models' | 'syncs' | 'region' | 'timeZone' | 'requirePurpose' | 'schedule' | 'sources'
> &
  Required<
    Pick<ProjectDefinition, 'models' | 'syncs' | 'region' | 'timeZone' | 'requirePurpose' | 'schedule' | 'sources'>
  >

const isProject = (value: unknown): value is ProjectDefinition => hasBrand('project', value)

const readConfig = (
  value: unknown,
  failed: boolean,
  text: string,
): { definition: Checked | undefined; problems: readonly CdpError[] } => {
  const wrong = (reason: string, path: readonly (string | number)[] = []): CdpError =>
    new CdpError('CONFIG_INVALID', { where: configFile, reason }, { place: placeOfPath(configFile, text, path) })
  if (failed) return { definition: undefined, problems: [] }
  if (!isProject(value)) {
    return { definition: undefined, problems: [wrong('its default export is not defineProject({ … }).')] }
  }
  const parsed = projectSchema.safeParse(value, { reportInput: true })
  if (!parsed.success) {
    const found = problemsOf(projectSchema, parsed.error.issues)
    return { definition: undefined, problems: found.map((problem) => wrong(problem.message, problem.path)) }
  }
  // Sources and warehouses as they were given: the schema has looked at them, the code in them is not its business.
  const { region, timeZone, models, syncs, requirePurpose } = parsed.data
  const { sources, schedule = {} } = value
  return { definition: { ...value, sources, schedule, region, timeZone, models, syncs, requirePurpose }, problems: [] }
}

const readModels = (folder: string, inputs: Inputs): ModelFile[] =>
  inputs.list(folder).flatMap((name): ModelFile[] => {
    const path = `${folder}/${name}`
    if (name.endsWith('/')) return readModels(path.slice(0, -1), inputs)
    return name.endsWith('.sql') ? [{ file: path, text: inputs.text(path) ?? '' }] : []
  })

// An embedded DuckDB for its parser, opened only when a model needs it.
const withScratch = async <T>(root: string, work: (session: () => Promise<Warehouse>) => Promise<T>): Promise<T> => {
  let opened: Promise<Warehouse> | undefined
  const options = { root, mode: 'write', waitMs: 0, clock: systemClock } as const
  try {
    return await work(() => (opened ??= openWarehouse(duckdb({ path: ':memory:' }), options)))
  } finally {
    await (await opened)?.close()
  }
}
