// The harness itself: what it must see, it sees.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeBigQuery, differenceOf, openBoth, patience, relationsOf, sameRows, type Both } from './harness.ts'
import { timesRun } from './proxy.ts'

await describeBigQuery('the harness of parity', (emulator) => {
  let both: Both
  beforeAll(async () => {
    both = await openBoth(emulator)
  }, patience)
  afterAll(() => both.close())

  it('opens both engines with the same relations', { timeout: patience }, async () => {
    expect(await relationsOf(both.bigquery)).toEqual(await relationsOf(both.duck))
    expect(both.judge.refused()).toEqual([])
    expect(both.judge.accepted()).toBeGreaterThan(20)
  })

  it('sees a row that differs, and a column', { timeout: patience }, async () => {
    const name = { schema: 'raw', name: 'seen' } as const
    for (const w of [both.duck, both.bigquery]) {
      await w.run(w.createSchema('raw'))
      await w.run(
        `create table ${w.name(name)} as select 1 as n, cast('1.50' as ${w.typeName('decimal(18,2)')}) as d, ${w.literal("a'\\b")} as t`,
      )
    }
    await sameRows(both.duck, both.bigquery, name)
    await both.bigquery.run(`update ${both.bigquery.name(name)} set d = d + 1 where true`)
    await expect(sameRows(both.duck, both.bigquery, name)).rejects.toThrow(/rows of raw\.seen/)
    await sameRows(both.duck, both.bigquery, name, { except: ['d'] })
    expect(differenceOf(['a', 'a'], ['a'])).toHaveLength(2)
  })

  it('refuses what only DuckDB understands', { timeout: patience }, async () => {
    const { bigquery: w, judge } = both
    await expect(w.all(`select '1'::int64 as n`)).rejects.toThrow(/Syntax error/)
    await expect(w.all(`select list_contains([1], 1)`)).rejects.toThrow(/Function not found/)
    await expect(w.run(`create table ${w.name({ schema: 'raw', name: 'x' })} (n varchar)`)).rejects.toThrow(/Type not/)
    expect(judge.refused()).toHaveLength(3)
  })

  it('knows the relations as they are now', { timeout: patience }, async () => {
    const { bigquery: w } = both
    const x = w.name({ schema: 'raw', name: 'x' })
    await w.run(`create table ${x} (a INT64, s ARRAY<STRUCT<k STRING, v NUMERIC>>)`)
    await w.all(`select t.a, (select sum(i.v) from unnest(t.s) as i) as v from ${x} as t`)
    await w.run(`alter table ${x} add column b STRING`)
    await w.all(`select t.b from ${x} as t`)
    await w.run(`create or replace view ${w.name({ schema: 'raw', name: 'y' })} as select t.b as c from ${x} as t`)
    await w.all(`select t.c, cdp.fold(t.c) as f from ${w.name({ schema: 'raw', name: 'y' })} as t`)
    await expect(w.all(`select t.a from ${w.name({ schema: 'raw', name: 'y' })} as t`)).rejects.toThrow(/a not found/)
  })

  it('fails on the way as it is told', { timeout: patience }, async () => {
    const { bigquery: w, duck, proxy } = both
    const z = { schema: 'raw', name: 'z' } as const
    await w.run(`create table ${w.name(z)} (n INT64)`)
    await duck.run(`create table ${duck.name(z)} (n BIGINT)`)
    proxy.clear()
    const inserts = (query: RegExp) => (seen: { readonly job: { readonly query: string | undefined } | undefined }) =>
      query.test(seen.job?.query ?? '')
    proxy.fail(inserts(/^insert/), 'lost')
    await w.run(`insert into ${w.name(z)} (n) values (1)`)
    proxy.fail(inserts(/^insert/), 'cut', { status: 503, reason: 'backendError' })
    await w.run(`insert into ${w.name(z)} (n) values (2)`)
    proxy.fail(inserts(/^insert/), 'job fails')
    await w.run(`insert into ${w.name(z)} (n) values (3)`)
    proxy.fail((seen) => seen.job?.load !== undefined, 'torn', 'lost')
    await w.load(z, ['n'], 'select 4 as n')
    expect(proxy.unmet()).toBe(0)
    expect(new Set(timesRun(proxy.seen).values())).toEqual(new Set([1]))
    await duck.run(`insert into ${duck.name(z)} (n) values (1), (2), (3), (4)`)
    await sameRows(duck, w, z)
  })
})
