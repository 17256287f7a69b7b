// Lines of text files into a relation of the reader, one row a physical line, blank ones included. The engine's own JSON reader is not
// used for NDJSON: told to ignore errors it also empties the next good line after a torn one, and reports nothing.
import { isUtf8 } from 'node:buffer'
import { literal } from '../../warehouse/duckdb/text.ts'
import { chunksOf } from '../bytes.ts'
import { openLines } from '../line-writer.ts'
import type { Work } from '../stage.ts'
import { refused, unreadable } from '../unreadable.ts'

export interface TextInput {
  readonly path: string
  /** Its name for people and in cdp.load_files; null for a page of a source that has no files. */
  readonly file: string | null
}

/** A relation `text`, `_cdp_file`, and one of lines that cannot be read: `_cdp_file`, `record`, `line`, `reason`, `raw`. */
export const readLines = async (
  work: Work,
  inputs: readonly TextInput[],
  table: string,
  rejected: string,
): Promise<void> => {
  const { reader } = work
  await reader.run(`create temp table ${table} (text varchar, _cdp_file integer)`)
  const load = (from: readonly (readonly [number, TextInput])[]): Promise<unknown> =>
    reader.run(
      `insert into ${table} select text, [${from.map(([index]) => index).join(', ')}][cast(file_index as bigint) + 1]
        from read_csv([${from.map(([, input]) => literal(input.path)).join(', ')}], ${plain})`,
    )
  const all = [...inputs.entries()]
  if (all.length === 0) return
  try {
    await load(all)
  } catch (error) {
    if (!refused(error)) throw error
    for (const [index, input] of all) {
      work.signal.throwIfAborted()
      const whole =
        all.length > 1 &&
        (await load([[index, input]]).then(
          () => true,
          (cause: unknown) => (refused(cause) ? false : Promise.reject(cause)),
        ))
      if (!whole) await readCopy(work, index, input, table, rejected)
    }
  }
}

const plain = `auto_detect = false, header = false, delim = '', quote = '', escape = '', nullstr = '', columns = {'text': 'VARCHAR'}`

/** In the place of a line that is no UTF-8, so that the count of lines and records stays right. No JSON and no blank. */
export const spoiled = '\u0001'

/** Every line quoted, so that none can be mistaken. */
const readCopy = async (
  work: Work,
  index: number,
  input: TextInput,
  table: string,
  rejected: string,
): Promise<void> => {
  const path = work.file('lines.csv')
  const aside = work.file('rejected.ndjson')
  const [copy, bad] = [openLines(path), openLines(aside)]
  let [line, record, longest, rejects] = [0, 0, 0, 0]
  await eachLine(
    input.path,
    (bytes) => {
      line += 1
      longest = Math.max(longest, bytes.length)
      const blank = isBlank(bytes)
      if (!blank) record += 1
      if (isUtf8(bytes)) {
        copy.line(blank ? '""' : `"${bytes.toString('utf8').replaceAll('"', '""')}"`)
        return
      }
      rejects += 1
      copy.line(`"${spoiled}"`)
      bad.line(JSON.stringify({ record, line, reason: 'the line is not UTF-8', raw: bytes.toString('utf8') }))
    },
    () => copy.drained(),
  )
  await copy.close()
  await bad.close()
  const { reader } = work
  try {
    await reader.run(
      `insert into ${table} select text, ${index} from read_csv(${literal(path)}, auto_detect = false, header = false, delim = ',',
        quote = '"', escape = '"', new_line = '\\n', allow_quoted_nulls = false, max_line_size = ${Math.max(2_000_000, longest * 2)},
        columns = {'text': 'VARCHAR'})`,
    )
  } catch (error) {
    throw unreadable(input.file ?? 'a page', error)
  }
  if (rejects === 0) return
  await reader.run(
    `insert into ${rejected} select ${index}, record, line, reason, raw from read_json(${literal(aside)},
      format = 'newline_delimited', maximum_object_size = 100000000,
      columns = {record: 'BIGINT', line: 'BIGINT', reason: 'VARCHAR', raw: 'VARCHAR'})`,
  )
}

const isBlank = (bytes: Buffer): boolean => bytes.every((byte) => byte === 32 || byte === 9 || byte === 13)

/** Lines without their ends (`\n`, `\r\n`), and without a byte-order mark. */
const eachLine = async (
  path: string,
  visit: (line: Buffer) => void,
  afterChunk: () => Promise<void>,
): Promise<void> => {
  let rest: Buffer[] = []
  let first = true
  const take = (line: Buffer): void => {
    const start = first && line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf ? 3 : 0
    first = false
    visit(line.subarray(start, line.at(-1) === 13 ? -1 : undefined))
  }
  for await (const bytes of chunksOf(path)) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let at = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, at)) {
      const part = chunk.subarray(at, end)
      take(rest.length === 0 ? part : Buffer.concat([...rest, part]))
      rest = []
      at = end + 1
    }
    if (at < chunk.length) rest.push(chunk.subarray(at))
    await afterChunk()
  }
  if (rest.length > 0) take(Buffer.concat(rest))
}
