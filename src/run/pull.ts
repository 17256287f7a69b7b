// `cdp pull`: a slice of relations of one warehouse into an embedded one, to develop against. Which rows, and for how much, is planned
// before anything is read (pull-plan.ts).
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import type { Emit } from '../core/events.ts'
import type { CompiledProject } from '../project/compiled.ts'
import { engineRelations } from '../warehouse/relations.ts'
import { stateTable } from '../warehouse/state-sql.ts'
import { insertRows } from '../warehouse/statements.ts'
import type { Column, RelationName, Row, Warehouse } from '../warehouse/warehouse.ts'
import { planPull, priceOf, type PlannedPull, type PullPrice, type Slice } from './pull-plan.ts'
import { finishRun, saveVersions, startRun } from './record.ts'
import { createSpending, metered, newMeter, type Spending } from './spending.ts'
import { landedVersion } from './versions.ts'

export interface PullOptions extends Slice {
  readonly project: CompiledProject
  readonly from: Warehouse
  readonly into: Warehouse
  /** Names of streams and models. */
  readonly selected: ReadonlySet<string>
  /** That reading all of it may be billed for. */
  readonly maximumBytes?: number | undefined
  /** Told of what reading it is estimated at, before anything is read; not where the source does not bill by bytes. */
  readonly priced?: (price: PullPrice) => void
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
  /** What the source said that reading it would be. */
  readonly bytes: number | null
  /** What it was billed for. */
  readonly bytes_billed: number | null
}

/**
 * Copies, one relation after the other, each put in place whole. Views become tables. PULL_MISSING, PULL_COLUMN, PULL_WHERE and PULL_COST
 * are thrown before anything is read; QUERY_COST where a statement would cost more than what is left, and relations pulled before stay.
 */
export const performPull = async (options: PullOptions): Promise<readonly Pulled[]> => {
  const { project, from, into, runId, instant, clock } = options
  mkdirSync(options.tempDir, { recursive: true })
  const planned = await planPull(project, from, options.selected, options)
  const price = priceOf(project, planned, options.maximumBytes)
  if (price) options.priced?.(price)
  const spending = createSpending(runId, options.maximumBytes)
  await startRun(into, { runId, command: 'pull', instant, clock })
  const pulled: Pulled[] = []
  let done = false
  try {
    for (const one of planned) {
      options.signal.throwIfAborted()
      const started = clock.now()
      options.emit({ type: 'step-started', step: one.id, kind: 'pull' })
      const result = await pullOne(one, options, spending)
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

const pullOne = async (one: PlannedPull, options: PullOptions, spending: Spending): Promise<Pulled> => {
  const { from } = options
  const { id, stream, columns, select, by, bytes } = one
  const meter = newMeter()
  const folder = mkdtempSync(join(options.tempDir, 'pull-'))
  try {
    return await spending.step({ name: id, meter }, async () => {
      const file = join(folder, 'rows.ndjson')
      await from.unload(select, file)
      options.signal.throwIfAborted()
      const recorded = stream === undefined ? [] : await schemaRows(from, stream)
      const rows = await putInPlace(one, typed(from, options.into, columns, recorded), recorded, file, options)
      return { relation: id, rows, by, bytes, bytes_billed: metered(meter).bytes_billed }
    })
  } finally {
    // Personal data: it stays no longer than it is needed.
    rmSync(folder, { recursive: true, force: true })
  }
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
  one: PlannedPull,
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
