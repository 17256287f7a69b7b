// Where staged CSV records are in their files: number, physical line, raw text. Found out only when somebody asks, by scanning the
// file's bytes; a file with as many lines as records needs no scan.
import { literal } from '../../warehouse/duckdb/text.ts'
import { chunksOf } from '../bytes.ts'
import { openLines } from '../line-writer.ts'
import type { NamedColumn } from '../names.ts'
import { createFiles, type Evidence, type Located, type Work } from '../stage.ts'
import { copyDialect, locateRecords, type Layout, type Shift } from './copy.ts'

export interface CsvInput {
  readonly path: string
  /** Its name for people and in cdp.load_files; null for a page of a source that has no files. */
  readonly file: string | null
  /** The columns in order, where the source says them: the file then has no header. */
  readonly told?: readonly { readonly name: string; readonly evidence: Evidence }[]
}

/** A file being staged. */
export interface Entry {
  readonly index: number
  readonly input: CsvInput
  readonly layout: Layout
  readonly named: readonly NamedColumn[]
  readonly originals: readonly string[]
  readonly careful: boolean
  /** What the engine reads: the file, or a copy of it. */
  source: string
  copied: { readonly longest: number } | undefined
}

/** Thrown when the engine has divided a file into records otherwise than the scan does: it must be read from a copy. */
export class ReadCarefully extends Error {
  readonly path: string

  constructor(path: string) {
    super(`${path} must be read from a copy`)
    this.path = path
  }
}

export interface Places {
  /** Keeps the shifts that `find` gives for a file. */
  readonly remember: (entry: Entry, find: (shift: (shift: Shift) => void) => Promise<void>) => Promise<void>
  /** To be called once all is staged; makes the relation of files. */
  readonly count: (rejected: string) => Promise<{
    readonly files: string
    readonly rows: number
    readonly rejectedRows: number
  }>
  readonly locate: (rows: string) => Promise<Located>
  readonly lines: () => Promise<{ readonly join: string; readonly line: string }>
}

