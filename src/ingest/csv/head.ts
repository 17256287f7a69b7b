// The first record of a CSV file: its names, and how the file is written.
import { CdpError } from '../../core/errors.ts'
import { readBytes } from '../bytes.ts'
import { fieldsOf, longestRecord, newView, readRecord, type Dialect } from './records.ts'

export interface CsvOptions {
  readonly delimiter?: string
  readonly quote?: string
  readonly header?: boolean
  readonly columns?: readonly string[]
}

export interface Head {
  readonly dialect: Dialect
  /** Empty: the file has no record at all. */
  readonly names: readonly string[]
  readonly header: boolean
  /** Blank lines come before the first record: the engine would take one for the header. */
  readonly late: boolean
}

/** Throws STREAM_OPTION unless it is one ASCII character. */
const byteOf = (text: string, option: string): number => {
  const code = text.codePointAt(0) ?? 0
  if (text.length === 1 && code < 128 && code !== 10 && code !== 13) return code
  throw new CdpError('STREAM_OPTION', { option, problem: 'must be one ASCII character' })
}

const comma = 44
const separators = [',', ';', '\t', '|'].map((text) => text.charCodeAt(0))

/** Without `delimiter`, the one of `,` `;` tab `|` that the first record has most of outside quotes; `,` when it has none. */
export const readHead = async (path: string, file: string, options: CsvOptions): Promise<Head> => {
  const quote = options.quote === '' ? -1 : byteOf(options.quote ?? '"', 'csv.quote')
  const delimiter = options.delimiter === undefined ? undefined : byteOf(options.delimiter, 'csv.delimiter')
  for (let size = 64 * 1024; ; size *= 8) {
    const buffer = await readBytes(path, size)
    if ((buffer[0] === 0xff && buffer[1] === 0xfe) || (buffer[0] === 0xfe && buffer[1] === 0xff)) {
      throw new CdpError('STREAM_ENCODING', { file, encoding: 'UTF-16' })
    }
    const final = buffer.length < size || size > longestRecord
    const newline = !buffer.includes(10) && buffer.includes(13) ? '\r' : '\n'
    const head = headOf(buffer, { quote, delimiter, newline }, options, final)
    if (head) return head
  }
}

type Unsure = Omit<Dialect, 'delimiter'> & { readonly delimiter: number | undefined }

const headOf = (buffer: Buffer, unsure: Unsure, options: CsvOptions, final: boolean): Head | undefined => {
  const header = options.header ?? true
  const named = options.columns ?? []
  const view = newView(buffer)
  const start = buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf ? 3 : 0
  for (let at = start; at < buffer.length;) {
    const read = { ...unsure, delimiter: unsure.delimiter ?? guessDelimiter(buffer, at, unsure.quote) }
    const next = readRecord(buffer, at, read, view, final)
    if (next < 0) return undefined
    if (view.blank) {
      at = next
      continue
    }
    const newline = next - view.end === 2 ? '\r\n' : read.newline
    const dialect: Dialect = { ...read, newline }
    const fields = fieldsOf(buffer, view.start, view.end, dialect).map((field) => field ?? '')
    const names = named.length > 0 ? named : header ? fields : fields.map((_, index) => `column_${index + 1}`)
    return { dialect, names, header, late: at > start }
  }
  return final
    ? { dialect: { ...unsure, delimiter: unsure.delimiter ?? comma }, names: [], header, late: false }
    : undefined
}

// Quotes are taken wherever they are: which separator is the right one is not known yet.
const guessDelimiter = (buffer: Buffer, start: number, quote: number): number => {
  const counts = new Map(separators.map((separator) => [separator, 0]))
  let quoted = false
  for (let at = start; at < buffer.length; at++) {
    const byte = buffer[at] ?? 0
    if (byte === quote) quoted = !quoted
    if (quoted) continue
    if (byte === 10 || byte === 13) break
    const count = counts.get(byte)
    if (count !== undefined) counts.set(byte, count + 1)
  }
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best), [comma, 0])[0]
}
