// A destination that writes an audience as a file: the whole wanted set, in place at once, or what was there before.
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve as resolvePath } from 'node:path'
import { z } from 'zod'
import {
  CdpError,
  defineDestination,
  isSecret,
  resolve,
  type Destination,
  type Json,
  type JsonObject,
  type Setting,
  type SnapshotContext,
} from 'composable-cdp'

export interface FileSettings {
  /** Below the project's folder, or absolute. Folders are made. */
  readonly path: Setting
  /** Default by the path's ending, `.csv` or `.ndjson`. */
  readonly format?: 'csv' | 'ndjson'
}

/**
 * Writes an audience as CSV or NDJSON: key fields, then `map` in order; UTF-8 without a mark, LF.
 * CSV quotes as RFC 4180 says; a null is an empty cell, an empty text is `""`. A formula is left as it is: data is data.
 *
 * @example
 * to: file({ path: 'out/readers.csv' })
 */
export const file = (settings: FileSettings): Destination => {
  // A path from the environment is read when there is something to write.
  if (!isSecret(settings.path)) formatOf(settings, settings.path)
  return defineDestination<string, string>({
    name: 'file',
    target: String(settings.path),
    modes: ['upsert', 'mirror'],
    semantics: 'state',
    takes: 'snapshot',
    confirmation: 'rows',
    repeatable: 'always',
    limits: { batch: 10_000, inFlight: 1 },
    key: z.record(z.string(), z.unknown()),
    record: z.record(z.string(), z.unknown()),
    settings: [settings.path],
    open: ({ root }) => {
      const given = resolve(settings.path)
      const format = formatOf(settings, given)
      const path = resolvePath(root ?? '.', given)
      return Promise.resolve({
        write: () =>
          Promise.reject(new CdpError('INTERNAL', { detail: 'a file was sent changes, but it takes the whole set' })),
        replace: (rows, context) => replace(path, format, rows, context),
      })
    },
  })
}

const formatOf = ({ format }: FileSettings, path: string): 'csv' | 'ndjson' => {
  const ending = /\.(csv|ndjson)$/i.exec(path)?.[1]?.toLowerCase()
  if (format !== undefined) return format
  if (ending === 'csv' || ending === 'ndjson') return ending
  throw new CdpError('DESTINATION_OPTION', {
    destination: 'file',
    option: 'format',
    problem: `must be csv or ndjson, since ${path} ends in neither`,
  })
}

// Written beside its place, flushed to the disk, then renamed over what was there: a reader sees the old file or the new one, never a part.
const replace = async (
  wanted: string,
  format: 'csv' | 'ndjson',
  rows: AsyncIterable<JsonObject>,
  context: SnapshotContext,
): Promise<number> => {
  let part: string | undefined
  try {
    await mkdir(dirname(wanted), { recursive: true })
    // What a link points to is replaced, not the link; who may read the file stays as it was.
    const path = await realpath(wanted).catch(() => wanted)
    const before = await stat(path).catch(() => undefined)
    await sweep(path)
    part = partOf(path)
    const handle = await open(part, 'wx', before?.mode ?? 0o666)
    let count = 0
    try {
      for await (const { text, rows: written } of pieces(format, rows, context)) {
        await handle.writeFile(text)
        count += written
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(part, path)
    await syncFolder(dirname(path))
    return count
  } catch (thrown) {
    if (part !== undefined) await rm(part, { force: true })
    if (!isSystemError(thrown)) throw thrown
    throw new CdpError('DESTINATION_FILE', { path: wanted, reason: thrown.message }, { cause: thrown })
  }
}

// About 256 kB of text at a time, so that memory does not grow with the audience.
const pieces = async function* (
  format: 'csv' | 'ndjson',
  rows: AsyncIterable<JsonObject>,
  { fields, signal }: SnapshotContext,
): AsyncIterable<{ text: string; rows: number }> {
  const names = [...new Set(fields)]
  const line = format === 'csv' ? csvLine : jsonLine
  let text = format === 'csv' ? `${names.map(quoted).join(',')}\n` : ''
  let waiting = 0
  for await (const row of rows) {
    text += line(names, row)
    waiting += 1
    if (text.length < 262_144) continue
    signal.throwIfAborted()
    yield { text, rows: waiting }
    text = ''
    waiting = 0
  }
  signal.throwIfAborted()
  yield { text, rows: waiting }
}

const jsonLine = (names: readonly string[], row: JsonObject): string =>
  `${JSON.stringify(Object.fromEntries(names.map((name) => [name, row[name] ?? null])))}\n`

const csvLine = (names: readonly string[], row: JsonObject): string =>
  `${names.map((name) => cell(row[name])).join(',')}\n`

const cell = (value: Json | undefined): string => {
  if (value === null || value === undefined) return ''
  if (value === '') return '""'
  return quoted(typeof value === 'object' ? JSON.stringify(value) : String(value))
}

// RFC 4180 §2.6 and §2.7.
const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

const partOf = (path: string): string =>
  join(dirname(path), `.${basename(path)}.${process.pid}-${randomBytes(4).toString('hex')}.part`)

// A killed process leaves its part behind; it goes with the next write.
const sweep = async (path: string): Promise<void> => {
  const prefix = `.${basename(path)}.`
  for (const name of await readdir(dirname(path))) {
    const pid = name.startsWith(prefix) ? /^(\d+)-[0-9a-f]{8}\.part$/.exec(name.slice(prefix.length))?.[1] : undefined
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(dirname(path), name), { force: true })
  }
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (thrown) {
    return isSystemError(thrown) && thrown.code === 'EPERM'
  }
}

// The rename itself survives a power cut only when the folder is flushed too; not every system can.
const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

const isSystemError = (thrown: unknown): thrown is NodeJS.ErrnoException =>
  thrown instanceof Error && 'code' in thrown && 'syscall' in thrown
