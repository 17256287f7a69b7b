// The Storage API by the stand-in: a large result has the values and the order that its pages would have.
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import { bigquery, type BigQuerySettings } from '../../../src/warehouse/define-bigquery.ts'
import { openWarehouse, type Value, type Warehouse } from '../../../src/warehouse/warehouse.ts'
import { openWire, type Wire } from './wire.ts'
import { findEmulator } from '../../bigquery-emulator/emulator.ts'

const emulator = await findEmulator()
const timeout = 600_000
const pageRows = 10_000

const read = async (
  w: Warehouse,
  sql: string,
): Promise<{
  readonly sizes: readonly number[]
  readonly types: string
  readonly rows: readonly (readonly Value[])[]
}> => {
  const rows: Value[][] = []
  const sizes: number[] = []
  let types = ''
  for await (const { columns, rowCount, values } of w.stream(sql)) {
    types = columns.map(({ name, type }) => `${name} ${type}`).join(', ')
    sizes.push(rowCount)
    for (let row = 0; row < rowCount; row++) rows.push(values.map((column) => column[row] ?? null))
  }
  return { sizes, types, rows }
}

const everyType = (rows: number): string => `select n,
  if(mod(n, 3) = 0, null, n * 46116860184273) as big, cast(n as numeric) / 7 as d,
  cast(concat(cast(n as string), '.12345678901234567890') as bignumeric) as bn,
  timestamp_micros(n * 1234567 - 1) as ts, date_add(date '0001-01-01', interval n day) as day,
  concat('Đặng 🎉 ', cast(n as string)) as t, if(mod(n, 3) = 0, null, n / 3) as f, mod(n, 2) = 0 as b,
  cast(concat('x', cast(n as string)) as bytes) as by, [n, n + 1] as l, cast([] as array<string>) as e,
  [struct(n as a, 'x' as b)] as ls, struct(n as a, [cast(n as string)] as c) as s,
  parse_json(concat('{"a":', cast(n as string), ',"b":[1,null]}')) as j,
  time_add(time '00:00:00', interval n microsecond) as tm,
  datetime_add(datetime '2020-01-01 00:00:00', interval n microsecond) as dt
  from unnest(generate_array(1, ${rows})) as n order by n desc`

describe.skipIf(typeof emulator === 'string')('the Storage API', () => {
  let byStorage: Warehouse
  let byPages: Warehouse
  let wire: Wire
  beforeAll(async () => {
    const { url, grpc } = typeof emulator === 'string' ? { url: '', grpc: '' } : emulator
    const open = (more: Partial<BigQuerySettings>): Promise<Warehouse> =>
      openWarehouse(bigquery({ project: `storage-${process.pid}`, location: 'US', apiEndpoint: url, ...more }), {
        root: tmpdir(),
        mode: 'write',
        waitMs: 0,
        clock: systemClock,
      })
    wire = await openWire(grpc === '' ? '127.0.0.1:1' : grpc)
    byPages = await open({})
    byStorage = await open({ storageEndpoint: wire.address })
  }, timeout)
  afterAll(async () => {
    await byPages.close()
    await byStorage.close()
    await wire.close()
  })

  it('reads every type of a large result as its pages give it, in its order', { timeout }, async () => {
    const rows = 5 * pageRows + 1
    const paged = await read(byPages, everyType(rows))
    const streamed = await read(byStorage, everyType(rows))
    expect(paged.sizes).toEqual([...Array.from({ length: 5 }, () => pageRows), 1])
    expect([streamed.rows.length, streamed.types]).toEqual([rows, paged.types])
    expect(streamed.rows.findIndex((row, at) => !same(row, paged.rows[at]))).toBe(-1)
    expect(streamed.rows[0]?.slice(0, 3)).toEqual([50_001, null, '7143'])
    expect(streamed.rows[0]?.[4]).toBe('1970-01-01T17:08:49.584566Z')
  })

  it('is left alone by a result of few pages, and stops when the reader does', { timeout }, async () => {
    const few = await read(byStorage, `select n from unnest(generate_array(1, ${2 * pageRows})) as n`)
    expect(few.sizes).toEqual([pageRows, pageRows])
    for await (const batch of byStorage.stream(`select n from unnest(generate_array(1, ${20 * pageRows})) as n`)) {
      expect(batch.rowCount).toBeGreaterThan(0)
      break
    }
    expect(await byStorage.all('select 1 as a')).toEqual([{ a: 1 }])
  })

  it('goes on where a lost connection left off', { timeout }, async () => {
    const rows = 1_200_000
    // The stand-in sends a million rows a message: the second one is lost.
    wire.cutAfter(9_000_000)
    let next = 0
    for await (const { rowCount, values } of byStorage.stream(
      `select n from unnest(generate_array(0, ${rows - 1})) as n order by n`,
    )) {
      for (let row = 0; row < rowCount; row++) if (values[0]?.[row] === next) next += 1
    }
    expect([next, wire.cuts()]).toEqual([rows, 1])
  })

  it('writes no row twice when an answer is lost', { timeout }, async () => {
    const relation = { schema: 'raw', name: 'appended' } as const
    await byStorage.run(`create table ${byStorage.name(relation)} (n INT64)`)
    const cuts = wire.cuts()
    await byStorage.append(relation, [{ n: 1 }])
    wire.cutAfter(0)
    await byStorage.append(relation, [{ n: 2 }, { n: 3 }])
    await byStorage.append(relation, [{ n: 4 }])
    expect(await byPages.all(`select n from ${byStorage.name(relation)} order by n`)).toEqual(
      [1, 2, 3, 4].map((n) => ({ n })),
    )
    expect(wire.cuts()).toBe(cuts + 1)
  })

  it('shows a transaction what it has changed', { timeout }, async () => {
    const t = byStorage.name({ schema: 'raw', name: 'changed' })
    await byStorage.run(`create table ${t} (n INT64)`)
    const seen = await byStorage.transaction(async () => {
      await byStorage.run(`insert into ${t} select n from unnest(generate_array(1, ${6 * pageRows})) as n`)
      return (await read(byStorage, `select n from ${t}`)).rows.length
    })
    expect(seen).toBe(6 * pageRows)
  })
})

const same = (a: readonly Value[], b: readonly Value[] | undefined): boolean => text(a) === text(b)

const text = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner))
