// What BigQuery has its own words for.
import type { Dialect, JsonWords } from '../dialect.ts'
import { literal } from './text.ts'
import { valueWords } from './value-words.ts'

const path = (name: string): string => literal(`$."${name.replaceAll(/["\\]/g, String.raw`\$&`)}"`)
// A name in quotes, as the text of an object has it.
const quotedName = String.raw`"(?:[^"\\]|\\.)*"`
const verbatim = (text: string): string => text.replaceAll(/[!-/:-@[-`{-~]/g, String.raw`\$&`)

const json: JsonWords = {
  of: (text) => `parse_json(${text}, wide_number_mode => 'round')`,
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

export const dialect: Dialect = {
  values: valueWords,
  json,
  cte: (name, select) => `${name} as (\n  ${select})`,
  minBy: (value, by) => `any_value(${value} having min ${by})`,
  later: (timestamp, ms) => `timestamp_add(${timestamp}, interval ${ms} millisecond)`,
  rowNumber: () => undefined,
  trimmed: (text) => `trim(${text}, ${spaces})`,
  md5: (text) => `to_hex(md5(${text}))`,
  sha256: (text) => `to_hex(sha256(${text}))`,
  joined: (separator, texts) => `array_to_string([${texts.join(', ')}], ${separator})`,
}
