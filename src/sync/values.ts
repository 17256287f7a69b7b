// How a value of each type is spelled as JSON, as the text of a key, and whether it can be sent at all. The type of every column is
// known before the diff is written, so that each gets one expression and no dispatch happens row by row. These are DuckDB's words.
const numbers = /^(TINYINT|SMALLINT|INTEGER|UTINYINT|USMALLINT|UINTEGER)$/
const bigNumbers = /^(BIGINT|UBIGINT|HUGEINT|UHUGEINT|BIGNUM)$/
const floats = /^(DOUBLE|FLOAT)$/
const timestamps = /^TIMESTAMP/
const nested = /^(STRUCT|MAP|UNION|LIST)\b|\[\d*\]$/
const texts = /^(VARCHAR|UUID|INTERVAL|BIT|TIME)|^ENUM\(/
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

// 1.0 is 1 and -0 is 0, as an integer column would have them.
const floatText = (sql: string): string =>
  `case when ${sql} = trunc(${sql}) and abs(${sql}) <= ${exact} then ${asText(`cast(${sql} as bigint)`)} else ${asText(sql)} end`

const instantText = (sql: string, type: string): string => {
  const utc = type === 'TIMESTAMP WITH TIME ZONE' ? `make_timestamp(epoch_us(${sql}))` : sql
  return `replace(${asText(utc)}, ' ', 'T') || 'Z'`
}

/** The value as JSON text; null stays null. Strings are in NFC. Deterministic: equal values of 1, 1.0 and 1.00 give equal text. */
export const jsonText = (sql: string, type: string): string => {
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
  if (nested.test(type)) return `nfc_normalize(${asText(`to_json(${sql})`)})`
  return asText(`to_json(nfc_normalize(${asText(sql)}))`)
}

/** What the value is compared by, where that is not its JSON: inside a JSON column the order of keys means nothing. */
export const comparedText = (sql: string, type: string): string | undefined =>
  type === 'JSON'
    ? `(select string_agg(fullkey || ' ' || type || ' ' || coalesce(${asText('atom')}, ''), chr(10) order by fullkey) from json_tree(nfc_normalize(${asText(sql)})))`
    : undefined

/** A key's text, by which keys are told apart: 7 and '7' are one key. */
export const keyText = (sql: string, type: string): string => {
  const decimal = decimals.exec(type)
  if (decimal) return decimalText(sql, Number(decimal[1]), Number(decimal[2]))
  if (floats.test(type)) return floatText(sql)
  if (timestamps.test(type)) return instantText(sql, type)
  if (type === 'BLOB') return `base64(${sql})`
  if (type === 'JSON' || nested.test(type)) return jsonText(sql, type)
  return texts.test(type) ? `nfc_normalize(${asText(sql)})` : asText(sql)
}

/** Whether a key's value is null or blank, as SQL. The first byte tells for nearly all rows: trimming each costs more than the diff. */
export const isNoKey = (sql: string, type: string): string =>
  texts.test(type)
    ? `case when ${asText(sql)} < '!' then trim(${asText(sql)}, ' ' || chr(9) || chr(10) || chr(13)) = '' else ${sql} is null end`
    : `${sql} is null`

/** When a value cannot be written as JSON, as SQL; undefined for types where it always can. */
export const isUnsendable = (sql: string, type: string): string | undefined => {
  if (floats.test(type)) return `not isfinite(${sql})`
  if (type === 'DATE' || timestamps.test(type)) return `isinf(${sql})`
  if (nested.test(type) && /\b(DOUBLE|FLOAT)\b/.test(type)) return `not json_valid(${asText(`to_json(${sql})`)})`
  return undefined
}

/** The engine's fast hash in 63 bits. Good to find what may differ; not stable across engines, hence `hashingProbe`. */
export const fastHash = (parts: readonly string[]): string => `cast(hash(${parts.join(', ')}) >> 1 as bigint)`

/** Another answer than the stored one means that fast hashes must be made anew. */
export const hashingProbe = `cast(hash('probe', 'a text that is longer than twelve bytes', null) as varchar)`

/** A short hash of one field: only compared where the whole row's fast hash already differs. */
export const fieldHash = (text: string): string => `substr(md5(${text}), 1, 12)`

/** A row's place in a relation that was just made: the order in which it was filled, so that nothing has to be sorted. */
export const planNumber = 'rowid + 1'
