// What a statement reads, on SQL that is made to mislead: every case is read by the SQL parser and by DuckDB's own, which must agree.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { splitFile } from '../../src/models/header.ts'
import { readByEngine } from '../../src/models/references/engine.ts'
import { readByName } from '../../src/models/references/named.ts'
import { readBySqlParser } from '../../src/models/references/sqlparser.ts'
import type { Reading, Reference } from '../../src/models/references/reference.ts'
import { duckdb } from '../../src/warehouse/define-duckdb.ts'
import { openWarehouse, type Warehouse } from '../../src/warehouse/warehouse.ts'

let warehouse: Warehouse
beforeAll(async () => {
  const options = { root: '/tmp', mode: 'write', waitMs: 0, clock: systemClock } as const
  warehouse = await openWarehouse(duckdb({ path: ':memory:' }), options)
})
afterAll(() => warehouse.close())

const referencesOf = (reading: Reading | undefined): readonly Reference[] => {
  if (reading === undefined || !('references' in reading)) throw new Error(JSON.stringify(reading))
  return reading.references
}

/** The relations in the order of the text, as written there. */
const relations = (sql: string, references: readonly Reference[]): string[] =>
  references
    .filter((reference) => reference.kind === 'relation')
    .toSorted((a, b) => a.start - b.start)
    .map(({ start, end }) => sql.slice(start, end))

const cases: readonly (readonly [string, string, readonly string[]])[] = [
  ['a join', 'select * from people p join raw.shop_customers c on c.id = p.id', ['people', 'raw.shop_customers']],
  ['a CTE hides a model in its query', 'with people as (select 1 as a) select * from people', []],
  [
    'a CTE may read the model it is named like',
    'with people as (select * from people) select * from people',
    ['people'],
  ],
  [
    'a CTE is known to the CTEs after it, not to those before',
    'with a as (select * from b), b as (select * from a), c as (select * from b) select * from c, b',
    ['b'],
  ],
  [
    'a CTE of a subquery hides only there',
    'select * from (with people as (select 1 as x) select * from people) s, people',
    ['people'],
  ],
  [
    'a CTE of an outer query hides in subqueries',
    'with people as (select 1 as x) select * from t where x in (select x from people)',
    ['t'],
  ],
  [
    'a nested CTE hides the outer one and ends with its query',
    'with a as (with b as (select * from c) select * from b) select * from a join b using (x)',
    ['c', 'b'],
  ],
  [
    'a recursive CTE reads itself',
    'with recursive r as (select 1 as n union all select n + 1 from r where n < 5) select * from r join t on t.n = r.n',
    ['t'],
  ],
  ['names of CTEs differ only in case', 'with People as (select 1 as x) select * from PEOPLE', []],
  [
    'set operations',
    'select a from t union all (select a from u except select a from v) intersect select a from w',
    ['t', 'u', 'v', 'w'],
  ],
  ['a union of CTEs and models', 'with t as (select 1 as a) select a from t union select a from u', ['u']],
  [
    'exists, in, scalar and any',
    'select (select max(x) from a) from b where exists (select 1 from c) and y in (select y from d) and z = any (select z from e)',
    ['a', 'b', 'c', 'd', 'e'],
  ],
  ['a lateral subquery', 'select * from t, lateral (select * from u where u.id = t.id) l', ['t', 'u']],
  ['subqueries in join conditions', 'select * from t join u on t.id = (select max(id) from v)', ['t', 'u', 'v']],
  [
    'subqueries in order by, group by, having and qualify',
    'select a from t group by (select 1 from u) having count(*) > (select 1 from v) order by (select 1 from w)',
    ['t', 'u', 'v', 'w'],
  ],
  [
    'subqueries in case and in arguments',
    'select case when a then (select 1 from t) else coalesce((select 2 from u), 3) end from v',
    ['t', 'u', 'v'],
  ],
  ['columns named like models', 'select people.people as people from people where people.people > 1', ['people']],
  ['an alias named like a model', 'select records.x from people records', ['people']],
  ['names in comments', '-- from a\nselect /* from b, /* c */ */ x from t -- join d', ['t']],
  ['names in texts', "select 'from a', 'it''s from b', $$ from c $$ from t where x = e'\\' from d'", ['t']],
  [
    'quoted identifiers',
    'select "from", "t"."x y" from "t" join raw."shop_customers" using ("from a")',
    ['"t"', 'raw."shop_customers"'],
  ],
  [
    'letters before it on the line',
    "select 'Nguyễn Thị 😀🎉' as tên, n.at from t n join u on u.x = 'Đặng'",
    ['t', 'u'],
  ],
  ['decomposed letters before it', `select '${'Nguyễn'.normalize('NFD')}' as x from t`, ['t']],
  ['at and end as columns', 'select n.at, n."end" from t n where n.at is not null', ['t']],
  [
    'qualify and windows',
    'select a from t qualify row_number() over (partition by a order by (select 1 from u)) = 1',
    ['t', 'u'],
  ],
  [
    'values and table functions',
    'select * from (values (1, 2)) v(a, b), generate_series(1, 3) g(i), t, unnest([1]) u(x)',
    ['t'],
  ],
  [
    'using and natural joins',
    'select * from t natural join u full join v using (a) left join w on true',
    ['t', 'u', 'v', 'w'],
  ],
  ['parenthesised joins', 'select * from (t join u on true) cross join ((select * from v)) x', ['t', 'u', 'v']],
  [
    'aggregates with filter and order',
    "select count(*) filter (where x in (select x from u)), string_agg(a, ',' order by b) from t",
    ['u', 't'],
  ],
  [
    'lambdas, lists, structs and casts',
    "select list_transform(l, x -> x + 1), {'a': 1}.a, [1, 2][1], x::integer from t",
    ['t'],
  ],
  ['grouping sets', 'select a, count(*) from t group by grouping sets ((a), ())', ['t']],
  ['names over several lines', 'select *\nfrom\n  raw\n  .\n  shop_customers c', ['raw\n  .\n  shop_customers']],
  ['from first', 'from t select a where b in (from u select b)', ['t', 'u']],
  ['semi and anti joins', 'select * from t semi join u using (a) anti join v using (a)', ['t', 'u', 'v']],
]

