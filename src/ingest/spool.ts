// Pages of a source into temporary files, so that the reader takes them like any other file and no set of rows is held in memory.
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { CdpError } from '../core/errors.ts'
import type { CsvInput } from './csv/places.ts'
import { openLines, writeError, type LineWriter } from './line-writer.ts'
import type { Page, PagesRead, ReadContext } from './source.ts'
import type { Evidence, Work } from './stage.ts'
import { parseType } from './types.ts'

export interface Spooled {
  readonly csv: readonly CsvInput[]
  /** NDJSON files. */
  readonly json: readonly { readonly path: string; readonly file: null }[]
  readonly bytes: number
  /** The cursor of the last page that had one. */
  readonly cursor: string | undefined
}

/** Reads to the end. What the source throws passes; a full disk is WAREHOUSE_FULL. */
export const spoolPages = async (work: Work, pages: PagesRead, context: ReadContext): Promise<Spooled> => {
  const csv: CsvInput[] = []
  const json: { path: string; file: null }[] = []
  let bytes = 0
  let cursor: string | undefined
  let lines: LineWriter | undefined
  let rows = 0
  try {
    for await (const page of pages.read(context)) {
      work.signal.throwIfAborted()
      cursor = page.cursor ?? cursor
      if ('rows' in page) {
        if (!lines) {
          const path = work.file('page.ndjson')
          lines = openLines(path)
          json.push({ path, file: null })
        }
        for (const row of page.rows) {
          const text = toJson(row)
          bytes += text.length
          lines.line(text)
        }
        rows += page.rows.length
        work.progress(rows)
        await lines.drained()
        continue
      }
      const path = work.file(`page.${page.format}`)
      bytes += await writeBytes(path, page, work.signal)
      if (page.format === 'ndjson') json.push({ path, file: null })
      else csv.push({ path, file: null, ...toldBy(page) })
    }
  } finally {
    await lines?.close()
  }
  if (csv.length > 0 && json.length > 0) {
    throw new CdpError('INTERNAL', { detail: 'a source gave pages both as CSV and as JSON in one read' })
  }
  return { csv, json, bytes, cursor }
}

const toldBy = (page: Extract<Page, { bytes: unknown }>): Pick<CsvInput, 'told'> =>
  page.columns === undefined
    ? {}
    : {
        told: page.columns.map(({ name, type }) => ({ name, evidence: evidenceOf(type) })),
      }

const evidenceOf = (type: string): Evidence => {
  if (type === 'number') return { kind: 'number' }
  const told = parseType(type)
  return told ? { kind: 'told', type: told } : { kind: 'spelled' }
}

const writeBytes = async (
  path: string,
  page: Extract<Page, { bytes: unknown }>,
  signal: AbortSignal,
): Promise<number> => {
  const out = createWriteStream(path, { highWaterMark: 4 * 1024 * 1024 })
  let failure: unknown
  out.on('error', (error) => (failure = writeError(error)))
  let bytes = 0
  try {
    for await (const chunk of page.bytes) {
      signal.throwIfAborted()
      bytes += chunk.length
      // A stream that failed is destroyed, and then never drains.
      if (!out.write(chunk) && !out.destroyed) await Promise.race([once(out, 'drain'), once(out, 'close')])
      if (failure !== undefined) throw failure
    }
    out.end()
    await finished(out)
    return bytes
  } catch (error) {
    out.destroy()
    throw failure ?? error
  }
}

// A bigint is a JSON number of any length; JSON.stringify refuses it.
const toJson = (row: Readonly<Record<string, unknown>>): string => {
  const big: string[] = []
  const text = JSON.stringify(row, (_key, value: unknown) => {
    if (typeof value !== 'bigint') return value
    big.push(value.toString())
    return `\u0000${big.length - 1}\u0000`
  })
  return big.length === 0
    ? text
    : text.replaceAll(/"\\u0000(\d+)\\u0000"/g, (_, at: string) => big[Number(at)] ?? 'null')
}
