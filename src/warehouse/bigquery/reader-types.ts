// What the embedded DuckDB calls the types of BigQuery.

/** Of types that are not made of others. */
export const scalarReaderTypes: Readonly<Record<string, string>> = {
  STRING: 'VARCHAR',
  INT64: 'BIGINT',
  FLOAT64: 'DOUBLE',
  BOOL: 'BOOLEAN',
  DATE: 'DATE',
  TIMESTAMP: 'TIMESTAMP WITH TIME ZONE',
  DATETIME: 'TIMESTAMP',
  TIME: 'TIME',
  NUMERIC: 'DECIMAL(38,9)',
  BIGNUMERIC: 'DECIMAL(38,18)',
  BYTES: 'BLOB',
  JSON: 'JSON',
}

/** `ARRAY<STRUCT<`a` INT64>>` is `STRUCT("a" BIGINT)[]`. What has no counterpart is text. */
export const readerType = (type: string): string => {
  const item = /^ARRAY<(.*)>$/s.exec(type)?.[1]
  if (item !== undefined) return `${readerType(item)}[]`
  const fields = /^STRUCT<(.*)>$/s.exec(type)?.[1]
  if (fields === undefined) return scalarReaderTypes[type] ?? 'VARCHAR'
  const parts = membersOf(fields).map(([name, inner]) => `"${name.replaceAll('"', '""')}" ${readerType(inner)}`)
  return `STRUCT(${parts.join(', ')})`
}

// Members are separated by commas outside of brackets; a name is in backticks.
const membersOf = (text: string): (readonly [name: string, type: string])[] => {
  const members: string[] = []
  let depth = 0
  let from = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '`') quoted = !quoted
    if (quoted) continue
    if (text[at] === '<') depth += 1
    else if (text[at] === '>') depth -= 1
    else if (text[at] === ',' && depth === 0) {
      members.push(text.slice(from, at))
      from = at + 1
    }
  }
  members.push(text.slice(from))
  return members.map((member) => {
    const [, name = '', type = ''] = /^\s*`((?:[^`\\]|\\.)*)`\s*(.*)$/s.exec(member) ?? []
    return [name.replaceAll(/\\(.)/g, '$1'), type.trim()]
  })
}
