// Rows from staging into the raw relation, as sets and inside the load's transaction. The source of a statement is something that the
// warehouse can read: the reader's own staging where the two are one session, else a staging relation loaded there.
import { literal } from '../warehouse/duckdb/text.ts'
import type { ColumnType, RelationName, Warehouse } from '../warehouse/warehouse.ts'
import type { Counts } from './result.ts'

export interface MergeColumn {
  readonly name: string
  readonly type: ColumnType
}

export interface MergeInput {
  readonly warehouse: Warehouse
  readonly relation: RelationName
  readonly data: readonly MergeColumn[]
  /** Where a row was read; written, but no part of its content. */
  readonly origin: readonly MergeColumn[]
  /** A SELECT for the reader that gives `data` and `origin`, in this order. */
  readonly select: string
  readonly loadId: string
  /** ISO: becomes `_cdp_loaded_at` of rows that are new or changed. */
  readonly at: string
}

/** Every row is new. */
export const appendRows = async (input: MergeInput): Promise<Counts> => {
  const columns = [...input.data, ...input.origin].map(({ name }) => name)
  const select = `select q.*, cast(${literal(input.at)} as timestamptz), ${literal(input.loadId)} from (${input.select}) q`
  const fresh = await input.warehouse.load(input.relation, [...columns, '_cdp_loaded_at', '_cdp_load_id'], select)
  return { fresh, changed: 0, unchanged: 0, vanished: 0 }
}

/** Gives `work` something that the warehouse can read in place of the reader's SELECT. */
export const withSource = async <T>(
  warehouse: Warehouse,
  relation: RelationName,
  columns: readonly MergeColumn[],
  select: string,
  work: (source: string) => Promise<T>,
): Promise<T> => {
  if (warehouse.reader.run === warehouse.run) return work(`(${select})`)
  return withTable(warehouse, { schema: 'raw', name: `_cdp_read_${relation.name}` }, columns, async (table, name) => {
    await warehouse.load(
      name,
      columns.map((column) => column.name),
      select,
    )
    return work(table)
  })
}

const withTable = async <T>(
  warehouse: Warehouse,
  name: RelationName,
  columns: readonly MergeColumn[],
  work: (table: string, name: RelationName) => Promise<T>,
): Promise<T> => {
  const table = warehouse.name(name)
  await warehouse.run(`drop table if exists ${table}`)
  const definitions = columns.map((c) => `${warehouse.quote(c.name)} ${warehouse.typeName(c.type)}`)
  await warehouse.run(`create table ${table} (${definitions.join(', ')})`)
  const result = await work(table, name)
  await warehouse.run(`drop table ${table}`)
  return result
}

/** Which rows may replace one of the same key: those whose cursor is not lower; those read (a last column of the source) not before
 * it was landed; all. */
export type Precedence = { readonly column: string } | { readonly readAt: string } | undefined

/**
 * A row with a known key replaces it when its content differs and it has precedence. Rows that stay as they are keep all their columns,
 * `_cdp_loaded_at` among them.
 */
export const upsertRows = (input: MergeInput, keys: readonly string[], precedence: Precedence): Promise<Counts> => {
  const { warehouse, data, origin } = input
  const quote = (name: string): string => warehouse.quote(name)
  const target = warehouse.name(input.relation)
  const all = [...data, ...origin].map(({ name }) => quote(name))
  const content = data.filter(({ name }) => !keys.includes(name)).map(({ name }) => quote(name))
  const on = keys.map((key) => `t.${quote(key)} = s.${quote(key)}`).join(' and ')
  const differs = content.map((name) => `t.${name} is distinct from s.${name}`).join(' or ') || 'false'
  const wins = winsOver(precedence, quote)
  const extra: MergeColumn[] =
    precedence && 'readAt' in precedence ? [{ name: precedence.readAt, type: 'timestamp' }] : []
  return withSource(warehouse, input.relation, [...data, ...origin, ...extra], input.select, async (source) => {
    const [counted] = await warehouse.all<{ total: number; fresh: number; changed: number }>(
      `select count(*) as total, count(case when t._cdp_load_id is null then 1 end) as fresh,
        count(case when t._cdp_load_id is not null and ${wins} and (${differs}) then 1 end) as changed
        from ${source} s left join ${target} t on ${on}`,
    )
    const { total, fresh, changed } = counted ?? { total: 0, fresh: 0, changed: 0 }
    if (fresh + changed > 0) {
      const stamp = [
        `cast(${warehouse.literal(input.at)} as ${warehouse.typeName('timestamp')})`,
        warehouse.literal(input.loadId),
      ]
      const names = [...all, '_cdp_loaded_at', '_cdp_load_id']
      const values = [...all.map((name) => `s.${name}`), ...stamp]
      await warehouse.run(
        `merge into ${target} t using (select * from ${source} q) s on ${on}
          when matched and ${wins} and (${differs}) then update set ${names.map((name, at) => `${name} = ${values[at]}`).join(', ')}
          when not matched then insert (${names.join(', ')}) values (${values.join(', ')})`,
      )
    }
    return { fresh, changed, unchanged: total - fresh - changed, vanished: 0 }
  })
}

