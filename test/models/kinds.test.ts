// The plain kinds on a real DuckDB: what is there after a build, what a failed build leaves, what content says.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
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

describe('views and tables', () => {
  it('are in schema main, with and without content', async () => {
    const view = await build(await one('select 1 as x'), contextOf(warehouse))
    expect(view).toEqual({ rows: undefined, content: undefined })
    expect(await rows('select * from main.m')).toEqual([[1]])
    const table = await build(await one('select * from range(3) t(x) -- all', 'kind: table'), contextOf(warehouse))
    expect(table.rows).toBe(3)
    expect(await rows()).toEqual([[0], [1], [2]])
  })

  it('take each other’s place', async () => {
    for (const kind of ['table', 'view', 'table'] as const) {
      await build(await one(`select '${kind}' as x`, `kind: ${kind}`), contextOf(warehouse))
      expect(await rows()).toEqual([[kind]])
    }
  })

  it('leave the last good relation when a build fails', async () => {
    await build(await one('select 1 as x', 'kind: table'), contextOf(warehouse))
    const bad = "select cast(y as integer) as x from (values ('1'), ('zwei')) v(y)"
    await expect(build(await one(bad, 'kind: table'), contextOf(warehouse))).rejects.toMatchObject({
      code: 'QUERY_FAILED',
    })
    await expect(
      build(await one('select nothere from raw.s', 'kind: view', ['s']), contextOf(warehouse)),
    ).rejects.toThrow()
    expect(await rows()).toEqual([[1]])
  })

  it('have a content that depends on rows and columns, not on the order of rows', async () => {
    const contentOf = async (sql: string): Promise<string | undefined> =>
      (await build(await one(sql, 'kind: table'), contextOf(warehouse))).content
    const first = await contentOf("select * from (values (1, 'a'), (2, 'b'), (2, 'b')) v(x, y)")
    expect(await contentOf("select * from (values (2, 'b'), (1, 'a'), (2, 'b')) v(x, y)")).toBe(first)
    const others = await Promise.all(
      [
        "select * from (values (1, 'a'), (2, 'b')) v(x, y)",
        "select * from (values (1, 'a'), (1, 'a'), (2, 'b')) v(x, y)",
        "select * from (values (1, 'a'), (2, 'b'), (2, 'b')) v(x, z)",
        "select * from (values (1, 'a'), (2, 'b'), (2, null)) v(x, y)",
      ].map((sql) => one(sql, 'kind: table')),
    )
    const contents = new Set([first])
    for (const model of others) contents.add((await build(model, contextOf(warehouse))).content)
    expect(contents.size).toBe(5)
  })

  it('fill in the run’s instant', async () => {
    const model = await one(
      'select current_timestamp as a, current_date as b, localtimestamp as c, current_time as d',
      'kind: table',
    )
    await build(model, contextOf(warehouse))
    expect(await rows('select a, b, c, cast(d as varchar) from m')).toEqual([
      ['2026-11-01T23:00:00Z', '2026-11-01', '2026-11-01T23:00:00Z', '23:00:00'],
    ])
  })
})

describe('an incremental model', () => {
  const header = 'kind: incremental\nkey: id\ncursor: seen'
  const source = async (values: string): Promise<void> => {
    await warehouse.run(
      `create or replace table raw.s as select id, cast(seen as timestamptz) as seen, v from (values ${values}) t(id, seen, v)`,
    )
  }
  const model = (more = ''): Promise<CompiledModel> => one('select * from raw.s', header + more, ['s'])
  const all = (): Promise<unknown[][]> => rows('select id, v from m order by id')

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
    const { buildModel } = await import('../../src/models/build.ts')
    await buildModel(await model(), contextOf(warehouse))
    const again = await build(await model(), contextOf(warehouse))
    expect(again.content).not.toBe(first.content)
    expect(await all()).toEqual([[1, 'A']])
  })
})

