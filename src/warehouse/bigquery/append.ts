// Rows that must outlive this process, a few at a time and at once: a load job for each would use up the jobs of a day.
import { randomBytes } from 'node:crypto'
import { CdpError } from '../../core/errors.ts'
import type { RelationName } from '../warehouse.ts'
import type { Api } from './api.ts'
import type { Catalog } from './catalog.ts'
import { RestError } from './errors.ts'
import { plainText, type RowEncoder, rowEncoder } from './proto.ts'
import type { TableReference } from './read-rows.ts'
import type { Storage } from './storage.ts'
import type { StoredName } from './scratch.ts'
import type { RowStream } from './write-rows.ts'

export type Rows = readonly Readonly<Record<string, unknown>>[]

export interface Appending {
  readonly api: Api
  readonly catalog: Catalog
  readonly storage: Storage | undefined
  readonly reference: (relation: RelationName) => TableReference
  /** Appends by a statement. */
  readonly insert: (relation: RelationName, rows: Rows) => Promise<void>
}

export interface Appender {
  append(relation: StoredName, rows: Rows): Promise<void>
  close(): void
}

// Their rows are never changed. Rows that came by insertAll cannot be, for half an hour or more.
const logs: ReadonlySet<string> = new Set(['sync_log', 'sync_journal'])

// Requests may have 10 MB; the service advises 500 rows for insertAll.
const bytesAtOnce = 4_000_000
const rowsAtOnce = 500

type Way = (rows: Rows) => Promise<void>

/**
 * By the Storage Write API where it can be had: no row twice. Elsewhere by insertAll into the logs, where a row that is sent again within
 * a minute is known again, and by INSERT into any other relation.
 */
export const createAppender = (on: Appending): Appender => {
  const ways = new Map<string, Promise<Way>>()
  const tails = new Map<string, Promise<unknown>>()
  const streams: RowStream[] = []

  const streaming = async (relation: StoredName, encoder: RowEncoder): Promise<Way | undefined> => {
    if (!on.storage) return undefined
    const { isRefused, openRowStream } = await import('./write-rows.ts')
    try {
      const stream = await openRowStream(on.storage, on.reference(relation), encoder, on.api)
      streams.push(stream)
      return async (rows) => {
        for (const part of partsOf(rows.map((row) => encoder.encode(row)))) await stream.write(part)
      }
    } catch (error) {
      if (isRefused(error)) return undefined
      throw error
    }
  }

  const wayOf = async (relation: StoredName): Promise<Way> => {
    const fields = await on.catalog.fields(relation)
    const encoder = rowEncoder(fields ?? [])
    const stream = encoder && (await streaming(relation, encoder))
    if (stream) return checked(relation, fields?.map(({ name }) => name) ?? [], stream)
    const isLog = relation.schema === 'cdp' && logs.has(relation.name)
    return isLog ? (rows) => insertAll(on.api, on.reference(relation), rows) : (rows) => on.insert(relation, rows)
  }

  const write = async (key: string, relation: StoredName, rows: Rows): Promise<void> => {
    const way = ways.get(key) ?? wayOf(relation)
    ways.set(key, way)
    try {
      await (
        await way
      )(rows)
    } catch (error) {
      ways.delete(key)
      throw error
    }
  }

  return {
    // One after another: rows of a stream have numbers.
    append: (relation, rows) => {
      const key = `${relation.schema}.${relation.name}`
      const turn = (tails.get(key) ?? Promise.resolve()).then(() => write(key, relation, rows))
      tails.set(
        key,
        turn.catch(() => undefined),
      )
      return turn
    },
    close: () => {
      for (const stream of streams) stream.close()
    },
  }
}

// A column that the table has not would be left out in silence.
const checked =
  (relation: StoredName, names: readonly string[], way: Way): Way =>
  (rows) => {
    const known = new Set(names)
    const unknown = rows.flatMap((row) => Object.keys(row)).find((name) => !known.has(name))
    if (unknown === undefined) return way(rows)
    const reason = `${relation.name} has no column ${unknown}`
    throw new CdpError('QUERY_FAILED', { reason, sql: `append to ${relation.schema}.${relation.name}` })
  }

function* partsOf(rows: readonly Buffer[]): Generator<readonly Buffer[]> {
  let part: Buffer[] = []
  let bytes = 0
  for (const row of rows) {
    if (bytes + row.length > bytesAtOnce && part.length > 0) {
      yield part
      part = []
      bytes = 0
    }
    part.push(row)
    bytes += row.length
  }
  if (part.length > 0) yield part
}

interface Inserted {
  readonly insertErrors?: readonly {
    readonly errors?: readonly { readonly reason?: string; readonly message?: string }[]
  }[]
}

const insertAll = async (api: Api, { datasetId, tableId }: TableReference, rows: Rows): Promise<void> => {
  const batch = randomBytes(9).toString('base64url')
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    const part = rows.slice(from, from + rowsAtOnce)
    const body = { rows: part.map((row, at) => ({ insertId: `${batch}-${from + at}`, json: jsonOf(row) })) }
    const path = `/datasets/${datasetId}/tables/${tableId}/insertAll`
    const { insertErrors } = await api.request<Inserted>({ method: 'POST', path, body })
    const [error] = (insertErrors ?? []).flatMap(({ errors }) => errors ?? [])
    if (!error) continue
    const facts = { status: undefined, transient: false, auth: false, retryAfterMs: undefined, ofJob: false }
    throw new RestError(
      error.message ?? 'a row was refused',
      { ...facts, reason: error.reason ?? 'invalid' },
      undefined,
    )
  }
}

const jsonOf = (row: Readonly<Record<string, unknown>>): Record<string, string | null> =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (value === null || value === undefined) return [name, null]
      return [name, value instanceof Uint8Array ? Buffer.from(value).toString('base64') : plainText(value)]
    }),
  )
