// Segments on a real DuckDB: members, sizes, and what a merge of persons does to them.
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

const source = (values: string): Promise<unknown> =>
  warehouse.run(`create or replace table raw.s as select * from (values ${values}) t(person_id)`)
const model = (): Promise<CompiledModel> => one('select person_id from raw.s', 'kind: segment', ['s'])
const at = (day: number): ReturnType<typeof contextOf> =>
  contextOf(warehouse, { runId: `run-${day}`, instant: `2026-11-0${day}T00:00:00.000Z` })
const members = (): Promise<unknown[][]> =>
  rows('select person_id, day(entered_at), day(left_at) from cdp.segment_members order by person_id, entered_at')
const sizes = (): Promise<unknown[][]> =>
  rows('select run_id, members, entered, "left" from cdp.segment_sizes order by run_id')

describe('a segment', () => {
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
