// Rows from staging into the raw relation, as sets. Each way is prepared before the load's transaction, where staging is brought to the
// warehouse, and gives what is done within it.
import type { RelationName, Warehouse } from '../warehouse/warehouse.ts'
import type { Carrier, MergeColumn } from './carry.ts'
import type { Counts } from './result.ts'
import { instantOf } from '../warehouse/state-sql.ts'

export interface MergeInput {
  readonly warehouse: Warehouse
  readonly carrier: Carrier
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

/** Within the load's transaction. */
export type Merge = () => Promise<Counts>

const stampOf = ({ warehouse, at, loadId }: MergeInput): readonly string[] => [
  instantOf(warehouse, at),
  warehouse.literal(loadId),
]

/** Every row is new. */
export const appendRows = async (input: MergeInput): Promise<Merge> => {
  const { warehouse } = input
  const columns = [...input.data, ...input.origin]
  const source = await input.carrier.bring('rows', columns, input.select)
  const names = columns.map(({ name }) => warehouse.quote(name))
  const all = [...names, warehouse.quote('_cdp_loaded_at'), warehouse.quote('_cdp_load_id')]
  return async () => {
    const { changed } = await warehouse.run(
      `insert into ${warehouse.name(input.relation)} (${all.join(', ')})
        select ${[...names.map((name) => `q.${name}`), ...stampOf(input)].join(', ')} from ${source} as q`,
    )
    return { fresh: changed, changed: 0, unchanged: 0, vanished: 0 }
  }
}

/** Which rows may replace one of the same key: those whose cursor is not lower; those read (a last column of the source) not before
 * it was landed; all. */
export type Precedence = { readonly column: string } | { readonly readAt: string } | undefined

/**
 * A row with a known key replaces it when its content differs and it has precedence. Rows that stay as they are keep all their columns,
 * `_cdp_loaded_at` among them. Rows are counted first: where nothing is new, nothing is written.
 */
export const upsertRows = async (
  input: MergeInput,
  keys: readonly string[],
  precedence: Precedence,
): Promise<{ readonly merge: Merge; readonly source: string }> => {
  const { warehouse, data, origin } = input
  const quote = (name: string): string => warehouse.quote(name)
  const target = warehouse.name(input.relation)
  const all = [...data, ...origin].map(({ name }) => quote(name))
  const content = data.filter(({ name }) => !keys.includes(name)).map(({ name }) => quote(name))
  const on = keys.map((key) => `t.${quote(key)} = s.${quote(key)}`).join(' and ')
  const differs = differing(warehouse, content)
  const wins = winsOver(precedence, quote)
  const extra: MergeColumn[] =
    precedence && 'readAt' in precedence ? [{ name: precedence.readAt, type: 'timestamp' }] : []
  const source = await input.carrier.bring('rows', [...data, ...origin, ...extra], input.select)
  const merge: Merge = async () => {
    const [counted] = await warehouse.all<{ total: number; fresh: number; changed: number }>(
      `select count(*) as total, count(case when t._cdp_load_id is null then 1 end) as fresh,
        count(case when t._cdp_load_id is not null and ${wins} and (${differs}) then 1 end) as changed
        from ${source} as s left join ${target} as t on ${on}`,
    )
    const { total, fresh, changed } = counted ?? { total: 0, fresh: 0, changed: 0 }
    const names = [...all, '_cdp_loaded_at', '_cdp_load_id']
    const values = [...all.map((name) => `s.${name}`), ...stampOf(input)]
    const set = names.map((name, at) => `${name} = ${values[at]}`).join(', ')
    const list = names.join(', ')
    if (!warehouse.supports.dryRun) {
      if (fresh + changed > 0) {
        await warehouse.run(
          `merge into ${target} as t using (select * from ${source} as q) as s on ${on}
            when matched and ${wins} and (${differs}) then update set ${set}
            when not matched then insert (${list}) values (${values.join(', ')})`,
        )
      }
    } else {
      // Where bytes are billed a MERGE is billed for the whole relation, also when it only inserts: that alone reads no more than keys.
      if (changed > 0) {
        await warehouse.run(
          `update ${target} as t set ${set} from ${source} as s where ${on} and ${wins} and (${differs})`,
        )
      }
      if (fresh > 0) {
        await warehouse.run(
          `insert into ${target} (${list}) select ${values.join(', ')} from ${source} as s
            where not exists (select 1 from ${target} as t where ${on})`,
        )
      }
    }
    return { fresh, changed, unchanged: total - fresh - changed, vanished: 0 }
  }
  return { merge, source }
}

const differing = ({ dialect }: Warehouse, content: readonly string[]): string => {
  if (content.length === 0) return 'false'
  const [before, after] = [dialect.columns.rowKey('t', content), dialect.columns.rowKey('s', content)]
  if (before !== undefined && after !== undefined) return `${before} <> ${after}`
  return content.map((name) => `t.${name} is distinct from s.${name}`).join(' or ')
}

const winsOver = (precedence: Precedence, quote: (name: string) => string): string => {
  if (precedence === undefined) return 'true'
  if ('readAt' in precedence) return `s.${quote(precedence.readAt)} >= t._cdp_loaded_at`
  const cursor = quote(precedence.column)
  return `(t.${cursor} is null or s.${cursor} >= t.${cursor})`
}

/** Removes rows whose key is not in `present`, which stands in FROM. Returns how many. */
export const removeVanished = async (
  warehouse: Warehouse,
  relation: RelationName,
  keys: readonly MergeColumn[],
  present: string,
): Promise<number> => {
  const on = keys.map(({ name }) => `s.${warehouse.quote(name)} = t.${warehouse.quote(name)}`).join(' and ')
  const { changed } = await warehouse.run(
    `delete from ${warehouse.name(relation)} as t where not exists (select 1 from ${present} as s where ${on})`,
  )
  return changed
}

/**
 * Rows without a key, where some of them may have been landed before: those in `scope` (a condition on the raw relation `t`) that are
 * read again keep their stamp. Equal rows are told apart by counting them. With `remove`, what is in scope and not read again goes.
 */
export const matchRows = async (input: MergeInput, scope: string, remove: boolean): Promise<Merge> => {
  const { warehouse, data, origin, carrier } = input
  const quote = (name: string): string => warehouse.quote(name)
  const target = warehouse.name(input.relation)
  const file = origin.filter(({ name }) => name === '_cdp_source_file')
  const same = [...data, ...file].map(({ name }) => quote(name))
  const all = [...data, ...origin].map(({ name }) => quote(name))
  const stamped: MergeColumn[] = [
    ...data,
    ...origin,
    { name: '_cdp_loaded_at', type: 'timestamp' },
    { name: '_cdp_load_id', type: 'text' },
    { name: '_cdp_known', type: 'boolean' },
  ]
  const names = stamped.map(({ name }) => quote(name)).slice(0, -1)
  // Rows with the number of each among its equals.
  const words = warehouse.dialect.columns
  const [q, t] = [words.rowKey('q', same), words.rowKey('t', same)]
  const keyed = (alias: string, key: string | undefined, columns: string, order: string): string => {
    const by = key ?? same.map((name) => `${alias}.${name}`).join(', ')
    return `select ${columns}, row_number() over (partition by ${by}${order}) as _cdp_copy${key === undefined ? '' : `, ${key} as _cdp_key`}`
  }
  const equal =
    q === undefined ? same.map((name) => `t.${name} is not distinct from s.${name}`) : ['t._cdp_key = s._cdp_key']
  const source = await carrier.bring('rows', [...data, ...origin], input.select)
  const matched = await carrier.make('matched', stamped)
  const [at, loadId] = stampOf(input)
  return async () => {
    await warehouse.run(
      `insert into ${matched} (${stamped.map(({ name }) => quote(name)).join(', ')})
        select ${all.map((name) => `s.${name}`).join(', ')}, coalesce(t._cdp_loaded_at, ${at}),
          coalesce(t._cdp_load_id, ${loadId}), t._cdp_load_id is not null
        from (${keyed('q', q, all.map((name) => `q.${name}`).join(', '), '')} from ${source} as q) as s
        left join (${keyed('t', t, [...same.map((name) => `t.${name}`), 't._cdp_loaded_at', 't._cdp_load_id'].join(', '), ' order by t._cdp_loaded_at')}
          from ${target} as t where ${scope}) as t on ${['t._cdp_copy = s._cdp_copy', ...equal].join(' and ')}`,
    )
    const [counted] = await warehouse.all<{ total: number; known: number; before: number }>(
      `select count(*) as total, count(case when m._cdp_known then 1 end) as known,
        (select count(*) from ${target} as t where ${scope}) as before from ${matched} as m`,
    )
    const { total, known, before } = counted ?? { total: 0, known: 0, before: 0 }
    const vanished = remove ? before - known : 0
    if (vanished > 0) await warehouse.run(`delete from ${target} as t where ${scope}`)
    if (total > known || vanished > 0) {
      const which = vanished > 0 ? 'true' : 'not m._cdp_known'
      const list = names.join(', ')
      await warehouse.run(`insert into ${target} (${list}) select ${list} from ${matched} as m where ${which}`)
    }
    return { fresh: total - known, changed: 0, unchanged: known, vanished }
  }
}
