// Views and tables on a real DuckDB: what is there after a build, what a failed build leaves, what content says.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildModel } from '../../src/models/build.ts'
import type { BuildResult, CompiledModel, Warehouse } from '../../src/models/model.ts'
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

const tableOf = async (sql: string): Promise<BuildResult> => build(await one(sql, 'kind: table'), contextOf(warehouse))

/** Of the second build: the first takes none. */
const contentOf = async (sql: string): Promise<string | undefined> => {
  await tableOf(sql)
  return (await tableOf(sql)).content
}

describe('views and tables', () => {
  it('are in schema main, with and without content', async () => {
    const view = await build(await one('select 1 as x'), contextOf(warehouse))
    expect(view).toEqual({ rows: undefined, content: undefined })
    expect(await rows('select * from main.m')).toEqual([[1]])
    const table = await build(await one('select * from range(3) t(x) -- all', 'kind: table'), contextOf(warehouse))
    expect(table.rows).toBe(3)
    expect(await rows()).toEqual([[0], [1], [2]])
  })

  it('that the engine refuses say where, in the analyst’s file', async () => {
    const model = await one('select 1 as x,\n       y', 'kind: table')
    await expect(buildModel(model, contextOf(warehouse))).rejects.toMatchObject({
      code: 'MODEL_REFUSED',
      place: { file: model.file, line: 5, column: 8 },
    })
  })

  it('that fail at a row say which model it was', async () => {
    const model = await one("select cast(v as integer) as x from (values ('1'), ('one')) t(v)", 'kind: table')
    await expect(buildModel(model, contextOf(warehouse))).rejects.toMatchObject({
      code: 'MODEL_FAILED',
      place: { file: model.file, line: 4 },
    })
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
      code: 'MODEL_FAILED',
    })
    await expect(
      build(await one('select nothere from raw.s', 'kind: view', ['s']), contextOf(warehouse)),
    ).rejects.toThrow('nothere')
    expect(await rows()).toEqual([[1]])
  })

  it('have a content that depends on rows and columns, not on the order of rows', async () => {
    const first = await contentOf("select * from (values (1, 'a'), (2, 'b'), (2, 'b')) v(x, y)")
    expect(await contentOf("select * from (values (2, 'b'), (1, 'a'), (2, 'b')) v(x, y)")).toBe(first)
    const contents = new Set([first])
    for (const sql of [
      "select * from (values (1, 'a'), (2, 'b')) v(x, y)",
      "select * from (values (1, 'a'), (1, 'a'), (2, 'b')) v(x, y)",
      "select * from (values (1, 'a'), (2, 'b'), (2, 'b')) v(x, z)",
      "select * from (values (1, 'a'), (2, 'b'), (2, null)) v(x, y)",
    ]) {
      contents.add(await contentOf(sql))
    }
    expect(contents.size).toBe(5)
  })

  it('have a content of whole rows, whatever the columns are called', async () => {
    const names = 't, old, row, _row, n, x, s'
    const first = await contentOf(`select ${names} from (values (1, 2, 3, 4, 5, 6, 7)) v(${names})`)
    expect(await contentOf(`select ${names} from (values (1, 2, 3, 4, 5, 6, 8)) v(${names})`)).not.toBe(first)
  })

  it('take no hash of a first build, and know afterwards whether the rows are the same', async () => {
    expect(await tableOf('select 1 as x')).toEqual({ rows: 1, content: undefined })
    const second = await tableOf('select 1 as x -- again')
    expect(second).toMatchObject({ rows: 1, unchanged: true })
    expect(await tableOf('select 1 as x')).toEqual(second)
    expect(await tableOf('select 2 as x')).toMatchObject({ unchanged: false })
  })

  it('are taken for changed when a run died between its build and its version', async () => {
    await tableOf('select 1 as x')
    await buildModel(await one('select 2 as x', 'kind: table'), contextOf(warehouse))
    expect(await tableOf('select 2 as x')).toMatchObject({ unchanged: false })
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
