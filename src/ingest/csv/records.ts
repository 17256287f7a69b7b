// CSV at the level of bytes: where records start and end, on which physical line, and what is wrong with those that cannot be read.
// The engine reads the files; this is for what it does not tell: names in the header, physical lines, the raw text of a bad record,
// and a copy of a damaged file without its bad records. Rules are RFC 4180 and, beyond it, what the engine's strict mode does.
import { isAscii, isUtf8 } from 'node:buffer'

export interface Dialect {
  readonly delimiter: number
  /** -1: none. */
  readonly quote: number
  /** What ends the first line. With `\r` it alone ends lines; else `\n` and `\r\n` do, and a lone `\r` is data. */
  readonly newline: '\n' | '\r\n' | '\r'
}

/** One record; the object is used again for the next one. */
export interface RecordView {
  buffer: Buffer
  start: number
  /** Without the line break. */
  end: number
  /** Physical line it starts on, from 1. */
  line: number
  fields: number
  /** Up to here; the fields after it are empty and unquoted. */
  filled: number
  /** A blank line. The engine skips it, except where a record has one field. */
  blank: boolean
  /** Written in a way that a strict reader may take differently; to be quoted anew in a copy. */
  unusual: boolean
  problem: 'encoding' | 'quote' | 'unclosed' | undefined
}

export const newView = (buffer: Buffer): RecordView => ({
  buffer,
  start: 0,
  end: 0,
  line: 1,
  fields: 1,
  filled: 0,
  blank: false,
  unusual: false,
  problem: undefined,
})

const LF = 10
const CR = 13
const SPACE = 32

/** A quoted field may be this long; beyond it the quote counts as never closed. Bounds the memory of a scan. */
export const longestRecord = 64 * 1024 * 1024

/**
 * Calls `visit` for every record in order, blank lines included. A quote that is never closed spoils its own physical line only;
 * text after a closing quote spoils the record up to its line's end.
 */
