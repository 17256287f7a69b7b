// `cdp check`: beyond what loading finds, the engine prepares every model, and syncs are held against the columns that come out.
import { systemClock } from '../core/clock.ts'
import { CdpError } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import { checkModels, hasColumn, missingColumn, type CheckResult } from '../models/check.ts'
import { checkOverrides } from '../models/check-overrides.ts'
import type { ModelFile } from '../models/compile.ts'
import { duckdb } from '../warehouse/define-duckdb.ts'
import { openWarehouse, type Column, type ColumnType, type Session, type Warehouse } from '../warehouse/warehouse.ts'
import { checkEngines, preparable } from './check-engines.ts'
import type { CompiledProject, CompiledSync } from './compiled.ts'

export interface CheckedProject {
  readonly problems: readonly CdpError[]
  readonly notes: readonly { readonly message: string; readonly file: string }[]
  /** Columns of every model that was prepared. */
  readonly columns: ReadonlyMap<string, readonly Column[]>
}

export interface CheckProjectOptions {
  readonly project: CompiledProject
  readonly modelFiles: readonly ModelFile[]
  /** Of all warehouses of the project; default that of the target alone. */
  readonly engines?: readonly string[]
  /** The models folder; default `models`. */
  readonly folder?: string
  /** The project's warehouse, where it exists already: it knows the types of what has landed. */
  readonly warehouse?: Session | undefined
  /** Columns (portable types) of a stream that has not landed yet, from a look at its source; undefined when they cannot be known. */
  readonly sniff?: (
    streamId: string,
  ) => Promise<readonly { readonly name: string; readonly type: ColumnType }[] | undefined>
  /** ISO, UTC. */
  readonly instant: string
}

export const checkProject = async (options: CheckProjectOptions): Promise<CheckedProject> => {
  const { project, modelFiles, instant, engines = [project.warehouse.engine], folder = 'models' } = options
  const scratch = await openWarehouse(duckdb({ path: ':memory:' }), {
    root: project.root,
    mode: 'write',
    waitMs: 0,
    clock: systemClock,
  })
  try {
    const raw = new Map<string, readonly Column[]>()
    for (const [relation, columns] of await rawColumns(options)) {
      raw.set(
        relation,
        columns.map(({ name, type }) => ({ name, type: scratch.typeName(type) })),
      )
    }
    const facts = { project, modelFiles, engines, folder, scratch, instant }
    const { models: prepared, missing } = await preparable(facts)
    const models = await checkModels(prepared, { scratch, raw, instant, missing })
    const overrides = await checkOverrides(modelFiles, { scratch, instant, folder })
    // What is written for another engine alone is not DuckDB's to refuse.
    const [own, notes] = engines.includes('duckdb') ? [models.problems, models.notes] : asNotes(models)
    return {
      problems: [
        ...own,
        ...(await checkEngines(facts, prepared)),
        ...overrides,
        ...checkSyncs(project, models.columns),
        ...checkConsent(project, models.columns),
      ],
      notes: [...notes, ...missingNotes(project, missing)],
      columns: models.columns,
    }
  } finally {
    await scratch.close()
  }
}

const asNotes = ({ problems, notes }: CheckResult): [CdpError[], CheckResult['notes']] => {
  const refusals = problems.filter((problem) => problem.code === 'MODEL_REFUSED')
  const said = refusals.map((problem) => ({ message: problem.message, file: problem.place?.file ?? '' }))
  return [problems.filter((problem) => !refusals.includes(problem)), [...notes, ...said]]
}

const missingNotes = (project: CompiledProject, missing: ReadonlyMap<string, string>): CheckResult['notes'] =>
  project.models.flatMap(({ name, file }) => {
    const why = missing.get(name)
    return why === undefined ? [] : [{ message: `${name} was not prepared: ${why}.`, file }]
  })

type PortableColumn = { readonly name: string; readonly type: ColumnType }

// What every landed relation has beside its own columns.
const added: readonly PortableColumn[] = [
  { name: '_cdp_loaded_at', type: 'timestamp' },
  { name: '_cdp_load_id', type: 'text' },
]
const addedLines: readonly PortableColumn[] = [
  { name: '_cdp_source_file', type: 'text' },
  { name: '_cdp_source_line', type: 'integer' },
]

const rawColumns = async ({
  project,
  warehouse,
  sniff,
}: CheckProjectOptions): Promise<ReadonlyMap<string, readonly PortableColumn[]>> => {
  const landed = warehouse === undefined ? new Map<string, PortableColumn[]>() : await landedColumns(warehouse)
  const out = new Map<string, readonly PortableColumn[]>()
  for (const stream of project.streams) {
    const columns = landed.get(stream.id) ?? (await sniff?.(stream.id))
    if (columns !== undefined)
      out.set(stream.relation, [...columns, ...added, ...(stream.lines === true ? addedLines : [])])
  }
  return out
}

const landedColumns = async (
  warehouse: Session & Pick<Warehouse, 'landing'>,
): Promise<Map<string, PortableColumn[]>> => {
  const schemas = warehouse.landing?.('schemas') ?? 'cdp.schemas'
  const rows = await warehouse.all<{ stream: string; name: string; type: ColumnType }>(
    `select stream, column_name as name, type from ${schemas} s
     where version = (select max(version) from ${schemas} o where o.stream = s.stream and o.column_name = s.column_name)
     order by stream, position`,
  )
  const out = new Map<string, PortableColumn[]>()
  for (const { stream, name, type } of rows) out.set(stream, [...(out.get(stream) ?? []), { name, type }])
  return out
}

const checkSyncs = (project: CompiledProject, columns: ReadonlyMap<string, readonly Column[]>): CdpError[] =>
  project.syncs.flatMap((sync) => {
    const known = columns.get(sync.from)
    if (known === undefined) return []
    const wrong = (reason: string): CdpError =>
      new CdpError('SYNC_INVALID', { sync: sync.id, reason }, { place: { file: sync.file } })
    const unknown = columnsOf(sync)
      .filter(({ column }) => !hasColumn(known, column))
      .map(({ where, column }) => {
        const near =
          didYouMean(
            column,
            known.map((one) => one.name),
          ) || ` It has ${known.map((one) => one.name).join(', ')}.`
        return wrong(`${where}: ${sync.from} has no column "${column}".${near}`)
      })
    const person =
      sync.purpose !== undefined && !hasColumn(known, 'person_id')
        ? [wrong(`purpose: ${sync.from} has no column person_id, by which consent is looked up.`)]
        : []
    return [...unknown, ...person]
  })

const columnsOf = (sync: CompiledSync): { where: string; column: string }[] => [
  ...Object.entries(sync.key).map(([key, column]) => ({ where: `key.${key}`, column })),
  ...Object.entries(sync.map).flatMap(([key, value]) =>
    typeof value === 'string' ? [{ where: `map.${key}`, column: value }] : [],
  ),
]

const checkConsent = (project: CompiledProject, columns: ReadonlyMap<string, readonly Column[]>): CdpError[] => {
  const model = project.models.find((one) => one.name === project.consent)
  const known = model && columns.get(model.name)
  if (model === undefined || known === undefined) return []
  return ['person_id', 'purpose', 'granted']
    .filter((name) => !hasColumn(known, name))
    .map((name) => missingColumn(model, known, name, 'a consent model must give'))
}
