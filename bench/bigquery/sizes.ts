// How large the columns of a relation are, by the sizes that BigQuery bills types by. The stand-in gives no bytes, so it is asked for the
// lengths of its texts.
import type { Field } from '../../test/bigquery/judge.ts'

/** Bytes by column. */
export type Sizes = ReadonlyMap<string, number>

const fixed: Readonly<Record<string, number>> = {
  INTEGER: 8,
  INT64: 8,
  FLOAT: 8,
  FLOAT64: 8,
  NUMERIC: 16,
  BIGNUMERIC: 32,
  BOOLEAN: 1,
  BOOL: 1,
  TIMESTAMP: 8,
  DATE: 8,
  TIME: 8,
  DATETIME: 8,
}

// Nothing for null; two bytes and those of its UTF-8 for a text; of lists and JSON the text of their JSON.
const sizeOf = ({ name, type, mode }: Field): string => {
  const column = `r.\`${name}\``
  const bytes = fixed[type]
  if (mode !== 'REPEATED' && bytes !== undefined) return `${bytes} * count(${column})`
  if (mode !== 'REPEATED' && (type === 'STRING' || type === 'BYTES'))
    return `coalesce(sum(2 + byte_length(${column})), 0)`
  return `coalesce(sum(byte_length(to_json_string(${column}))), 0)`
}

interface Answer {
  readonly rows?: readonly { readonly f: readonly { readonly v: string | null }[] }[]
  readonly error?: { readonly message: string }
}

/** Of a table as everybody sees it now. */
export const measure = async (
  standIn: string,
  [project = '', dataset = '', table = '']: readonly string[],
  fields: readonly Field[],
): Promise<Sizes> => {
  const columns = fields.map((field, at) => `${sizeOf(field)} as c${at}`)
  const query = `select ${columns.join(', ')} from \`${project}\`.\`${dataset}\`.\`${table}\` r`
  const answer = await fetch(`${standIn}/bigquery/v2/projects/${project}/queries`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, useLegacySql: false }),
  })
  const { rows, error } = (await answer.json()) as Answer
  if (error) throw new Error(`the size of ${dataset}.${table}: ${error.message}`)
  return new Map(fields.map(({ name }, at) => [name, Number(rows?.[0]?.f[at]?.v ?? 0)]))
}
