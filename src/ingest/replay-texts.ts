// The raw texts of open quarantine rows as files that the reader takes, each text on its own, so that a broken one spoils no other.
import { literal } from '../warehouse/duckdb/text.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { longestRaw } from './csv/copy.ts'
import type { CsvInput } from './csv/places.ts'
import { fieldsOf, newView, readRecord } from './csv/records.ts'
import type { TextInput } from './json/lines.ts'
import { openLines, type LineWriter } from './line-writer.ts'
import type { CsvOptions } from './csv/head.ts'
import { stateTable } from '../warehouse/state-sql.ts'
import type { Evidence, Work } from './stage.ts'

export interface Texts<Input> {
  readonly inputs: readonly Input[]
  /** `_cdp_file`, `n` (from 0 within it), `quarantine_id`, `file`, `line`, `read_at` of every text in the files. Quoted. */
  readonly ids: string
}

export interface RetriedTexts {
  readonly tried: number
  readonly csv: Texts<CsvInput>
  readonly json: Texts<TextInput>
}

interface OpenRow {
  readonly id: string
  readonly raw: string
  readonly fields: string | null
  readonly file: string | null
  readonly line: number | null
  readonly read_at: string
}

export const openTexts = async (
  work: Work,
  warehouse: Warehouse,
  stream: { readonly id: string; readonly csv: CsvOptions; readonly evidence: (field: string) => Evidence },
): Promise<RetriedTexts> => {
  const groups = new Map<
    string,
    { readonly index: number; readonly out: LineWriter; readonly path: string; rows: number }
  >()
  const idsPath = { csv: work.file('csv-ids.ndjson'), json: work.file('json-ids.ndjson') }
  const ids = { csv: openLines(idsPath.csv), json: openLines(idsPath.json) }
  const made = { csv: 0, json: 0 }
  let tried = 0
  const put = (row: OpenRow, kind: 'csv' | 'json', line: string): void => {
    const key = row.fields ?? ''
    let group = groups.get(key)
    if (!group) {
      const path = work.file(`replay.${kind}`)
      group = { index: made[kind]++, out: openLines(path), path, rows: 0 }
      groups.set(key, group)
    }
    group.out.line(line)
    const { id, file, line: physical, read_at } = row
    ids[kind].line(
      JSON.stringify({ _cdp_file: group.index, n: group.rows, quarantine_id: id, file, line: physical, read_at }),
    )
    group.rows += 1
  }
  const open = `select quarantine_id as id, raw, fields, file, line, quarantined_at as read_at
    from ${stateTable(warehouse, 'quarantine')} where stream = ${warehouse.literal(stream.id)} and status = 'open' order by quarantine_id`
  for await (const batch of warehouse.stream(open)) {
    for (let at = 0; at < batch.rowCount; at++) {
      const row = Object.fromEntries(
        batch.columns.map(({ name }, c) => [name, batch.values[c]?.[at]]),
      ) as unknown as OpenRow
      tried += 1
      // A text that was cut, or that was no UTF-8, is not what the source said.
      if (row.raw.length >= longestRaw || row.raw.includes('\uFFFD')) continue
      if (row.fields === null) put(row, 'json', row.raw.replaceAll(/[\r\n]+/g, ' '))
      else {
        const line = csvLine(row.raw, (JSON.parse(row.fields) as string[]).length, stream.csv)
        if (line !== undefined) put(row, 'csv', line)
      }
    }
    for (const { out } of groups.values()) await out.drained()
  }
  for (const { out } of groups.values()) await out.close()
  await ids.csv.close()
  await ids.json.close()
  const inputs = [...groups].map(([fields, { path }]) => ({ fields, path }))
  return {
    tried,
    csv: {
      ids: await loadIds(work, idsPath.csv),
      inputs: inputs
        .filter(({ fields }) => fields !== '')
        .map(({ fields, path }) => ({
          path,
          file: null,
          told: (JSON.parse(fields) as string[]).map((name) => ({ name, evidence: stream.evidence(name) })),
        })),
    },
    json: {
      ids: await loadIds(work, idsPath.json),
      inputs: inputs.filter(({ fields }) => fields === '').map(({ path }) => ({ path, file: null })),
    },
  }
}

const loadIds = async (work: Work, path: string): Promise<string> => {
  const table = work.temp('ids')
  await work.reader.run(
    `create temp table ${table} as select * from read_json(${literal(path)}, format = 'newline_delimited',
      columns = {_cdp_file: 'INTEGER', n: 'BIGINT', quarantine_id: 'VARCHAR', file: 'VARCHAR', line: 'BIGINT', read_at: 'TIMESTAMPTZ'})`,
  )
  return table
}

const separators = [',', ';', '\t', '|']

/** The record written with commas; undefined where it is still no whole record of so many fields. */
const csvLine = (raw: string, fields: number, options: CsvOptions): string | undefined => {
  const buffer = Buffer.from(raw, 'utf8')
  const quote = options.quote === '' ? -1 : (options.quote ?? '"').charCodeAt(0)
  // Which separator the file had is not kept where it was guessed: it is the one that gives the number of fields.
  for (const separator of options.delimiter === undefined ? separators : [options.delimiter]) {
    const dialect = { delimiter: separator.charCodeAt(0), quote, newline: '\n' as const }
    const view = newView(buffer)
    const end = readRecord(buffer, 0, dialect, view, true)
    if (end < buffer.length || view.problem !== undefined || view.fields !== fields) continue
    const values = fieldsOf(buffer, view.start, view.end, dialect)
    return values.map((value) => (value === undefined ? '' : `"${value.replaceAll('"', '""')}"`)).join(',')
  }
  return undefined
}
