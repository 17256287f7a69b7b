// The postgres source against a real PostgreSQL (PGlite, in this process) behind a proxy that can refuse, cut and close.
import { createServer, connect, type Server, type Socket } from 'node:net'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { env } from 'composable-cdp'
import { postgres, type PostgresStream } from '../../connectors/postgres.ts'
import { sourceCasesFor, type SourceHarness } from '../../src/testing/source-contract.ts'
import { openProject, type TestProject } from '../ingest/project.ts'
import type { LoadResult } from '../../src/ingest/land.ts'

let db: PGlite
let socketServer: PGLiteSocketServer
let databasePort = 0
let proxy: Server
let proxyPort = 0
let fault: 'down' | 'auth' | 'cut' | undefined
const sockets = new Set<Socket>()

// An ErrorResponse as the protocol has it: severity, SQLSTATE, message.
const refusal = (): Buffer => {
  const fields = Buffer.from('SFATAL\0C28P01\0Mpassword authentication failed for user "postgres"\0\0')
  const head = Buffer.from([0x45, 0, 0, 0, 0])
  head.writeUInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}

beforeAll(async () => {
  db = await PGlite.create()
  socketServer = new PGLiteSocketServer({ db, port: 0, host: '127.0.0.1' })
  await socketServer.start()
  databasePort = Number(socketServer.getServerConn().split(':')[1])
  proxy = createServer((client) => {
    sockets.add(client)
    client.on('error', () => undefined)
    if (fault === 'down') {
      client.destroy()
      return
    }
    if (fault === 'auth') {
      client.once('data', () => client.end(refusal()))
      return
    }
    const server = connect(databasePort, '127.0.0.1')
    server.on('error', () => client.destroy())
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroy())
    client.pipe(server)
    let sent = 0
    server.on('data', (chunk) => {
      sent += chunk.length
      if (fault === 'cut' && sent > 100_000) client.destroy()
      else client.write(chunk)
    })
  })
  await new Promise<void>((ready) => proxy.listen(0, '127.0.0.1', ready))
  const address = proxy.address()
  proxyPort = typeof address === 'object' && address !== null ? address.port : 0
})

afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  await new Promise<void>((done) => proxy.close(() => done()))
  await socketServer.stop()
  await db.close()
})

const url = (): string => `postgres://postgres:s3cret-word@127.0.0.1:${proxyPort}/postgres`

describe('postgres keeps the contract of sources: it', () => {
  const harness: SourceHarness = {
    get source() {
      return postgres({
        url: url(),
        streams: {
          whole: { table: 'public.contract', key: ['id'], full: true },
          keyed: { table: 'contract', key: ['id'] },
          incremental: { table: 'contract', key: ['id'], cursor: 'updated_at' },
        },
      })
    },
    hold: async (rows) => {
      await db.exec(
        'drop table if exists contract; create table contract (id int primary key, name text, updated_at timestamptz)',
      )
      for (const row of rows.slice(0, 10))
        await db.query('insert into contract values ($1, $2, $3)', [row.id, row.name, row.updated_at])
      if (rows.length > 10) {
        await db.query('insert into contract select i, $1, $2 from generate_series(10, $3) i', [
          rows[0]?.name,
          rows[0]?.updated_at,
          rows.length - 1,
        ])
      }
    },
    fault: async (kind) => {
      fault = kind
    },
    secrets: ['s3cret-word'],
  }
  it.for(sourceCasesFor(['cursor', 'network']))('$title', async ({ run }) => {
    fault = undefined
    await expect(run(harness)).resolves.toBeUndefined()
  })
})