export const createPlaces = (
  work: Work,
  table: string,
  inputs: readonly CsvInput[],
  entries: readonly Entry[],
): Places => {
  const { reader } = work
  let files = ''
  const shifts = work.temp('shifts')
  const found = new Map<number, string>()
  const placed = new Map<number, { readonly first: number; readonly records: number }>()
  let shiftsMade = false

  const remember: Places['remember'] = async (entry, find) => {
    const path = work.file('shifts.csv')
    const out = openLines(path)
    await find((shift) => out.line(`${shift.from},${shift.record},${shift.line}`))
    await out.close()
    found.set(entry.index, path)
  }

  const count: Places['count'] = async (rejected) => {
    const counts = await reader.all<{ file: number; first: number; records: number }>(
      `select _cdp_file as file, min(rowid) as first, count(*) as records from ${table} group by 1`,
    )
    for (const row of counts) placed.set(row.file, row)
    const originals = new Map(entries.map((entry) => [entry.index, entry.originals]))
    const described = inputs.map(({ file }, index) => ({ file, fields: originals.get(index) ?? [] }))
    files = await createFiles(work, table, described)
    const [bad] = await reader.all<{ n: number }>(`select count(*) as n from ${rejected}`)
    return { files, rows: counts.reduce((sum, row) => sum + row.records, 0), rejectedRows: bad?.n ?? 0 }
  }

  const recordsOf = (entry: Entry): number => placed.get(entry.index)?.records ?? 0

  const scan = async (
    entry: Entry,
    wanted: ArrayLike<number>,
    take: (index: number, raw: string) => void,
  ): Promise<void> => {
    const layout = entry.copied
      ? { ...entry.layout, header: false, dialect: copyDialect(entry.layout.dialect) }
      : entry.layout
    const visit = async (shift: (shift: Shift) => void): Promise<void> => {
      const records = await locateRecords(entry.source, layout, wanted, take, shift)
      if (records !== recordsOf(entry)) throw new ReadCarefully(entry.input.path)
    }
    // Of a copy the shifts are known, and those found in it would be wrong.
    if (entry.copied || found.has(entry.index)) await visit(() => undefined)
    else await remember(entry, visit)
  }

  const mapLines = async (entry: Entry): Promise<void> => {
    if (found.has(entry.index)) return
    const heading = entry.layout.header ? 1 : 0
    const lines = entry.layout.dialect.newline === '\r' ? -1 : await countLines(entry.source)
    if (lines !== recordsOf(entry) + heading) await scan(entry, [], () => undefined)
    else await remember(entry, async (shift) => shift({ from: 0, record: 1, line: 1 + heading }))
  }

  const loadShifts = async (wanted: readonly Entry[]): Promise<void> => {
    if (!shiftsMade) {
      await reader.run(`create temp table ${shifts} (_cdp_file integer, from_row bigint, record bigint, line bigint)`)
      shiftsMade = true
    }
    for (const entry of wanted) {
      const path = found.get(entry.index)
      if (path === undefined || path === '') continue
      await reader.run(
        `insert into ${shifts} select f._cdp_file, f.first_row + c.n, c.record - f.first_row, c.line - f.first_row
          from read_csv(${literal(path)}, auto_detect = false, header = false, delim = ',',
            columns = {n: 'BIGINT', record: 'BIGINT', line: 'BIGINT'}) c, ${files} f
          where f._cdp_file = ${entry.index}`,
      )
      found.set(entry.index, '')
    }
  }

  const locate: Places['locate'] = async (rows) => {
    const wanted = await reader.all<{ file: number; index: number }>(
      `select s._cdp_file as file, w._cdp_row - f.first_row as index from ${rows} w join ${table} s on s.rowid = w._cdp_row
        join ${files} f on f._cdp_file = s._cdp_file order by 1, 2`,
    )
    const byFile = new Map<number, number[]>()
    for (const row of wanted) {
      const indexes = byFile.get(row.file)
      if (indexes) indexes.push(row.index)
      else byFile.set(row.file, [row.index])
    }
    const path = work.file('located.ndjson')
    const out = openLines(path)
    const concerned = entries.filter((entry) => byFile.has(entry.index))
    for (const entry of concerned) {
      const { index: file } = entry
      await scan(entry, byFile.get(file) ?? [], (index, raw) => out.line(JSON.stringify({ file, index, raw })))
    }
    await out.close()
    await loadShifts(concerned)
    const located = work.temp('located')
    await reader.run(
      `create temp table ${located} as
        select l.row as _cdp_row, l.row + h.record as record, l.row + h.line as line, l.raw
        from (
          select f._cdp_file, f.first_row + j.index as row, j.raw
          from read_json(${literal(path)}, format = 'newline_delimited', maximum_object_size = 16000000,
            columns = {file: 'INTEGER', index: 'BIGINT', raw: 'VARCHAR'}) j join ${files} f on f._cdp_file = j.file
        ) l asof join ${shifts} h on h._cdp_file = l._cdp_file and l.row >= h.from_row`,
    )
    return located
  }

  const lines: Places['lines'] = async () => {
    const filled = entries.filter((entry) => recordsOf(entry) > 0)
    for (const entry of filled) await mapLines(entry)
    await loadShifts(filled)
    const [single] = await reader.all<{ shifts: number; line: number }>(
      `select count(*) as shifts, min(line) as line from ${shifts}`,
    )
    if (single?.shifts === 1) return { join: '', line: `s.rowid + ${single.line}` }
    const on = `h._cdp_file = s._cdp_file`
    const join =
      single?.shifts === filled.length
        ? `join ${shifts} h on ${on}`
        : `asof join ${shifts} h on ${on} and s.rowid >= h.from_row`
    return { join, line: 's.rowid + h.line' }
  }

  return { remember, count, locate, lines }
}

const countLines = async (path: string): Promise<number> => {
  let [lines, last] = [0, 10]
  for await (const chunk of chunksOf(path)) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1
    last = chunk.at(-1) ?? last
  }
  return last === 10 ? lines : lines + 1
}
