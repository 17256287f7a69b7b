// The warehouse on an embedded DuckDB file. Loaded only when one is opened; imports nothing but the engine and this folder's files,
// because a run with nothing to do pays for every line of it.
import type { DuckDbSettings } from '../define-duckdb.ts'
import { resolve } from '../../core/secret.ts'
import { checkVersion, migrate } from '../migrate.ts'
import type { OpenOptions, Supports, Warehouse } from '../warehouse.ts'
import { type FileSettings, openFile } from './file.ts'
import { dialect } from './dialect.ts'
import { createSession } from './session.ts'
import { databaseAlias, literal, nameOf, quote, schemaName, typeName } from './text.ts'

const inMemory = ':memory:'

const settingsOf = (settings: Readonly<Record<string, unknown>>): FileSettings => {
  const { path, memoryLimit, threads } = settings as unknown as DuckDbSettings
  return { path: resolve(path), memoryLimit, threads }
}

export const describeTarget = (settings: Readonly<Record<string, unknown>>): string => {
  const { path } = settingsOf(settings)
  return path === inMemory ? 'DuckDB in memory' : `DuckDB ${path}`
}

const installing = async (): Promise<string[]> => (await import('../functions/index.ts')).duckdbInstall('cdp')

/**
 * Throws WAREHOUSE_LOCKED, WAREHOUSE_OPEN, WAREHOUSE_NEWER, WAREHOUSE_FULL. In `read` mode nothing is written, so an older state is
 * read as it is.
 */
export const open = async (settings: Readonly<Record<string, unknown>>, options: OpenOptions): Promise<Warehouse> => {
  const file = settingsOf(settings)
  const database = await openFile(file, options)
  const session = createSession(await database.connect(), () => database.connect())
  const supports: Supports = {
    transactionalDdl: true,
    concurrentWriters: false,
    fileLock: file.path !== inMemory,
    quotesInNames: true,
    dryRun: false,
  }
  let closing: Promise<void> | undefined
  const warehouse: Warehouse = {
    ...session,
    engine: 'duckdb',
    supports,
    dialect,
    reader: { ...session, quote, literal, typeName },
    name: nameOf,
    quote,
    literal,
    typeName,
    readerType: (type) => type,
    createSchema: (schema) => `create schema if not exists ${quote(schemaName(schema))}`,
    layout: () => '',
    makeScratch: async (scratch, definition) => {
      await session.run(`create or replace temp table ${quote(scratch)} ${definition}`)
    },
    dropScratch: async (scratch) => {
      await session.run(`drop table if exists ${nameOf({ schema: 'scratch', name: scratch })}`)
    },
    replaceTable: (target, stage) =>
      session.transaction(async () => {
        await session.run(`drop table if exists ${nameOf(target)}`)
        await session.run(`alter table ${nameOf(stage)} rename to ${quote(target.name)}`)
      }),
    load: async (target, columns, readerSelect) => {
      const list = columns.map(quote).join(', ')
      return (await session.run(`insert into ${nameOf(target)} (${list})\n${readerSelect}`)).changed
    },
    append: (relation, rows) =>
      session.transaction(async () => (await import('../statements.ts')).insertRows(warehouse, relation, rows)),
    unload: async (statement, path) => (await import('./unload.ts')).unload(session, statement, path),
    relations: (schema) =>
      session.all({
        sql: `select table_name as name, table_type = 'VIEW' as "isView" from information_schema.tables
          where table_catalog = $1 and table_schema = $2 order by table_name`,
        parameters: [databaseAlias, schemaName(schema)],
      }),
    cost: () => Promise.resolve(undefined),
    close: () => (closing ??= database.close(session.close())),
  }
  try {
    if (options.mode === 'write' || file.path === inMemory) await migrate(warehouse, options.clock, installing)
    else await checkVersion(warehouse)
  } catch (error) {
    await warehouse.close()
    throw error
  }
  return warehouse
}
