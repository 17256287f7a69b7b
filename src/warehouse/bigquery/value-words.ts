// BigQuery's words for values that go out. What the service's own TO_JSON_STRING writes is taken for text alone.
import { NUMBER } from '../functions/values.ts'
import { splitTop, type ValueWords } from '../value-words.ts'
import { literal } from './text.ts'

const arrays = /^ARRAY<(.*)>$/s
const structs = /^STRUCT<(.*)>$/s
const decimals = /^(?:BIG)?NUMERIC/
const texts = /^(?:STRING|TIME|INTERVAL|GEOGRAPHY|RANGE)/

const asText = (sql: string): string => `cast(${sql} as string)`
const quoted = (text: string): string => `'"' || ${text} || '"'`
const exact = '999999999999999'

// A control character has other digits here than on DuckDB, and two separators that JSON allows are escaped. No control character stands
// in JSON as it is, so one may hold the place of backslashes that were there before. Nearly no text has any of these.
const backslash = literal('\\\\')
const escape = literal('\\u')
const respelled = `(select replace(string_agg(case when place = 0 then part
    when starts_with(part, '2028') then chr(8232) || substr(part, 5) when starts_with(part, '2029') then chr(8233) || substr(part, 5)
    else ${escape} || upper(substr(part, 1, 4)) || substr(part, 5) end, '' order by place), chr(1), ${backslash})
  from unnest(split(replace(written, ${backslash}, chr(1)), ${escape})) as part with offset as place)`
const stringJson = (text: string): string =>
  `(select case when strpos(written, ${escape}) = 0 then written else ${respelled} end
  from (select plain, to_json_string(plain) as written from (select ${text} as plain)) where plain is not null)`

const decimalText = (sql: string): string =>
  `(select if(strpos(plain, '.') = 0, plain, rtrim(rtrim(plain, '0'), '.')) from (select ${asText(sql)} as plain))`

const decimalJson = (sql: string): string =>
  `(select if(length(ltrim(replace(replace(number, '-', ''), '.', ''), '0')) <= 15, number, ${quoted('number')}) from (select ${decimalText(sql)} as number))`

const floatText = (sql: string): string =>
  `case when ${sql} = trunc(${sql}) and abs(${sql}) < 1e16 then ${asText(`cast(${sql} as int64)`)} when ${sql} is not null then (select ${NUMBER} from (select ${asText(sql)} as plain)) end`

const fraction = String.raw`r'[.]?0+Z$'`
const instantText = (sql: string, type: string): string => {
  const written =
    type === 'DATETIME'
      ? `format_datetime('%E4Y-%m-%dT%H:%M:%E6SZ', ${sql})`
      : `format_timestamp('%E4Y-%m-%dT%H:%M:%E6SZ', ${sql}, 'UTC')`
  return `regexp_replace(${written}, ${fraction}, 'Z')`
}

const timeText = (sql: string): string =>
  String.raw`regexp_replace(format_time('%H:%M:%E6S', ${sql}), r'[.]?0{1,6}$', '')`

const textOf = (sql: string, type: string): string => {
  if (type === 'STRING') return sql
  if (type === 'TIME') return timeText(sql)
  return type === 'GEOGRAPHY' ? `st_astext(${sql})` : asText(sql)
}

const listJson = (sql: string, type: string, depth: number): string => {
  const [item, place] = [`item${depth}`, `place${depth}`]
  const value = `coalesce(${jsonText(item, type, depth + 1)}, 'null')`
  return `if(${sql} is null, null, '[' || array_to_string(array(select ${value} from unnest(${sql}) as ${item} with offset as ${place} order by ${place}), ',') || ']')`
}

