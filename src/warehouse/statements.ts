// The few statements that every stage needs about a relation, as portable SQL text.
import { engineRelations, type EngineRelation, type EngineRelationName } from './relations.ts'
import type { ColumnType, RelationName, Warehouse } from './warehouse.ts'

/** A column of an engine relation: its type without the mark for null. */
export const columnType = (declared: string): ColumnType => declared.replace(/\?$/, '') as ColumnType

/** `create table "cdp"."runs" ("run_id" VARCHAR not null, …)`. No keys: they would forbid widening and slow bulk writes. */
export const createTable = (warehouse: Warehouse, target: RelationName, columns: EngineRelation['columns']): string => {
  const list = Object.entries(columns).map(
    ([name, type]) =>
      `${warehouse.quote(name)} ${warehouse.typeName(columnType(type))}${type.endsWith('?') ? '' : ' not null'}`,
  )
  return `create table ${warehouse.name(target)} (${list.join(', ')})`
}

export const createEngineRelation = (warehouse: Warehouse, name: EngineRelationName): string =>
  createTable(warehouse, { schema: 'cdp', name }, engineRelations[name].columns)
