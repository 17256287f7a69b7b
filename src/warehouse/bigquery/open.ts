// The warehouse on BigQuery. Loaded only when one is opened.
import { CdpError } from '../../core/errors.ts'
import { checkVersion, migrate } from '../migrate.ts'
import { insertRows } from '../statements.ts'
import { currentStep } from '../step.ts'
import { bigqueryFunctionsFingerprint } from '../version.ts'
import type { OpenOptions, RelationName, Supports, Warehouse } from '../warehouse.ts'
import { createApi } from './api.ts'
import { createAppender } from './append.ts'
import { createCatalog } from './catalog.ts'
import { statementError } from './errors.ts'
import { createJobs } from './jobs.ts'
import { dialect } from './dialect.ts'
import { labelsOf } from './labels.ts'
import { layoutOf } from './layout.ts'
import { load } from './load.ts'
import type { TableReference } from './read-rows.ts'
import { lazyReader } from './reader.ts'
import { readerType } from './reader-types.ts'
import { createScratch } from './scratch.ts'
import { createSession } from './session.ts'
import { createStorage } from './storage.ts'
import { targetOf, type Target } from './settings.ts'
import { literal, quote, typeName } from './text.ts'
import { unload } from './unload.ts'

const described = ({ project, location, datasets, shared }: Target): string =>
  `BigQuery ${project} (${location}${shared ? `, ${datasets.models} and ${datasets.cdp}` : ''})`

export const develop = (
  settings: Readonly<Record<string, unknown>>,
  developer: string,
): Readonly<Record<string, unknown>> => ({ ...settings, developer })

export const describeTarget = (settings: Readonly<Record<string, unknown>>): string => described(targetOf(settings))

/**
 * Throws WAREHOUSE_OPEN, WAREHOUSE_AUTH, WAREHOUSE_BUSY, WAREHOUSE_NEWER. In `read` mode nothing is written, so an older state is read
 * as it is. Each statement is one job, which takes effect by itself unless it is part of a transaction.
 */
export const open = async (settings: Readonly<Record<string, unknown>>, options: OpenOptions): Promise<Warehouse> => {
  const target = targetOf(settings)
  const { clock, signal } = options
  const { shared } = target
  const api = await createApi(target, options.root, clock, signal)
  const jobs = createJobs(api, target, clock, currentStep, signal)
  const storage = createStorage(target, options.root)
  const catalog = createCatalog(
    api,
    target,
    () => clock.now(),
    () => labelsOf(target.labels, currentStep()),
  )
  const words = described(target)
  const session = createSession(jobs, {
    target: words,
    maximumBytesBilled: target.maximumBytesBilled,
    datasets: target,
    untouched: shared ? target.datasets.raw : undefined,
    labels: target.labels,
    step: currentStep,
    readSession: async (job, page) => {
      const fields = page.schema?.fields ?? []
      if (!storage) return undefined
      const { isReadable } = await import('./arrow.ts')
      const result = isReadable(fields) ? await jobs.resultOf(job) : undefined
      if (!result) return undefined
      const { openReadSession } = await import('./read-rows.ts')
      return openReadSession(storage, target.project, result, fields, api)
    },
    readOnly: options.mode === 'read',
    columnTypes: (path) => catalog.columnTypes(path),
  })
  const embedded = lazyReader(options)
  const scratch = createScratch(clock)
  const name = (relation: RelationName): string => {
    const { schema, name: table } = scratch.stored(relation)
    return [target.project, target.datasets[schema], table].map(quote).join('.')
  }
  const reference = (relation: RelationName): TableReference => {
    const { schema, name: table } = scratch.stored(relation)
    return { projectId: target.project, datasetId: target.datasets[schema], tableId: table }
  }
  const writable = ({ schema, name: table }: RelationName): void => {
    if (shared && schema === 'raw') throw new CdpError('DEV_RAW', { relation: `raw.${table}` })
  }
  // Metadata calls fail outside of any statement.
  const asked = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    session.guard()
    try {
      return await work()
    } catch (error) {
      throw statementError(error, { sql: what, job: undefined }, words)
    }
  }
  const appender = createAppender({
    api,
    catalog,
    storage,
    reference,
    insert: (relation, rows) => insertRows(warehouse, relation, rows),
  })
  const supports: Supports = {
    transactionalDdl: false,
    concurrentWriters: true,
    fileLock: false,
    ...(target.journals ? { journals: true } : {}),
    quotesInNames: false,
    dryRun: true,
  }
  const warehouse: Warehouse = {
    ...session,
    engine: 'bigquery',
    supports,
    dialect,
    reader: embedded.reader,
    name,
    quote,
    literal,
    typeName,
    readerType,
    ...(shared && { landing: (relation) => [target.project, shared.cdp, relation].map(quote).join('.') }),
    createSchema: (schema) => {
      const settled = [
        `location = ${literal(target.location)}`,
        // What a developer made is gone after a while, should they forget it.
        ...(shared ? [`default_table_expiration_days = ${shared.days}`] : []),
      ]
      const dataset = [target.project, target.datasets[schema]].map(quote).join('.')
      return `create schema if not exists ${dataset} options (${settled.join(', ')})`
    },
    layout: layoutOf,
    makeScratch: (table, definition) => scratch.make(session, name, table, definition),
    dropScratch: (table) => scratch.drop(session, name, table),
    // A copy costs nothing and takes effect in one step.
    replaceTable: async (relation, stage) => {
      await session.run(`create or replace table ${name(relation)} copy ${name(stage)}`)
      await session.run(`drop table ${name(stage)}`)
    },
    load: async (relation, columns, readerSelect) => {
      session.outside(`a load into ${relation.name}`)
      writable(relation)
      return asked(`load into ${name(relation)}`, () =>
        load(
          { jobs, catalog, reader: embedded.reader, session, name, reference, target: words },
          scratch.stored(relation),
          columns,
          readerSelect,
        ),
      )
    },
    append: async (relation, rows) => {
      session.outside(`an append to ${relation.name}`)
      writable(relation)
      if (rows.length === 0) return undefined
      return asked(`append to ${name(relation)}`, () => appender.append(scratch.stored(relation), rows))
    },
    unload: (statement, path) => unload(session, statement, path),
    relations: (schema) => asked(`list ${target.datasets[schema]}`, () => catalog.relations(schema)),
    close: async () => {
      await scratch.dropAll(session, name)
      await session.close()
      appender.close()
      await storage?.close()
      await embedded.close()
    },
  }
  try {
    if (options.mode === 'write')
      await migrate(warehouse, clock, () => installing(target), bigqueryFunctionsFingerprint)
    else if ((await checkVersion(warehouse)).version === 0) {
      throw new CdpError('WAREHOUSE_OPEN', {
        path: words,
        reason: 'its state does not exist yet; `cdp run` creates it',
      })
    }
  } catch (error) {
    await warehouse.close()
    throw error
  }
  return warehouse
}

const installing = async (target: Target): Promise<string[]> => {
  const { bigqueryInstall } = await import('../functions/index.ts')
  return bigqueryInstall(`${quote(target.project)}.${quote(target.datasets.cdp)}`)
}
