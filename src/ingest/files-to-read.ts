// Which files of a stream a load reads: new ones, changed ones, and under `full` all of them as soon as any differs.
import { resolve } from '../core/secret.ts'
import { CdpError } from '../core/errors.ts'
import { hashFile } from './bytes.ts'
import { findFiles, isGlob, type FoundFile } from './glob.ts'
import type { KnownFile } from './ledger.ts'
import type { ScanRead } from './source.ts'

export interface FilesToRead {
  readonly pattern: string
  /** In the order of their names. */
  readonly read: readonly FoundFile[]
  /** Those among them that have been landed before. */
  readonly changed: readonly string[]
  /** A new time, the same content. */
  readonly touched: readonly FoundFile[]
  /** Landed before and not there any more. */
  readonly gone: readonly string[]
  readonly found: number
}

/** Throws STREAM_FILE_MISSING for a literal path that is not there. */
export const filesToRead = async (
  from: ScanRead,
  root: string,
  full: boolean,
  known: readonly KnownFile[],
  stream: string,
): Promise<FilesToRead> => {
  const pattern = resolve(from.path)
  const found = findFiles(root, pattern)
  if (found.length === 0 && !isGlob(pattern)) throw new CdpError('STREAM_FILE_MISSING', { stream, file: pattern })
  const before = new Map(known.map((file) => [file.file, file]))
  const fresh: FoundFile[] = []
  const changed: string[] = []
  const touched: FoundFile[] = []
  for (const file of found) {
    const landed = before.get(file.file)
    if (!landed) fresh.push(file)
    else if (landed.bytes === file.bytes && landed.modifiedMs === file.modifiedMs) continue
    else if (landed.bytes === file.bytes && landed.sha256 === (await hashFile(file.path))) touched.push(file)
    else {
      fresh.push(file)
      changed.push(file.file)
    }
  }
  const here = new Set(found.map(({ file }) => file))
  const gone = known.map(({ file }) => file).filter((file) => !here.has(file))
  if (!full) return { pattern, read: fresh, changed, touched, gone: [], found: found.length }
  const differs = fresh.length > 0 || gone.length > 0
  return { pattern, read: differs ? found : [], changed, touched: differs ? [] : touched, gone, found: found.length }
}

type Format = NonNullable<ScanRead['format']>

const endings: Readonly<Record<string, Format>> = {
  csv: 'csv',
  tsv: 'csv',
  txt: 'csv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'json',
  parquet: 'parquet',
}

/** The one format of all files: as set, or by their endings. Throws STREAM_FORMAT. */
export const formatOf = (from: ScanRead, files: readonly FoundFile[], stream: string): Format => {
  if (from.format !== undefined) return from.format
  const formats = new Set(
    files.map(({ file }) => {
      const ending = file.toLowerCase().replace(/\.gz$/, '').split('.').at(-1) ?? ''
      const format = endings[ending]
      if (!format) throw new CdpError('STREAM_FORMAT', { stream, file, problem: 'its ending says no format' })
      return format
    }),
  )
  const [format = 'csv', ...others] = formats
  const [first] = files
  if (others.length > 0 && first) {
    throw new CdpError('STREAM_FORMAT', { stream, file: first.file, problem: 'the files are of several formats' })
  }
  return format
}
