// Bulk loads: the embedded DuckDB writes what it read as Parquet, and a load job appends it. A load job is free of charge.
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CdpError } from '../../core/errors.ts'
import type { Reader, RelationName, Session } from '../warehouse.ts'
import { stagingPrefix, type Catalog } from './catalog.ts'
import { statementError } from './errors.ts'
import type { JobReference, Jobs } from './jobs.ts'
import type { TableReference } from './read-rows.ts'
import { scalarReaderTypes } from './reader-types.ts'
import type { Field } from './schema.ts'
import { typeText } from './schema.ts'
import type { StoredName } from './scratch.ts'
import { quote } from './text.ts'

export interface Loading {
  readonly jobs: Jobs
  readonly catalog: Catalog
  readonly reader: Reader
  readonly session: Session
  readonly name: (relation: RelationName) => string
  /** A relation as the API names it. */
  readonly reference: (relation: RelationName) => TableReference
  readonly target: string
}

// What Parquet cannot bring as it is travels as text and is read by the service.
const fromText: Readonly<Record<string, (value: string) => string>> = {
  JSON: (value) => `parse_json(${value}, wide_number_mode => 'round')`,
  BIGNUMERIC: (value) => `cast(${value} as BIGNUMERIC)`,
}

/**
 * Appends rows, all or none. A relation with only nullable columns of types that Parquet has takes them by one load job; others
 * (Parquet's columns are nullable, and a load may not relax those of the relation) by way of a staging table and one INSERT.
 */
export const load = async (
  on: Loading,
  target: StoredName,
  columns: readonly string[],
  readerSelect: string,
): Promise<number> => {
  const all = await on.catalog.fields(target)
  const fields = columns.map((column) => {
    const found = all?.find((field) => field.name.toLowerCase() === column.toLowerCase())
    if (found) return found
    const reason = all ? `${target.name} has no column ${column}` : `there is no relation ${target.name}`
    throw new CdpError('QUERY_FAILED', { reason, sql: readerSelect })
  })
  const folder = await mkdtemp(join(tmpdir(), 'cdp-load-'))
  try {
    const file = join(folder, 'rows.parquet')
    const list = fields.map((field, at) => `${parquetValue(`c${at}`, field)} as ${on.reader.quote(field.name)}`)
    const { changed } = await on.reader.run(
      `copy (select ${list.join(', ')} from (${readerSelect}\n) as t(${fields.map((_, at) => `c${at}`).join(', ')}))
        to ${on.reader.literal(file)} (format parquet, compression zstd)`,
    )
    if (changed === 0) return 0
    const direct = fields.every((field) => field.mode !== 'REQUIRED' && fromText[typeText(field)] === undefined)
    return direct ? await append(on, target, fields, file) : await throughStaging(on, target, fields, file)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const parquetValue = (column: string, field: Field): string => {
  const type = typeText(field)
  const wanted = fromText[type] ? 'VARCHAR' : scalarReaderTypes[type]
  return wanted === undefined ? column : `cast(${column} as ${wanted})`
}

const append = async (on: Loading, relation: RelationName, fields: readonly Field[], file: string): Promise<number> => {
  let job: JobReference | undefined
  try {
    return await on.jobs.load({
      configuration: {
        load: {
          destinationTable: on.reference(relation),
          sourceFormat: 'PARQUET',
          createDisposition: 'CREATE_NEVER',
          writeDisposition: 'WRITE_APPEND',
          parquetOptions: { enableListInference: true },
        },
      },
      statement: [relation, fields.map((field) => field.name)],
      file: () => createReadStream(file),
      onJob: (sent) => (job = sent),
    })
  } catch (error) {
    const sql = `load into ${on.name(relation)} (${fields.map((field) => quote(field.name)).join(', ')})`
    throw statementError(error, { sql, job: job && on.jobs.nameOf(job) }, on.target)
  }
}

const throughStaging = async (
  on: Loading,
  target: StoredName,
  fields: readonly Field[],
  file: string,
): Promise<number> => {
  const staging: RelationName = { schema: 'cdp', name: `${stagingPrefix}${randomBytes(8).toString('hex')}` }
  const staged = fields.map((field) => ({
    ...field,
    type: fromText[typeText(field)] ? 'STRING' : field.type,
    mode: field.mode === 'REPEATED' ? 'REPEATED' : 'NULLABLE',
  }))
  await on.catalog.createStaging(staging.name, staged)
  try {
    await append(on, staging, staged, file)
    const names = fields.map((field) => quote(field.name))
    const values = fields.map((field) => fromText[typeText(field)]?.(quote(field.name)) ?? quote(field.name))
    const { changed } = await on.session.run(
      `insert into ${on.name(target)} (${names.join(', ')}) select ${values.join(', ')} from ${on.name(staging)}`,
    )
    return changed
  } finally {
    await on.catalog.drop(staging.name)
  }
}
