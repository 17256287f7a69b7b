// The records of an identity model: its SELECT, executed once, each record with a number and its key.
import { CdpError, type Place } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import type { Column, Warehouse } from '../warehouse/warehouse.ts'
import type { IdentitySettings } from './settings.ts'
import type { Work } from './work.ts'

/** Columns of the work table `records`, before those of the SELECT: a number (1, 2, …), the key, the time, and each identifier's value as
 * trimmed text, null when nothing is left. They need no quotes. */
const reserved = '_cdp_identity_'
export const rowColumn = `${reserved}row`
export const keyColumn = `${reserved}key`
export const seenColumn = `${reserved}seen`
/** By the identifier's rank, 0 the strongest. */
export const valueColumn = (rank: number): string => `${reserved}value_${rank}`

/** Identifiers with their rank. */
export const ranked = (settings: IdentitySettings): readonly (readonly [identifier: string, rank: number])[] =>
  Object.keys(settings.identifiers).map((identifier, rank) => [identifier, rank] as const)

export const textOf = (warehouse: Warehouse, expression: string): string =>
  `${warehouse.name({ schema: 'cdp', name: 'to_text' })}(${expression})`

/**
 * The key of a record as text: its columns joined by `/`. In all but the last, `%` and `/` are written `%25` and `%2F`, so that two
 * records never share a key and the usual one reads `shop/1`. Null when a column is null.
 */
export const recordKey = (warehouse: Warehouse, record: readonly string[], alias: string): string =>
  record
    .map((column, at) => {
      const text = textOf(warehouse, `${alias}.${warehouse.quote(column)}`)
      return at === record.length - 1 ? text : `replace(replace(${text}, '%', '%25'), '/', '%2F')`
    })
    .join(" || '/' || ")

/** A text without blanks at its ends; null when nothing is left. */
export const trimmed = (warehouse: Warehouse, column: string, alias: string): string =>
  `nullif(${warehouse.dialect.trimmed(textOf(warehouse, `${alias}.${warehouse.quote(column)}`))}, '')`

/** Throws MODEL_COLUMN, IDENTITY_COLUMN. Gives the columns of the SELECT. */
export const checkColumns = async (
  warehouse: Warehouse,
  model: string,
  select: string,
  settings: IdentitySettings,
  place: Place,
): Promise<readonly Column[]> => {
  const columns = await warehouse.describe(select)
  const names = columns.map((column) => column.name)
  const { record, seen_at, identifiers } = settings
  const wanted = [
    ...record,
    ...(seen_at === undefined ? [] : [seen_at]),
    ...settings.names,
    ...Object.keys(identifiers),
  ]
  const missing = wanted.find((column) => !names.some((name) => same(name, column)))
  if (missing !== undefined) {
    const args = { model, column: missing, why: 'its header names', near: didYouMean(missing, names) }
    throw new CdpError('MODEL_COLUMN', args, { place })
  }
  const taken = names.find((name) => same(name, 'person_id') || name.toLowerCase().startsWith(reserved))
  if (taken !== undefined) {
    throw new CdpError('IDENTITY_COLUMN', { model, column: taken, problem: 'is a column the engine adds' }, { place })
  }
  const time = columns.find((column) => seen_at !== undefined && same(column.name, seen_at))
  if (time?.type === warehouse.typeName('text')) {
    const problem = 'is text, and `seen_at` must be a time: use cdp.safe_timestamp(…) in the SELECT'
    throw new CdpError('IDENTITY_COLUMN', { model, column: time.name, problem }, { place })
  }
  return columns
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/** Makes work table `records`. Throws IDENTITY_RECORD_NULL, IDENTITY_RECORD_TWICE. Gives how many there are. */
export const stageRecords = async (
  work: Work,
  model: string,
  select: string,
  settings: IdentitySettings,
  place: Place,
): Promise<number> => {
  const { warehouse } = work
  const { record, seen_at } = settings
  const own = [
    `row_number() over () as ${rowColumn}`,
    `${recordKey(warehouse, record, 's')} as ${keyColumn}`,
    `cast(${seen_at === undefined ? 'null' : `s.${warehouse.quote(seen_at)}`} as ${warehouse.typeName('timestamp')}) as ${seenColumn}`,
    ...ranked(settings).map(([identifier, rank]) => `${trimmed(warehouse, identifier, 's')} as ${valueColumn(rank)}`),
  ]
  await work.make('records', `select ${own.join(',\n  ')},\n  s.*\nfrom (\n${select}\n) s`)
  return checkKeys(work, model, settings.record, place)
}

/** For the ORDER BY of a window, in which not every engine takes `nulls last`. */
export const nullsLast = (expression: string): string =>
  `case when ${expression} is null then 1 else 0 end, ${expression}`

const checkKeys = async (work: Work, model: string, columns: readonly string[], place: Place): Promise<number> => {
  const { warehouse } = work
  const records = work.name('records')
  const [counts] = await warehouse.all<{ n: number; keys: number; different: number }>(
    `select count(*) as n, count(r.${keyColumn}) as keys, count(distinct r.${keyColumn}) as different from ${records} r`,
  )
  const { n = 0, keys = 0, different = 0 } = counts ?? {}
  if (keys < n) throw new CdpError('IDENTITY_RECORD_NULL', { model, columns, records: n - keys }, { place })
  if (different === keys) return n
  const twice = await warehouse.all<{ record_key: string; times: number; keys: number }>(
    `select d.record_key, d.times, count(*) over () as keys from (
  select r.${keyColumn} as record_key, count(*) as times from ${records} r group by r.${keyColumn} having count(*) > 1
) d order by d.times desc, d.record_key limit 5`,
  )
  const examples = twice.map((row) => `${row.record_key} (${row.times} times)`)
  throw new CdpError('IDENTITY_RECORD_TWICE', { model, columns, keys: twice[0]?.keys ?? 0, examples }, { place })
}
