// What DuckDB has its own words for.
import type { ColumnWords, Dialect, JsonWords } from '../dialect.ts'
import { literal } from './text.ts'
import { valueWords } from './value-words.ts'

// Without the detour through a list the planner takes a table for as large as what it is drawn from, and builds its hash tables on
// the wrong side.
const few = (select: string, columns: readonly string[]): string => {
  const item = columns.length === 1 ? columns[0] : `{${columns.map((column) => `${column}: ${column}`).join(', ')}}`
  const back = columns.length === 1 ? `item as ${columns[0]}` : columns.map((column) => `item.${column}`).join(', ')
  return `select ${back} from (select unnest(items) as item from (select list(${item}) as items from (
  ${select})))`
}

const pointer = (name: string): string => literal(`/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`)

const json: JsonWords = {
  of: (text) => `cast(${text} as json)`,
  tryOf: (text) => `case when json_valid(${text}) then cast(${text} as json) end`,
  text: (value) => `cast(${value} as varchar)`,
  names: (object) => `cast(to_json(json_keys(${object})) as varchar)`,
  member: (object, name) => `json_extract_string(${object}, ${pointer(name)})`,
  // Read once for all of them.
  members: (object, names) => ({
    columns:
      names.length === 0 ? [] : [`json_extract_string(${object}, [${names.map(pointer).join(', ')}]) as members`],
    member: (at) => `members[${at + 1}]`,
  }),
  merged: (object, patch) => `cast(json_merge_patch(${object}, ${patch}) as varchar)`,
}

const columns: ColumnWords = {
  tryCast: (text, type) => `try_cast(${text} as ${type})`,
  sameClock: (timestamp, zone) => `timezone(${zone}, timezone('UTC', ${timestamp}))`,
  fromHex: (text) => `unhex(${text})`,
  add: (table, added) => added.map((column) => `alter table ${table} add column ${column}`),
  retype: (table, column, type, using) => `alter table ${table} alter column ${column} type ${type} using ${using}`,
  rowKey: () => undefined,
}

export const dialect: Dialect = {
  values: valueWords,
  json,
  columns,
  cte: (name, select, how, listed = ['m']) =>
    how === 'few'
      ? `${name} as materialized (\n  ${few(select, listed)})`
      : `${name} as ${how === 'once' ? '' : 'not '}materialized (\n  ${select})`,
  minBy: (value, by) => `min_by(${value}, ${by})`,
  later: (timestamp, ms) => `${timestamp} + to_milliseconds(${ms})`,
  rowNumber: (alias) => `${alias}.rowid`,
  trimmed: (text) => `trim(${text})`,
  md5: (text) => `md5(${text})`,
  sha256: (text) => `sha256(${text})`,
  rowsHash: (alias) => ({
    xor: `cast(coalesce(bit_xor(hash(${alias})), 0) as varchar)`,
    sum: `cast(coalesce(sum(hash(${alias})), 0) as varchar)`,
  }),
  partitions: undefined,
  joined: (separator, texts) => `concat_ws(${separator}, ${texts.join(', ')})`,
}
