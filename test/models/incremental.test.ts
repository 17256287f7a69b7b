// An incremental model on a real DuckDB: what it takes, when it is built whole, what its content says.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildModel } from '../../src/models/build.ts'
import type { CompiledModel, Warehouse } from '../../src/models/model.ts'
import { build, compiled, contextOf, inMemory, rowsOf } from './project.ts'

let warehouse: Warehouse
beforeEach(async () => {
  warehouse = await inMemory()
})
afterEach(() => warehouse.close())

const one = async (sql: string, header = 'kind: view', streams: readonly string[] = []): Promise<CompiledModel> => {
  const [model] = await compiled({ 'm.sql': `/*\n${header}\n*/\n${sql}` }, streams)
  if (!model) throw new Error('no model')
  return model
}
const rows = (select = 'select * from m order by all'): Promise<unknown[][]> => rowsOf(warehouse, select)

const header = 'kind: incremental\nkey: id\ncursor: seen'
const source = async (values: string): Promise<void> => {
  await warehouse.run(
    `create or replace table raw.s as select id, cast(seen as timestamptz) as seen, v from (values ${values}) t(id, seen, v)`,
  )
}
const model = (more = ''): Promise<CompiledModel> => one('select * from raw.s', header + more, ['s'])
const all = (): Promise<unknown[][]> => rows('select id, v from m order by id')

