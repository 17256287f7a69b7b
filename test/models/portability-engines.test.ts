// Projects for two engines: what `cdp check` says of each engine's own SQL, what loading warns of, and names as BigQuery's models write them.
import { afterEach, describe, expect, it } from 'vitest'
import { compileModels } from '../../src/models/compile.ts'
import { checkProject, type CheckedProject } from '../../src/project/check.ts'
import { folderOf, removeFolders, said, shop } from '../project/folder.ts'

afterEach(removeFolders)

const config = shop['cdp.config.ts'] ?? ''
const production = `production: bigquery({ project: 'p', location: 'EU', datasets: { raw: 'r', models: 'm', cdp: 'c' } }),`
const both = {
  ...shop,
  'cdp.config.ts': config
    .replace('import { defineProject, duckdb', 'import { bigquery, defineProject, duckdb')
    .replace(/other: duckdb\(.*\),/, production),
}
const cloud = { ...both, 'cdp.config.ts': both['cdp.config.ts'].replace(/local: duckdb\(.*\),/, '') }

const check = async (files: Readonly<Record<string, string>>, target?: string): Promise<CheckedProject> => {
  const { compiled, modelFiles, engines, modelsFolder: folder } = await folderOf(files).load(target)
  const columns = ['id', 'email', 'name'].map((name) => ({ name, type: 'text' as const }))
  const sniff = (): Promise<typeof columns> => Promise.resolve(columns)
  return checkProject({ project: compiled, modelFiles, engines, folder, sniff, instant: '2026-11-01T23:00:00.000Z' })
}
const problems = async (files: Readonly<Record<string, string>>, target?: string): Promise<string[]> =>
  (await check({ ...both, ...files }, target)).problems.map((problem) => said(problem).split('\n')[0] ?? '')

describe('a project for two engines', () => {
  it.each([undefined, 'production'])('has what is not common as errors of a check, for target %s', async (target) => {
    expect(await problems({ 'models/a.sql': 'select email::varchar as email from people' }, target)).toEqual([
      'models/a.sql:1:13 MODEL_PORTABILITY: a uses ::, which bigquery refuses.',
    ])
    expect(await problems({}, target)).toEqual([])
  })

  it('is loaded all the same, with a warning for each file', async () => {
    const files = { 'models/a.sql': 'select email::varchar as email, list(name) as l from people group by 1' }
    const { compiled } = await folderOf({ ...both, ...files }).load()
    expect(compiled.warnings.filter((warning) => warning.file === 'models/a.sql')).toEqual([
      { message: 'does not mean the same on duckdb and bigquery (2 places): see cdp check.', file: 'models/a.sql' },
    ])
    expect(
      (await folderOf({ ...shop, ...files }).load()).compiled.warnings.map((warning) => warning.file),
    ).not.toContain('models/a.sql')
  })

  it('finds what is wrong in the SQL of the other engine', async () => {
    expect(
      await problems({
        'models/a.sql': 'select email from people',
        'models/a.bigquery.sql': 'select email from `peeple`',
        'models/b.duckdb.sql': 'select email from people',
        'models/c.sql': 'select email from b',
      }),
    ).toEqual([
      'models/b.duckdb.sql MODEL_ENGINE: b has no SQL for bigquery, only models/b.duckdb.sql.',
      'models/a.bigquery.sql:1:19 UNKNOWN_MODEL: a reads peeple, which is no model. Did you mean "people"?',
    ])
  })

  it('has models prepared by DuckDB from their own SQL for it, whatever the target is', async () => {
    const files = {
      'models/a.duckdb.sql': 'select email, list(name) as names from people group by email',
      'models/a.bigquery.sql': 'select email, array_agg(name ignore nulls) as names from `people` group by email',
      'models/b.sql': 'select email, names from a',
    }
    for (const target of ['local', 'production']) {
      const checked = await check({ ...both, ...files }, target)
      expect(checked.problems.map(said)).toEqual([])
      expect(checked.columns.get('b')?.map((column) => column.name)).toEqual(['email', 'names'])
    }
  })
})

