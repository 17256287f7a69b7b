// The raw relation of a stream: made, given new columns, widened. Never narrowed.
import { CdpError } from '../core/errors.ts'
import type { ColumnType, RelationName, Warehouse } from '../warehouse/warehouse.ts'
import type { ColumnPlan } from './columns.ts'
import { storedAs, storedKeeps, storedText } from './stored-values.ts'
import type { TypeInForce } from './types.ts'

export interface OwnColumns {
  /** `_cdp_source_file`: where asked, and where rows have no key, so that a changed file's rows can be told. */
  readonly file: boolean
  /** `_cdp_source_line`: where asked. */
  readonly line: boolean
}

const ownColumns = (own: OwnColumns): readonly NewColumn[] => [
  { name: '_cdp_loaded_at', type: 'timestamp' },
  { name: '_cdp_load_id', type: 'text' },
  ...(own.file ? [{ name: '_cdp_source_file', type: 'text' } as const] : []),
  ...(own.line ? [{ name: '_cdp_source_line', type: 'integer' } as const] : []),
]

interface NewColumn {
  readonly name: string
  readonly type: ColumnType
}

/** What is to be done to a raw relation. */
export interface Shape {
  readonly relation: RelationName
  readonly exists: boolean
  /** Those it has, in order. */
  readonly present: readonly string[]
  readonly added: readonly NewColumn[]
  readonly retyped: readonly { readonly name: string; readonly type: ColumnType; readonly value: string }[]
  /** Partitions and clusters, where the engine has them. */
  readonly layout: string
}

export interface Shaping {
  readonly plans: readonly ColumnPlan[]
  readonly keys: readonly ColumnPlan[]
  readonly own: OwnColumns
}

/**
 * Compares the relation with the plan; changes nothing. Throws STREAM_PROMISE where rows that have landed break one. What the columns
 * are is asked of the warehouse: a load that died may have changed some of them.
 */
export const shapeOf = async (
  warehouse: Warehouse,
  relation: RelationName,
  exists: boolean,
  { plans, keys, own }: Shaping,
  stream: { readonly id: string; readonly timeZone: string },
): Promise<Shape> => {
  const wanted: readonly NewColumn[] = [...plans.map(({ name, type }) => ({ name, type })), ...ownColumns(own)]
  const layout = layoutOf(warehouse, keys)
  if (!exists) return { relation, exists, present: [], added: wanted, retyped: [], layout }
  const table = warehouse.name(relation)
  const present = await warehouse.describe(`select * from ${table}`)
  const actual = new Map(present.map(({ name, type }) => [name.toLowerCase(), type]))
  const retyped: { name: string; type: ColumnType; value: string }[] = []
  for (const plan of plans) {
    const type = actual.get(plan.name.toLowerCase())
    const known = [...(plan.before ? [plan.before] : []), ...plan.history]
    const from = known.find((one) => warehouse.typeName(one.type) === type)
    if (type === undefined || from === undefined) continue
    if (plan.declared && plan.before && plan.before.type !== plan.type) {
      await refuseBroken(warehouse, table, plan, from, stream.id)
    }
    if (type === warehouse.typeName(plan.type)) continue
    retyped.push({ name: plan.name, type: plan.type, value: valueIn(warehouse, plan, from, stream.timeZone) })
  }
  return {
    relation,
    exists,
    present: present.map(({ name }) => name),
    added: wanted.filter(({ name }) => !actual.has(name.toLowerCase())),
    retyped,
    layout,
  }
}

/**
 * Brings the relation to its shape. Returns whether anything was done. Where there are partitions they are by day of landing, clustered
 * by key. A load with a key still reads the key and content columns whole, since no day can be told from a key.
 */
export const reshape = async (warehouse: Warehouse, shape: Shape): Promise<boolean> => {
  const { exists, present, added, retyped, layout } = shape
  const table = warehouse.name(shape.relation)
  const defined = added.map(({ name, type }) => `${warehouse.quote(name)} ${warehouse.typeName(type)}`)
  if (!exists) {
    await warehouse.run(`create table ${table} (${defined.join(', ')}) ${layout}`.trimEnd())
    return true
  }
  const statements = retyped.map(({ name, type, value }) =>
    warehouse.dialect.columns.retype(table, warehouse.quote(name), warehouse.typeName(type), value),
  )
  if (statements.includes(undefined)) {
    // One statement for all of it, so that nobody finds half.
    const values = new Map(retyped.map(({ name, value }) => [name.toLowerCase(), value]))
    const columns = [
      ...present.map((name) => {
        const value = values.get(name.toLowerCase())
        return value === undefined ? warehouse.quote(name) : `${value} as ${warehouse.quote(name)}`
      }),
      ...added.map(({ name, type }) => `cast(null as ${warehouse.typeName(type)}) as ${warehouse.quote(name)}`),
    ]
    await warehouse.run(`create or replace table ${table} ${layout} as select ${columns.join(', ')} from ${table}`)
    return true
  }
  for (const statement of [...warehouse.dialect.columns.add(table, defined), ...statements]) {
    if (statement !== undefined) await warehouse.run(statement)
  }
  return added.length + retyped.length > 0
}

const clusterable = /^(?:text|integer|boolean|date|timestamp|decimal.*)$/
const mostClusters = 4

const layoutOf = (warehouse: Warehouse, keys: readonly ColumnPlan[]): string => {
  const clusters = keys
    .filter(({ type }) => clusterable.test(type))
    .slice(0, mostClusters)
    .map(({ name }) => warehouse.quote(name))
  const day = { sql: warehouse.quote('_cdp_loaded_at'), type: warehouse.typeName('timestamp') }
  return warehouse.dialect.partitions?.layout(day, clusters) ?? ''
}

const refuseBroken = async (
  warehouse: Warehouse,
  table: string,
  plan: ColumnPlan,
  from: TypeInForce,
  stream: string,
): Promise<void> => {
  const text = storedText(warehouse, warehouse.quote(plan.name), from)
  const broken = `text <> '' and not coalesce(${storedKeeps(warehouse, 'text', plan.type)}, false)`
  const [found] = await warehouse.all<{ n: number; example: string | null }>(
    `select count(*) as n, min(text) as example from (select ${text} as text from ${table}) as t where ${broken}`,
  )
  if (!found || found.n === 0) return
  throw new CdpError('STREAM_PROMISE', {
    stream,
    column: plan.name,
    type: plan.type,
    was: plan.before?.type ?? from.type,
    rows: found.n,
    example: found.example ?? '',
  })
}

/** A stored value in the type that is planned. */
const valueIn = (warehouse: Warehouse, plan: ColumnPlan, from: TypeInForce, timeZone: string): string => {
  const column = warehouse.quote(plan.name)
  const widerNumber = plan.type.startsWith('decimal') && !plan.declared
  if (widerNumber) return `cast(${column} as ${warehouse.typeName(plan.type)})`
  return storedAs(warehouse, storedText(warehouse, column, from), plan.type, timeZone)
}
