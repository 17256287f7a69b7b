// The raw relation of a stream: made, given new columns, widened. Never narrowed.
import { CdpError } from '../core/errors.ts'
import type { ColumnType, RelationName, Warehouse } from '../warehouse/warehouse.ts'
import type { ColumnPlan } from './columns.ts'
import { cast, print, promiseKept } from './types.ts'

export interface OwnColumns {
  /** `_cdp_source_file`: where asked, and where rows have no key, so that a changed file's rows can be told. */
  readonly file: boolean
  /** `_cdp_source_line`: where asked. */
  readonly line: boolean
}

const ownColumns = (own: OwnColumns) =>
  [
    ['_cdp_loaded_at', 'timestamp'],
    ['_cdp_load_id', 'text'],
    ...(own.file ? [['_cdp_source_file', 'text'] as const] : []),
    ...(own.line ? [['_cdp_source_line', 'integer'] as const] : []),
  ] as const

/** Brings the relation to the plan; in the load's transaction. Returns whether anything was done. */
export const shapeRelation = async (
  warehouse: Warehouse,
  relation: RelationName,
  exists: boolean,
  { plans, own }: { readonly plans: readonly ColumnPlan[]; readonly own: OwnColumns },
  stream: { readonly id: string; readonly timeZone: string },
): Promise<boolean> => {
  const quote = (name: string): string => warehouse.quote(name)
  const typeName = (type: ColumnType): string => warehouse.typeName(type)
  const table = warehouse.name(relation)
  if (!exists) {
    const columns = plans.map((plan) => `${quote(plan.name)} ${typeName(plan.type)}`)
    const mine = ownColumns(own).map(([name, type]) => `${quote(name)} ${typeName(type)}`)
    await warehouse.run(`create table ${table} (${[...columns, ...mine].join(', ')})`)
    return true
  }
  const present = new Set((await warehouse.describe(`select * from ${table}`)).map(({ name }) => name.toLowerCase()))
  let changed = false
  const add = async (name: string, type: ColumnPlan['type']): Promise<void> => {
    if (present.has(name.toLowerCase())) return
    await warehouse.run(`alter table ${table} add column ${quote(name)} ${typeName(type)}`)
    changed = true
  }
  for (const plan of plans) {
    if (plan.isNew) await add(plan.name, plan.type)
    else if (plan.before && plan.before.type !== plan.type) {
      await retype(warehouse, table, plan, stream)
      changed = true
    }
  }
  for (const [name, type] of ownColumns(own)) await add(name, type)
  return changed
}

const retype = async (
  warehouse: Warehouse,
  table: string,
  plan: ColumnPlan,
  stream: { readonly id: string; readonly timeZone: string },
): Promise<void> => {
  const quote = (name: string): string => warehouse.quote(name)
  const typeName = (type: ColumnType): string => warehouse.typeName(type)
  const column = quote(plan.name)
  if (!plan.before) return
  const text = print(column, plan.before, typeName('text'))
  if (plan.declared) {
    const broken = `${text} <> '' and not coalesce(${promiseKept(text, plan.type)}, false)`
    const [found] = await warehouse.all<{ n: number; example: string | null }>(
      `select count(*) as n, min(${text}) as example from ${table} where ${broken}`,
    )
    if (found && found.n > 0) {
      throw new CdpError('STREAM_PROMISE', {
        stream: stream.id,
        column: plan.name,
        type: plan.type,
        was: plan.before.type,
        rows: found.n,
        example: found.example ?? '',
      })
    }
  }
  const widerNumber = plan.type.startsWith('decimal') && !plan.declared
  const using = widerNumber
    ? `cast(${column} as ${typeName(plan.type)})`
    : plan.type === 'text'
      ? text
      : cast(text, plan.type, stream.timeZone)
  await warehouse.run(`alter table ${table} alter column ${column} type ${typeName(plan.type)} using ${using}`)
}
