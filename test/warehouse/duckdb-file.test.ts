// What is DuckDB's own: its file, its types, its settings.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import duckdb from '@duckdb/node-bindings'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { env } from '../../src/core/secret.ts'
import { describeTarget, open } from '../../src/warehouse/duckdb/open.ts'
import type { DuckDbSettings } from '../../src/warehouse/define-duckdb.ts'
import type { Warehouse } from '../../src/warehouse/warehouse.ts'

let folder: string
let left: Warehouse[]

const opened = async (settings: DuckDbSettings, mode: 'read' | 'write' = 'write', waitMs = 0): Promise<Warehouse> => {
  const warehouse = await open({ ...settings }, { root: folder, mode, waitMs, clock: systemClock })
  left.push(warehouse)
  return warehouse
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cdp-duckdb-'))
  left = []
})
afterEach(async () => {
  for (const warehouse of left) await warehouse.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('a DuckDB file', () => {
  it('may have the name of a schema', async () => {
    for (const name of ['raw', 'cdp', 'main', 'warehouse', 'memory', 'temp', `it's ü`]) {
      const w = await opened({ path: `deep/${name}.duckdb` })
      await w.run('create table raw.t as select 1 as n')
      await w.run('create view main.v as select n from raw.t')
      expect(
        await w.all('select v.n, (select min(version) from cdp.migrations) as m from v join raw.t using (n)'),
      ).toEqual([{ n: 1, m: 1 }])
      await w.close()
    }
  })

  it('works in a console, under whatever name it is opened there', async () => {
    const w = await opened({ path: 'shop.duckdb' })
    await w.run(`create table ${w.name({ schema: 'raw', name: 't' })} as select 'a@b.vn' as email`)
    const view = w.name({ schema: 'models', name: 'v' })
    await w.run(
      `create view ${view} as select cdp.normalize_email(email) as email from ${w.name({ schema: 'raw', name: 't' })}`,
    )
    await w.close()
    const instance = await duckdb.open(join(folder, 'shop.duckdb'))
    const connection = await duckdb.connect(instance)
    const result = await duckdb.query(connection, 'select email from v')
    expect(duckdb.row_count(result)).toBe(1)
    duckdb.disconnect_sync(connection)
    duckdb.close_sync(instance)
  })

  it('that does not exist is not made by reading', async () => {
    await expect(opened({ path: 'none/x.duckdb' }, 'read')).rejects.toMatchObject({
      code: 'WAREHOUSE_OPEN',
      message: expect.stringContaining('`cdp run` creates it') as string,
    })
    expect(existsSync(join(folder, 'none'))).toBe(false)
  })

  it('that is something else is refused and not touched', async () => {
    mkdirSync(join(folder, 'folder.duckdb'))
    writeFileSync(join(folder, 'text.duckdb'), 'not a database '.repeat(1000))
    writeFileSync(join(folder, 'data.json'), '[{"a":1}]')
    for (const path of ['folder.duckdb', 'text.duckdb', 'data.json', '/dev/null/x.duckdb'])
      for (const mode of ['read', 'write'] as const)
        await expect(opened({ path }, mode)).rejects.toMatchObject({ code: 'WAREHOUSE_OPEN', kind: 'config' })
    expect(readFileSync(join(folder, 'data.json'), 'utf8')).toBe('[{"a":1}]')
    expect(readFileSync(join(folder, 'text.duckdb'), 'utf8')).toHaveLength(15_000)
  })

  it('is one file, by whichever path it is opened', async () => {
    await opened({ path: 'a.duckdb' })
    symlinkSync(join(folder, 'a.duckdb'), join(folder, 'link.duckdb'))
    symlinkSync(folder, join(folder, 'again'))
    for (const path of ['link.duckdb', 'again/a.duckdb', join(folder, 'a.duckdb')])
      await expect(opened({ path })).rejects.toMatchObject({ code: 'WAREHOUSE_LOCKED' })
  })

  it('may be opened again while it is being closed', async () => {
    await (await opened({ path: 'a.duckdb' })).close()
    for (const mode of ['read', 'write', 'read'] as const) {
      const first = await opened({ path: 'a.duckdb' }, mode)
      const closing = first.close()
      const second = await opened({ path: 'a.duckdb' }, 'read')
      expect(await second.all('select 1 as a')).toEqual([{ a: 1 }])
      await Promise.all([closing, second.close()])
    }
  })

  it('is not opened with a setting the engine refuses', async () => {
    await expect(opened({ path: 'a.duckdb', memoryLimit: 'much' })).rejects.toMatchObject({ code: 'WAREHOUSE_OPEN' })
    await expect(opened({ path: ':memory:', threads: -1 })).rejects.toMatchObject({ code: 'WAREHOUSE_OPEN' })
    await (await opened({ path: 'a.duckdb' })).close()
  })

  it('in memory is new each time and needs no lock', async () => {
    const [a, b] = [await opened({ path: ':memory:' }), await opened({ path: ':memory:' }, 'read')]
    await a.run('create table raw.t as select 1 as n')
    expect([await a.relations('raw'), await b.relations('raw')]).toEqual([[{ name: 't', isView: false }], []])
    expect(a.supports.fileLock).toBe(false)
  })

  it('is named without opening it, and its path may come from the environment', async () => {
    expect(describeTarget({ path: '.cdp/shop.duckdb' })).toBe('DuckDB .cdp/shop.duckdb')
    expect(describeTarget({ path: ':memory:' })).toBe('DuckDB in memory')
    expect(describeTarget({ path: env('CDP_TEST_NO_SUCH_PATH', 'fallback.duckdb') })).toBe('DuckDB fallback.duckdb')
    await expect(opened({ path: env('CDP_TEST_NO_SUCH_PATH') })).rejects.toMatchObject({ code: 'SECRETS_MISSING' })
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('the embedded engine', () => {
  it('works in UTC, takes its settings and downloads nothing, on every connection', async () => {
    const w = await opened({ path: ':memory:', threads: 1, memoryLimit: '300MB' })
    const sql = ['TimeZone', 'threads', 'memory_limit', 'autoinstall_known_extensions', 'autoload_known_extensions']
      .map((name, at) => `current_setting('${name}')::varchar as s${at}`)
      .join(', ')
    const expected = ['UTC', '1', '286.1 MiB', 'false', 'false']
    expect(Object.values((await w.all<object>(`select ${sql}`))[0] ?? {})).toEqual(expected)
    for await (const { values } of w.stream(`select ${sql}`)) expect(values.flat()).toEqual(expected)
  })

  it('spills to a folder of its own, which is gone afterwards, as is what a killed process left', async () => {
    const spills = join(folder, '.cdp', 'tmp')
    // No process has the largest pid of the system plus one.
    mkdirSync(join(spills, 'spill-4194305-1'), { recursive: true })
    writeFileSync(join(spills, 'spill-4194305-1', 'duckdb_temp_storage'), 'x')
    writeFileSync(join(spills, 'keep.txt'), 'x')
    const w = await opened({ path: 's.duckdb', memoryLimit: '30MB', threads: 1 })
    expect(readdirSync(spills)).toEqual(['keep.txt'])
    await w.run(
      'create table raw.t as select range as n, md5(range::varchar) as h, md5((range + 1)::varchar) as i from range(250000)',
    )
    const seen: string[][] = []
    for await (const batch of w.stream('select * from raw.t order by h')) {
      if (seen.length === 0) seen.push(readdirSync(spills))
      expect(batch.rowCount).toBeGreaterThan(0)
    }
    expect(seen[0]).toHaveLength(2)
    await w.close()
    expect(readdirSync(spills)).toEqual(['keep.txt'])
  })

  it('reads every type that a model may have, nested ones too', async () => {
    const w = await opened({ path: ':memory:' })
    const read = async (sql: string): Promise<unknown> => (await w.all<{ v: unknown }>(`select ${sql} as v`))[0]?.v
    const cases: readonly (readonly [string, unknown])[] = [
      ['170141183460469231731687303715884105727::hugeint', 170141183460469231731687303715884105727n],
      ['(-170141183460469231731687303715884105728)::hugeint', -170141183460469231731687303715884105728n],
      ['18446744073709551615::ubigint', 18446744073709551615n],
      ['340282366920938463463374607431768211455::uhugeint', 340282366920938463463374607431768211455n],
      ['(select sum(n) from (select 1 as n))', 1],
      ['[(-5)::tinyint, 5::tinyint]', [-5, 5]],
      ['[255::utinyint, 65535::usmallint, 4294967295::uinteger]', [255, 65535, 4294967295]],
      ['1.5::float', 1.5],
      ["'nan'::double", Number.NaN],
      ["'-infinity'::double", Number.NEGATIVE_INFINITY],
      ["'550e8400-e29b-41d4-a716-446655440000'::uuid", '550e8400-e29b-41d4-a716-446655440000'],
      ["'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid", 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
      ["time '08:05:00.25'", '08:05:00.25'],
      ["interval '1 month 2 days 3.5 seconds'", 'P1M2DT3.5S'],
      ["interval '0 days'", 'PT0S'],
      ["timestamp_s '2026-10-01 08:00:00'", '2026-10-01T08:00:00Z'],
      ["timestamp_ms '2026-10-01 08:00:00.120'", '2026-10-01T08:00:00.12Z'],
      ["timestamp_ns '2026-10-01 08:00:00.123456789'", '2026-10-01T08:00:00.123456789Z'],
      ["timestamp '2026-10-01 08:00:00'", '2026-10-01T08:00:00Z'],
      ["timestamp 'infinity'", 'infinity'],
      ["[date '-infinity', date '12345-06-07']", ['-infinity', '+012345-06-07']],
      ["'b'::enum('a', 'b')", 'b'],
      ['[]', []],
      ["[['a'], null, [], ['b', null]]", [['a'], null, [], ['b', null]]],
      ['[1, 2, 3]::integer[3]', [1, 2, 3]],
      ["{'a': 1.10::decimal(4,2), 'b': {'c': [true, null]}}", { a: '1.10', b: { c: [true, null] } }],
      ["map {'k 1': 1, 'k2': null}", { 'k 1': 1, k2: null }],
      ['map {1: [1, 2]}', { 1: [1, 2] }],
      ["{'__proto__': 1}", JSON.parse('{"__proto__":1}')],
      ['null', null],
    ]
    for (const [sql, expected] of cases) expect({ [sql]: await read(sql) }).toEqual({ [sql]: expected })
  })

  it('reads columns with and without nulls over many chunks', async () => {
    const w = await opened({ path: ':memory:' })
    const sql = `select n, case when n % 3 = 0 then null else 'text ' || n end as t, [n, null] as l,
      case when n % 5 = 0 then null else {'n': n} end as s from (select range as n from range(5000)) order by n`
    const rows = await w.all<Record<string, unknown>>(sql)
    const expected = Array.from({ length: 5000 }, (_, n) => ({
      n,
      t: n % 3 === 0 ? null : `text ${n}`,
      l: [n, null],
      s: n % 5 === 0 ? null : { n },
    }))
    expect(rows).toEqual(expected)
  })

  it('gives a row every column it has, whatever its name', async () => {
    const w = await opened({ path: ':memory:' })
    const [row] = await w.all<object>('select 1 as __proto__, 2 as constructor, 3 as "toString"')
    expect(Object.entries(row ?? {})).toEqual([
      ['__proto__', 1],
      ['constructor', 2],
      ['toString', 3],
    ])
  })

  it('names the column whose type it cannot read', async () => {
    const w = await opened({ path: ':memory:' })
    await expect(w.all("select 1 as a, '101'::bit as flags")).rejects.toMatchObject({
      code: 'QUERY_FAILED',
      args: { reason: 'values of type BIT cannot be read: cast column flags to text' },
    })
  })

  it('says types in its own words', async () => {
    const w = await opened({ path: ':memory:' })
    const sql = `select 1::bigint as a, [1.5::decimal(4,1)] as b, {'x y': json '1', 'z': now()} as c, map {'k': date '2026-01-01'} as d,
      'b'::enum('a', 'it''s', 'b') as e, [1]::integer[1] as f, union_value(n := 1) as g`
    expect((await w.describe(sql)).map((column) => column.type)).toEqual([
      'BIGINT',
      'DECIMAL(4,1)[]',
      'STRUCT("x y" JSON, "z" TIMESTAMP WITH TIME ZONE)',
      'MAP(VARCHAR, DATE)',
      "ENUM('a', 'it''s', 'b')",
      'INTEGER[1]',
      'UNION("n" INTEGER)',
    ])
  })

  it('refuses a statement that holds a NUL, after which the engine would read no further', async () => {
    const w = await opened({ path: ':memory:' })
    const refused = { code: 'QUERY_FAILED' }
    await expect(w.run('create table raw.t as select 1 as n\0 where false')).rejects.toMatchObject(refused)
    expect(() => w.quote('a\0b')).toThrow(/NUL/)
    expect(() => w.literal('a\0b')).toThrow(/NUL/)
    expect(await w.all({ sql: 'select $1 as v', parameters: ['a\0b'] })).toEqual([{ v: 'a\0b' }])
  })

  it('shows the part of a long statement that was refused', async () => {
    const w = await opened({ path: ':memory:' })
    const error: unknown = await w.all(`select ${'1, '.repeat(200)}nowhere as a`).catch((thrown: unknown) => thrown)
    const [, line, mark] = /\| (.*)\n\s+\| (.*)$/.exec(String(error)) ?? []
    expect(line?.slice(mark?.indexOf('^'))).toMatch(/^nowhere/)
    expect(line?.length).toBeLessThan(200)
  })
})