describe('a segment', () => {
  const source = (values: string): Promise<unknown> =>
    warehouse.run(`create or replace table raw.s as select * from (values ${values}) t(person_id)`)
  const model = (): Promise<CompiledModel> => one('select person_id from raw.s', 'kind: segment', ['s'])
  const at = (day: number): ReturnType<typeof contextOf> =>
    contextOf(warehouse, { runId: `run-${day}`, instant: `2026-11-0${day}T00:00:00.000Z` })
  const members = (): Promise<unknown[][]> =>
    rows('select person_id, day(entered_at), day(left_at) from cdp.segment_members order by person_id, entered_at')
  const sizes = (): Promise<unknown[][]> =>
    rows('select run_id, members, entered, "left" from cdp.segment_sizes order by run_id')

  it('keeps who entered and left, and its size at each run', async () => {
    await source("('a'), ('b')")
    expect(await build(await model(), at(1))).toMatchObject({ rows: 2, detail: '2 entered, 0 left' })
    await source("('b'), ('c')")
    await build(await model(), at(2))
    await source("('a'), ('b')")
    await build(await model(), at(3))
    expect(await members()).toEqual([
      ['a', 1, 2],
      ['a', 3, null],
      ['b', 1, null],
      ['c', 2, 3],
    ])
    expect(await sizes()).toEqual([
      ['run-1', 2, 2, 0],
      ['run-2', 2, 1, 1],
      ['run-3', 2, 1, 1],
    ])
  })

  it('writes nothing twice when the same run builds it again', async () => {
    await source("('a')")
    await build(await model(), at(1))
    await build(await model(), at(1))
    expect(await members()).toEqual([['a', 1, null]])
    expect(await sizes()).toEqual([['run-1', 1, 0, 0]])
  })

  it('refuses persons that come twice or have no id, and stays as it was', async () => {
    await source("('a')")
    await build(await model(), at(1))
    await source("('a'), ('a'), ('b'), ('b'), ('c'), (null)")
    await expect(build(await model(), at(2))).rejects.toMatchObject({
      code: 'SEGMENT_MEMBERS',
      args: { segment: 'm', duplicates: 2, nulls: 1 },
      place: { file: 'models/m.sql', line: 4 },
    })
    expect(await rows()).toEqual([['a']])
    expect(await members()).toEqual([['a', 1, null]])
    expect(await sizes()).toHaveLength(1)
    const bad = await one('select person_id as persn_id from raw.s', 'kind: segment', ['s'])
    await expect(build(bad, at(2))).rejects.toThrow(
      'm gives no column person_id, which a segment must give. Did you mean "persn_id"?',
    )
  })

  it('follows merges: neither leaving nor entering, the earliest entry counts', async () => {
    await source("('old1'), ('x')")
    await build(await model(), at(1))
    await source("('old1'), ('keep'), ('old2'), ('x')")
    await build(await model(), at(2))
    await warehouse.run(`insert into cdp.person_redirects (graph, old_id, person_id, run_id) values
      ('people', 'old1', 'keep', 'run-3'), ('people', 'old2', 'keep', 'run-3'), ('people', 'x', 'y', 'run-3'), ('people', 'gone', 'keep', 'run-3')`)
    await source("('keep'), ('y')")
    expect(await build(await model(), at(3))).toMatchObject({ detail: '0 entered, 0 left' })
    expect(await members()).toEqual([
      ['keep', 1, null],
      ['y', 1, null],
    ])
  })

  it('lets a merged person leave under the id that stays', async () => {
    await source("('old')")
    await build(await model(), at(1))
    await warehouse.run(
      "insert into cdp.person_redirects (graph, old_id, person_id, run_id) values ('people', 'old', 'keep', 'r')",
    )
    await source("('other')")
    await build(await model(), at(2))
    expect(await members()).toEqual([
      ['keep', 1, 2],
      ['other', 2, null],
    ])
  })

  it('follows no id that leads to different persons, nor one that is a member itself', async () => {
    await source("('a'), ('b')")
    await build(await model(), at(1))
    await warehouse.run(`insert into cdp.person_redirects (graph, old_id, person_id, run_id) values
      ('one', 'a', 'p', 'r'), ('two', 'a', 'q', 'r'), ('one', 'b', 'p', 'r')`)
    await source("('b'), ('p')")
    await build(await model(), at(2))
    expect(await members()).toEqual([
      ['a', 1, 2],
      ['b', 1, null],
      ['p', 2, null],
    ])
  })
})
