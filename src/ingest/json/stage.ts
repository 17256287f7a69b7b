// JSON into a staged relation: the text of every record first, checked by the engine, then taken apart into columns. NDJSON is read as
// lines; files that are arrays or whole documents are divided by the engine's JSON reader.
import { literal, quote } from '../../warehouse/duckdb/text.ts'
import { nameColumns, type NamedColumn } from '../names.ts'
import { createFiles, createRejected, type Stage, type StageColumn, type Work } from '../stage.ts'
import { readDocuments } from './documents.ts'
import { jsonKinds } from './kinds.ts'
import { readLines, spoiled, type TextInput } from './lines.ts'

export interface JsonOptions {
  readonly format: 'ndjson' | 'json'
  readonly known: readonly NamedColumn[]
  readonly promised: (column: NamedColumn) => string | undefined
  readonly recorded: (column: NamedColumn) => string | undefined
}

/** Throws STREAM_UNREADABLE when a document is broken: unlike of lines, no part of it can be trusted. */
export const stageJson = async (work: Work, inputs: readonly TextInput[], options: JsonOptions): Promise<Stage> => {
  const { reader } = work
  const rejected = await createRejected(work)
  const texts = work.temp('texts')
  if (options.format === 'ndjson') await readLines(work, inputs, texts, rejected)
  else await readDocuments(work, inputs, texts)
  work.signal.throwIfAborted()
  const files = await createFiles(work, texts, inputs)
  const shapes = await readShapes(work, texts)
  const records = await readable(work, texts, shapes, rejected, options.format)
  const columns = await describeColumns(work, records, shapes, options)
  const table = work.temp('stage')
  const spec = JSON.stringify(Object.fromEntries(columns.map((c) => [c.original, c.asJson ? 'JSON' : 'VARCHAR'])))
  // By position: names of a struct are found whatever their case, and cannot be empty.
  const parts = columns.map((c, at) => `struct_extract_at(j, ${at + 1}) as ${quote(c.name)}`)
  await reader.run(
    `create temp table ${table} as select ${[...parts, '_cdp_row', '_cdp_file'].join(', ')}
      from (select rowid as _cdp_row, _cdp_file, ${columns.length === 0 ? 'null' : `json_transform(text, ${literal(spec)})`} as j from ${records})`,
  )
  const [counted] = await reader.all<{ rows: number; rejected: number }>(
    `select (select count(*) from ${table}) as rows, (select count(*) from ${rejected}) as rejected`,
  )
  const numbered = options.format === 'ndjson' ? 's._cdp_row - f.first_row + 1' : 'cast(null as bigint)'
  return {
    table,
    row: 's._cdp_row',
    rows: counted?.rows ?? 0,
    rejected,
    rejectedRows: counted?.rejected ?? 0,
    files,
    columns: columns.map(({ name, original, evidence, asJson }) => {
      const column = `s.${quote(name)}`
      if (!asJson) return { name, original, evidence, text: column }
      const text = `cast(${column} as varchar)`
      const unquoted = `case when starts_with(${text}, '"') then json_extract_string(${column}, '$') else ${text} end`
      return { name, original, evidence, text, unquoted }
    }),
    lines: async () => ({ join: `join ${files} f on f._cdp_file = s._cdp_file`, line: numbered }),
    locate: async (rows) => {
      const located = work.temp('located')
      await reader.run(
        `create temp table ${located} as select _cdp_row, record, line, text as raw from (${positions(texts, options.format)})
          where _cdp_row in (select _cdp_row from ${rows})`,
      )
      return located
    },
  }
}

const isBlank = String.raw`(text is null or regexp_full_match(text, '[ \t\r]*'))`
// Reads the text once, where json_valid and json_type would twice.
const isObject = `coalesce(try(json_type(text)) = 'OBJECT', false)`

/** Number and line of every text. */
const positions = (texts: string, format: JsonOptions['format']): string =>
  `select rowid as _cdp_row, _cdp_file, text, count(*) filter (not ${isBlank}) over upward as record,
    ${format === 'ndjson' ? 'row_number() over upward' : 'cast(null as bigint)'} as line
    from ${texts} window upward as (partition by _cdp_file order by rowid rows unbounded preceding)`

