// Landing one load of a stream: read, check, type in the reader; then schema, merge, quarantine, cursor and records of the load in one
// transaction of the warehouse. All of it lands or none.
import { rmSync } from 'node:fs'
import { CdpError, reasonOf } from '../core/errors.ts'
import type { Clock } from '../core/clock.ts'
import { redact } from '../core/secret.ts'
import type { RelationName } from '../warehouse/warehouse.ts'
import type { LandContext, LandOptions, LandStream } from './context.ts'
import { findColumn } from './columns.ts'
import { filesToRead } from './files-to-read.ts'
import { forgetStream, readCursor, readFiles, recordLoad, touchFiles } from './ledger.ts'
import { stageFiles, stagePages, type ReadStream } from './read.ts'
import type { LoadResult } from './result.ts'
import { readSchema } from './schema.ts'
import type { ScanRead } from './source.ts'
import { spoolPages } from './spool.ts'
import { openWork } from './stage.ts'
import { makeTempFolder } from './temp-folder.ts'
import { store, type Incoming } from './store.ts'

export type { LandOptions, LandStream } from './context.ts'
export type { LoadResult } from './result.ts'

const nothing = {
  files: 0,
  bytes: 0,
  rowsRead: 0,
  rowsNew: 0,
  rowsChanged: 0,
  rowsUnchanged: 0,
  rowsVanished: 0,
  rowsQuarantined: 0,
}

/**
 * Throws what its steps throw, with the warehouse as it was but for the row in cdp.loads that says so; a failed load is
 * tried again by the next run, since neither its files nor its cursor are recorded.
 */
export const land = async (options: LandOptions): Promise<LoadResult> => {
  const { warehouse, stream, clock } = options
  const startedAt = now(clock)
  const folder = makeTempFolder(options.tempDir, 'load')
  const work = openWork({
    reader: warehouse.reader,
    signal: options.signal,
    folder,
    progress: (rows) => options.emit({ type: 'progress', step: stream.id, done: rows, unit: 'rows' }),
  })
  try {
    const relation: RelationName = { schema: 'raw', name: stream.relation }
    const exists = (await warehouse.relations('raw')).some(
      ({ name }) => name.toLowerCase() === stream.relation.toLowerCase(),
    )
    // Somebody dropped the relation: everything known of it is void.
    if (!exists) await warehouse.transaction(() => forgetStream(warehouse, stream.id))
    const read: ReadStream = {
      id: stream.id,
      settings: stream,
      recorded: await readSchema(warehouse, stream.id),
      timeZone: stream.timeZone ?? options.timeZone,
    }
    const context: LandContext = { ...options, relation, exists, work, read, startedAt }
    return stream.from.kind === 'scan' ? await landFiles(context, stream.from) : await landPages(context)
  } catch (error) {
    await recordFailure(options, startedAt, error)
    throw error
  } finally {
    await work.drop().catch(() => undefined)
    rmSync(folder, { recursive: true, force: true })
  }
}

const now = (clock: Clock): string => new Date(clock.now()).toISOString()

const recordFailure = async (options: LandOptions, startedAt: string, error: unknown): Promise<void> => {
  const { warehouse, runId, stream, clock } = options
  const record = {
    runId,
    stream: stream.id,
    status: 'failed' as const,
    error: redact(reasonOf(error)),
    startedAt,
    finishedAt: now(clock),
  }
  // What went wrong may keep this from being written too; the first error is the one to show.
  await recordLoad(warehouse, record, { loadId: runId, ...nothing }).catch(() => undefined)
}

const landFiles = async (context: LandContext, from: ScanRead): Promise<LoadResult> => {
  const { warehouse, stream, exists, work, read, emit } = context
  const known = await readFiles(warehouse, stream.id)
  const files = await filesToRead(from, context.root, stream.full === true, known, stream.id)
  if (files.found === 0) {
    emit({ type: 'warning', step: stream.id, message: `${stream.id}: no file matches ${files.pattern}` })
  }
  // A load may also have died between changing columns and landing rows.
  const typesChanged = read.recorded.some((column) => column.unfinished || promiseChanged(stream, column))
  if (files.read.length === 0 && files.gone.length === 0 && exists && !typesChanged) {
    await touchFiles(warehouse, stream.id, files.touched)
    return unchanged(context)
  }
  const { stage, files: staged } = await stageFiles(work, from, files.read, read)
  const incoming: Incoming = {
    stage,
    bytes: staged.reduce((sum, file) => sum + file.bytes, 0),
    files: staged,
    replaced: files.changed,
    gone: files.gone,
    touched: files.touched,
    since: undefined,
    cursor: undefined,
  }
  return store(context, incoming)
}

const promiseChanged = (stream: LandStream, column: ReadStream['recorded'][number]): boolean =>
  Object.entries(stream.types ?? {}).some(
    ([name, type]) =>
      findColumn([column], name) !== undefined && type.toLowerCase().replaceAll(/\s+/g, '') !== column.type,
  )

const landPages = async (context: LandContext): Promise<LoadResult> => {
  const { warehouse, stream, pages, work, read } = context
  if (!pages) throw new CdpError('INTERNAL', { detail: `stream ${stream.id} is read in pages and nothing reads them` })
  const saved = stream.full ? undefined : await readCursor(warehouse, stream.id)
  const spooled = await spoolPages(work, pages, {
    cursor: saved,
    clock: context.clock,
    signal: context.signal,
    progress: work.progress,
  })
  const stage = await stagePages(work, spooled, read)
  return store(context, {
    stage,
    bytes: spooled.bytes,
    files: undefined,
    replaced: [],
    gone: [],
    touched: [],
    since: saved,
    cursor: spooled.cursor,
  })
}

const unchanged = async ({ warehouse, relation, runId }: LandContext): Promise<LoadResult> => {
  const [counted] = await warehouse.all<{ n: number }>(`select count(*) as n from ${warehouse.name(relation)}`)
  return { loadId: runId, changed: false, ...nothing, rowsSuperseded: 0, rowsTotal: counted?.n ?? 0 }
}
