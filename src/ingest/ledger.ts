// What landing writes down about itself: one row a load, the files it knows, how far a source was read.
import type { Warehouse } from '../warehouse/warehouse.ts'
import type { FoundFile } from './glob.ts'
import type { LoadResult } from './result.ts'
import { insertRows, textOrNull } from './sql.ts'
import { instantOf, stateTable } from '../warehouse/state-sql.ts'

export interface KnownFile {
  readonly file: string
  readonly bytes: number
  readonly modifiedMs: number
  readonly sha256: string | null
}

export const readFiles = (warehouse: Warehouse, stream: string): Promise<KnownFile[]> =>
  warehouse.all<KnownFile>(
    `select file, bytes, modified_ms as ${warehouse.quote('modifiedMs')}, sha256 from ${stateTable(warehouse, 'load_files')}
      where stream = ${warehouse.literal(stream)}`,
  )

export interface LandedFile extends FoundFile {
  readonly sha256: string
  readonly rows: number
}

const inList = (warehouse: Warehouse, values: readonly string[]): string =>
  values.map((value) => warehouse.literal(value)).join(', ')

export const forgetFiles = async (warehouse: Warehouse, stream: string, files: readonly string[]): Promise<void> => {
  for (let at = 0; at < files.length; at += 500) {
    await warehouse.run(
      `delete from ${stateTable(warehouse, 'load_files')} where stream = ${warehouse.literal(stream)}
        and file in (${inList(warehouse, files.slice(at, at + 500))})`,
    )
  }
}

export const rememberFiles = async (
  warehouse: Warehouse,
  stream: string,
  loadId: string,
  files: readonly LandedFile[],
): Promise<void> => {
  await forgetFiles(
    warehouse,
    stream,
    files.map(({ file }) => file),
  )
  await insertRows(
    warehouse,
    stateTable(warehouse, 'load_files'),
    ['stream', 'file', 'bytes', 'modified_ms', 'sha256', 'load_id', 'rows'],
    files,
    (file) => [
      warehouse.literal(stream),
      warehouse.literal(file.file),
      String(file.bytes),
      String(file.modifiedMs),
      warehouse.literal(file.sha256),
      warehouse.literal(loadId),
      String(file.rows),
    ],
  )
}

/** Files whose time changed and whose content did not. */
export const touchFiles = async (warehouse: Warehouse, stream: string, files: readonly FoundFile[]): Promise<void> => {
  for (let at = 0; at < files.length; at += 500) {
    const part = files.slice(at, at + 500)
    const times = part.map(({ file, modifiedMs }) => `when ${warehouse.literal(file)} then ${modifiedMs}`)
    await warehouse.run(
      `update ${stateTable(warehouse, 'load_files')} set modified_ms = case file ${times.join(' ')} end
        where stream = ${warehouse.literal(stream)} and file in (${inList(
          warehouse,
          part.map(({ file }) => file),
        )})`,
    )
  }
}

export const readCursor = async (warehouse: Warehouse, stream: string): Promise<string | undefined> => {
  const [row] = await warehouse.all<{ cursor: string }>(
    `select ${warehouse.quote('cursor')} from ${stateTable(warehouse, 'cursors')} where stream = ${warehouse.literal(stream)}`,
  )
  return row?.cursor
}

export const saveCursor = async (
  warehouse: Warehouse,
  stream: string,
  cursor: string,
  load: { readonly id: string; readonly at: string },
): Promise<void> => {
  const table = stateTable(warehouse, 'cursors')
  await warehouse.run(`delete from ${table} where stream = ${warehouse.literal(stream)}`)
  await warehouse.run(
    `insert into ${table} (stream, ${warehouse.quote('cursor')}, load_id, updated_at)
      values (${warehouse.literal(stream)}, ${warehouse.literal(cursor)}, ${warehouse.literal(load.id)}, ${instantOf(warehouse, load.at)})`,
  )
}

/** A stream whose raw relation is gone starts again from nothing. */
export const forgetStream = async (warehouse: Warehouse, stream: string): Promise<void> => {
  for (const relation of ['schemas', 'load_files', 'cursors'] as const) {
    await warehouse.run(`delete from ${stateTable(warehouse, relation)} where stream = ${warehouse.literal(stream)}`)
  }
}

export interface LoadRecord {
  readonly runId: string
  readonly stream: string
  readonly status: 'done' | 'failed' | 'unchanged'
  readonly error?: string
  /** ISO. */
  readonly startedAt: string
  readonly finishedAt: string
}

export const recordLoad = (
  warehouse: Warehouse,
  load: LoadRecord,
  result: Omit<LoadResult, 'changed' | 'rowsTotal' | 'rowsSuperseded'>,
): Promise<void> =>
  insertRows(
    warehouse,
    stateTable(warehouse, 'loads'),
    [
      'load_id',
      'run_id',
      'stream',
      'status',
      'files',
      'bytes',
      'rows_read',
      'rows_new',
      'rows_changed',
      'rows_unchanged',
      'rows_vanished',
      'rows_quarantined',
      'error',
      'started_at',
      'finished_at',
    ],
    [result],
    (counts) => [
      warehouse.literal(counts.loadId),
      warehouse.literal(load.runId),
      warehouse.literal(load.stream),
      warehouse.literal(load.status),
      String(counts.files),
      String(counts.bytes),
      String(counts.rowsRead),
      String(counts.rowsNew),
      String(counts.rowsChanged),
      String(counts.rowsUnchanged),
      String(counts.rowsVanished),
      String(counts.rowsQuarantined),
      textOrNull(warehouse, load.error),
      instantOf(warehouse, load.startedAt),
      instantOf(warehouse, load.finishedAt),
    ],
  )
