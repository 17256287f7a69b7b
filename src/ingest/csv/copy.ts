// What is done about a damaged CSV file: a copy without the records that cannot be read, which go aside with line, reason and text;
// and where the records of a file are, for physical lines and for the raw text of records that break a promise.
import { chunksOf } from '../bytes.ts'
import type { LineWriter } from '../line-writer.ts'
import { fieldsOf, scanRecords, type Dialect, type RecordView } from './records.ts'

/** A record that cannot be read. */
export interface BadRecord {
  /** From 1, header not counted. */
  readonly record: number
  readonly line: number
  readonly reason: string
  readonly raw: string
}

/** From the `from`-th record (counted from 0) that can be read on, its number is index + `record` and its line index + `line`. */
export interface Shift {
  readonly from: number
  readonly record: number
  readonly line: number
}

export interface Layout {
  readonly dialect: Dialect
  readonly header: boolean
  readonly fields: number
}

/** Longer raw texts are cut: they are for people and for replay, not a second copy of the file. */
export const longestRaw = 1024 * 1024

/** Of the copy: written as the engine reads it strictly. */
export const copyDialect = (dialect: Dialect): Dialect => ({ ...dialect, quote: 34, newline: '\n' })

/** Copies what can be read and hands out the rest. Returns the records copied and the longest in bytes. */
export const copyReadable = async (
  path: string,
  layout: Layout,
  out: LineWriter,
  bad: (record: BadRecord) => void,
  shift: (shift: Shift) => void,
): Promise<{ readonly records: number; readonly longest: number }> => {
  const { dialect } = layout
  const delimiter = String.fromCharCode(dialect.delimiter)
  const rewrite = dialect.newline === '\r' || dialect.quote !== 34
  let [records, longest] = [0, 0]
  const take = (view: RecordView, index: number): boolean => {
    const reason = reasonOf(view, layout.fields)
    if (reason !== undefined) {
      bad({ record: index + 1, line: view.line, reason, raw: rawOf(view) })
      return false
    }
    records += 1
    longest = Math.max(longest, view.end - view.start)
    if (rewrite || view.unusual || view.fields > layout.fields) {
      const fields = fieldsOf(view.buffer, view.start, view.end, dialect).slice(0, layout.fields)
      out.line(fields.map((field) => (field === undefined ? '' : `"${field.replaceAll('"', '""')}"`)).join(delimiter))
    } else out.bytes(view.buffer.subarray(view.start, view.end))
    return true
  }
  await eachRecord(path, layout, take, shift, () => out.drained())
  return { records, longest }
}

/**
 * Where the records of a readable file are, and the raw text of the `wanted` ones (indexes from 0, ascending). Returns the number of
 * records, by which the caller sees whether the engine divided the file in the same way.
 */
export const locateRecords = async (
  path: string,
  layout: Layout,
  wanted: ArrayLike<number>,
  found: (index: number, raw: string) => void,
  shift: (shift: Shift) => void,
): Promise<number> => {
  let at = 0
  let count = 0
  const take = (view: RecordView, index: number): boolean => {
    count += 1
    if (wanted[at] === index) {
      found(index, rawOf(view))
      at += 1
    }
    return true
  }
  await eachRecord(path, layout, take, shift, () => undefined)
  return count
}

const eachRecord = async (
  path: string,
  { dialect, header, fields }: Layout,
  take: (view: RecordView, index: number) => boolean,
  shift: (shift: Shift) => void,
  afterChunk: () => Promise<void> | void,
): Promise<void> => {
  let heading = header
  let [records, taken] = [0, 0]
  let [record, line] = [-1, -1]
  const visit = (view: RecordView): void => {
    if (view.blank && (heading || fields > 1)) return
    if (heading) {
      heading = false
      return
    }
    records += 1
    if (!take(view, records - 1)) return
    if (record !== records - taken || line !== view.line - taken) {
      record = records - taken
      line = view.line - taken
      shift({ from: taken, record, line })
    }
    taken += 1
  }
  await scanRecords(chunksOf(path), dialect, visit, afterChunk)
}

const reasons = {
  encoding: 'the record is not UTF-8',
  quote: 'text follows a closing quote',
  unclosed: 'a quote is never closed',
} as const

const reasonOf = (view: RecordView, fields: number): string | undefined => {
  if (view.problem !== undefined) return reasons[view.problem]
  // As the engine does: separators after the last column, with nothing between them, are let pass.
  if (view.fields === fields || (view.fields > fields && view.filled <= fields)) return undefined
  return `the record has ${view.fields} fields, not ${fields}`
}

const rawOf = (view: RecordView): string =>
  view.buffer.toString('utf8', view.start, Math.min(view.end, view.start + longestRaw))
