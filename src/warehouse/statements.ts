// The few statements that every stage needs about a relation, as portable SQL text.
import { engineRelations, type EngineRelation, type EngineRelationName } from './relations.ts'
import type { ColumnType, RelationName, Warehouse } from './warehouse.ts'

/** A column of an engine relation: its type without the mark for null. */
export const columnType = (declared: string): ColumnType => declared.replace(/\?$/, '') as ColumnType

/**
 * `create table "cdp"."runs" ("run_id" VARCHAR not null, …)`. No keys: they would forbid widening and slow bulk writes. Where DDL
 * takes effect by itself one that is there already stays, so that a migration may be repeated.
 */
export const createTable = (warehouse: Warehouse, target: RelationName, columns: EngineRelation['columns']): string => {
  const list = Object.entries(columns).map(
    ([name, type]) =>
      `${warehouse.quote(name)} ${warehouse.typeName(columnType(type))}${type.endsWith('?') ? '' : ' not null'}`,
  )
  const guard = warehouse.supports.transactionalDdl ? '' : 'if not exists '
  return `create table ${guard}${warehouse.name(target)} (${list.join(', ')})`
}

export const createEngineRelation = (warehouse: Warehouse, name: EngineRelationName): string =>
  `${createTable(warehouse, { schema: 'cdp', name }, engineRelations[name].columns)} ${warehouse.layout(name)}`.trimEnd()

// A statement is parsed anew for each batch and its cost grows with its parameters: beyond some hundred rows `load` is the way.
const parametersPerStatement = 1000

/**
 * Appends a few rows. Columns are those of the first row; a value that is missing is null. About 10 rows a millisecond: for
 * more than some thousand, write a file and `load` it. Wrap it in a transaction when the batches belong together.
 */
export const insertRows = async (
  warehouse: Warehouse,
  target: RelationName,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<void> => {
  const columns = Object.keys(rows[0] ?? {})
  const perStatement = Math.max(1, Math.floor(parametersPerStatement / Math.max(1, columns.length)))
  for (let from = 0; from < rows.length; from += perStatement) {
    const batch = rows.slice(from, from + perStatement)
    const tuples = batch.map((_, row) => `(${columns.map((__, at) => `$${row * columns.length + at + 1}`).join(', ')})`)
    await warehouse.run({
      sql: `insert into ${warehouse.name(target)} (${columns.map((c) => warehouse.quote(c)).join(', ')}) values ${tuples.join(', ')}`,
      parameters: batch.flatMap((row) => columns.map((column) => row[column] ?? null)),
    })
  }
}

export interface Merge {
  readonly target: RelationName
  /** A relation with the same columns, at most one row a key. */
  readonly source: RelationName
  readonly columns: readonly string[]
  /** Null equals null. */
  readonly key: readonly string[]
}

/**
 * Statements that make the rows of `source` the rows of `target` with the same key, and add those with a new key. Where DDL and DML
 * share a transaction: a DELETE and an INSERT, to be run in one (a MERGE that touches 1 % of a million rows takes 15 times as
 * long on DuckDB). Elsewhere one MERGE, which is atomic by itself.
 */
export const mergeStatements = (warehouse: Warehouse, merge: Merge): string[] => {
  const { columns, key } = merge
  const target = warehouse.name(merge.target)
  const source = warehouse.name(merge.source)
  const quoted = columns.map((column) => warehouse.quote(column))
  const same = key
    .map((column) => warehouse.quote(column))
    .map((column) => `t.${column} is not distinct from s.${column}`)
    .join(' and ')
  if (warehouse.supports.transactionalDdl) {
    return [
      `delete from ${target} as t using ${source} as s where ${same}`,
      `insert into ${target} (${quoted.join(', ')}) select ${quoted.join(', ')} from ${source}`,
    ]
  }
  const rest = columns.filter((column) => !key.includes(column)).map((column) => warehouse.quote(column))
  const update =
    rest.length === 0
      ? ''
      : ` when matched then update set ${rest.map((column) => `${column} = s.${column}`).join(', ')}`
  const values = quoted.map((column) => `s.${column}`).join(', ')
  return [
    `merge into ${target} as t using ${source} as s on ${same}${update} when not matched then insert (${quoted.join(', ')}) values (${values})`,
  ]
}
