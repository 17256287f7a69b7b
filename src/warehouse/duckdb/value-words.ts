// DuckDB's words for values that go out.
import { splitTop, type ValueWords } from '../value-words.ts'
import { literal } from './text.ts'

const numbers = /^(TINYINT|SMALLINT|INTEGER|UTINYINT|USMALLINT|UINTEGER)$/
const bigNumbers = /^(BIGINT|UBIGINT|HUGEINT|UHUGEINT|BIGNUM)$/
const floats = /^(DOUBLE|FLOAT)$/
const timestamps = /^TIMESTAMP[_A-Z ]*$/
const nested = /^(STRUCT|MAP|UNION|LIST)\b|\[\d*\]$/
const texts = /^(VARCHAR|UUID|INTERVAL|BIT|TIME|TIME_NS|TIME WITH TIME ZONE)$|^ENUM\(.*\)$/s
const decimals = /^DECIMAL\((\d+),\s*(\d+)\)$/

const asText = (sql: string): string => `cast(${sql} as varchar)`
const quoted = (text: string): string => `'"' || ${text} || '"'`

// 15 significant digits survive every JSON reader; longer numbers go out as strings, whatever type they have here.
const exact = '999999999999999'

const decimalText = (sql: string, width: number, scale: number): string => {
  // The engine writes .5 where no digit may stand before the point.
  const wide = width === scale && width < 38 ? `cast(${sql} as decimal(${width + 1}, ${scale}))` : sql
  return scale === 0 ? asText(sql) : `rtrim(rtrim(${asText(wide)}, '0'), '.')`
}

const decimalJson = (sql: string, width: number, scale: number): string => {
  const text = decimalText(sql, width, scale)
  if (width <= 15) return text
  return `case when length(ltrim(translate(${text}, '-.', ''), '0')) <= 15 then ${text} else ${quoted(text)} end`
}

// 1.0 is 1 and -0 is 0, as an integer column would have them. From 1e16 on there is an exponent.
const floatText = (sql: string): string =>
  `case when ${sql} = trunc(${sql}) and abs(${sql}) < 1e16 then ${asText(`cast(${sql} as bigint)`)} else ${asText(sql)} end`

const instantText = (sql: string, type: string): string => {
  const utc = type === 'TIMESTAMP WITH TIME ZONE' ? `make_timestamp(epoch_us(${sql}))` : sql
  return `replace(${asText(utc)}, ' ', 'T') || 'Z'`
}

const listJson = (sql: string, type: string, depth: number): string => {
  const item = `item${depth}`
  const items = `list_transform(${sql}, lambda ${item}: coalesce(${jsonText(item, type, depth + 1)}, 'null'))`
  return `'[' || array_to_string(${items}, ',') || ']'`
}

const structJson = (sql: string, fields: readonly string[], depth: number): string => {
  const members = fields.map((field) => {
    const [, name = '', type = ''] = /^"((?:[^"]|"")*)" (.*)$/s.exec(field) ?? []
    const plain = name.replaceAll('""', '"')
    const value = jsonText(`struct_extract(${sql}, ${literal(plain)})`, type, depth)
    return `${literal(`${JSON.stringify(plain)}:`)} || coalesce(${value}, 'null')`
  })
  return `case when ${sql} is not null then '{' || ${members.join(` || ',' || `)} || '}' end`
}

const nestedJson = (sql: string, type: string, depth: number): string => {
  const list = /^(.*)\[\d*\]$/s.exec(type)?.[1]
  if (list !== undefined) return listJson(type.endsWith('[]') ? sql : `cast(${sql} as ${list}[])`, list, depth)
  const fields = /^STRUCT\((.*)\)$/s.exec(type)?.[1]
  return fields === undefined ? `nfc_normalize(${asText(`to_json(${sql})`)})` : structJson(sql, splitTop(fields), depth)
}

const jsonText = (sql: string, type: string, depth = 0): string => {
  const decimal = decimals.exec(type)
  if (decimal) return decimalJson(sql, Number(decimal[1]), Number(decimal[2]))
  if (numbers.test(type) || type === 'BOOLEAN') return asText(sql)
  if (bigNumbers.test(type)) {
    return `case when ${sql} between -${exact} and ${exact} then ${asText(sql)} else ${quoted(asText(sql))} end`
  }
  if (floats.test(type)) return floatText(sql)
  if (type === 'DATE') return quoted(asText(sql))
  if (timestamps.test(type)) return quoted(instantText(sql, type))
  if (type === 'BLOB') return quoted(`base64(${sql})`)
  if (type === 'JSON') return `nfc_normalize(${asText(`json(${sql})`)})`
  if (nested.test(type)) return nestedJson(sql, type, depth)
  return asText(`to_json(nfc_normalize(${asText(sql)}))`)
}

export const valueWords: ValueWords = {
  json: (sql, type) => jsonText(sql, type),
  // Inside a JSON column the order of keys means nothing.
  compared: (sql, type) =>
    type === 'JSON'
      ? `(select string_agg(fullkey || ' ' || type || ' ' || coalesce(${asText('atom')}, ''), chr(10) order by fullkey) from json_tree(nfc_normalize(${asText(sql)})))`
      : undefined,
  key: (sql, type) => {
    const decimal = decimals.exec(type)
    if (decimal) return decimalText(sql, Number(decimal[1]), Number(decimal[2]))
    if (floats.test(type)) return floatText(sql)
    if (timestamps.test(type)) return instantText(sql, type)
    if (type === 'BLOB') return `base64(${sql})`
    if (type === 'JSON' || nested.test(type)) return jsonText(sql, type)
    return texts.test(type) ? `nfc_normalize(${asText(sql)})` : asText(sql)
  },
  // The first byte tells for nearly all rows: trimming each costs more than the diff.
  isNoKey: (sql, type) =>
    texts.test(type)
      ? `case when ${asText(sql)} < '!' then trim(${asText(sql)}, ' ' || chr(9) || chr(10) || chr(13)) = '' else ${sql} is null end`
      : `${sql} is null`,
  isUnsendable: (sql, type) => {
    if (floats.test(type)) return `not isfinite(${sql})`
    if (type === 'DATE' || timestamps.test(type)) return `isinf(${sql})`
    if (nested.test(type) && /\b(DOUBLE|FLOAT)\b/.test(type)) return `not json_valid(${asText(`to_json(${sql})`)})`
    return undefined
  },
  fastHash: (values) => `cast(hash(${values.map(({ sql }) => sql).join(', ')}) >> 1 as bigint)`,
  hashingProbe: `cast(hash('probe', 'a text that is longer than twelve bytes', null) as varchar)`,
}
