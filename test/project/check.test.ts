// `cdp check` on whole projects: the example and the demo as they are, and what is wrong between models and syncs.
import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { render } from '../../src/models/model.ts'
import { checkProject, type CheckedProject, type CheckProjectOptions } from '../../src/project/check.ts'
import { duckdb } from '../../src/warehouse/define-duckdb.ts'
import { openWarehouse, type ColumnType } from '../../src/warehouse/warehouse.ts'
import { folderOf, removeFolders, said, shop, type Folder } from './folder.ts'

afterEach(removeFolders)

const instant = '2026-11-01T23:00:00.000Z'
const text = (names: string): { name: string; type: 'text' }[] =>
  names.split(' ').map((name) => ({ name, type: 'text' }))

const people: CheckProjectOptions['sniff'] = () => Promise.resolve(text('id email name'))

const check = async (folder: Folder, more: Partial<CheckProjectOptions> = {}): Promise<CheckedProject> => {
  const { compiled, modelFiles } = await folder.load()
  return checkProject({ project: compiled, modelFiles, instant, ...more })
}
const exampleFolder = (): Folder => {
  const folder = folderOf({})
  const fixture = fileURLToPath(new URL('../fixtures/example', import.meta.url))
  cpSync(fixture, folder.root, { recursive: true })
  return folder
}
interface StreamColumn {
  readonly name: string
  readonly type: ColumnType
}
const exampleColumns: Readonly<Record<string, readonly StreamColumn[]>> = {
  'shop.customers': [...text('id email phone full_name city'), { name: 'updated_at', type: 'timestamp' }],
  'shop.newsletter': [...text('email place method at'), { name: 'granted', type: 'boolean' }],
  'till.receipts': [
    ...text('receipt_no phone name'),
    { name: 'amount', type: 'decimal(18,2)' },
    { name: 'paid_at', type: 'timestamp' },
  ],
}

describe('the example project', () => {
  it('compiles to this SQL', async () => {
    const { compiled } = await exampleFolder().load()
    const warehouse = await openWarehouse(duckdb({ path: ':memory:' }), {
      root: '/tmp',
      mode: 'write',
      waitMs: 0,
      clock: systemClock,
    })
    try {
      for (const model of compiled.models) {
        const sql = `${render(model.sql, warehouse, instant)}\n`
        await expect(sql).toMatchFileSnapshot(`golden/example/${model.name}.duckdb.sql`)
      }
      const tests = compiled.models.flatMap((model) =>
        model.tests.map(
          (test) => `-- ${test.model}: ${test.name} (${test.severity})\n${render(test.sql, warehouse, instant)};\n`,
        ),
      )
      await expect(tests.join('')).toMatchFileSnapshot('golden/example/tests.duckdb.sql')
    } finally {
      await warehouse.close()
    }
    expect(compiled.models.map((model) => [model.name, model.reads])).toEqual([
      ['records', ['raw.shop_customers', 'raw.shop_newsletter', 'raw.till_receipts']],
      ['people', ['records']],
      ['consent_current', ['raw.shop_newsletter', 'people']],
      ['profiles', ['people']],
      ['spending', ['raw.till_receipts', 'people']],
      ['spenders', ['profiles', 'spending']],
    ])
  })

  it('is prepared by the engine without a complaint', async () => {
    const checked = await check(exampleFolder(), { sniff: (id) => Promise.resolve(exampleColumns[id]) })
    expect(checked.problems.map(said)).toEqual([])
    expect(checked.notes).toEqual([])
    expect(checked.columns.get('spenders')?.map((column) => column.name)).toEqual([
      'person_id',
      'email',
      'phone',
      'full_name',
      'total_spend',
    ])
  })

  it('says what it could not prepare before anything has landed', async () => {
    const checked = await check(exampleFolder())
    expect(checked.problems).toEqual([])
    expect(checked.notes.map((note) => note.file)).toContain('models/segments/spenders.sql')
    expect(checked.notes[0]?.message).toBe(
      'records was not prepared: the columns of raw.shop_customers are not known before it has landed once.',
    )
  })
})