/** Which lists of keys the texts have: `keys` (null: no JSON), `n`, `first` (row). Quoted. */
const readShapes = async (work: Work, texts: string): Promise<string> => {
  const shapes = work.temp('shapes')
  await work.reader.run(
    `create temp table ${shapes} as select any_value(keys) as keys, count(*) as n, min(row) as first
      from (select try(json_keys(text)) as keys, hash(keys) as shape, rowid as row from ${texts}) group by shape`,
  )
  return shapes
}

/** Puts aside what is no JSON object; returns the relation of the others. Where every text has keys, that is all of them. */
const readable = async (
  work: Work,
  texts: string,
  shapes: string,
  rejected: string,
  format: JsonOptions['format'],
): Promise<string> => {
  const { reader } = work
  const [doubtful] = await reader.all<{ n: number }>(
    `select count(*) as n from ${shapes} where keys is null or len(keys) = 0`,
  )
  if (doubtful?.n === 0) return texts
  const bad = work.temp('bad')
  await reader.run(`create temp table ${bad} as select rowid as row from ${texts} where not ${isObject}`)
  await reader.run(
    `insert into ${rejected}
      select _cdp_file, record, line, case when json_valid(text) then 'it is JSON, but not an object' else 'it is not valid JSON' end, text
      from (${positions(texts, format)})
      where _cdp_row in (select row from ${bad}) and not ${isBlank} and text <> ${literal(spoiled)}`,
  )
  return `(select rowid, text, _cdp_file from ${texts} where rowid not in (select row from ${bad}))`
}

type JsonColumn = Omit<StageColumn, 'text' | 'unquoted'> & { readonly asJson: boolean }

/** Columns in the order in which their keys first occur. */
const describeColumns = async (
  work: Work,
  records: string,
  shapes: string,
  options: JsonOptions,
): Promise<JsonColumn[]> => {
  const keys = await work.reader.all<{ key: string }>(
    `select key from (
        select unnest(keys) as key, first, generate_subscripts(keys, 1) as place from ${shapes} where keys is not null)
      group by key order by min(first), min(place)`,
  )
  const named = nameColumns(
    keys.map(({ key }) => key),
    options.known,
    { sameByRule: false },
  )
  const fresh = named.filter((column) => (options.promised(column) ?? options.recorded(column)) === undefined)
  const kinds = await kindsOf(work, `(select text from ${records} limit ${sampleRows})`, fresh)
  // Of a column that is null in all of the first records every record is asked.
  const empty = fresh.filter((column) => kinds.get(column.name) === 0)
  for (const [name, kind] of await kindsOf(work, records, empty)) kinds.set(name, kind)
  return named.map((column) => {
    const kind = kinds.get(column.name) ?? 0
    return { ...column, evidence: { kind: 'json', kinds: kind }, asJson: asJson(column, kind, options) }
  })
}

/**
 * Whether a column is staged as JSON text, in which a string still has its quotes, so that none can pass for a number: where its type
 * is or may become one that strings do not have.
 */
const asJson = (column: NamedColumn, kinds: number, options: JsonOptions): boolean => {
  const promised = options.promised(column)
  if (promised !== undefined) return promised === 'json'
  const recorded = options.recorded(column)
  return recorded === undefined ? (kinds & jsonKinds.string) === 0 : !['text', 'date', 'timestamp'].includes(recorded)
}

const sampleRows = 2048

const kindsOf = async (work: Work, records: string, columns: readonly NamedColumn[]): Promise<Map<string, number>> => {
  if (columns.length === 0) return new Map()
  const paths = columns.map((column) => literal(`/${column.original.replaceAll('~', '~0').replaceAll('/', '~1')}`))
  const bits = columns.map((_, at) => `coalesce(bit_or(${kindBit(`kinds[${at + 1}]`)}), 0) as k${at}`)
  const [row] = await work.reader.all<Record<string, number>>(
    `select ${bits.join(', ')} from (select json_type(text, [${paths.join(', ')}]) as kinds from ${records})`,
  )
  return new Map(columns.map((column, at) => [column.name, row?.[`k${at}`] ?? 0]))
}

const kindBit = (kind: string): string =>
  `case ${kind} when 'VARCHAR' then ${jsonKinds.string} when 'BOOLEAN' then ${jsonKinds.boolean}
    when 'UBIGINT' then ${jsonKinds.integer} when 'BIGINT' then ${jsonKinds.integer} when 'DOUBLE' then ${jsonKinds.number}
    when 'OBJECT' then ${jsonKinds.nested} when 'ARRAY' then ${jsonKinds.nested} else 0 end`
