// Where the portability check looks, and what it says of a text: each thing once, at its place, with the way to say it for both engines.
import { describe, expect, it } from 'vitest'
import { formatPlace } from '../../src/core/errors.ts'
import { checkPortability } from '../../src/models/portability/check.ts'
import { findUnportable } from '../../src/models/portability/find.ts'

const check = async (files: Readonly<Record<string, string>>, engines = ['duckdb', 'bigquery']): Promise<string[]> => {
  const list = Object.entries(files).map(([file, text]) => ({ file: `models/${file}`, text }))
  const problems = await checkPortability(list, { engines, folder: 'models' })
  return problems.map((problem) => {
    const found = 'found' in problem.args ? String(problem.args.found) : ''
    return `${problem.place ? formatPlace(problem.place) : '?'} ${problem.code} ${found}`.trim()
  })
}

const found = async (sql: string): Promise<string[]> =>
  (await findUnportable(sql, true)).map(({ complaint, start }) => `${start} ${complaint.found}`)

describe('a text for both engines', () => {
  it('has each thing named at its line and column of the file', async () => {
    expect(
      await check({
        'a.sql':
          "/*\nkind: table\n*/\nselect 'Nguyễn 😀' as n, x::varchar as v,\n       date_diff('day', a, b) as days\nfrom raw.t",
      }),
    ).toEqual(['models/a.sql:4:26 MODEL_PORTABILITY ::', 'models/a.sql:5:8 MODEL_PORTABILITY date_diff(…)'])
  })

  it('says why, and what to write instead', async () => {
    const files = [{ file: 'models/a.sql', text: 'select any_value(x) as x, cast(y as varchar) as y from raw.t' }]
    const [first, second] = await checkPortability(files, { engines: ['duckdb', 'bigquery'], folder: 'models' })
    expect([first?.message, first?.hint]).toEqual([
      'a uses any_value(…), which takes the first value that is not null on duckdb and any on bigquery.\n' +
        'select any_value(x) as x, cast(y as varchar) as y from raw.t\n       ^',
      'Write for both: min(x) or max(x).',
    ])
    expect([second?.message.split('\n')[0], second?.hint]).toEqual([
      'a uses varchar, which bigquery refuses.',
      'Write for both: string.',
    ])
  })

  it('is also the SQL of tests, in headers and in files', async () => {
    expect(
      await check({
        'a.sql': '/*\ntests:\n  - { unique: id }\n  - { expression: x // 2 = 1 }\n*/\nselect id, x from raw.t',
        'tests/t.sql': 'select * from a\nwhere x ilike y',
      }),
    ).toEqual(['models/a.sql:4 MODEL_PORTABILITY //', 'models/tests/t.sql:2:9 MODEL_PORTABILITY ilike'])
  })

  it('is no text that an engine has a file of its own for', async () => {
    expect(
      await check({
        'a.sql': 'select x::int64 as x from raw.t',
        'a.bigquery.sql': 'select safe_cast(x as int64) as x from raw.t',
        'b.duckdb.sql': 'select list(x) as x from raw.t',
        'b.bigquery.sql': 'select array_agg(x) as x from raw.t',
      }),
    ).toEqual([])
  })

  it('must be there for each engine', async () => {
    expect(await check({ 'a.duckdb.sql': 'select list(x) as x from raw.t' })).toEqual([
      'models/a.duckdb.sql MODEL_ENGINE models/a.duckdb.sql',
    ])
  })

  it('is nothing to speak of where all warehouses are of one engine', async () => {
    expect(await check({ 'a.sql': 'select x::varchar from raw.t' }, ['duckdb'])).toEqual([])
  })
})

