// What only types show of a text for both engines: asked of DuckDB over relations that are there, without a row in them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findTyped } from '../../src/models/portability/find-typed.ts'
import { typedRules } from '../../src/models/portability/typed-rules.ts'
import type { Warehouse } from '../../src/warehouse/warehouse.ts'
import { inMemory } from './project.ts'

let duck: Warehouse
beforeAll(async () => {
  duck = await inMemory()
  await duck.run('create table t (n bigint, s varchar, d date, at_utc timestamptz, m decimal(18,2), b boolean, j json)')
  await duck.run('create table u (n bigint, s varchar, code varchar)')
})
afterAll(() => duck.close())

/** What is found in a text whose places are marked by `^`: the rules in their order, if each stands at its mark. */
const found = async (marked: string, isModel = true): Promise<readonly (string | undefined)[]> => {
  const findings = await findTyped(marked.replaceAll('^', ''), duck, isModel)
  const marks = [...marked.matchAll(/\^/g)].map(({ index }, at) => index - at)
  expect(findings.map(({ start }) => start)).toEqual(marks)
  return findings.map(
    ({ complaint }) =>
      Object.entries(typedRules).find(([, rule]) => rule.found === complaint.found)?.[0] ?? complaint.found,
  )
}

describe('operands of two types', () => {
  it.each([
    'select t.n from t join u on t.n ^= u.s',
    'select n from t where s ^> 5',
    "select n from t where n ^= '5'",
    'select n from t where d ^= s',
    'select n from t where d ^>= at_utc',
    'select n from t where b ^= 1',
    'select n from t where n ^between 1 and s',
    'select n from t where s ^in (1, 2)',
    'select n from t where s ^not in (select n from u)',
    "select case ^n when '1' then 'a' else 'b' end as x from t",
    'select ^nullif(n, s) as x from t',
    "select s, count(*) as c from t group by s having c ^> '2'",
    "select s from t qualify row_number() over (order by s desc) ^= '1'",
    'select n from t where exists (select 1 from u where u.code ^= t.n)',
    'with x as (select code as n from u) select t.n from t join x on x.n ^= t.n',
    "with x as (select n from t where n ^<> '') select n from x union all select n from t",
  ])('are named: %s', async (sql) => {
    expect(await found(sql)).toEqual(['comparison'])
  })

  it('are named where one value comes of them', async () => {
    expect(await found('select coalesce(^d, at_utc) as x, ^case when b then n else b end as y from t')).toEqual([
      'choice',
      'choice',
    ])
  })

  it.each([
    "select n from t where d >= '2026-10-01' and at_utc < '2026-10-01 08:00:00' and d in ('2026-10-01')",
    'select n from t where m > n and n = 1.5 and cdp.safe_int(s) = n',
    "select case when b then 'a' end as x, coalesce(s, null) as y, nullif(s, '') as z from t",
    "select max(s) as x from t having max(s) > 'a'",
  ])('are not what both engines take: %s', async (sql) => {
    expect(await found(sql)).toEqual([])
  })
})

describe('what is spelled in two ways', () => {
  it('is named where it becomes text, by what type it has there', async () => {
    const casts = 'select ^cast(at_utc as string) as a, ^cast(m as string) as b, ^cast(j as string) as c from t'
    expect(await found(casts)).toEqual(['castText', 'castText', 'castText'])
    expect(await found("select s ^|| at_utc as a, 'x' ^|| m as b from t")).toEqual(['castText', 'castText'])
    const same = 'select cast(n as string) as a, cast(d as string) as e, s || n as c, cast(b as string) as f from t'
    expect(await found(same)).toEqual([])
  })
})

describe('a difference of dates', () => {
  it.each([
    'select d ^- d as a, d - 1 as b, n - n as c from t',
    'select max(at_utc) ^- min(at_utc) as a from t',
    'select x.e ^- x.d as a from (select d, d + 1 as e from t) x',
  ])('is named whatever gives them: %s', async (sql) => {
    expect(await found(sql)).toEqual(['a date or an instant minus another'])
  })
})

describe('an alias', () => {
  it('is named where BigQuery knows columns alone', async () => {
    expect(await found('select n + 1 as x, ^x * 2 as y from t where ^x > 3')).toEqual(['alias', 'alias'])
    expect(await found('select n + 1 as x, count(*) as c from t group by x having x > 1 order by c')).toEqual([])
    expect(await found('select n + 1 as n, s as x from t where n > 3')).toEqual([])
    const outer = 'select s as x from t where exists (select 1 as n from u where u.s = t.s and t.n > 1)'
    expect(await found(outer)).toEqual([])
  })

  it('is named where it hides a column that GROUP BY takes on DuckDB', async () => {
    const hiding = 'select lower(t.s) as code, count(*) as c from t join u using (n) group by ^code'
    expect(await found(hiding)).toEqual(['group by an alias that hides a column'])
    expect(await found('select lower(s) as x, count(*) as c from t group by x')).toEqual([])
  })
})

describe('two columns of one name', () => {
  it.each([
    'select t.*, ^u.* from t join u using (n)',
    'select t.n, ^u.n from t join u using (n)',
    'select n as x, ^s as X from t union all select 1, s from t',
    'select ^* from t join u using (n)',
  ])('are named in the result of a model, not in that of a test: %s', async (sql) => {
    expect(await found(sql)).toEqual(['twice'])
    expect(await found(sql.replace('^', ''), false)).toEqual([])
  })

  const inner = 'with j as (select t.*, ^u.* from t join u on t.n = u.n)'
  it.each([
    `${inner} select * from j`,
    `${inner} select j.s as x from j`,
    'select k.n as x from (select t.*, ^u.* from t join u on t.n = u.n) k',
  ])('are named inside a statement where they are read: %s', async (sql) => {
    expect(await found(sql)).toEqual(['twice'])
  })

  it('are nothing to speak of where nobody reads them', async () => {
    expect(await found(`${inner.replace('^', '')} select count(*) as c, max(code) as x from j`)).toEqual([])
  })
})

describe('of a relation that is not known', () => {
  it('what the text itself tells is named, and nothing else', async () => {
    const casts = `select cast(a as timestamp) ^- cast(b as date) as x, ^cast(cdp.safe_timestamp(a) as string) as y
      from nowhere where cdp.safe_int(a) ^= cdp.to_text(b)`
    expect(await found(casts)).toEqual(['a date or an instant minus another', 'castText', 'comparison'])
    const columns = "select a - b as x, cast(a as string) as y, a + 1 as z from nowhere where a = '1' and z > 1"
    expect(await found(columns)).toEqual([])
  })

  it('nothing is asked where the parser cannot tell what is written', async () => {
    expect(await found('pivot t on s using sum(n)')).toEqual([])
    expect(await found('select from where')).toEqual([])
  })
})
