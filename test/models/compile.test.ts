// Files to compiled models: names, headers, order, clock, problems with their places, and the SQL that comes out byte for byte.
import { describe, expect, it } from 'vitest'
import { formatPlace, type CdpError } from '../../src/core/errors.ts'
import { compileModels, type CompiledModels, type ModelFacts } from '../../src/models/compile.ts'
import { render, type CompiledModel, type Speller } from '../../src/models/model.ts'

const speller: Speller = {
  name: ({ schema, name }) => `<${schema}.${name}>`,
  quote: (name) => `"${name}"`,
  literal: (text) => `'${text.replaceAll("'", "''")}'`,
  typeName: (type) => (type === 'timestamp' ? 'timestamptz' : type),
}
const instant = '2026-11-01T23:00:00.123Z'

const compile = (files: Readonly<Record<string, string>>, facts: Partial<ModelFacts> = {}): Promise<CompiledModels> =>
  compileModels(
    Object.entries(files).map(([file, text]) => ({ file: `models/${file}`, text })),
    { engine: 'duckdb', streams: ['shop_customers', 'shop_orders'], ...facts },
  )

const modelOf = ({ models, problems }: CompiledModels, name: string): CompiledModel => {
  expect(problems.map((problem) => problem.message)).toEqual([])
  const found = models.find((model) => model.name === name)
  if (!found) throw new Error(`no ${name}`)
  return found
}
const sqlOf = async (sql: string, others: readonly string[] = ['people', 'orders']): Promise<string> => {
  const files = Object.fromEntries(others.map((name) => [`${name}.sql`, 'select 1 as person_id']))
  return render(modelOf(await compile({ ...files, 'm.sql': sql }), 'm').sql, speller, instant)
}
const said = (problems: readonly CdpError[]): string[] =>
  problems.map((problem) => `${problem.place ? formatPlace(problem.place) : '?'} ${problem.code}: ${problem.message}`)
const problemsIn = async (files: Readonly<Record<string, string>>, facts?: Partial<ModelFacts>): Promise<string[]> =>
  said((await compile(files, facts)).problems)

describe('compiled SQL', () => {
  it('replaces names of relations and leaves every other byte alone', async () => {
    const sql = `select p.person_id,  'people -- 😀' as "people", c.Ten
from People p -- people
join raw.shop_customers c on c.id = p.person_id /* raw.shop_customers */
where exists (select 1 from cdp.person_redirects r where r.old_id = p.person_id)`
    expect(await sqlOf(sql)).toBe(`select p.person_id,  'people -- 😀' as "people", c.Ten
from <models.people> p -- people
join <raw.shop_customers> c on c.id = p.person_id /* raw.shop_customers */
where exists (select 1 from <cdp.person_redirects> r where r.old_id = p.person_id)`)
  })

  it('puts the run’s instant in place of the clock, with its parentheses', async () => {
    const at = "cast('2026-11-01T23:00:00.123Z' as timestamptz)"
    const sql = `select current_timestamp, now ( /* now() */ ), today(), current_date - 1, localtimestamp, localtime,
  o."current_date", o.today, 'now()' as now, get_current_timestamp() from orders o`
    expect(await sqlOf(sql))
      .toBe(`select ${at}, ${at}, cast('2026-11-01' as date), cast('2026-11-01' as date) - 1, cast('2026-11-01 23:00:00.123' as datetime), cast('23:00:00.123' as time),
  o."current_date", o.today, 'now()' as now, ${at} from <models.orders> o`)
    const { models } = await compile({ 'a.sql': 'select 1 as x', 'b.sql': 'select now() as x from a' })
    expect(models.map((model) => model.readsClock)).toEqual([false, true])
  })

  it('drops a closing semicolon and keeps a closing remark from swallowing what follows', async () => {
    expect(await sqlOf('select 1 as x ; ; -- done\n')).toBe('select 1 as x')
    expect(await sqlOf('select 1 as x -- done')).toBe('select 1 as x -- done\n')
    expect(await sqlOf("select ';' as x /* ; */")).toBe("select ';' as x /* ; */")
  })

  it('reads structures that only some dialects know', async () => {
    expect(await sqlOf('select * except (a), last_value(b ignore nulls) over (order by c) from people')).toContain(
      '<models.people>',
    )
    expect(await sqlOf('with x as materialized (select * from people) select * from x')).toContain(
      '(select * from <models.people>)',
    )
  })

  it('knows where the SQL starts, whatever stands before it', async () => {
    const header = '\uFEFF-- a remark\n/*\nkind: table\n*/'
    const { models, problems } = await compile({ 'm.sql': `${header} select x\nfrom nothere` })
    expect(models[0]).toMatchObject({ kind: 'table', sqlLine: 4, sqlColumn: 4 })
    expect(said(problems)[0]).toContain('models/m.sql:5:6 UNKNOWN_MODEL')
    const second = await problemsIn({ 'm.sql': `${header} select x from nothere` })
    expect(second[0]).toContain('models/m.sql:4:18 UNKNOWN_MODEL')
  })
})

