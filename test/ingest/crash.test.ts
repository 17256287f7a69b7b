// A process that is killed in the middle of a load, or whose disk is full: the next run finds everything as it was, and lands it all once.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { land, type LandStream, type LoadResult } from '../../src/ingest/land.ts'
import type { PagesRead } from '../../src/ingest/source.ts'
import { open } from '../../src/warehouse/duckdb/open.ts'
import type { Row, Warehouse } from '../../src/warehouse/warehouse.ts'
import { type Child, child } from '../warehouse/child.ts'

const sources = new URL('../../src/', import.meta.url).pathname
let folder: string
const children: Child[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cdp-crash-'))
  mkdirSync(join(folder, 'tmp'))
})
afterEach(async () => {
  for (const process of children.splice(0)) await process.stop()
  rmSync(folder, { recursive: true, force: true })
})

const keyed: LandStream = {
  id: 's.t',
  relation: 's_t',
  key: ['id'],
  cursor: 'at',
  types: { n: 'integer' },
  lines: true,
  from: { kind: 'scan', path: '*.csv' },
}
const keyless: LandStream = { id: 's.t', relation: 's_t', from: { kind: 'scan', path: '*.csv' } }
const paged: LandStream = { id: 's.t', relation: 's_t', key: ['id'], cursor: 'at', from: { kind: 'pages' } }

/** Reads pages of ten rows from the cursor on, out of what is in rows.json. */
const pages = (): PagesRead => ({
  kind: 'pages',
  async *read({ cursor }) {
    const { readFileSync } = await import('node:fs')
    const rows = (JSON.parse(readFileSync(join(folder, 'rows.json'), 'utf8')) as { id: number; at: number }[]).filter(
      (row) => cursor === undefined || row.at >= Number(cursor),
    )
    for (let at = 0; at < rows.length; at += 10) yield { rows: rows.slice(at, at + 10) }
  },
})

/** Lands in another process that kills itself right after the first statement that matches. */
const landAndDie = async (stream: LandStream, after: string): Promise<void> => {
  const code = `
const { land } = await jiti.import(${JSON.stringify(`${sources}ingest/land.ts`)})
const { readFileSync } = await import('node:fs')
const warehouse = await opened()
const die = (what) => { if (new RegExp(${JSON.stringify(after)}, 'i').test(what)) process.kill(process.pid, 'SIGKILL') }
const textOf = (statement) => typeof statement === 'string' ? statement : statement.sql
const watched = {
  ...warehouse,
  run: async (statement) => { const result = await warehouse.run(statement); die(textOf(statement)); return result },
  load: async (target, columns, select) => { const result = await warehouse.load(target, columns, select); die('load into ' + target.name); return result },
}
watched.reader = { ...warehouse.reader, run: watched.run }
const pages = { kind: 'pages', async *read({ cursor }) {
  const rows = JSON.parse(readFileSync(process.argv[1] + '/rows.json', 'utf8')).filter((row) => cursor === undefined || row.at >= Number(cursor))
  for (let at = 0; at < rows.length; at += 10) yield { rows: rows.slice(at, at + 10) }
} }
await land({ warehouse: watched, stream: ${JSON.stringify(stream)}, pages, root: process.argv[1], timeZone: 'UTC', runId: 'killed', instant: '2026-11-02T00:00:00.000Z',
  allow: new Set(), emit: () => undefined, clock: systemClock, signal: new AbortController().signal, tempDir: process.argv[1] + '/tmp' })
die('landed')
say('lived')`
  const process = child(folder, code)
  children.push(process)
  expect(await process.ended).toBe('SIGKILL')
}

const withWarehouse = async <T>(work: (warehouse: Warehouse) => Promise<T>): Promise<T> => {
  const warehouse = await open(
    { path: 'test.duckdb' },
    { root: folder, mode: 'write', waitMs: 5000, clock: systemClock },
  )
  try {
    return await work(warehouse)
  } finally {
    await warehouse.close()
  }
}

const landNow = (stream: LandStream, runId: string): Promise<LoadResult> =>
  withWarehouse((warehouse) =>
    land({
      warehouse,
      stream,
      pages: pages(),
      root: folder,
      timeZone: 'UTC',
      runId,
      instant: '2026-11-03T00:00:00.000Z',
      allow: new Set(),
      emit: () => undefined,
      clock: systemClock,
      signal: new AbortController().signal,
      tempDir: join(folder, 'tmp'),
    }),
  )

const stateOf = (): Promise<State> =>
  withWarehouse(async (warehouse) => ({
    rows: await warehouse.all('select * exclude (_cdp_loaded_at, _cdp_load_id) from raw.s_t order by all'),
    quarantine: await warehouse.all(
      `select file, line, raw from cdp.quarantine where status = 'open' order by file, line`,
    ),
    files: await warehouse.all('select file, rows from cdp.load_files order by file'),
    cursors: await warehouse.all('select "cursor" from cdp.cursors'),
    schemas: await warehouse.all('select column_name, type, version from cdp.schemas order by 1, 3'),
    relations: await warehouse.all(`select table_name from information_schema.tables where table_schema = 'raw'`),
  }))

