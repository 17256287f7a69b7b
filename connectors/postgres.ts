// PostgreSQL as a source: tables streamed out with COPY, as the server writes them; no row becomes a JavaScript object.
import type { Socket } from 'node:net'
import {
  CdpError,
  defineSource,
  isCdpError,
  redact,
  resolve,
  type Page,
  type ReadContext,
  type Setting,
  type Source,
  type StreamSettings,
} from 'composable-cdp'
import type { Client } from 'pg'

export interface PostgresStream extends StreamSettings {
  /** `customers` or `shop.customers`; default the stream's name, found on the search path. */
  readonly table?: string
  /** Only these columns; default all. The key and the cursor must be among them. */
  readonly columns?: readonly string[]
}

export interface PostgresSettings {
  /** `postgres://user:password@host:5432/database`; `?sslmode=require` as libpq has it. */
  readonly url: Setting
  readonly streams: Readonly<Record<string, PostgresStream>>
}

/**
 * Tables of a PostgreSQL database. With a `cursor` only rows at or after the highest one landed are read (and, where there is a key,
 * those whose cursor is null); else the whole table each time, for which say `full: true` if rows may vanish.
 *
 * @example
 * const shop = postgres({
 *   url: env('SHOP_DATABASE_URL'),
 *   streams: { customers: { key: ['id'], cursor: 'updated_at' }, stores: { key: ['id'], full: true } },
 * })
 */
export const postgres = ({ url, streams }: PostgresSettings): Source =>
  defineSource({
    streams: Object.fromEntries(
      Object.entries(streams).map(([name, { table = name, columns, ...settings }]) => [
        name,
        {
          ...settings,
          from: {
            kind: 'pages',
            settings: [url],
            read: (context: ReadContext) => readTable({ url, table, columns, settings }, context),
          },
        },
      ]),
    ),
  })

interface Read {
  readonly url: Setting
  readonly table: string
  readonly columns: readonly string[] | undefined
  readonly settings: StreamSettings
}

const readTable = async function* (read: Read, context: ReadContext): AsyncGenerator<Page> {
  const { table, settings } = read
  const connection = await connect(read.url, context)
  const { client, target } = connection
  let copying = false
  try {
    // In a transaction, so that a connection pooler in between keeps it together.
    await client.query('begin transaction isolation level repeatable read read only')
    await client.query(
      `set local timezone = 'UTC'; set local datestyle = 'ISO'; set local intervalstyle = 'iso_8601';
       set local bytea_output = 'hex'; set local extra_float_digits = 1`,
    )
    const columns = await describe(client, target, read)
    const { to } = await import('pg-copy-streams')
    const sql = `copy (${selectSql(client, table, columns, settings, context.cursor)}) to stdout (format csv, encoding 'UTF8'${
      // Of one column an unquoted empty line is null, and a quoted one an empty text.
      columns.length === 1 ? ', force_quote *' : ''
    })`
    const stream = client.query(to(sql))
    copying = true
    // What breaks the stream is seen by who reads it, so it is put into words there.
    const bytes = inWords(stream, (error) => problem(error, table, target, context.signal))
    yield { bytes, format: 'csv', columns: columns.map(({ name, type }) => ({ name, type })) }
    context.progress(stream.rowCount)
    await client.query('commit')
    await client.end()
  } catch (error) {
    if (!copying) await client.query('rollback').catch(() => undefined)
    throw problem(error, table, target, context.signal)
  } finally {
    connection.close()
  }
}

const inWords = async function* (
  chunks: AsyncIterable<Uint8Array>,
  words: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } catch (error) {
    throw words(error)
  }
}

interface TableColumn {
  readonly name: string
  /** In PostgreSQL's words. */
  readonly native: string
  /** The portable type, or `number`. */
  readonly type: string
  /** Sent as JSON. */
  readonly nested: boolean
}

