// `cdp pull`: a slice of relations of one warehouse into an embedded one, to develop against. Which rows is decided by a hash, in the
// warehouse they come from: the same on every pull, and, by one column, the same persons in every relation.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import { CdpError } from '../core/errors.ts'
import type { Emit } from '../core/events.ts'
import { didYouMean } from '../core/nearest.ts'
import type { CompiledProject } from '../project/compiled.ts'
import { engineRelations } from '../warehouse/relations.ts'
import { stateTable } from '../warehouse/state-sql.ts'
import { insertRows } from '../warehouse/statements.ts'
import type { Column, RelationName, Row, Warehouse } from '../warehouse/warehouse.ts'
import { finishRun, saveVersions, startRun } from './record.ts'
import { landedVersion } from './versions.ts'

export interface PullOptions {
  readonly project: CompiledProject
  readonly from: Warehouse
  readonly into: Warehouse
  /** Names of streams and models. */
  readonly selected: ReadonlySet<string>
  /** Of the rows, above 0 and up to 1. */
  readonly sample: number
  /** Sample by this column; default: the stream's key, `person_id`, or whole rows. */
  readonly by?: string | undefined
  readonly runId: string
  /** ISO, UTC. */
  readonly instant: string
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly emit: Emit
  /** An existing folder for temporary files. */
  readonly tempDir: string
}

export interface Pulled {
  readonly relation: string
  readonly rows: number
  /** What the sample goes by. */
  readonly by: string
  /** What the source said that reading costs. */
  readonly bytes: number | null
}

interface Wanted {
  /** `shop.customers`, `profiles`. */
  readonly id: string
  readonly relation: RelationName & { readonly schema: 'raw' | 'models' }
  /** Of a stream. */
  readonly stream: string | undefined
  readonly key: string | undefined
}

/** `1%` as 0.01. Throws PULL_SAMPLE. */
export const sampleOf = (text: string): number => {
  const percent = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(text)?.[1]
  const part = Number(percent) / 100
  if (percent === undefined || part <= 0 || part > 1) throw new CdpError('PULL_SAMPLE', { text })
  return part
}

/**
 * Copies, one relation after the other, each put in place whole. Views become tables. Throws PULL_TARGETS, PULL_MISSING and PULL_COLUMN;
 * relations pulled before stay.
 */
export const performPull = async (options: PullOptions): Promise<readonly Pulled[]> => {
  const { project, from, into, runId, instant, clock } = options
  mkdirSync(options.tempDir, { recursive: true })
  const found = {
    raw: new Set((await from.relations('raw')).map(({ name }) => name)),
    models: new Set((await from.relations('models')).map(({ name }) => name)),
  }
  const wanted = wantedOf(project, options.selected)
  const missing = wanted.find(({ relation: { schema, name } }) => !found[schema].has(name))
  if (missing) throw new CdpError('PULL_MISSING', { relation: missing.id, from: project.target })
  await startRun(into, { runId, command: 'pull', instant, clock })
  const pulled: Pulled[] = []
  let done = false
  try {
    for (const one of wanted) {
      options.signal.throwIfAborted()
      const started = clock.now()
      options.emit({ type: 'step-started', step: one.id, kind: 'pull' })
      const result = await pullOne(one, options)
      pulled.push(result)
      const { rows } = result
      options.emit({
        type: 'step-finished',
        step: one.id,
        kind: 'pull',
        status: 'done',
        ms: clock.now() - started,
        rows,
      })
    }
    done = true
    return pulled
  } finally {
    const status = done ? 'done' : options.signal.aborted ? 'interrupted' : 'failed'
    await finishRun(into, { runId, clock, status, exitCode: done ? 0 : 1 })
  }
}

const wantedOf = (project: CompiledProject, selected: ReadonlySet<string>): Wanted[] => [
  ...project.streams
    .filter(({ id }) => selected.has(id))
    .map((stream): Wanted => ({
      id: stream.id,
      relation: { schema: 'raw', name: stream.relation },
      stream: stream.id,
      key: stream.key?.[0],
    })),
  ...project.models
    .filter(({ name }) => selected.has(name))
    .map(({ name }): Wanted => ({ id: name, relation: { schema: 'models', name }, stream: undefined, key: undefined })),
]

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

// Fine enough for a part of a million.
const buckets = 1_000_000

const sampledBy = (one: Wanted, columns: readonly Column[], options: PullOptions): string | undefined => {
  const names = columns.map(({ name }) => name)
  const { by } = options
  const wished = by === undefined ? [one.key, 'person_id'] : [by]
  const found = wished.flatMap((wish) => names.find((name) => wish !== undefined && same(name, wish)) ?? [])[0]
  if (by !== undefined && found === undefined) {
    throw new CdpError('PULL_COLUMN', { relation: one.id, column: by, near: didYouMean(by, names) })
  }
  return found
}