describe('names', () => {
  it('are unique across folders, and differ by more than case', async () => {
    const problems = await problemsIn({ 'a/people.sql': 'select 1', 'b/People.sql': 'select 2' })
    expect(problems).toEqual([
      'models/b/People.sql MODEL_DUPLICATE: Two models are called People: models/a/people.sql and models/b/People.sql.',
    ])
  })

  it('are names that need no quotes, and never the engine’s own', async () => {
    const problems = await problemsIn({
      '1st.sql': 'select 1',
      'a-b.sql': 'select 1',
      'a.snowflake.sql': 'select 1',
      '_cdp_new_x.sql': 'select 1',
    })
    expect(problems).toHaveLength(4)
    expect(
      modelOf(
        await compile({ 'khách_hàng.sql': 'select 1 as x', 'm.sql': `select x from ${'khách_hàng'.normalize('NFD')}` }),
        'm',
      ).reads,
    ).toEqual(['khách_hàng'])
  })

  it('that are unknown come with their place and the nearest one', async () => {
    const problems = await problemsIn({
      'people.sql': "select 'Nguyễn 😀' as x, 1 as y from raw.shop_custmers",
      'm.sql':
        '/*\nkind: view\n*/\nselect *\nfrom peple p join shop_orders o on true\njoin cdp.person_redirect r on true\njoin main.people q on cdp.normalise_email(o.x) = 1',
    })
    expect(problems).toEqual([
      'models/m.sql:5:6 UNKNOWN_MODEL: m reads peple, which is no model. Did you mean "people"?',
      'models/m.sql:5:19 UNKNOWN_MODEL: m reads shop_orders, which is no model. Did you mean "raw.shop_orders"?',
      'models/m.sql:6:6 UNKNOWN_RELATION: m reads cdp.person_redirect, which is not a relation of the engine. Did you mean "cdp.person_redirects"?',
      'models/m.sql:7:6 UNKNOWN_MODEL: m reads main.people, which is no model. Did you mean "people"?',
      'models/m.sql:7:23 UNKNOWN_FUNCTION: m calls cdp.normalise_email, which is not a portable function. Did you mean "cdp.normalize_email"?',
      'models/people.sql:1:37 UNKNOWN_STREAM: people reads raw.shop_custmers, which no source of the project lands. Did you mean "raw.shop_customers"?',
    ])
  })

  it('of files and of functions that read files are refused', async () => {
    const problems = await problemsIn({
      'a.sql': "select * from 'data/x.csv'",
      'b.sql': "select * from read_csv('x.csv')",
    })
    expect(problems.map((text) => text.split(': ')[0])).toEqual([
      'models/a.sql:1:15 MODEL_FILE',
      'models/b.sql:1:15 MODEL_FILE',
    ])
  })
})

describe('what would differ in every run', () => {
  it('is an error where it is random or a clock that cannot be replaced', async () => {
    const problems = await problemsIn({
      'a.sql': 'select random() as r,\n uuid() as u, t.random from (select 1 as random) t',
      'b.sql': "select current_timestamp(3) as x, age(t) as y from (select date_trunc('day', now()) as t) z",
      'c.sql': '/*\nreads: [a]\n*/ select * from a using sample 10 rows',
    })
    expect(problems.map((text) => text.split(': ')[0])).toEqual([
      'models/a.sql:1:8 MODEL_RANDOM',
      'models/a.sql:2:2 MODEL_RANDOM',
      'models/b.sql:1:8 MODEL_CLOCK',
      'models/b.sql:1:35 MODEL_CLOCK',
      'models/c.sql:3:20 MODEL_RANDOM',
    ])
    expect(problems[2]).toContain('current_timestamp(3)')
  })
})