const describe = async (client: Client, target: string, { table, columns }: Read): Promise<TableColumn[]> => {
  const { rows } = await client.query<{ name: string; native: string; kind: string; category: string }>(
    `select a.attname as name, format_type(coalesce(nullif(t.typbasetype, 0), a.atttypid),
        case when t.typbasetype <> 0 then t.typtypmod else a.atttypmod end) as native,
        b.typtype as kind, b.typcategory as category
      from pg_attribute a join pg_type t on t.oid = a.atttypid
        join pg_type b on b.oid = coalesce(nullif(t.typbasetype, 0), a.atttypid)
      where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [quoted(table)],
  )
  if (rows.length === 0) {
    throw new CdpError('SOURCE_REFUSED', {
      source: table,
      target,
      reason: `there is no table ${table} that this user may see`,
    })
  }
  const known = new Set(rows.map(({ name }) => name))
  const missing = (columns ?? []).filter((name) => !known.has(name))
  if (missing.length > 0) {
    const reason = `there is no column ${missing.join(', ')}; there are ${[...known].join(', ')}`
    throw new CdpError('SOURCE_REFUSED', { source: table, target, reason })
  }
  return rows
    .filter(({ name }) => columns === undefined || columns.includes(name))
    .map(({ name, native, kind, category }) => {
      const nested = kind === 'c' || category === 'A'
      return { name, native, nested, type: nested ? 'json' : portable(native) }
    })
}

const types: Readonly<Record<string, string>> = {
  smallint: 'integer',
  integer: 'integer',
  bigint: 'integer',
  oid: 'integer',
  real: 'double',
  'double precision': 'double',
  boolean: 'boolean',
  date: 'date',
  json: 'json',
  jsonb: 'json',
  bytea: 'bytes',
}

const portable = (native: string): string => {
  if (native.startsWith('timestamp')) return 'timestamp'
  const match = /^numeric(?:\((\d+),(-?\d+)\))?$/.exec(native)
  if (!match) return types[native] ?? 'text'
  const [precision, scale] = [Number(match[1]), Number(match[2])]
  return precision <= 38 && scale >= 0 && scale <= precision ? `decimal(${precision},${scale})` : 'number'
}

const quoted = (name: string): string =>
  name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.')

const selectSql = (
  client: Client,
  table: string,
  columns: readonly TableColumn[],
  settings: StreamSettings,
  since: string | undefined,
): string => {
  const list = columns.map(({ name, nested }) => (nested ? `to_jsonb(${quoted1(name)})` : quoted1(name)))
  const { cursor, key } = settings
  const found = columns.find(({ name }) => name === cursor)
  const select = `select ${list.join(', ')} from ${quoted(table)}`
  if (since === undefined || cursor === undefined || !found) return select
  const from = `${quoted1(cursor)} >= ${client.escapeLiteral(since)}::${found.native}`
  return `${select} where ${from}${key === undefined ? '' : ` or ${quoted1(cursor)} is null`}`
}

const quoted1 = (name: string): string => `"${name.replaceAll('"', '""')}"`

interface Connection {
  readonly client: Client
  /** Host, port and database. */
  readonly target: string
  /** At once; a read that has not ended is over. */
  readonly close: () => void
}

const idleMs = 120_000
const waits = [500, 2000]

/** Tries three times where the server cannot be reached. */
const connect = async (setting: Setting, context: ReadContext): Promise<Connection> => {
  const url = resolve(setting)
  const target = targetOf(url)
  const { Client: PgClient } = (await import('pg')).default
  const { Socket: NetSocket } = await import('node:net')
  for (let attempt = 0; ; attempt++) {
    const socket: Socket = new NetSocket()
    const client = new PgClient({
      connectionString: url,
      stream: () => socket,
      application_name: 'composable-cdp',
      connectionTimeoutMillis: 15_000,
      keepAlive: true,
    })
    // Without a listener a connection that breaks between two statements would end the process.
    client.on('error', () => undefined)
    const stop = (): void => void socket.destroy(new Error('the read was stopped'))
    context.signal.addEventListener('abort', stop, { once: true })
    socket.setTimeout(idleMs, () => socket.destroy(new Error(`nothing came for ${idleMs / 1000} s`)))
    const close = (): void => {
      context.signal.removeEventListener('abort', stop)
      socket.destroy()
    }
    try {
      await client.connect()
      return { client, target, close }
    } catch (error) {
      close()
      const found = problem(error, 'postgres', target, context.signal)
      const wait = waits[attempt]
      if (!isCdpError(found) || found.kind !== 'transient' || wait === undefined) throw found
      await context.clock.sleep(wait, context.signal)
    }
  }
}

const targetOf = (url: string): string => {
  if (!URL.canParse(url)) {
    throw new CdpError('SOURCE_REFUSED', {
      source: 'postgres',
      target: 'url',
      reason: 'the URL does not start with postgres://',
    })
  }
  const { hostname, port, pathname } = new URL(url)
  return `${hostname}:${port === '' ? '5432' : port}${pathname}`
}

// Classes of SQLSTATE, appendix A of the manual: 28 authorization, 08 connection, 53 resources, 57 operator intervention, 40 rollback.
const problem = (thrown: unknown, source: string, target: string, signal: AbortSignal): unknown => {
  if (isCdpError(thrown)) return thrown
  if (signal.aborted) return signal.reason
  const reason = redact(thrown instanceof Error ? thrown.message : String(thrown))
  const code = thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : ''
  const args = { source, target, reason }
  const context = { cause: thrown }
  if (code.startsWith('28') || code === '42501' || /password|SASL|SCRAM/.test(reason))
    return new CdpError('SOURCE_AUTH', args, context)
  if (/^[0-9A-Z]{5}$/.test(code) && !/^(08|40|53|57|XX)/.test(code))
    return new CdpError('SOURCE_REFUSED', args, context)
  return new CdpError('SOURCE_UNREACHABLE', args, context)
}
