// What BigQuery has its own words for.
import type { ColumnWords, Dialect, JsonWords, Partitions } from '../dialect.ts'
import { literal } from './text.ts'
import { valueWords } from './value-words.ts'

const path = (name: string): string => literal(`$."${name.replaceAll(/["\\]/g, String.raw`\$&`)}"`)
// A name in quotes, as the text of an object has it.
const quotedName = String.raw`"(?:[^"\\]|\\.)*"`
const verbatim = (text: string): string => text.replaceAll(/[!-/:-@[-`{-~]/g, String.raw`\$&`)

const json: JsonWords = {
  of: (text) => `parse_json(${text}, wide_number_mode => 'round')`,
  tryOf: (text) => `safe.parse_json(${text}, wide_number_mode => 'round')`,
  text: (value) => `to_json_string(${value})`,
  names: (object) => `'[' || array_to_string(regexp_extract_all(${object}, r'[{,](${quotedName}):'), ',') || ']'`,
  member: (object, member) => `json_value(${object}, ${path(member)})`,
  members: (object, names) => ({
    columns: names.map(
      (member, at) =>
        `regexp_extract(${object}, ${literal(`[{,]${verbatim(JSON.stringify(member))}:"([^"]*)"`)}) as member${at}`,
    ),
    member: (at) => `member${at}`,
  }),
  // A comma or a brace before a quote is outside of all names: inside them a quote has a backslash.
  merged: (object, patch) =>
    `'{' || array_to_string(array_concat(array(select part from unnest(regexp_extract_all(${object}, r'${quotedName}:"[^"]*"')) as part with offset as place
    where strpos(replace(${patch}, '{', ','), ',' || regexp_extract(part, r'^${quotedName}:')) = 0 order by place), regexp_extract_all(${patch}, r'${quotedName}:"[^"]*"')), ',') || '}'`,
}

// Without them TRIM takes whatever is white space, tabs and line ends too.
const spaces = literal(
  String.fromCharCode(
    0x20,
    0xa0,
    0x1680,
    ...Array.from({ length: 11 }, (_, at) => 0x2000 + at),
    0x202f,
    0x205f,
    0x3000,
  ),
)

const truncations: Readonly<Record<string, (sql: string) => string>> = {
  DATE: (sql) => sql,
  TIMESTAMP: (sql) => `timestamp_trunc(${sql}, day)`,
  DATETIME: (sql) => `datetime_trunc(${sql}, day)`,
}

const partitions: Partitions = {
  layout: (by, clusters) => {
    const day = by && truncations[by.type]?.(by.sql)
    if (by && day === undefined) return undefined
    return [
      ...(day === undefined ? [] : [`partition by ${day}`]),
      ...(clusters.length > 0 ? [`cluster by ${clusters.join(', ')}`] : []),
    ].join(' ')
  },
  of: ({ sql, type }) => truncations[type]?.(sql) ?? sql,
  isOtherLayout: (reason) => /different (?:partitioning|clustering) spec/i.test(reason),
}

const columns: ColumnWords = {
  tryCast: (text, type) => `safe_cast(${text} as ${type})`,
  sameClock: (timestamp, zone) => `timestamp(datetime(${timestamp}, 'UTC'), ${zone})`,
  fromHex: (text) => `from_hex(${text})`,
  // One statement: changes of a table's columns are limited to five in ten seconds.
  add: (table, added) =>
    added.length === 0 ? [] : [`alter table ${table} ${added.map((column) => `add column ${column}`).join(', ')}`],
  retype: () => undefined,
  // JSON cannot be compared, nor doubles divide rows; and a join whose only equality is null-safe may be no hash join.
  rowKey: (alias, names) => `to_json_string(struct(${names.map((name) => `${alias}.${name} as ${name}`).join(', ')}))`,
}

const rowHash = (alias: string): string => `farm_fingerprint(to_json_string(${alias}))`

export const dialect: Dialect = {
  values: valueWords,
  json,
  columns,
  cte: (name, select) => `${name} as (\n  ${select})`,
  // In parentheses: the stand-in takes no more than a name or these.
  minBy: (value, by) => `any_value(${value} having min (${by}))`,
  later: (timestamp, ms) => `timestamp_add(${timestamp}, interval ${ms} millisecond)`,
  rowNumber: () => undefined,
  trimmed: (text) => `trim(${text}, ${spaces})`,
  md5: (text) => `to_hex(md5(${text}))`,
  sha256: (text) => `to_hex(sha256(${text}))`,
  rowsHash: (alias) => ({
    xor: `cast(coalesce(bit_xor(${rowHash(alias)}), 0) as string)`,
    sum: `regexp_replace(cast(coalesce(sum(cast(${rowHash(alias)} as numeric)), 0) as string), r'[.].*$', '')`,
  }),
  partitions,
  // The service gives no null when all texts are; its stand-in does.
  joined: (separator, texts) => `coalesce(array_to_string([${texts.join(', ')}], ${separator}), '')`,
}
