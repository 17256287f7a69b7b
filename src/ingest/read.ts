// Reading one load of a stream into staging, from files or pages.
import { CdpError } from '../core/errors.ts'
import { hashFile } from './bytes.ts'
import { findColumn, promisedTypes } from './columns.ts'
import { ReadCarefully } from './csv/places.ts'
import { stageCsv } from './csv/stage.ts'
import { formatOf } from './files-to-read.ts'
import { statFile, type FoundFile } from './glob.ts'
import { stageJson, type JsonOptions } from './json/stage.ts'
import type { NamedColumn } from './names.ts'
import { stageParquet } from './parquet.ts'
import type { RecordedColumn } from './schema.ts'
import type { ScanRead, StreamSettings } from './source.ts'
import type { Spooled } from './spool.ts'
import type { Stage, Work } from './stage.ts'
import { stageTextLines } from './text-lines.ts'

export interface ReadStream {
  readonly id: string
  readonly settings: StreamSettings
  readonly recorded: readonly RecordedColumn[]
  readonly timeZone: string
}

const tries = 3

/**
 * Stages files, and their hashes. A file that changes meanwhile is read again with all others, three times at most, then it is
 * STREAM_FILE_CHANGING.
 */
export const stageFiles = async (
  work: Work,
  from: ScanRead,
  files: readonly FoundFile[],
  stream: ReadStream,
): Promise<{ readonly stage: Stage; readonly files: readonly (FoundFile & { readonly sha256: string })[] }> => {
  const careful = new Set<string>()
  let current = files
  for (let attempt = 1; ; attempt++) {
    work.signal.throwIfAborted()
    try {
      // Both are waited for: what still worked while an error is handled would work in a place that is being cleared.
      const [hashed, staged] = await Promise.allSettled([
        hashAll(current),
        stageOnce(work, from, current, stream, careful),
      ])
      if (hashed.status === 'rejected') throw hashed.reason
      if (staged.status === 'rejected') throw staged.reason
      const { value: hashes } = hashed
      const { value: stage } = staged
      const after = current.map((file) => ({ ...file, ...(statFile(file.path) ?? { bytes: -1 }) }))
      const moved = after.find((file, at) => !sameStat(file, current[at]))
      if (!moved) return { stage, files: current.map((file, at) => ({ ...file, sha256: hashes[at] ?? '' })) }
      if (attempt >= tries || moved.bytes === -1) {
        throw new CdpError('STREAM_FILE_CHANGING', { stream: stream.id, file: moved.file })
      }
      current = after
    } catch (error) {
      if (!(error instanceof ReadCarefully) || careful.has(error.path)) throw error
      careful.add(error.path)
      attempt -= 1
    }
  }
}

const sameStat = (file: FoundFile, before: FoundFile | undefined): boolean =>
  file.bytes === before?.bytes && file.modifiedMs === before.modifiedMs

// The engine works in its own threads meanwhile.
const hashAll = async (files: readonly FoundFile[]): Promise<string[]> => {
  const out: string[] = []
  for (const file of files) out.push(await hashFile(file.path))
  return out
}

const stageOnce = (
  work: Work,
  from: ScanRead,
  files: readonly FoundFile[],
  stream: ReadStream,
  careful: ReadonlySet<string>,
): Promise<Stage> => {
  const format = formatOf(from, files, stream.id)
  if (format === 'ndjson' || format === 'json') return stageJson(work, files, jsonOptions(stream, format))
  if (format === 'parquet') return stageParquet(work, files, stream.recorded, stream.timeZone)
  if (format === 'lines') return stageTextLines(work, files)
  const tabs = from.csv?.delimiter === undefined && files.every(({ file }) => /\.tsv(\.gz)?$/i.test(file))
  return stageCsv(work, files, tabs ? { ...from.csv, delimiter: '\t' } : (from.csv ?? {}), stream.recorded, careful)
}

export const jsonOptions = (stream: ReadStream, format: 'ndjson' | 'json'): JsonOptions => ({
  format,
  known: stream.recorded,
  promised: (column: NamedColumn) => promisedTypes(stream.id, stream.settings, [column]).get(column.name)?.type,
  recorded: (column: NamedColumn) => findColumn(stream.recorded, column.name)?.type,
})

/** Stages what a source's pages were spooled to. */
export const stagePages = (work: Work, spooled: Spooled, stream: ReadStream): Promise<Stage> =>
  spooled.csv.length > 0
    ? stageCsv(work, spooled.csv, {}, stream.recorded, new Set())
    : stageJson(work, spooled.json, jsonOptions(stream, 'ndjson'))