describe('the order', () => {
  it('puts each model after what it reads', async () => {
    const { models, problems } = await compile({
      'a.sql': 'select * from c',
      'b.sql': 'select 1 as x',
      'c.sql': 'select * from b',
    })
    expect(problems).toEqual([])
    expect(models.map((model) => model.name)).toEqual(['b', 'c', 'a'])
  })

  it('names a circle with the place of every edge, and every circle', async () => {
    const problems = await problemsIn({
      'a.sql': 'select *\nfrom b',
      'b.sql': 'select * from c',
      'c.sql': 'select * from a',
      'd.sql': 'select 1 from d',
    })
    expect(problems).toEqual([
      'models/a.sql:2:6 MODEL_CYCLE: These models read each other in a circle: a -> b -> c -> a (models/a.sql:2:6, models/b.sql:1:15, models/c.sql:1:15).',
      'models/d.sql:1:15 MODEL_CYCLE: These models read each other in a circle: d -> d (models/d.sql:1:15).',
    ])
  })
})

describe('a header', () => {
  it('may be left out', async () => {
    expect(modelOf(await compile({ 'm.sql': 'select 1 as x' }), 'm')).toMatchObject({
      kind: 'view',
      tags: [],
      refresh: 'run',
      reads: [],
    })
  })

  it('is checked key by key, with line and near name', async () => {
    const problems = await problemsIn({
      'a.sql':
        '/*\nkind: incremental\nkey: id\ncursor: at\nlookbak: 3d\nowner: 3\ntests:\n  - { uniqe: id }\n*/\nselect 1 as id',
      'b.sql': '/*\nkind: tabel\n*/\nselect 1',
      'c.sql': '/* just a remark */ select 1',
      'd.sql': '/*\nkind: table\ntags: [a\n*/\nselect 1',
      'e.sql': '/*\nkind: incremental\nkey: id\n*/\nselect 1',
      'f.sql': '/*\nkind: view',
      'g.sql': '/*\nkind: view\nfreshness: soon\nkey: id\n*/ select 1',
    })
    expect(problems).toEqual([
      'models/a.sql:5 MODEL_HEADER: The header of a is wrong: there is no "lookbak" here. Did you mean "lookback"?',
      'models/a.sql:6 MODEL_HEADER: The header of a is wrong: "owner" must be text.',
      'models/a.sql:8 MODEL_HEADER: The header of a is wrong: there is no "uniqe" here. Did you mean "unique"?',
      'models/b.sql:2 MODEL_HEADER: The header of b is wrong: "kind" must be view, table, incremental, identity, profile or segment. Did you mean "table"?',
      'models/c.sql:1:1 MODEL_HEADER: The header of c is wrong: it is not a list of `key: value` lines; a remark before a model starts with --.',
      expect.stringMatching(/^models\/d\.sql:4:\d+ MODEL_HEADER: The header of d is wrong: Flow sequence/),
      'models/e.sql:2 MODEL_HEADER: The header of e is wrong: "cursor" is missing.',
      'models/f.sql:1 MODEL_HEADER: The header of f is wrong: its comment has no end.',
      'models/g.sql:3 MODEL_HEADER: The header of g is wrong: "freshness" must be a length of time such as 90m, 36h or 2d.',
      'models/g.sql:4 MODEL_HEADER: The header of g is wrong: there is no "key" here. Known: kind, description, owner, tags, tests, refresh, reads, freshness, maximum_bytes_billed.',
    ])
  })

  it('gives what it says', async () => {
    const header =
      '/*\nkind: incremental\nkey: [id, day]\ncursor: at\nlookback: 3d\ntags: [daily]\nowner: crm\nrefresh: day\nfreshness: 36h\ndescription: Đơn hàng\n*/\n'
    expect(modelOf(await compile({ 'm.sql': `${header}select 1 as id, 2 as day, 3 as at` }), 'm')).toMatchObject({
      kind: 'incremental',
      header: { key: ['id', 'day'], cursor: 'at', lookback: '3d' },
      tags: ['daily'],
      owner: 'crm',
      refresh: 'day',
      freshnessMs: 36 * 36e5,
      description: 'Đơn hàng',
      sqlLine: 12,
    })
  })

  it('may name what the SQL reads where no parser can tell', async () => {
    const files = {
      'people.sql': 'select 1 as a, 2 as b',
      'm.sql': '/*\nreads: [people]\n*/\npivot people on a using sum(b)',
    }
    const model = modelOf(await compile(files), 'm')
    expect(model.reads).toEqual(['people'])
    expect(render(model.sql, speller, instant)).toBe('pivot <models.people> on a using sum(b)')
    const wrong = await problemsIn({ 'm.sql': '/*\nkind: view\nreads:\n  - people\n*/\nselect 1' })
    expect(wrong[0]).toContain('models/m.sql:4 UNKNOWN_MODEL')
  })
})