/** Names and types of a struct's fields. */
const fieldsOf = (inside: string): (readonly [name: string, type: string])[] =>
  splitTop(inside).map((field) => {
    const [, name = '', type = ''] = /^`((?:\\.|[^`\\])*)` (.*)$/s.exec(field) ?? []
    return [name, type]
  })

const structJson = (sql: string, inside: string, depth: number): string => {
  const members = fieldsOf(inside).map(([name, type]) => {
    const value = jsonText(`${sql}.\`${name}\``, type, depth)
    return `${literal(`${JSON.stringify(name)}:`)} || coalesce(${value}, 'null')`
  })
  return `if(${sql} is null, null, '{' || ${members.join(` || ',' || `)} || '}')`
}

const jsonText = (sql: string, type: string, depth = 0): string => {
  const list = arrays.exec(type)?.[1]
  if (list !== undefined) return listJson(sql, list, depth)
  const inside = structs.exec(type)?.[1]
  if (inside !== undefined) return structJson(sql, inside, depth)
  if (decimals.test(type)) return decimalJson(sql)
  if (type === 'BOOL') return asText(sql)
  if (type === 'INT64') {
    return `case when ${sql} between -${exact} and ${exact} then ${asText(sql)} else ${quoted(asText(sql))} end`
  }
  if (type === 'FLOAT64') return floatText(sql)
  if (type === 'DATE') return quoted(asText(sql))
  if (type === 'TIMESTAMP' || type === 'DATETIME') return quoted(instantText(sql, type))
  if (type === 'BYTES') return quoted(`to_base64(${sql})`)
  if (type === 'JSON') return `if(${sql} is null, null, normalize(to_json_string(${sql}), nfc))`
  return stringJson(`normalize(${textOf(sql, type)}, nfc)`)
}

const isUnsendable = (sql: string, type: string, depth = 0): string | undefined => {
  if (type === 'FLOAT64') return `(is_nan(${sql}) or is_inf(${sql}))`
  const list = arrays.exec(type)?.[1]
  if (list !== undefined) {
    const item = `item${depth}`
    const bad = isUnsendable(item, list, depth + 1)
    return bad === undefined ? undefined : `exists(select 1 from unnest(${sql}) as ${item} where ${bad})`
  }
  const inside = structs.exec(type)?.[1]
  const bad = fieldsOf(inside ?? '').flatMap(([name, inner]) => isUnsendable(`${sql}.\`${name}\``, inner, depth) ?? [])
  return bad.length === 0 ? undefined : `(${bad.join(' or ')})`
}

// Exact, and cheaper than JSON: only to be told apart.
const hashed = (sql: string, type: string): string => {
  if (type === 'STRING') return sql
  if (type === 'BYTES') return `to_hex(${sql})`
  return /^(?:ARRAY|STRUCT|JSON|GEOGRAPHY|RANGE)/.test(type) ? `to_json_string(${sql})` : asText(sql)
}

export const valueWords: ValueWords = {
  json: (sql, type) => jsonText(sql, type),
  // The service keeps the keys of JSON in order.
  compared: () => undefined,
  key: (sql, type) => {
    if (decimals.test(type)) return decimalText(sql)
    if (type === 'FLOAT64') return floatText(sql)
    if (type === 'TIMESTAMP' || type === 'DATETIME') return instantText(sql, type)
    if (type === 'BYTES') return `to_base64(${sql})`
    if (type === 'JSON' || arrays.test(type) || structs.test(type)) return jsonText(sql, type)
    return texts.test(type) ? `normalize(${textOf(sql, type)}, nfc)` : asText(sql)
  },
  isNoKey: (sql, type) =>
    type === 'STRING' ? `coalesce(trim(${sql}, ' ' || chr(9) || chr(10) || chr(13)) = '', true)` : `${sql} is null`,
  isUnsendable: (sql, type) => isUnsendable(sql, type),
  // As one JSON text, in which null is no empty text and no value runs into the next.
  fastHash: (values) =>
    `farm_fingerprint(to_json_string([${values.map(({ sql, type }) => hashed(sql, type)).join(', ')}]))`,
  hashingProbe: `'farm_fingerprint'`,
}
