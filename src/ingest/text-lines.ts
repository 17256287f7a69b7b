// Files whose every line is a row with one column, `text`.
import { literal } from '../warehouse/duckdb/text.ts'
import { readLines, spoiled, type TextInput } from './json/lines.ts'
import { createFiles, createRejected, type Stage, type Work } from './stage.ts'

export const stageTextLines = async (work: Work, inputs: readonly TextInput[]): Promise<Stage> => {
  const { reader } = work
  const rejected = await createRejected(work)
  const texts = work.temp('texts')
  await readLines(work, inputs, texts, rejected)
  const files = await createFiles(work, texts, inputs)
  const table = work.temp('stage')
  await reader.run(
    `create temp table ${table} as select rowid as _cdp_row, _cdp_file, coalesce(text, '') as text from ${texts}
      where text is distinct from ${literal(spoiled)}`,
  )
  const [counted] = await reader.all<{ rows: number; rejected: number }>(
    `select (select count(*) from ${table}) as rows, (select count(*) from ${rejected}) as rejected`,
  )
  const line = 's._cdp_row - f.first_row + 1'
  const join = `join ${files} f on f._cdp_file = s._cdp_file`
  return {
    table,
    row: 's._cdp_row',
    rows: counted?.rows ?? 0,
    rejected,
    rejectedRows: counted?.rejected ?? 0,
    files,
    columns: [{ name: 'text', original: 'text', text: 's.text', evidence: { kind: 'told', type: 'text' } }],
    lines: async () => ({ join, line }),
    locate: async (rows) => {
      const located = work.temp('located')
      await reader.run(
        `create temp table ${located} as select s._cdp_row, ${line} as record, ${line} as line, s.text as raw
          from ${table} s ${join} where s._cdp_row in (select _cdp_row from ${rows})`,
      )
      return located
    },
  }
}