describe('what cannot be read', () => {
  it('is shown with its line and a caret', async () => {
    const { problems } = await compile({ 'm.sql': "/* kind: view */\nselect 'Đặng 😀' as x,\n  a b c from people" })
    expect(said(problems)).toEqual([
      'models/m.sql:3:7 MODEL_SYNTAX: The SQL of m cannot be read: Expected: end of statement, found: c.\n  a b c from people\n      ^',
    ])
    expect(problems[0]?.hint).toContain('reads: [')
  })

  it('is told that there are no templates', async () => {
    const { problems } = await compile({ 'm.sql': "select * from {{ ref('people') }}" })
    expect(problems[0]?.hint).toContain('no templates')
  })

  it('and an empty file are problems, and no problem hides another', async () => {
    const problems = await problemsIn({
      'a.sql': '/* kind: table */\n-- later\n',
      'b.sql': 'selct 1',
      'c.sql': 'select * from nothere',
      'd.sql': 'select 1; select 2',
    })
    expect(problems.map((text) => text.split(': ')[0])).toEqual([
      'models/a.sql MODEL_SYNTAX',
      'models/b.sql:1:1 MODEL_SYNTAX',
      'models/c.sql:1:15 UNKNOWN_MODEL',
      'models/d.sql:1:9 MODEL_SYNTAX',
    ])
  })
})

describe('overrides for one engine', () => {
  const files = {
    'people.sql': '/*\nkind: table\ntags: [base]\n*/\nselect 1 as x',
    'people.duckdb.sql': 'select 2 as x',
    'other.sql': 'select 3 as y',
    'other.bigquery.sql': '/*\nkind: table\n*/\nselect 4 as y',
  }

  it('take the place of the SQL and keep the header unless they have one', async () => {
    const onDuck = await compile(files)
    expect(modelOf(onDuck, 'people')).toMatchObject({
      file: 'models/people.duckdb.sql',
      kind: 'table',
      tags: ['base'],
      sql: ['select 2 as x'],
    })
    expect(modelOf(onDuck, 'other')).toMatchObject({ file: 'models/other.sql', kind: 'view' })
    const onBigQuery = await compile(files, { engine: 'bigquery' })
    expect(modelOf(onBigQuery, 'people')).toMatchObject({ file: 'models/people.sql', sql: ['select 1 as x'] })
    expect(modelOf(onBigQuery, 'other')).toMatchObject({ kind: 'table', sql: ['select 4 as y'] })
  })

  it('without SQL for the engine are a problem', async () => {
    expect(await problemsIn({ 'm.bigquery.sql': 'select 1' })).toEqual([
      'models/m.bigquery.sql MODEL_ENGINE: m has no SQL for duckdb, only models/m.bigquery.sql.',
    ])
  })
})

const fingerprintOf = async (text: string): Promise<string> =>
  modelOf(await compile({ 'm.sql': text }), 'm').fingerprint

describe('the fingerprint', () => {
  it('changes with SQL, kind and the kind’s keys, not with tests, words or tags', async () => {
    const first = await fingerprintOf('/* kind: table */ select 1 as x, 2 as t')
    expect(
      await fingerprintOf(
        '/*\nkind: table\ndescription: words\ntags: [a]\nowner: b\ntests: [{ unique: x }]\n*/\nselect 1 as x, 2 as t',
      ),
    ).toBe(first)
    const others = [
      '/* kind: view */ select 1 as x, 2 as t',
      '/* kind: table */ select 2 as x, 2 as t',
      '/*\nkind: incremental\nkey: x\ncursor: t\n*/ select 1 as x, 2 as t',
      '/*\nkind: incremental\nkey: t\ncursor: t\n*/ select 1 as x, 2 as t',
    ]
    expect(new Set([first, ...(await Promise.all(others.map(fingerprintOf)))]).size).toBe(5)
  })
})

const testsOf = (result: CompiledModels, name: string): [string, string, string[]][] =>
  modelOf(result, name).tests.map((test) => [test.name, render(test.sql, speller, instant), [...test.reads]])

const related = (to: string): string => `/*\ntests: [{ relationships: { column: x, to: ${to}, field: x } }]\n*/\n`

