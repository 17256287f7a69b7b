// The records of an identity model: its SELECT, executed once, each record with a number and its key.
import { CdpError, type Place } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import type { Column, Warehouse } from '../warehouse/warehouse.ts'
import type { IdentitySettings } from './settings.ts'
import type { Work } from './work.ts'

/** Columns of the work table `records`, before those of the SELECT. */
export const rowColumn = '_cdp_row'
export const keyColumn = '_cdp_key'

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

/** The record's own time as an instant, or a null of that type. */
export const seenAt = (warehouse: Warehouse, settings: Pick<IdentitySettings, 'seen_at'>, alias: string): string =>
  `cast(${settings.seen_at === undefined ? 'null' : `${alias}.${warehouse.quote(settings.seen_at)}`} as ${warehouse.typeName('timestamp')})`

/** Throws MODEL_COLUMN_MISSING or IDENTITY_COLUMN. Gives the columns of the SELECT. */
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
  for (const column of wanted) requireColumn(model, column, names, place)
  const taken = names.find((name) => ['person_id', rowColumn, keyColumn].includes(name.toLowerCase()))
  if (taken !== undefined) {
    throw new CdpError('IDENTITY_COLUMN', { model, column: taken, problem: 'is a column the engine adds' }, { place })
  }
  const time = columns.find((column) => column.name === seen_at)
  if (time?.type === warehouse.typeName('text')) {
    const problem = 'is text, and `seen_at` must be a time: use cdp.safe_timestamp(…) in the SELECT'
    throw new CdpError('IDENTITY_COLUMN', { model, column: time.name, problem }, { place })
  }
  return columns
}

export const requireColumn = (model: string, column: string, names: readonly string[], place: Place): void => {
  if (names.includes(column)) return
  throw new CdpError('IDENTITY_NO_COLUMN', { model, column, near: didYouMean(column, names) }, { place })
}

/** Makes work table `records`. Throws IDENTITY_RECORD_NULL, IDENTITY_RECORD_TWICE. Gives how many there are. */
export const stageRecords = async (
  work: Work,
  model: string,
  select: string,
  settings: IdentitySettings,
  place: Place,
): Promise<number> => {
  const { warehouse } = work
  const key = warehouse.quote(keyColumn)
  await work.make(
    'records',
    `select row_number() over () as ${warehouse.quote(rowColumn)}, ${recordKey(warehouse, settings.record, 's')} as ${key}, s.*
from (
${select}
) s`,
  )
  const records = work.name('records')
  const [counts] = await warehouse.all<{ n: number; keys: number; distinct_keys: number }>(
    `select count(*) as n, count(${key}) as keys, count(distinct ${key}) as distinct_keys from ${records}`,
  )
  const { n = 0, keys = 0, distinct_keys = 0 } = counts ?? {}
  if (keys < n) {
    throw new CdpError('IDENTITY_RECORD_NULL', { model, columns: settings.record, records: n - keys }, { place })
  }
  if (distinct_keys < keys) {
    const examples = await warehouse.all<{ key: string; n: number }>(
      `select ${key} as "key", count(*) as n from ${records} group by 1 having count(*) > 1 order by 2 desc, 1 limit 5`.replace(
        '"key"',
        warehouse.quote('key'),
      ),
    )
    const shown = examples.map((example) => `${example.key} (${example.n} times)`)
    const twice = await warehouse.all<{ n: number }>(
      `select count(*) as n from (select ${key} from ${records} group by ${key} having count(*) > 1) d`,
    )
    throw new CdpError(
      'IDENTITY_RECORD_TWICE',
      { model, columns: settings.record, keys: twice[0]?.n ?? 0, examples: shown },
      { place },
    )
  }
  return n
}
