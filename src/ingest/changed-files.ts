// Which streams have files to land: names, sizes and times against cdp.load_files. On the path of a run that has nothing to do, so it
// imports next to nothing and reads no file; whether a file with a new time has new content is found out when it is landed.
import { resolve, type Setting } from '../core/secret.ts'
import type { Session } from '../warehouse/warehouse.ts'
import { findFiles, isGlob } from './glob.ts'
import type { ScanRead, StreamSettings } from './source.ts'

export interface FileChange {
  /** New, changed or, where it matters, missing files; or what else makes a load necessary. Empty: nothing to land. */
  readonly changed: readonly string[]
}

/** Stands in cdp.schemas for a load that has not ended. */
export const unfinishedLoad = 'unfinished'

interface ScanStream extends StreamSettings {
  readonly id: string
  readonly relation: string
  readonly from: ScanRead | { readonly kind: 'pages' }
}

/** By stream id, for streams that are read from files. One query for the files, one for the types. */
export const changedFiles = async (
  session: Session,
  streams: readonly ScanStream[],
  root: string,
): Promise<Map<string, FileChange>> => {
  const scans = streams.flatMap((stream) => (stream.from.kind === 'scan' ? [{ stream, path: stream.from.path }] : []))
  if (scans.length === 0) return new Map()
  const known = new Map<string, Map<string, string>>()
  const landed = await session.all<{ stream: string; file: string; bytes: number; ms: number }>(
    'select stream, file, bytes, modified_ms as ms from cdp.load_files',
  )
  for (const { stream, file, bytes, ms } of landed) {
    const files = known.get(stream) ?? new Map<string, string>()
    known.set(stream, files.set(file, `${bytes} ${ms}`))
  }
  const { types, unfinished } = await recordedTypes(session)
  return new Map(
    scans.map(({ stream, path }) => [
      stream.id,
      {
        changed: unfinished.has(stream.id)
          ? ['columns of a load that has not ended']
          : changesOf(stream, path, root, known.get(stream.id) ?? new Map(), types.get(stream.id)),
      },
    ]),
  )
}

const changesOf = (
  stream: ScanStream,
  path: Setting,
  root: string,
  known: ReadonlyMap<string, string>,
  types: ReadonlyMap<string, string> | undefined,
): string[] => {
  const pattern = resolve(path)
  const found = findFiles(root, pattern)
  const changed = found.filter(({ file, bytes, modifiedMs }) => known.get(file) !== `${bytes} ${modifiedMs}`)
  const out = changed.map(({ file }) => file)
  // A file that must be there and is not: landing says so. A pattern that never matched: landing warns, once.
  if (found.length === 0 && (!isGlob(pattern) || types === undefined)) return [pattern]
  if (stream.full) {
    const here = new Set(found.map(({ file }) => file))
    out.push(...[...known.keys()].filter((file) => !here.has(file)))
  }
  if (out.length === 0 && types !== undefined && promisesChanged(stream, types)) out.push('types')
  return out
}

interface RecordedTypes {
  readonly types: Map<string, Map<string, string>>
  /** Streams whose columns were changed by a load that did not come to land rows. */
  readonly unfinished: ReadonlySet<string>
}

const recordedTypes = async (session: Session): Promise<RecordedTypes> => {
  const types = new Map<string, Map<string, string>>()
  const unfinished = new Set<string>()
  const rows = await session.all<{ stream: string; name: string; original: string; type: string; load: string }>(
    'select stream, column_name as name, original_name as original, type, load_id as load from cdp.schemas order by version',
  )
  for (const { stream, name, original, type, load } of rows) {
    const columns = types.get(stream) ?? new Map<string, string>()
    types.set(stream, columns.set(name.toLowerCase(), type).set(original.trim().toLowerCase(), type))
    if (load === unfinishedLoad) unfinished.add(stream)
  }
  return { types, unfinished }
}

// A promise that was changed since takes effect with the next load, so there must be one.
const promisesChanged = (stream: ScanStream, types: ReadonlyMap<string, string>): boolean =>
  Object.entries(stream.types ?? {}).some(([name, type]) => {
    const recorded = types.get(name.toLowerCase())
    return recorded !== undefined && recorded !== type.toLowerCase().replaceAll(/\s+/g, '')
  })