const day1 = (): void =>
  writeFileSync(join(folder, 'a.csv'), 'id,n,at\n1,1,2026-10-01\n2,2,2026-10-01\n3,x,2026-10-01\nbroken\n')
const day2 = (): void => {
  writeFileSync(join(folder, 'a.csv'), 'id,n,at\n1,1,2026-10-01\n2,22,2026-10-02\n4,y,2026-10-02\n5,5,2026-10-02\n')
  writeFileSync(join(folder, 'b.csv'), 'id,n,at,extra\n6,6,2026-10-02,new\n1,,2026-09-01,old\nbroken\n')
}

type State = Record<string, Row[]>

/** The states after the first and the second load when nothing goes wrong, in a folder of their own. */
const expected = new Map<LandStream, Promise<{ readonly first: State; readonly second: State }>>()
const expectedOf = (stream: LandStream): Promise<{ readonly first: State; readonly second: State }> => {
  const known = expected.get(stream)
  if (known) return known
  const states = (async () => {
    day1()
    await landNow(stream, 'first')
    const first = await stateOf()
    day2()
    await landNow(stream, 'second')
    const second = await stateOf()
    for (const file of ['test.duckdb', 'b.csv']) rmSync(join(folder, file))
    return { first, second }
  })()
  expected.set(stream, states)
  return states
}

const points = [
  'insert into temp\\."_cdp_stage',
  'alter table',
  'merge into|delete from "raw"',
  'update "cdp"."quarantine"',
  'insert into "cdp"."load_files"',
  'insert into "cdp"."loads"',
]

describe.for([
  ['with a key', keyed],
  ['without a key', keyless],
] as const)('a load %s that is killed', ([, stream]) => {
  it.for(points)('after: %s, is as if it had not been', async (point) => {
    const { first, second } = await expectedOf(stream)
    day1()
    await landNow(stream, 'first')
    day2()
    await landAndDie(stream, point)
    expect(await stateOf()).toEqual(first)
    await landNow(stream, 'again')
    expect(await stateOf()).toEqual(second)
    expect(readdirSync(join(folder, 'tmp'))).toEqual([])
  })

  it('when it has ended, has ended', async () => {
    const { second } = await expectedOf(stream)
    day1()
    await landNow(stream, 'first')
    day2()
    await landAndDie(stream, 'landed')
    expect(await stateOf()).toEqual(second)
    expect(await landNow(stream, 'again')).toMatchObject({ changed: false })
  })
})

describe('a load in pages that is killed', () => {
  it('keeps the cursor behind the rows of a source that is read in pages', async () => {
    const put = (rows: number): void =>
      writeFileSync(
        join(folder, 'rows.json'),
        JSON.stringify(Array.from({ length: rows }, (_, i) => ({ id: i, at: i, name: `n${i}` }))),
      )
    put(25)
    await landNow(paged, 'first')
    put(60)
    for (const point of ['insert into "cdp"."cursors"', 'insert into "cdp"."loads"']) {
      await landAndDie(paged, point)
      expect(await stateOf()).toMatchObject({ cursors: [{ cursor: '24' }] })
    }
    expect(await landNow(paged, 'again')).toMatchObject({ rowsRead: 36, rowsNew: 35, rowsTotal: 60 })
    expect(await stateOf()).toMatchObject({ cursors: [{ cursor: '59' }] })
    await landAndDie(paged, 'landed')
    expect(await landNow(paged, 'once more')).toMatchObject({ rowsNew: 0, rowsTotal: 60 })
  })
})

describe('a full disk', () => {
  it('fails the load with what to do, and the next one lands it', async () => {
    day1()
    await landNow(keyed, 'first')
    const before = await stateOf()
    const many = Array.from({ length: 200_000 }, (_, i) => `${i + 10},${i},2026-10-05`)
    writeFileSync(join(folder, 'c.csv'), `id,n,at\n${many.join('\n')}\n`)
    const process = child(
      folder,
      `
const { land } = await jiti.import(${JSON.stringify(`${sources}ingest/land.ts`)})
const warehouse = await opened()
const error = await land({ warehouse, stream: ${JSON.stringify(keyed)}, root: process.argv[1], timeZone: 'UTC', runId: 'full', instant: '2026-11-02T00:00:00.000Z',
  allow: new Set(), emit: () => undefined, clock: systemClock, signal: new AbortController().signal, tempDir: process.argv[1] + '/tmp' }).catch((e) => e)
say({ code: error.code, kind: error.kind })
await warehouse.close().catch(() => undefined)
process.exit(0)`,
      { limit: 1500 },
    )
    children.push(process)
    expect(await process.next()).toEqual({ code: 'WAREHOUSE_FULL', kind: 'transient' })
    await process.ended
    expect(await stateOf()).toEqual(before)
    expect(await landNow(keyed, 'again')).toMatchObject({ rowsNew: 200_000, rowsTotal: 200_002 })
  })
})