describe('references', () => {
  for (const [title, sql, expected] of cases) {
    it(`${title}, by both parsers`, async () => {
      expect(relations(sql, referencesOf(await readBySqlParser(sql, 'duckdb')))).toEqual(expected)
      expect(relations(sql, referencesOf(await readByEngine(sql, warehouse)))).toEqual(expected)
    })
  }

  const onlyEngine: readonly (readonly [string, string, readonly string[]])[] = [
    ['asof joins', 'select * from t asof join u on t.a >= u.a', ['t', 'u']],
    ['samples', "select 'Đỗ 😀' as x from t using sample 10 rows", ['t']],
    ['list comprehensions', 'select [x + 1 for x in l if x > 2] from t where a in (select a from u)', ['t', 'u']],
    ['table statements', 'select * from (table t) x, u', ['t', 'u']],
    ['a CTE beside an asof join', 'with t as (select * from t) select * from t asof join u on t.a >= u.a', ['t', 'u']],
  ]
  for (const [title, sql, expected] of onlyEngine) {
    it(`${title}, which only the engine reads`, async () => {
      expect(await readBySqlParser(sql, 'duckdb')).toHaveProperty('problem')
      expect(relations(sql, referencesOf(await readByEngine(sql, warehouse)))).toEqual(expected)
    })
  }

  it('reads BigQuery’s backticks, structs and correlated arrays', async () => {
    const sql = 'select t.x, `y` from `raw.shop_orders` t, t.items, unnest(t.tags) tag join `people` using (id)'
    expect(relations(sql, referencesOf(await readBySqlParser(sql, 'bigquery')))).toEqual([
      '`raw.shop_orders`',
      '`people`',
    ])
    const struct =
      'select struct(a as b), array(select x from u) from t, t.list where safe.parse_date("%Y from v", a) > b'
    expect(relations(struct, referencesOf(await readBySqlParser(struct, 'bigquery')))).toEqual(['u', 't'])
  })

  it('does not tell PIVOT apart, and then goes by the names it is given', async () => {
    const sql = 'pivot (select a, people from people) on a using sum(b); -- people\n'
    expect(await readByEngine(sql, warehouse)).toBeUndefined()
    expect(relations(sql, readByName(sql, ['people'], { backslashes: false }))).toEqual(['people'])
    const more =
      "pivot raw.shop_orders on a -- from raw.shop_orders\nusing count(*), 'raw.shop_orders', (select 1 from x, people p join people on people.a = p.a)"
    expect(relations(more, readByName(more, ['people', 'raw.shop_orders'], { backslashes: false }))).toEqual([
      'raw.shop_orders',
      'people',
      'people',
    ])
  })

  for (const folder of ['models', 'test/fixtures/example/models']) {
    it(`reads every model of ${folder} alike by both parsers`, async () => {
      const root = fileURLToPath(new URL(`../../${folder}/`, import.meta.url))
      const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.sql'))
      expect(files.length).toBeGreaterThan(5)
      for (const file of files) {
        const { sql } = splitFile(readFileSync(join(root, file), 'utf8'), { backslashes: false })
        const [first, second] = [await readBySqlParser(sql, 'duckdb'), await readByEngine(sql, warehouse)]
        expect([file, relations(sql, referencesOf(first))]).toEqual([file, relations(sql, referencesOf(second))])
      }
    })
  }

  it('says where a statement cannot be read, in code points', async () => {
    const sql = "select 'ễ😀' as x,\n  'Đ😀' y z, end from t"
    const reading = await readBySqlParser(sql, 'duckdb')
    expect(reading).toMatchObject({ problem: { index: sql.indexOf(' z') + 1 } })
    const engine = await readByEngine(sql, warehouse)
    expect(engine).toMatchObject({ problem: { index: sql.indexOf(' z') + 1 } })
  })

  it('refuses what changes data', async () => {
    expect(await readBySqlParser('insert into t select 1', 'duckdb')).toHaveProperty('problem')
    expect(await readBySqlParser('with a as (delete from t returning x) select * from a', 'postgresql')).toHaveProperty(
      'problem',
    )
    expect(await readBySqlParser('select 1; select 2', 'duckdb')).toHaveProperty('problem')
  })
})