const pullOne = async (one: Wanted, options: PullOptions): Promise<Pulled> => {
  const { from, sample } = options
  const columns = await from.describe(`select * from ${from.name(one.relation)}`)
  const by = sampledBy(one, columns, options)
  const select = sampleSelect(from, one.relation, columns, by, sample)
  const cost = await from.cost(select)
  const folder = mkdtempSync(join(options.tempDir, 'pull-'))
  try {
    const file = join(folder, 'rows.ndjson')
    await from.unload(select, file)
    options.signal.throwIfAborted()
    const recorded = one.stream === undefined ? [] : await schemaRows(from, one.stream)
    const rows = await putInPlace(one, typed(from, options.into, columns, recorded), recorded, file, options)
    return {
      relation: one.id,
      rows,
      by: sample === 1 ? 'all rows' : (by ?? 'whole rows'),
      bytes: cost?.bytes ?? null,
    }
  } finally {
    // Personal data: it stays no longer than it is needed.
    rmSync(folder, { recursive: true, force: true })
  }
}

const sampleSelect = (
  from: Warehouse,
  relation: RelationName,
  columns: readonly Column[],
  by: string | undefined,
  sample: number,
): string => {
  const list = columns.map(({ name }) => `t.${from.quote(name)}`).join(', ')
  const all = `select ${list} from ${from.name(relation)} t`
  if (sample === 1) return all
  const own = (name: string): string => from.name({ schema: 'cdp', name })
  // What landing adds is not part of a row's content.
  const content = columns.filter(({ name }) => !name.startsWith('_cdp_'))
  const texts = content.map(({ name }) => `coalesce(${own('canonical_text')}(t.${from.quote(name)}), '')`)
  const value = by === undefined ? from.dialect.joined("','", texts) : `t.${from.quote(by)}`
  return `${all} where ${own('hash_bucket')}(${value}, ${buckets}) < ${Math.ceil(sample * buckets)}`
}

interface TypedColumn {
  readonly name: string
  /** What the reader calls its type. */
  readonly type: string
}

// A landed column has the type that landing decided; another what the reader calls what the source calls it.
const typed = (from: Warehouse, into: Warehouse, columns: readonly Column[], recorded: readonly Row[]): TypedColumn[] =>
  columns.map(({ name, type }) => {
    const decided = recorded.findLast((row) => row['column_name'] === name)?.['type']
    const word =
      typeof decided === 'string' ? into.typeName(decided as Parameters<Warehouse['typeName']>[0]) : undefined
    return { name, type: word ?? from.readerType(type) }
  })

const schemaColumns = Object.keys(engineRelations.schemas.columns)

const schemaRows = (from: Warehouse, stream: string): Promise<Row[]> =>
  from.all(
    `select ${schemaColumns.map((column) => from.quote(column)).join(', ')} from ${from.landing?.('schemas') ?? stateTable(from, 'schemas')}
     where stream = ${from.literal(stream)} order by version`,
  )

const putInPlace = async (
  one: Wanted,
  columns: readonly TypedColumn[],
  recorded: readonly Row[],
  file: string,
  { into, runId, clock }: PullOptions,
): Promise<number> => {
  const { relation } = one
  const stage: RelationName = { schema: relation.schema, name: `_cdp_pull_${relation.name}` }
  const isView = (await into.relations(relation.schema)).some((known) => known.name === relation.name && known.isView)
  return into.transaction(async () => {
    const definitions = columns.map(({ name, type }) => `${into.quote(name)} ${type}`)
    await into.run(`create or replace table ${into.name(stage)} (${definitions.join(', ')})`)
    const names = columns.map(({ name }) => name)
    const rows = await into.load(stage, names, readerSelect(into, columns, file))
    if (isView) await into.run(`drop view ${into.name(relation)}`)
    await into.replaceTable(relation, stage)
    if (one.stream !== undefined) {
      await into.run(`delete from cdp.schemas where stream = ${into.literal(one.stream)}`)
      await insertRows(into, { schema: 'cdp', name: 'schemas' }, recorded)
    }
    const version =
      one.stream === undefined
        ? { ...landedVersion(relation.name, runId, rows), relation: relation.name, fingerprint: 'pulled' }
        : landedVersion(relation.name, runId, rows)
    await saveVersions(into, [{ ...version, built_at: new Date(clock.now()).toISOString() }], () => true)
    return rows
  })
}

// Bytes come as base64; what else JSON cannot say comes as text that the reader takes for its type.
const readerSelect = ({ reader }: Warehouse, columns: readonly TypedColumn[], file: string): string => {
  const types = columns.map(
    ({ name, type }) => `${reader.literal(name)}: ${reader.literal(type === 'BLOB' ? 'VARCHAR' : type)}`,
  )
  const values = columns.map(({ name, type }) =>
    type === 'BLOB' ? `from_base64(${reader.quote(name)})` : reader.quote(name),
  )
  const from = `read_json(${reader.literal(file)}, format = 'newline_delimited', columns = {${types.join(', ')}}, maximum_object_size = 268435456)`
  return `select ${values.join(', ')} from ${from}`
}
