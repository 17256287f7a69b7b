// Google's analyzer over what the warehouse itself says to BigQuery: the state's migrations, the functions, and the statements that every
// stage needs about a relation.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { typeName } from '../../../src/warehouse/bigquery/text.ts'
import { kysely } from '../../../src/warehouse/kysely.ts'
import { engineRelations } from '../../../src/warehouse/relations.ts'
import { columnType, insertRows, mergeStatements } from '../../../src/warehouse/statements.ts'
import type { Warehouse } from '../../../src/warehouse/warehouse.ts'
import { openGoogle, type Google, type Known } from './google.ts'
import { openAt, startService, type Service } from './service.ts'

const engine = Object.entries(engineRelations).map(([name, { columns }]): Known => ({
  names: [['lotus', 'cdp', name]],
  columns: Object.fromEntries(
    Object.entries<string>(columns).map(([column, type]) => [column, typeName(columnType(type))]),
  ),
}))
const own: Known = {
  names: [
    ['lotus', 'raw', 't'],
    ['lotus', 'raw', 's'],
  ],
  columns: { k: 'STRING', n: 'INT64', j: 'JSON', d: 'NUMERIC' },
}

let google: Google
let service: Service
let w: Warehouse
beforeAll(async () => {
  google = await openGoogle()
  service = await startService()
  service.when(/select max\(version\)/, { error: { reason: 'notFound', message: 'Not found: Dataset lotus:cdp' } })
  w = await openAt(service, {}, { labels: { team: 'crm' } })
})
afterAll(async () => {
  await w.close()
  await service.close()
  await google.close()
})

const sent = (): string[] =>
  service.sent.flatMap(({ body }) => {
    const query = body.configuration?.query?.query
    return query === undefined ? [] : query.split(';\n')
  })

it('the state is made by statements that the analyzer accepts', async () => {
  const statements = sent()
  expect(statements.length).toBeGreaterThan(Object.keys(engineRelations).length)
  for (const statement of statements) expect(await google.refuses(statement, engine), statement).toBeUndefined()
  expect(statements.find((statement) => statement.includes('`sync_log`'))).toMatch(
    /partition by timestamp_trunc\(`\w+`, day\) cluster by `sync`, `epoch`, `seq` options \(labels = \[\('team', 'crm'\)\]\)$/,
  )
})

it('tables and views that are put in place have labels where the analyzer takes them', async () => {
  const before = sent().length
  await w.run('create or replace table raw.t partition by date_trunc(d, day) as select current_date as d')
  await w.run('create or replace view raw.t as (select 1 as a)')
  await w.replaceTable({ schema: 'raw', name: 't' }, { schema: 'raw', name: 's' })
  await w.makeScratch('work', '(a INT64)')
  await w.makeScratch('work', 'as select 1 as a')
  const statements = sent().slice(before)
  expect(statements.filter((statement) => statement.includes(`('team', 'crm')`)).length).toBe(4)
  for (const statement of statements) expect(await google.refuses(statement, [own]), statement).toBeUndefined()
})

it('rows are inserted, merged and updated by statements that the analyzer accepts', async () => {
  const [target, source] = [
    { schema: 'raw', name: 't' },
    { schema: 'raw', name: 's' },
  ] as const
  const before = sent().length
  await insertRows(w, { schema: 'cdp', name: 'test_failures' }, [
    { run_id: 'r', model: 'm', test: 't', severity: 'warn', row_number: 1, failing_row: '{"a":1}' },
    { run_id: 'r', model: 'm', test: 't', severity: null, row_number: 2, failing_row: null },
  ])
  for (const statement of mergeStatements(w, { target, source, columns: ['k', 'n', 'j', 'd'], key: ['k', 'n'] })) {
    await w.run(statement)
  }
  const db = kysely(w)
  await db.insertInto('cdp.settings').values({ name: 'a', value: 'b' }).execute()
  await db.updateTable('cdp.settings').set({ value: 'c' }).where('name', '=', 'a').execute()
  await db.deleteFrom('cdp.settings').where('name', 'in', ['a', 'b']).execute()
  const statements = sent().slice(before)
  expect(statements[0]).toContain(`parse_json(@p6, wide_number_mode => 'round')`)
  expect(statements[0]).toContain('null')
  const known = [
    ...engine,
    { ...own, names: [...own.names] },
    ...engine.map((one) => ({ ...one, names: one.names.map(([, ...rest]) => rest) })),
  ]
  for (const statement of statements) expect(await google.refuses(statement, known), statement).toBeUndefined()
})