describe('postgres', () => {
  let project: TestProject | undefined
  afterEach(async () => {
    fault = undefined
    await project?.close()
    project = undefined
  })

  const land = async (stream: PostgresStream, options: { readonly url?: string } = {}): Promise<LoadResult> => {
    project ??= await openProject()
    const source = postgres({ url: options.url ?? url(), streams: { t: stream } })
    const { from, ...settings } = source.streams['t'] ?? expect.fail()
    if (from.kind !== 'pages') return expect.fail()
    return project.land({ id: 's.t', relation: 's_t', ...settings, from: { kind: 'pages' } }, { pages: from })
  }
  const all = <T>(sql: string): Promise<T[]> => project?.all<T>(sql) ?? expect.fail()

  it('lands every type as PostgreSQL means it', async () => {
    await db.exec(`drop table if exists kinds; drop type if exists mood; drop domain if exists price; create type mood as enum ('glad', 'sad');
      create domain price as numeric(8, 2);
      create table kinds (id bigint primary key, i2 smallint, n numeric(12, 3), free numeric, huge numeric, f8 float8, b bool, d date, ts timestamp,
        tz timestamptz, j json, jb jsonb, arr text[], by bytea, u uuid, m mood, p price, t time, iv interval, c char(3), e text, nu text);
      insert into kinds values (9007199254740993, 7, 12.5, 0.125, 12345678901234567890123456789012345678901, 1.5e-7, true, '2026-10-01', '2026-10-01 08:00:00',
        '2026-10-01 15:00:00.123456+07', '{"a": 1.50}', '{"b": [1]}', array['x', null, 'y,z'], '\\x00ff', '6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'glad', 9.9,
        '08:00', '1 day', 'ab', '', null),
        (2, null, -0.001, 7, 1, 'NaN', false, null, null, null, null, null, '{}', null, null, null, null, null, null, null, 'q"uo,te', E'a\\r\\nb')`)
    await land({ table: 'kinds', key: ['id'] })
    const [second, first] = await all<Record<string, unknown>>(
      'select * exclude (_cdp_loaded_at, _cdp_load_id) from raw.s_t order by id',
    )
    expect(first).toEqual({
      id: 9007199254740993n,
      i2: 7,
      n: '12.500',
      free: '0.125',
      huge: '12345678901234567890123456789012345678901',
      f8: 1.5e-7,
      b: true,
      d: '2026-10-01',
      ts: '2026-10-01T01:00:00Z',
      tz: '2026-10-01T08:00:00.123456Z',
      j: '{"a": 1.50}',
      jb: '{"b": [1]}',
      arr: '["x", null, "y,z"]',
      by: Uint8Array.from([0, 255]),
      u: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
      m: 'glad',
      p: '9.90',
      t: '08:00:00',
      iv: 'P1D',
      c: 'ab ',
      e: '',
      nu: null,
    })
    expect(second).toMatchObject({
      id: 2,
      free: '7.000',
      huge: '1',
      f8: NaN,
      b: false,
      arr: '[]',
      e: 'q"uo,te',
      nu: 'a\r\nb',
    })
  })

  it('lands what no portable type holds as text', async () => {
    await db.exec(`drop table if exists odd; create table odd (id int primary key, d date, n numeric(4, 1));
      insert into odd values (1, '2026-10-01', 1.5), (2, '0044-03-15 BC', 'NaN')`)
    await land({ table: 'odd', key: ['id'] })
    expect(await all('select id, d, n from raw.s_t order by id')).toEqual([
      { id: 1, d: '2026-10-01', n: '1.5' },
      { id: 2, d: '0044-03-15 BC', n: 'NaN' },
    ])
  })

  it('reads a table with one column, nulls and empty texts apart', async () => {
    await db.exec(
      `drop table if exists one; create table one (a text); insert into one values (''), (null), ('x'), ('\\.')`,
    )
    await land({ table: 'one' })
    expect(await all('select a from raw.s_t order by a nulls first')).toEqual([
      { a: null },
      { a: '' },
      { a: '\\.' },
      { a: 'x' },
    ])
  })

  it('doubles nothing at the boundary of a cursor, without a key too', async () => {
    await db.exec(
      `drop table if exists log; create table log (n int, at timestamptz); insert into log values (1, '2026-10-01'), (2, '2026-10-02'), (2, '2026-10-02')`,
    )
    await land({ table: 'log', cursor: 'at' })
    await db.exec(`insert into log values (3, '2026-10-02'), (2, '2026-10-02'), (4, '2026-10-03')`)
    expect(await land({ table: 'log', cursor: 'at' })).toMatchObject({ rowsRead: 5, rowsNew: 3, rowsUnchanged: 2 })
    expect(await all('select n from raw.s_t order by n')).toEqual([1, 2, 2, 2, 3, 4].map((n) => ({ n })))
  })

  it('reads rows again whose cursor is null', async () => {
    await db.exec(
      `drop table if exists late; create table late (id int primary key, name text, at timestamptz); insert into late values (1, 'a', '2026-10-01'), (2, 'b', null)`,
    )
    await land({ table: 'late', key: ['id'], cursor: 'at' })
    await db.exec(`update late set name = 'c' where id = 2`)
    expect(await land({ table: 'late', key: ['id'], cursor: 'at' })).toMatchObject({ rowsRead: 2, rowsChanged: 1 })
  })

  it('follows a column that became wider, or was added', async () => {
    await db.exec(
      `drop table if exists grow; create table grow (id int primary key, n int); insert into grow values (1, 5)`,
    )
    await land({ table: 'grow', key: ['id'] })
    await db.exec(
      `alter table grow alter column n type numeric(10, 2); alter table grow add column x text; insert into grow values (2, 7.25, 'new')`,
    )
    await land({ table: 'grow', key: ['id'] })
    expect(await all('select id, n, x from raw.s_t order by id')).toEqual([
      { id: 1, n: '5.00', x: null },
      { id: 2, n: '7.25', x: 'new' },
    ])
    await db.exec(`alter table grow alter column n type text; update grow set n = 'many' where id = 1`)
    await land({ table: 'grow', key: ['id'] })
    expect(await all('select id, n from raw.s_t order by id')).toEqual([
      { id: 1, n: 'many' },
      { id: 2, n: '7.25' },
    ])
  })

  it('reads only the columns that are asked for', async () => {
    await db.exec(
      `drop table if exists "Wide Table"; create table "Wide Table" (id int primary key, "A b" text, c text); insert into "Wide Table" values (1, 'x', 'y')`,
    )
    await land({ table: 'public.Wide Table', key: ['id'], columns: ['id', 'A b'] })
    expect(await all('select * exclude (_cdp_loaded_at, _cdp_load_id) from raw.s_t')).toEqual([{ id: 1, A_b: 'x' }])
  })

  it('keeps promises to its rows, and can be asked for them again', async () => {
    await db.exec(
      `drop table if exists promise; create table promise (id int primary key, n text); insert into promise values (1, '5'), (2, 'five, "or so"')`,
    )
    expect(await land({ table: 'promise', key: ['id'], types: { n: 'integer' } })).toMatchObject({
      rowsNew: 1,
      rowsQuarantined: 1,
    })
    expect(await all(`select file, line, raw, fields from cdp.quarantine`)).toEqual([
      { file: null, line: 2, raw: '2,"five, ""or so"""', fields: '["id","n"]' },
    ])
  })

  it('names the table or column that is not there', async () => {
    await expect(land({ table: 'nowhere' })).rejects.toMatchObject({
      code: 'SOURCE_REFUSED',
      message: expect.stringContaining('nowhere') as unknown,
    })
    await db.exec('drop table if exists here; create table here (id int)')
    await expect(land({ table: 'here', columns: ['idd'] })).rejects.toMatchObject({
      code: 'SOURCE_REFUSED',
      message: expect.stringContaining('idd') as unknown,
    })
  })

  it('asks for a URL from the environment only when it reads', async () => {
    const source = postgres({ url: env('CDP_TEST_MISSING_URL'), streams: { t: {} } })
    expect(source.streams['t']?.from).toMatchObject({ kind: 'pages' })
    await expect(land({}, { url: 'not a url' })).rejects.toMatchObject({ code: 'SOURCE_REFUSED' })
  })
})