const winsOver = (precedence: Precedence, quote: (name: string) => string): string => {
  if (precedence === undefined) return 'true'
  if ('readAt' in precedence) return `s.${quote(precedence.readAt)} >= t._cdp_loaded_at`
  const cursor = quote(precedence.column)
  return `(t.${cursor} is null or s.${cursor} >= t.${cursor})`
}

/** Removes rows whose key is not among those that `present` (a SELECT for the reader) gives. Returns how many. */
export const removeVanished = (
  warehouse: Warehouse,
  relation: RelationName,
  keys: readonly MergeColumn[],
  present: string,
): Promise<number> =>
  withSource(warehouse, relation, keys, present, async (source) => {
    const on = keys.map(({ name }) => `s.${warehouse.quote(name)} = t.${warehouse.quote(name)}`).join(' and ')
    const { changed } = await warehouse.run(
      `delete from ${warehouse.name(relation)} t where not exists (select 1 from ${source} s where ${on})`,
    )
    return changed
  })

/**
 * Rows without a key, where some of them may have been landed before: those in `scope` (a condition on the raw relation `t`) that are
 * read again keep their stamp. Equal rows are told apart by counting them. With `remove`, what is in scope and not read again goes.
 */
export const matchRows = (input: MergeInput, scope: string, remove: boolean): Promise<Counts> => {
  const { warehouse, data, origin } = input
  const quote = (name: string): string => warehouse.quote(name)
  const target = warehouse.name(input.relation)
  const file = origin.filter(({ name }) => name === '_cdp_source_file')
  const same = [...data, ...file].map(({ name }) => quote(name))
  const all = [...data, ...origin].map(({ name }) => quote(name))
  const numbered = `row_number() over (partition by ${same.join(', ')}`
  const on = ['t._cdp_copy = s._cdp_copy', ...same.map((name) => `t.${name} is not distinct from s.${name}`)].join(
    ' and ',
  )
  const stamped: MergeColumn[] = [
    ...data,
    ...origin,
    { name: '_cdp_loaded_at', type: 'timestamp' },
    { name: '_cdp_load_id', type: 'text' },
    { name: '_cdp_known', type: 'boolean' },
  ]
  const names = stamped
    .map(({ name }) => quote(name))
    .slice(0, -1)
    .join(', ')
  return withSource(warehouse, input.relation, [...data, ...origin], input.select, (source) =>
    withTable(warehouse, { schema: 'raw', name: `_cdp_matched_${input.relation.name}` }, stamped, async (matched) => {
      await warehouse.run(
        `insert into ${matched}
          select ${all.map((name) => `s.${name}`).join(', ')},
            coalesce(t._cdp_loaded_at, cast(${warehouse.literal(input.at)} as ${warehouse.typeName('timestamp')})),
            coalesce(t._cdp_load_id, ${warehouse.literal(input.loadId)}), t._cdp_load_id is not null
          from (select q.*, ${numbered}) as _cdp_copy from ${source} q) s
          left join (select t.*, ${numbered} order by _cdp_loaded_at) as _cdp_copy from ${target} t where ${scope}) t on ${on}`,
      )
      const [counted] = await warehouse.all<{ total: number; known: number; before: number }>(
        `select count(*) as total, count(case when _cdp_known then 1 end) as known,
          (select count(*) from ${target} t where ${scope}) as before from ${matched}`,
      )
      const { total, known, before } = counted ?? { total: 0, known: 0, before: 0 }
      const vanished = remove ? before - known : 0
      if (vanished > 0) await warehouse.run(`delete from ${target} t where ${scope}`)
      if (total > known || vanished > 0) {
        const which = vanished > 0 ? 'true' : 'not _cdp_known'
        await warehouse.run(`insert into ${target} (${names}) select ${names} from ${matched} where ${which}`)
      }
      return { fresh: total - known, changed: 0, unchanged: known, vanished }
    }),
  )
}