describe('what is found', () => {
  it('is each thing once, in the order of the text', async () => {
    expect(await found("select greatest(a, b) as g, x ->> '$.y' as y from raw.t where a ~ 'b' and c == 1")).toEqual([
      '7 greatest(…)',
      '30 ->>',
      '64 ~',
      '76 ==',
    ])
  })

  it('leaves texts, comments and names after a dot alone', async () => {
    const sql = `select t.rows, t.interval, 'ilike :: "x" list(1)' as a -- list(x)
      /* x::int */ from raw.t t where t.filter = 'qualify'`
    expect(await found(sql)).toEqual([])
  })

  it('tells reserved words as names from the same words as keywords', async () => {
    expect(
      await found(
        'select sum(a) over (order by b desc rows between 1 preceding and current row) as s from raw.t left join raw.u using (id)',
      ),
    ).toEqual([])
    expect(await found('select rows, hash as h, x as at, y as user from raw.t')).toEqual([
      '7 rows as a name',
      '13 hash as a name',
      '29 at as a name',
    ])
    expect(await found('select a from raw.t as outer')).toEqual(['23 outer as a name'])
    expect(await found('with groups as (select 1 as a) select a from groups')).toEqual([
      '5 groups as a name',
      '45 groups as a name',
    ])
  })

  it('asks for a place for nulls only where order decides', async () => {
    expect(await found('select a from raw.t order by a')).toEqual([])
    expect(await found('select a from raw.t order by a, b desc, c nulls last limit 3')).toEqual([
      '29 order by without a place for nulls',
    ])
    expect(await found('select row_number() over (partition by a order by b) as n from raw.t')).toEqual([
      '50 order by without a place for nulls',
    ])
    expect(await found('select row_number() over w as n from raw.t window w as (order by b)')).toEqual([
      '65 order by without a place for nulls',
    ])
    expect(
      await found("select string_agg(a, ',' order by a is null, count(*), coalesce(b, 'x'), c desc) as l from raw.t"),
    ).toEqual([])
    expect(
      await found(
        'select sum(a) over (order by b nulls last) as s, ntile(5) over (order by b nulls last) as n from raw.t',
      ),
    ).toEqual(['29 nulls first or nulls last in an aggregate or a range of values'])
  })

  it('lets the clock be, which the compiler replaces', async () => {
    expect(
      await found('select now() as a, current_date as b, today() as c, current_timestamp as d from raw.t'),
    ).toEqual([])
  })

  it('tells an alias that hides a column from one that does not', async () => {
    expect(await found('select lower(t.email) as email, count(*) as n from raw.t t group by email')).toEqual([
      '68 group by an alias that hides a column',
    ])
    expect(await found('select lower(t.email) as address, count(*) as n from raw.t t group by address')).toEqual([])
    expect(await found('select t.email as email, count(*) as n from raw.t t group by email')).toEqual([])
  })

  it('wants names of a model’s columns, and of no others', async () => {
    expect(await found('select a, t.b, t.*, count(*), -a, a + b c, case when a then b end from raw.t t')).toEqual([
      '20 a column without a name',
      '30 a column without a name',
      '43 a column without a name',
    ])
    expect(await found('select a from raw.t where exists (select 1 from raw.u limit 1)')).toEqual([])
  })

  it('knows types that one engine has by another name, and what stands in no table', async () => {
    expect(
      await found('select cast(a as int) as a, cast(b as varchar(10)) as b, cast(c as hugeint) as c from raw.t'),
    ).toEqual(['7 int', '28 varchar', '57 hugeint'])
    expect(await found('select jaro_similarity(a, b) as j, net.host(u) as h, a <=> b as c from raw.t')).toEqual([
      '7 jaro_similarity(…)',
      '35 net.host(…)',
      '55 <=>',
    ])
  })

  it('is also a common word with more to it', async () => {
    expect(await found("select last_day(d, week) as a, cast(d as string format 'YYYY') as b from raw.t")).toEqual([
      '7 last_day(…)',
      "31 string format 'YYYY'",
    ])
    expect(await found('select a * .5 as x, 1. - b as y, .5 as z from raw.t')).toEqual([
      '11 arithmetic with a number such as 1.1',
      '20 arithmetic with a number such as 1.1',
    ])
    expect(await found('select last_value(a ignore nulls) over (order by b desc) as x from raw.t')).toEqual([])
  })

  it('is found where no parser can read the text', async () => {
    expect(await found('select a from raw.t x asof join raw.u y on x.a >= y.a')).toEqual(['22 asof join'])
  })
})