describe('tests of models', () => {
  it('become SELECTs of the rows that fail', async () => {
    const header = `/*
tests:
  - { unique: person_id }
  - { unique: [source, record_id] }
  - { not_null: [a, b], severity: warn }
  - { accepted_values: { column: status, values: [new, "it's", 3, true] } }
  - { relationships: { column: person_id, to: people, field: id } }
  - { expression: "total >= 0 or person_id in (select id from people)" }
*/
`
    const result = await compile({ 'people.sql': 'select 1 as id', 'm.sql': `${header}select * from raw.shop_orders` })
    expect(testsOf(result, 'm')).toEqual([
      [
        'unique(person_id)',
        'select "person_id", count(*) as occurrences from <models.m> where "person_id" is not null group by "person_id" having count(*) > 1',
        [],
      ],
      [
        'unique(source, record_id)',
        'select "source", "record_id", count(*) as occurrences from <models.m> where "source" is not null and "record_id" is not null group by "source", "record_id" having count(*) > 1',
        [],
      ],
      ['not_null(a)', 'select * from <models.m> where "a" is null', []],
      ['not_null(b)', 'select * from <models.m> where "b" is null', []],
      [
        'accepted_values(status)',
        `select "status", count(*) as occurrences from <models.m> where "status" not in ('new', 'it''s', 3, true) group by "status"`,
        [],
      ],
      [
        'relationships(person_id -> people.id)',
        'select one.* from <models.m> one where one."person_id" is not null and not exists (select 1 from <models.people> other where other."id" = one."person_id")',
        ['people'],
      ],
      [
        'expression(total >= 0 or person_id in (select id from people))',
        'select * from <models.m> where not (\ntotal >= 0 or person_id in (select id from <models.people>)\n)',
        ['people'],
      ],
    ])
    expect(modelOf(result, 'm').tests.map((test) => [test.severity, test.line])).toEqual([
      ['error', 3],
      ['error', 4],
      ['warn', 5],
      ['warn', 5],
      ['error', 6],
      ['error', 7],
      ['error', 8],
    ])
  })

  it('are built after what they read: such a model comes first, or the test moves', async () => {
    const first = await compile({ 'a.sql': `${related('z')}select 1 as x`, 'z.sql': 'select 1 as x' })
    expect(first.models.map((model) => model.name)).toEqual(['z', 'a'])
    const moved = await compile({ 'a.sql': `${related('z')}select 1 as x`, 'z.sql': 'select * from a' })
    expect(moved.models.map((model) => model.name)).toEqual(['a', 'z'])
    expect(testsOf(moved, 'a')).toEqual([])
    expect(testsOf(moved, 'z').map(([name, , reads]) => [name, reads])).toEqual([['a: relationships(x -> z.x)', ['a']]])
  })

  it('may be files, which belong to the last of the models they read', async () => {
    const result = await compile({
      'a.sql': 'select 1 as x',
      'b.sql': 'select * from a',
      'tests/deep/no_gap.sql': '/*\nseverity: warn\n*/\nselect * from a left join b using (x) where b.x is null;',
    })
    expect(testsOf(result, 'a')).toEqual([])
    expect(modelOf(result, 'b').tests).toMatchObject([
      { name: 'no_gap', model: 'b', severity: 'warn', reads: ['a'], file: 'models/tests/deep/no_gap.sql', line: 4 },
    ])
  })

  it('that are wrong say so, with their line', async () => {
    const problems = await problemsIn({
      'm.sql':
        '/*\ntests:\n  - { unique: a, not_null: a }\n  - { severity: warn }\n  - { relationships: { column: a, to: nothere, field: b } }\n  - { unique: a }\n  - { unique: a }\n  - { expression: "a > (select b from nowhere)" }\n*/\nselect 1 as a',
      'tests/t.sql': 'select * from raw.shop_orders',
      'tests/u.sql': '/*\nseverty: warn\n*/\nselect * from m',
    })
    expect(problems).toEqual([
      'models/m.sql:3 MODEL_HEADER: The header of m is wrong: a test has exactly one of unique, not_null, accepted_values, relationships, expression; this one has unique and not_null.',
      'models/m.sql:4 MODEL_HEADER: The header of m is wrong: a test has exactly one of unique, not_null, accepted_values, relationships, expression; this one has none.',
      'models/m.sql:5 MODEL_HEADER: The header of m is wrong: the test relationships names nothere, which is no model.',
      'models/m.sql:7 MODEL_HEADER: The header of m is wrong: the test unique(a) stands twice.',
      'models/m.sql:8 UNKNOWN_MODEL: m reads nowhere, which is no model.',
      'models/tests/t.sql:1 TEST_READS_NOTHING: The test t reads no model, so no build would ever run it.',
      'models/tests/u.sql:2 MODEL_HEADER: The header of u is wrong: there is no "severty" here. Did you mean "severity"?',
    ])
  })
})