describe('an incremental model', () => {
  it('is built whole first, then takes rows from the highest cursor on, by key', async () => {
    await source("(1, '2026-01-01', 'a'), (2, '2026-01-02', 'b')")
    const first = await build(await model(), contextOf(warehouse))
    expect(first).toMatchObject({ rows: 2 })
    await source("(1, '2025-01-01', 'too old'), (2, '2026-01-02 00:00:00+00', 'B'), (3, '2026-01-03', 'c')")
    const second = await build(await model(), contextOf(warehouse))
    expect(second).toMatchObject({ rows: 3, detail: '1 new, 1 read again' })
    expect(await all()).toEqual([
      [1, 'a'],
      [2, 'B'],
      [3, 'c'],
    ])
    expect(second.content).not.toBe(first.content)
  })

  it('with an exclusive boundary does not read rows at the highest cursor again', async () => {
    const exclusive = (): Promise<CompiledModel> => model('\nboundary: exclusive')
    await source("(1, '2026-01-01', 'a'), (2, '2026-01-01', 'b')")
    await build(await exclusive(), contextOf(warehouse))
    await source("(1, '2026-01-01', 'not seen'), (2, '2026-01-01', 'b'), (3, '2026-01-02', 'c')")
    expect(await build(await exclusive(), contextOf(warehouse))).toMatchObject({
      rows: 3,
      detail: '1 new, 0 read again',
    })
    expect(await all()).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ])
  })

  it('keeps its content when nothing is new, and the content is that of a table built whole', async () => {
    await source("(1, '2026-01-01', 'a'), (2, '2026-01-02', 'b')")
    const first = await build(await model(), contextOf(warehouse))
    const quiet = await build(await model(), contextOf(warehouse))
    expect(quiet).toMatchObject({ content: first.content, rows: 2, detail: 'nothing new' })
    await source("(1, '2026-01-01', 'a'), (2, '2026-01-02', 'x'), (3, '2026-01-02', 'c')")
    const second = await build(await model(), contextOf(warehouse))
    const whole = await build(await model(), contextOf(warehouse, { fullRefresh: true }))
    expect(whole.content).toBe(second.content)
  })

  it('compares whole rows, whatever the columns are called', async () => {
    const odd = (): Promise<CompiledModel> =>
      one('select id, seen, v as old, v as fresh, 1 as n from raw.s', header, ['s'])
    await source("(1, '2026-01-01', 'a')")
    await build(await odd(), contextOf(warehouse))
    await source("(1, '2026-01-01', 'A')")
    expect(await build(await odd(), contextOf(warehouse))).toMatchObject({ detail: '0 new, 1 read again' })
    expect(await rows('select old, fresh from m')).toEqual([['A', 'A']])
  })

  it('looks back as far as it is told', async () => {
    await source("(1, '2026-01-01', 'a'), (2, '2026-01-02', 'b'), (3, '2026-01-10', 'c')")
    await build(await model('\nlookback: 8d'), contextOf(warehouse))
    await source("(1, '2026-01-01', 'A'), (2, '2026-01-02', 'B'), (3, '2026-01-10', 'C')")
    await build(await model('\nlookback: 8d'), contextOf(warehouse))
    expect(await all()).toEqual([
      [1, 'a'],
      [2, 'B'],
      [3, 'C'],
    ])
  })

  it('takes numbers and dates as cursors', async () => {
    for (const [cursor, lookback] of [
      ['n', 2],
      ['d', '2d'],
      ['s', undefined],
    ] as const) {
      const more = lookback === undefined ? '' : `\nlookback: ${lookback}`
      const make = (): Promise<CompiledModel> =>
        one('select * from raw.s', `kind: incremental\nkey: n\ncursor: ${cursor}${more}`, ['s'])
      const fill = (to: number, v: string): Promise<unknown> =>
        warehouse.run(
          `create or replace table raw.s as select n, cast(date '2026-01-01' + cast(n as integer) as date) as d, 'x' || n as s, '${v}' as v from range(0, ${to}) t(n)`,
        )
      await fill(5, 'old')
      await build(await make(), contextOf(warehouse, { fullRefresh: true }))
      await fill(7, 'new')
      await build(await make(), contextOf(warehouse))
      const changed = await rows("select n from m where v = 'new' order by n")
      expect(changed).toEqual((lookback === undefined ? [4, 5, 6] : [2, 3, 4, 5, 6]).map((n) => [n]))
    }
  })

  it('is built whole when its columns or its definition change, and says so', async () => {
    await source("(1, '2026-01-01', 'a'), (2, '2026-01-02', 'b')")
    await build(await model(), contextOf(warehouse))
    await warehouse.run(
      "create or replace table raw.s as select 2 as id, timestamptz '2026-01-02' as seen, 'b' as v, 'new' as birthday",
    )
    const result = await build(await model(), contextOf(warehouse))
    expect(result).toMatchObject({ rows: 1, detail: 'built whole: new columns birthday VARCHAR' })
    await source("(5, '2020-01-01', 'old')")
    const changed = await one('select id, seen, upper(v) as v from raw.s', header, ['s'])
    expect(await build(changed, contextOf(warehouse))).toMatchObject({ rows: 1 })
    expect(await all()).toEqual([[5, 'OLD']])
  })

  it('refuses a key that does not name a row once, and stays as it was', async () => {
    await source("(1, '2026-01-01', 'a')")
    await build(await model(), contextOf(warehouse))
    await source("(2, '2026-01-02', 'x'), (2, '2026-01-02', 'y'), (null, '2026-01-02', 'z')")
    for (const fullRefresh of [false, true]) {
      await expect(build(await model(), contextOf(warehouse, { fullRefresh }))).rejects.toMatchObject({
        code: 'INCREMENTAL_KEY',
        args: { duplicates: 1, nulls: 1, key: ['id'] },
      })
    }
    expect(await all()).toEqual([[1, 'a']])
    expect(await warehouse.relations('models')).toEqual([{ name: 'm', isView: false }])
  })

  it('is taken for changed when a run died between its build and its version', async () => {
    await source("(1, '2026-01-01', 'a')")
    const first = await build(await model(), contextOf(warehouse))
    await source("(1, '2026-01-01', 'A')")
    await buildModel(await model(), contextOf(warehouse))
    const again = await build(await model(), contextOf(warehouse))
    expect(again.content).not.toBe(first.content)
    expect(await all()).toEqual([[1, 'A']])
  })
})
