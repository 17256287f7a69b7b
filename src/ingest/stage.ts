// What reading gives, whatever the format: a temporary relation of the reader with every row's text, and where each row came from.
// Nothing is checked or typed yet. One file a format makes it; checking, typing and merging know only this.
import { join } from 'node:path'
import type { ColumnType, Session } from '../warehouse/warehouse.ts'
import { literal, quote } from '../warehouse/duckdb/text.ts'
import type { NamedColumn } from './names.ts'

/** What is known of the values of a column before they are looked at. */
export type Evidence =
  /** Text as a person or program wrote it: a type is guessed only where it prints back. */
  | { readonly kind: 'spelled' }
  /** JSON: which kinds of values its first records have, as a sum of `jsonKinds`. */
  | { readonly kind: 'json'; readonly kinds: number }
  /** The source itself says the type. */
  | { readonly kind: 'told'; readonly type: ColumnType }
  /** The source says that it is a number, and not how long: its value is kept. */
  | { readonly kind: 'number' }

export interface StageColumn extends NamedColumn {
  /** The value as text: an expression over the staged relation, called `s`. */
  readonly text: string
  /** The value as the text of a text column, where that differs: `text` is JSON then, and has strings in quotes. */
  readonly unquoted?: string
  /** Set when the staged column already has this type. */
  readonly typed?: ColumnType
  readonly evidence: Evidence
}

/** A relation with `_cdp_row`, `record` (from 1), `line` (physical, from 1, may be null) and `raw` for some rows. */
export type Located = string

export interface Stage {
  /** Quoted. Rows are in the order they were read in; besides the columns it has `_cdp_file`, a number. */
  readonly table: string
  /** An expression that identifies and orders the rows of a file. */
  readonly row: string
  readonly columns: readonly StageColumn[]
  readonly rows: number
  /** Records that could not be read: `_cdp_file`, `record`, `line`, `reason`, `raw`. Quoted. */
  readonly rejected: string
  readonly rejectedRows: number
  /** `_cdp_file`, `file` (null for pages), `fields` (JSON, for CSV), quoted. */
  readonly files: string
  readonly locate: (rows: string) => Promise<Located>
  /** How to get the physical line of every row: a join to put after `from <table> s`, and an expression. */
  readonly lines: () => Promise<{ readonly join: string; readonly line: string }>
}

/** A place to work in: the reader, names for temporary relations and files, all removed when the load ends. */
export interface Work {
  readonly reader: Session
  readonly signal: AbortSignal
  /** A new name for a temporary relation, quoted. */
  readonly temp: (purpose: string) => string
  /** A path for a temporary file. */
  readonly file: (name: string) => string
  readonly progress: (rows: number) => void
  readonly drop: () => Promise<void>
}

let works = 0

export const openWork = (options: {
  readonly reader: Session
  readonly signal: AbortSignal
  readonly folder: string
  readonly progress: (rows: number) => void
}): Work => {
  const id = ++works
  const made: string[] = []
  let files = 0
  return {
    reader: options.reader,
    signal: options.signal,
    progress: options.progress,
    temp: (purpose) => {
      const name = `temp.${quote(`_cdp_${purpose}_${id}_${made.length}`)}`
      made.push(name)
      return name
    },
    file: (name) => join(options.folder, `${files++}-${name}`),
    drop: async () => {
      for (const name of made) await options.reader.run(`drop table if exists ${name}`)
    },
  }
}

/** A relation of rejected records that has none. */
export const createRejected = async (work: Work): Promise<string> => {
  const table = work.temp('rejected')
  await work.reader.run(
    `create temp table ${table} (_cdp_file integer, record bigint, line bigint, reason varchar, raw varchar)`,
  )
  return table
}

const text = (value: string | null): string => (value === null ? 'cast(null as varchar)' : literal(value))

/** The relation of files: name, first row and number of rows of each; `fields` is for formats whose text does not name them. */
export const createFiles = async (
  work: Work,
  table: string,
  inputs: readonly { readonly file: string | null; readonly fields?: readonly string[] }[],
): Promise<string> => {
  const files = work.temp('files')
  await work.reader.run(
    `create temp table ${files} (_cdp_file integer, file varchar, fields varchar, first_row bigint, records bigint)`,
  )
  for (let at = 0; at < inputs.length; at += 500) {
    const values = inputs
      .slice(at, at + 500)
      .map(({ file, fields }, n) => `(${at + n}, ${text(file)}, ${text(fields ? JSON.stringify(fields) : null)})`)
    await work.reader.run(
      `insert into ${files}
        select n._cdp_file, n.file, n.fields, coalesce(c.first_row, 0), coalesce(c.records, 0)
        from (values ${values.join(', ')}) n(_cdp_file, file, fields)
        left join (select _cdp_file, min(rowid) as first_row, count(*) as records from ${table} group by 1) c using (_cdp_file)`,
    )
  }
  return files
}