export const scanRecords = async (
  chunks: AsyncIterable<Uint8Array>,
  dialect: Dialect,
  visit: (record: RecordView) => void,
  afterChunk?: () => Promise<void> | void,
): Promise<void> => {
  const view = newView(Buffer.alloc(0))
  let rest: Buffer = Buffer.alloc(0)
  let held: Uint8Array[] = []
  let heldBytes = 0
  let line = 1
  let first = true
  const work = (final: boolean): void => {
    const [only] = held
    let buffer = only && held.length === 1 && rest.length === 0 ? asBuffer(only) : Buffer.concat([rest, ...held])
    held = []
    heldBytes = 0
    if (first && buffer.length >= 3) {
      first = false
      if (buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf) buffer = buffer.subarray(3)
    }
    const ascii = isAscii(buffer)
    view.buffer = buffer
    let at = 0
    while (at < buffer.length) {
      const next = readRecord(buffer, at, dialect, view, final)
      if (next < 0) break
      view.line = line
      line += linesIn(buffer, at, next, dialect)
      if (!ascii && view.problem === undefined && !isUtf8(buffer.subarray(view.start, view.end)))
        view.problem = 'encoding'
      visit(view)
      at = next
    }
    rest = buffer.subarray(at)
  }
  for await (const chunk of chunks) {
    held.push(chunk)
    heldBytes += chunk.length
    // An unfinished record is scanned again only when what was read has doubled.
    if (heldBytes < rest.length) continue
    work(false)
    await afterChunk?.()
  }
  work(true)
  await afterChunk?.()
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const linesIn = (buffer: Buffer, from: number, to: number, dialect: Dialect): number => {
  const end = dialect.newline === '\r' ? CR : LF
  let lines = 0
  for (let at = buffer.indexOf(end, from); at >= 0 && at < to; at = buffer.indexOf(end, at + 1)) lines += 1
  return lines
}

/** Reads the record at `at` into `view`; returns where the next one starts, or -1 when the buffer ends before the record does. */
export const readRecord = (buffer: Buffer, at: number, dialect: Dialect, view: RecordView, final: boolean): number => {
  const { delimiter, quote } = dialect
  const carriageReturns = dialect.newline === '\r'
  const { length } = buffer
  view.start = at
  view.fields = 1
  view.filled = 0
  view.unusual = false
  view.problem = undefined
  let i = at
  for (;;) {
    const from = i
    const opening = buffer[i] === quote ? i : buffer[i] === SPACE && buffer[i + 1] === quote ? i + 1 : -1
    if (opening >= 0) {
      if (opening > i) view.unusual = true
      const closing = closingQuote(buffer, opening + 1, quote, final)
      if (closing === needMore && !final && length - at < longestRecord) return -1
      if (closing < 0) return badLine(buffer, at, dialect, view, 'unclosed')
      i = closing + 1
      if (i >= length && !final) return -1
      for (; buffer[i] === SPACE; i++) view.unusual = true
      const byte = buffer[i]
      if (i < length && byte !== delimiter && byte !== LF && byte !== CR)
        return badLine(buffer, at, dialect, view, 'quote', i)
    } else {
      for (; i < length; i++) {
        const byte = buffer[i]
        if (byte === delimiter || byte === LF) break
        if (byte === CR) {
          if (carriageReturns) break
          if (i + 1 >= length && !final) return -1
          if (buffer[i + 1] === LF) break
          view.unusual = true
        }
      }
    }
    if (i > from) view.filled = view.fields
    if (i >= length) {
      if (!final) return -1
      return finish(view, at, length, length)
    }
    if (buffer[i] === delimiter) {
      view.fields += 1
      i += 1
      if (i >= length && !final) return -1
      continue
    }
    if (buffer[i] === CR) {
      if (i + 1 >= length && !final) return -1
      if (buffer[i + 1] === LF) return finish(view, at, i, i + 2)
      if (!carriageReturns) return badLine(buffer, at, dialect, view, 'quote', i)
    }
    return finish(view, at, i, i + 1)
  }
}

const needMore = -1

const closingQuote = (buffer: Buffer, from: number, quote: number, final: boolean): number => {
  for (let at = buffer.indexOf(quote, from); at >= 0; at = buffer.indexOf(quote, at + 2)) {
    if (at + 1 >= buffer.length) return final ? at : needMore
    if (buffer[at + 1] !== quote) return at
  }
  return needMore
}

const finish = (view: RecordView, start: number, end: number, next: number): number => {
  view.end = end
  view.blank = end === start
  return next
}

const badLine = (
  buffer: Buffer,
  at: number,
  dialect: Dialect,
  view: RecordView,
  problem: 'quote' | 'unclosed',
  from = at,
): number => {
  view.problem = problem
  const end = buffer.indexOf(dialect.newline === '\r' ? CR : LF, from)
  if (end < 0) return finish(view, at, buffer.length, buffer.length)
  return finish(view, at, end > at && buffer[end - 1] === CR ? end - 1 : end, end + 1)
}

/** The fields of a record as text; undefined for an empty unquoted one, which is null. */
export const fieldsOf = (buffer: Buffer, start: number, end: number, dialect: Dialect): (string | undefined)[] => {
  const { delimiter, quote } = dialect
  const out: (string | undefined)[] = []
  let i = start
  for (;;) {
    const opening = buffer[i] === quote ? i : buffer[i] === SPACE && buffer[i + 1] === quote ? i + 1 : -1
    if (opening >= 0 && opening < end) {
      const closing = closingQuote(buffer.subarray(0, end), opening + 1, quote, true)
      const mark = String.fromCharCode(quote)
      out.push(buffer.toString('utf8', opening + 1, closing).replaceAll(mark + mark, mark))
      i = closing + 1
      while (i < end && buffer[i] !== delimiter) i++
    } else {
      const from = i
      while (i < end && buffer[i] !== delimiter) i++
      out.push(i === from ? undefined : buffer.toString('utf8', from, i))
    }
    if (i >= end) return out
    i += 1
  }
}
