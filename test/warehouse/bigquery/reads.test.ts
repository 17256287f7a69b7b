// What statements read, as the bench of bytes counts it.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openGoogle, type Google, type Known } from './google.ts'

let google: Google
beforeAll(async () => {
  google = await openGoogle()
})
afterAll(() => google.close())

const columns = { id: 'INT64', name: 'STRING', wide: 'STRING', at: 'TIMESTAMP' }
const known: readonly Known[] = [
  { names: [['p', 'd', 't'], ['t']], columns },
  { names: [['p', 'd', 'u']], columns },
]
const t = ['p', 'd', 't']
const u = ['p', 'd', 'u']

it('finds the columns that a SELECT uses, and no others', async () => {
  expect(await google.reads(`select a.name from t a join p.d.u b on a.id = b.id where b.wide = 'x'`, known)).toEqual({
    scans: [
      { relation: t, columns: ['id', 'name'], bounded: [] },
      { relation: u, columns: ['id', 'wide'], bounded: ['wide'] },
    ],
    rewrites: undefined,
  })
})

it('finds what a change rewrites, and does not count the columns that are only written', async () => {
  expect(await google.reads(`delete from p.d.t a where a.id in (select b.id from p.d.u b)`, known)).toEqual({
    scans: [
      { relation: t, columns: ['id'], bounded: [] },
      { relation: u, columns: ['id'], bounded: [] },
    ],
    rewrites: t,
  })
  const merge = `merge into p.d.t a using p.d.u b on a.id = b.id when not matched then insert (name) values (b.wide)`
  expect((await google.reads(merge, known)).rewrites).toBeUndefined()
  expect((await google.reads(`${merge} when matched then delete`, known)).rewrites).toEqual(t)
  expect(await google.reads(`update p.d.t a set name = 'x' where a.id = 1`, known)).toMatchObject({
    scans: [{ columns: ['id'], bounded: ['id'] }],
    rewrites: t,
  })
  expect(await google.reads(`insert into p.d.t (id) select b.id from p.d.u b`, known)).toEqual({
    scans: [{ relation: u, columns: ['id'], bounded: [] }],
    rewrites: undefined,
  })
})

it('knows a filter that prunes partitions from one that does not', async () => {
  const bounded = async (where: string): Promise<readonly string[] | undefined> =>
    (await google.reads(`select a.id, a.at from p.d.t a where ${where}`, known)).scans.find(
      (scan) => scan.relation[2] === 't',
    )?.bounded
  expect(await bounded(`a.at >= @since`)).toEqual(['at'])
  expect(await bounded(`a.at >= timestamp '2026-11-01 00:00:00+00' and a.id > 0`)).toEqual(['id', 'at'])
  expect(await bounded(`a.at >= (select max(b.at) from p.d.u b)`)).toEqual([])
  expect(await bounded(`a.at is not null`)).toEqual([])
})