const problems = async (files: Readonly<Record<string, string>>): Promise<string[]> =>
  (await check(folderOf({ ...shop, ...files }), { sniff: people })).problems.map(said)

describe('a sync against the columns it reads', () => {
  const sync = shop['syncs/people-to-webhook.ts'] ?? ''

  it('may map what is there', async () => {
    expect(await problems({})).toEqual([])
  })

  it('names near columns of one that is not there, and needs person_id for a purpose', async () => {
    expect(
      await problems({
        'syncs/people-to-webhook.ts': sync
          .replace("name: 'name'", "name: 'fullname'")
          .replace("email: 'email'", "email: 'emial'"),
      }),
    ).toEqual([
      'syncs/people-to-webhook.ts SYNC_INVALID: Sync people-to-webhook: key.email: people has no column "emial". Did you mean "email"?',
      'syncs/people-to-webhook.ts SYNC_INVALID: Sync people-to-webhook: map.name: people has no column "fullname". It has person_id, email, name.',
    ])
    const plain = await problems({
      'models/plain.sql': 'select email, name from people',
      'syncs/people-to-webhook.ts': sync.replace("'people'", "'plain'"),
    })
    expect(plain).toEqual([
      'syncs/people-to-webhook.ts SYNC_INVALID: Sync people-to-webhook: purpose: plain has no column person_id, by which consent is looked up.',
    ])
  })

  it('needs the consent model’s columns', async () => {
    expect(
      await problems({ 'models/consent.sql': "select person_id, 'x' as purpose, true as grantd from people" }),
    ).toEqual([
      'models/consent.sql:1 MODEL_COLUMN: consent gives no column granted, which a consent model must give. Did you mean "grantd"?',
    ])
  })
})

const schemaRow = (name: string, position: number, type: string, version: number): string =>
  `('shop.customers', '${name}', '${name}', ${position}, '${type}', false, ${version}, 'l', now())`

describe('what has landed', () => {
  it('gives the columns, with the type in force', async () => {
    const folder = folderOf(shop)
    const warehouse = await openWarehouse(duckdb({ path: ':memory:' }), {
      root: '/tmp',
      mode: 'write',
      waitMs: 0,
      clock: systemClock,
    })
    try {
      await warehouse.run(
        `insert into cdp.schemas (stream, column_name, original_name, position, type, declared, version, load_id, changed_at)
         values ${[schemaRow('id', 1, 'integer', 1), schemaRow('id', 1, 'text', 2), schemaRow('email', 2, 'text', 1), schemaRow('name', 3, 'date', 1)].join(', ')}`,
      )
      const checked = await check(folder, { warehouse })
      expect(checked.problems).toEqual([])
      expect(checked.columns.get('people')).toEqual([
        { name: 'person_id', type: 'VARCHAR' },
        { name: 'email', type: 'VARCHAR' },
        { name: 'name', type: 'DATE' },
      ])
    } finally {
      await warehouse.close()
    }
  })
})

describe('overrides for an engine', () => {
  it('must give the columns of what they override, as far as they can be known', async () => {
    const folder = folderOf({
      ...shop,
      'models/a.sql': 'select email, name from people',
      'models/a.duckdb.sql': 'select email, name as fullname from people',
      'models/b.sql': 'select email, name from people',
      'models/b.bigquery.sql': 'select email, safe.parse_date("%Y", name) as day from `people`',
      'models/c.sql': 'select email, name from people',
      'models/c.bigquery.sql': 'select * except (person_id) from people',
      'models/d.sql': 'select email, name from people',
      'models/d.bigquery.sql': 'select p.email, lower(name) as NAME from people p',
    })
    expect((await check(folder, { sniff: people })).problems.map(said)).toEqual([
      'models/a.duckdb.sql MODEL_OVERRIDE: models/a.duckdb.sql gives other columns than models/a.sql: email, fullname instead of email, name.',
      'models/b.bigquery.sql MODEL_OVERRIDE: models/b.bigquery.sql gives other columns than models/b.sql: email, day instead of email, name.',
    ])
  })
})
