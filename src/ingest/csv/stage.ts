// CSV files into a staged relation. The engine reads them strictly and in parallel, those with the same header together; a file that
// it refuses is read again from a copy without the records at fault.
import { CdpError } from '../../core/errors.ts'
import { literal, quote } from '../../warehouse/duckdb/text.ts'
import { openLines } from '../line-writer.ts'
import { nameColumns, type NamedColumn } from '../names.ts'
import { createRejected, type Evidence, type Stage, type Work } from '../stage.ts'
import { refused, unreadable } from '../unreadable.ts'
import { copyDialect, copyReadable, type Layout, type Shift } from './copy.ts'
import type { Dialect } from './records.ts'
import { readHead, type CsvOptions } from './head.ts'
import { createPlaces, type CsvInput, type Entry } from './places.ts'

/** Files in `careful` are read from a copy at once. Throws STREAM_UNREADABLE, STREAM_ENCODING, STREAM_OPTION. */
export const stageCsv = async (
  work: Work,
  inputs: readonly CsvInput[],
  options: CsvOptions,
  known: readonly NamedColumn[],
  careful: ReadonlySet<string>,
): Promise<Stage> => {
  const { entries, columns } = await readHeads(inputs, options, known, careful)
  const { reader } = work
  const table = work.temp('stage')
  const definitions = [...columns.map(({ name }) => `${quote(name)} varchar`), '_cdp_file integer']
  await reader.run(`create temp table ${table} (${definitions.join(', ')})`)
  const rejected = await createRejected(work)
  const places = createPlaces(work, table, inputs, entries)

  const load = (group: readonly Entry[]): Promise<unknown> => reader.run(insertSql(table, group))
  const readCopy = async (entry: Entry): Promise<void> => {
    await copyEntry(work, entry, rejected, places.remember)
    await load([entry]).catch((error: unknown) => {
      throw unreadable(entry.input.file ?? 'a page', error)
    })
  }
  for (const group of groupsOf(entries)) {
    work.signal.throwIfAborted()
    const ready = group.filter((entry) => !entry.careful)
    try {
      if (ready.length > 0) await load(ready)
    } catch (error) {
      if (!refused(error)) throw error
      for (const entry of ready) {
        if (ready.length === 1) await readCopy(entry)
        else await load([entry]).catch((cause: unknown) => (refused(cause) ? readCopy(entry) : Promise.reject(cause)))
      }
    }
    for (const entry of group) if (entry.careful) await readCopy(entry)
  }
  const { files, rows, rejectedRows } = await places.count(rejected)
  return {
    table,
    row: 's.rowid',
    rows,
    rejected,
    rejectedRows,
    files,
    locate: places.locate,
    lines: places.lines,
    columns: columns.map((column) => ({
      name: column.name,
      original: column.original,
      text: `s.${quote(column.name)}`,
      evidence: column.evidence,
    })),
  }
}

const readHeads = async (
  inputs: readonly CsvInput[],
  options: CsvOptions,
  known: readonly NamedColumn[],
  careful: ReadonlySet<string>,
): Promise<{ entries: Entry[]; columns: (NamedColumn & { evidence: Evidence })[] }> => {
  const entries: Entry[] = []
  const columns = new Map<string, NamedColumn & { evidence: Evidence }>()
  for (const [index, input] of inputs.entries()) {
    const head = input.told
      ? { dialect: toldDialect, names: input.told.map(({ name }) => name), header: false, late: false }
      : await readHead(input.path, input.file ?? 'a page', options)
    if (head.names.length === 0) continue
    const named = nameColumns(head.names, [...known, ...columns.values()])
    for (const [at, column] of named.entries()) {
      const evidence = input.told?.[at]?.evidence ?? { kind: 'spelled' }
      if (!columns.has(column.name)) columns.set(column.name, { ...column, evidence })
    }
    const layout: Layout = { dialect: head.dialect, header: head.header, fields: head.names.length }
    const late = head.late || careful.has(input.path)
    entries.push({
      index,
      input,
      layout,
      named,
      originals: head.names,
      source: input.path,
      copied: undefined,
      careful: late,
    })
  }
  return { entries, columns: [...columns.values()] }
}

const toldDialect: Dialect = { delimiter: 44, quote: 34, newline: '\n' }

const groupsOf = (entries: readonly Entry[]): Entry[][] => {
  const groups = new Map<string, Entry[]>()
  for (const entry of entries) {
    const key = JSON.stringify([entry.layout, entry.named.map(({ name }) => name)])
    groups.set(key, [...(groups.get(key) ?? []), entry])
  }
  return [...groups.values()]
}

const lineBreaks = { '\n': '\\n', '\r\n': '\\r\\n', '\r': '\\r' } as const

/** One statement for files that are written alike. Only an unquoted empty field is null. */
const insertSql = (table: string, group: readonly Entry[]): string => {
  const [first] = group
  if (!first) throw new CdpError('INTERNAL', { detail: 'an empty group of files' })
  const { named, layout, copied } = first
  const dialect = copied ? copyDialect(layout.dialect) : layout.dialect
  const mark = dialect.quote === -1 ? "''" : literal(String.fromCharCode(dialect.quote))
  const index = group.map((entry) => entry.index)
  const file = group.length === 1 ? String(first.index) : `[${index.join(', ')}][cast(file_index as bigint) + 1]`
  const options = [
    'auto_detect = false',
    `header = ${layout.header && !copied}`,
    `delim = ${literal(String.fromCharCode(dialect.delimiter))}`,
    `quote = ${mark}`,
    `escape = ${mark}`,
    // Its own guess is the first line break it meets, be it inside quotes.
    `new_line = ${literal(lineBreaks[dialect.newline])}`,
    `nullstr = ''`,
    'allow_quoted_nulls = false',
    `columns = {${named.map((_, at) => `'c${at}': 'VARCHAR'`).join(', ')}}`,
    ...(copied && copied.longest > 1_000_000 ? [`max_line_size = ${copied.longest * 2}`] : []),
  ]
  const paths = group.map((entry) => literal(entry.source)).join(', ')
  return `insert into ${table} (${named.map(({ name }) => quote(name)).join(', ')}, _cdp_file)
    select ${named.map((_, at) => `c${at}`).join(', ')}, ${file}
    from read_csv([${paths}], ${options.join(', ')})`
}

/** Makes the copy and keeps aside what cannot be read. */
const copyEntry = async (
  work: Work,
  entry: Entry,
  rejected: string,
  remember: (entry: Entry, shifts: AsyncShifts) => Promise<void>,
): Promise<void> => {
  const path = work.file('copy.csv')
  const aside = work.file('rejected.ndjson')
  const [copy, bad] = [openLines(path), openLines(aside)]
  let rejects = 0
  await remember(entry, async (shift) => {
    const done = await copyReadable(
      entry.source,
      entry.layout,
      copy,
      (record) => {
        rejects += 1
        bad.line(JSON.stringify(record))
      },
      shift,
    )
    await copy.close()
    await bad.close()
    entry.source = path
    entry.copied = done
  })
  if (rejects === 0) return
  await work.reader.run(
    `insert into ${rejected} select ${entry.index}, record, line, reason, raw from read_json(${literal(aside)},
      format = 'newline_delimited', maximum_object_size = 16000000,
      columns = {record: 'BIGINT', line: 'BIGINT', reason: 'VARCHAR', raw: 'VARCHAR'})`,
  )
}

type AsyncShifts = (shift: (shift: Shift) => void) => Promise<void>