describe('what types show', () => {
  const people = 'select email, name from people'
  it('is named at its place, by the types of landed data and of the models before it', async () => {
    const found = await problems({
      'models/a.sql': `/*\nkind: view\n*/\n${people}`,
      'models/n.sql': 'select email, count(*) as n, current_timestamp as at_utc from a group by email',
      'models/z.sql': `select 'Nguyễn 😀' as hi, a.*, n.*\nfrom a join n\n  on n.n = a.email`,
      'models/y.sql': 'select cast(at_utc as string) as t, at_utc - at_utc as i from n',
    })
    expect(found).toEqual([
      'models/y.sql:1:8 MODEL_PORTABILITY: y uses cast(x as string), or x || text, of an instant, a number with decimals, or what has parts, which is spelled in another way on each engine.',
      'models/y.sql:1:44 MODEL_PORTABILITY: y uses a date or an instant minus another, which gives days on duckdb and an interval on bigquery.',
      'models/z.sql:1:31 MODEL_PORTABILITY: z uses two columns of one name in a result, which bigquery refuses.',
      'models/z.sql:3:10 MODEL_PORTABILITY: z uses a comparison of two types, which bigquery refuses (number with text).',
    ])
  })

  it('is named of tests, in headers and in files', async () => {
    const found = await problems({
      'models/n.sql': 'select email, count(*) as n from people group by email',
      'models/a.sql':
        "/*\ntests:\n  - { expression: n > '1' }\n  - { relationships: { column: email, to: n, field: n } }\n*/\nselect email, n from n",
      'models/tests/t.sql': '/*\nseverity: warn\n*/\nselect n\nfrom a where email = n',
    })
    const compared = 'uses a comparison of two types, which bigquery refuses'
    expect(found).toEqual([
      `models/a.sql:3 MODEL_PORTABILITY: a ${compared} (number with text).`,
      `models/a.sql:4 MODEL_PORTABILITY: a ${compared} (number with text).`,
      `models/tests/t.sql:5:20 MODEL_PORTABILITY: t ${compared} (text with number).`,
    ])
  })

  it('is nothing where SQL is for one engine, or a project has one', async () => {
    const files = {
      'models/n.duckdb.sql': 'select email from people where email = 1',
      'models/n.bigquery.sql': 'select email from `people`',
    }
    expect(await problems(files)).toEqual([])
    const alone = await check({ ...shop, 'models/n.sql': 'select email from people where email = 1' })
    expect(alone.problems.map(said)).toEqual([])
  })
})

describe('a project for BigQuery alone', () => {
  it('may write GoogleSQL, which DuckDB is not asked to judge', async () => {
    const checked = await check({
      ...cloud,
      'models/a.sql': 'select email, safe_cast(name as int64) as n from `people`',
      'models/b.sql': 'select n from a',
    })
    expect(checked.problems.map(said)).toEqual([])
    expect(checked.notes.map((note) => note.file)).toEqual(['models/b.sql', 'models/a.sql'])
  })
})

describe('the columns of a model on each engine', () => {
  it('must agree in names, with a text for all or with each other', async () => {
    const found = await problems({
      'models/a.sql': 'select email, name from people',
      'models/a.duckdb.sql': 'select email, name as fullname from people',
      'models/b.duckdb.sql': 'select email, name from people',
      'models/b.bigquery.sql': 'select email, safe.initcap(name) as initial from `people`',
    })
    expect(found).toEqual([
      'models/a.duckdb.sql MODEL_OVERRIDE: models/a.duckdb.sql gives other columns than models/a.sql: email, fullname instead of email, name.',
      'models/b.bigquery.sql MODEL_OVERRIDE: models/b.bigquery.sql gives other columns than models/b.duckdb.sql: email, initial instead of email, name.',
    ])
  })

  it('must agree in types where DuckDB can prepare both, whatever their width', async () => {
    const found = await problems({
      'models/a.sql': 'select email, 1 as n from people',
      'models/a.duckdb.sql': `select email, '1' as n from people`,
      'models/b.sql': 'select email, count(*) as n from people group by email',
      'models/b.duckdb.sql': 'select email, sum(1) as n from people group by email',
    })
    expect(found).toEqual([
      'models/a.duckdb.sql MODEL_OVERRIDE: models/a.duckdb.sql gives other columns than models/a.sql: email VARCHAR, n VARCHAR instead of email VARCHAR, n INTEGER.',
    ])
  })
})

describe('names in GoogleSQL', () => {
  const readsOf = async (sql: string): Promise<readonly string[] | undefined> => {
    const files = [
      { file: 'models/people.sql', text: 'select 1 as x' },
      { file: 'models/m.sql', text: sql },
    ]
    const { models, problems: wrong } = await compileModels(files, { engine: 'bigquery', streams: ['shop_orders'] })
    expect(wrong.map(said)).toEqual([])
    return models.find((model) => model.name === 'm')?.reads
  }

  it('resolve in backticks, one pair for a path or for each part', async () => {
    expect(await readsOf('select * from `people` p join `raw.shop_orders` o on true')).toEqual([
      'people',
      'raw.shop_orders',
    ])
    expect(await readsOf('select * from `raw`.`shop_orders`, `cdp.person_redirects`')).toEqual([
      'raw.shop_orders',
      'cdp.person_redirects',
    ])
    expect(await readsOf('select `cdp`.`fold`(x) as x, cdp.fold("people") as y from people # from nothing')).toEqual([
      'people',
    ])
  })

  it('resolve by the header where no parser can tell what is read', async () => {
    const header = '/*\nreads: [people, raw.shop_orders]\n*/\n'
    expect(
      await readsOf(`${header}select * from \`raw.shop_orders\` pivot (sum(x) for y in ("from people", 'b')), people`),
    ).toEqual(['raw.shop_orders', 'people'])
  })
})
