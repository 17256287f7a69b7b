// Has the engine itself prepare every model, because the parser accepts what the engine refuses. Nothing of the project's data is needed
// or touched: in an empty database each relation is stood for by an empty table with its columns, in the order of the models.
import { CdpError, hasCode } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import type { Column, RelationName, Warehouse } from '../warehouse/warehouse.ts'
import { loadKind } from './kinds/kinds.ts'
import { render, renderPart, type CompiledModel, type Speller, type SqlPart } from './model.ts'
import { placeIn } from './statement.ts'
import { brokenTest, engineReason } from './tests.ts'
import { excerpt, indexAt, positionAt } from './text-position.ts'

export interface CheckFacts {
  /** An empty in-memory warehouse with the engine's own relations and functions; it is filled with stand-ins. */
  readonly scratch: Warehouse
  /** Columns of landed data by relation (`shop_customers`), types in the words of `scratch`; a relation that is not here is not known. */
  readonly raw: ReadonlyMap<string, readonly Column[]>
  readonly instant: string
  /** Models that `scratch` has no SQL for, and why: what reads them cannot be prepared either. */
  readonly missing?: ReadonlyMap<string, string>
}

export interface CheckResult {
  readonly problems: readonly CdpError[]
  /** Columns of every model that was prepared. */
  readonly columns: ReadonlyMap<string, readonly Column[]>
  /** What could not be prepared, and why. */
  readonly notes: readonly { readonly message: string; readonly file: string }[]
}

export const checkModels = async (models: readonly CompiledModel[], facts: CheckFacts): Promise<CheckResult> => {
  const { scratch } = facts
  const problems: CdpError[] = []
  const notes: { message: string; file: string }[] = []
  const columns = new Map<string, readonly Column[]>()
  const missing = new Map(facts.missing)
  for (const [name, list] of facts.raw) await standIn(scratch, { schema: 'raw', name }, list)
  for (const model of models) {
    const unknown = model.reads.find((read) => isUnknown(read, facts, missing))
    const why = unknown && (missing.get(unknown) ?? `the columns of ${unknown} are not known before it has landed once`)
    const prepared = why === undefined ? await prepare(model, facts) : { columns: undefined, problems: [], why }
    problems.push(...prepared.problems)
    if (prepared.columns !== undefined) columns.set(model.name, prepared.columns)
    else {
      missing.set(model.name, prepared.why ?? `${model.name} is wrong`)
      if (prepared.why !== undefined)
        notes.push({ message: `${model.name} was not prepared: ${prepared.why}.`, file: model.file })
    }
  }
  return { problems, columns, notes }
}

const isUnknown = (read: string, facts: CheckFacts, missing: ReadonlyMap<string, string>): boolean =>
  missing.has(read) || (read.startsWith('raw.') && !facts.raw.has(read.slice(4)))

interface Prepared {
  readonly columns: readonly Column[] | undefined
  readonly problems: readonly CdpError[]
  /** Why the columns are not known although nothing is wrong. */
  readonly why?: string
}

const prepare = async (model: CompiledModel, { scratch, instant }: CheckFacts): Promise<Prepared> => {
  const kind = await loadKind(model.kind)
  const select = render(model.sql, scratch, instant)
  const relation: RelationName = { schema: 'models', name: model.name }
  let columns: readonly Column[]
  try {
    columns = await scratch.describe(select)
  } catch (thrown) {
    if (dependsOnData(thrown))
      return { columns: undefined, problems: [], why: `the columns of ${model.name} depend on its rows` }
    return { columns: undefined, problems: [refused(model, scratch, instant, thrown)] }
  }
  const problems = (kind.requires?.(model.header) ?? [])
    .filter((name) => !hasColumn(columns, name))
    .map((column) => missingColumn(model, columns, column, `its header (kind: ${model.kind}) needs`))
  if (problems.length > 0) return { columns: undefined, problems }
  try {
    if (kind.columns) await standIn(scratch, relation, kind.columns(model.header, columns))
    else await scratch.run(`create or replace table ${scratch.name(relation)} as select * from (${select}\n) t limit 0`)
  } catch (thrown) {
    return { columns: undefined, problems: [refused(model, scratch, instant, thrown)] }
  }
  for (const test of model.tests) {
    await scratch.describe(render(test.sql, scratch, instant)).catch((cause: unknown) => {
      if (!test.reads.some((read) => read.startsWith('raw.'))) problems.push(brokenTest(test, cause))
    })
  }
  return { columns: await scratch.describe(`select * from ${scratch.name(relation)}`), problems }
}

// A PIVOT without a list is two statements: the engine looks at the values first.
const dependsOnData = (thrown: unknown): boolean =>
  hasCode(thrown, 'QUERY_FAILED') && thrown.args.reason.includes('prepare multiple statements')

export const hasColumn = (columns: readonly Column[], name: string): boolean =>
  columns.some((column) => column.name.toLowerCase() === name.toLowerCase())

/** `why`: what needs it, to follow "which". */
export const missingColumn = (
  model: Pick<CompiledModel, 'name' | 'file' | 'sqlLine'>,
  columns: readonly Column[],
  column: string,
  why: string,
): CdpError => {
  const near = didYouMean(
    column,
    columns.map((c) => c.name),
  )
  return new CdpError(
    'MODEL_COLUMN',
    { model: model.name, column, why, near },
    { place: { file: model.file, line: model.sqlLine } },
  )
}

const standIn = async (scratch: Warehouse, relation: RelationName, columns: readonly Column[]): Promise<void> => {
  const list = columns.map(
    ({ name, type }) => `${scratch.quote(name)} ${/^"?(SQL)?NULL"?$/i.test(type) ? 'INTEGER' : type}`,
  )
  await scratch.run(`create or replace table ${scratch.name(relation)} (${list.join(', ')})`)
}

/** An engine's refusal of a model's SELECT, at its place in the analyst's file. What is no refusal is thrown again. */
export const refused = (model: CompiledModel, scratch: Warehouse, instant: string, thrown: unknown): CdpError => {
  if (!hasCode(thrown, 'QUERY_FAILED')) throw thrown
  const { line, column } = thrown.args
  const args = { model: model.name, engine: scratch.engine, reason: engineReason(thrown).replace(/\.$/, '') }
  if (line === undefined || column === undefined) {
    const context = { place: { file: model.file, line: model.sqlLine }, cause: thrown }
    return new CdpError('MODEL_REFUSED', { ...args, excerpt: '' }, context)
  }
  const target = indexAt(render(model.sql, scratch, instant), { line, column })
  const at = writtenIndex(model.sql, scratch, instant, target)
  const written = model.sql.map(writtenText).join('')
  const position = positionAt(written, at)
  const place = placeIn({ file: model.file, at: { line: model.sqlLine, column: model.sqlColumn } }, position)
  return new CdpError('MODEL_REFUSED', { ...args, excerpt: excerpt(written, position) }, { place, cause: thrown })
}

/** A part as the analyst wrote it. */
export const writtenText = (part: SqlPart): string =>
  typeof part === 'string' ? part : 'written' in part ? (part.written ?? '') : ''

/** Index in the SQL as written of one in the SQL as rendered. Inside a replaced name it is that name's start. */
export const writtenIndex = (parts: readonly SqlPart[], scratch: Speller, instant: string, target: number): number => {
  let rendered = 0
  let written = 0
  for (const part of parts) {
    const text = renderPart(part, scratch, instant)
    if (target < rendered + text.length) return typeof part === 'string' ? written + target - rendered : written
    rendered += text.length
    written += writtenText(part).length
  }
  return written
}
