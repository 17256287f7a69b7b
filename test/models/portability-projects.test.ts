// The demo and the example are written for both engines: nothing in them is named, and Google's analyzer takes every SELECT and every test
// as compiled for BigQuery, over relations with the columns that DuckDB gives them.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkModels } from '../../src/models/check.ts'
import { compileModels, type ModelFile } from '../../src/models/compile.ts'
import { render, type Speller } from '../../src/models/model.ts'
import { checkPortability } from '../../src/models/portability/check.ts'
import { checkTypes } from '../../src/models/portability/check-types.ts'
import { literal, quote, typeName } from '../../src/warehouse/bigquery/text.ts'
import { engineRelations } from '../../src/warehouse/relations.ts'
import { columnType } from '../../src/warehouse/statements.ts'
import type { ColumnType } from '../../src/warehouse/warehouse.ts'
import { openGoogle, type Google, type Known } from '../warehouse/bigquery/google.ts'
import { said } from '../project/folder.ts'
import { inMemory } from './project.ts'

type Streams = Readonly<Record<string, Readonly<Record<string, ColumnType>>>>

const text = (names: string): Record<string, ColumnType> =>
  Object.fromEntries(names.split(' ').map((name) => [name, 'text']))

const demo: Streams = {
  pos_receipts: { ...text('receipt_id store_id phone name'), amount: 'decimal(18,2)', paid_at: 'timestamp' },
  shop_customers: text('id email phone full_name city birth_date updated_at'),
  shop_orders: { ...text('order_id customer_id status'), total: 'decimal(18,2)', ordered_at: 'timestamp' },
  crm_contacts: {
    ...text('contact_id email phone family_name given_name city'),
    points: 'integer',
    birth_date: 'date',
    updated_at: 'timestamp',
  },
  newsletter_signups: { ...text('signup_id email name purpose at'), granted: 'boolean' },
  web_events: { ...text('event_id anonymous_id customer_id event'), properties: 'json', occurred_at: 'timestamp' },
}
const example: Streams = {
  shop_customers: { ...text('id email phone full_name city'), updated_at: 'timestamp' },
  shop_newsletter: { ...text('email place method at'), granted: 'boolean' },
  till_receipts: { ...text('receipt_no phone name'), amount: 'decimal(18,2)', paid_at: 'timestamp' },
}
const landed: Readonly<Record<string, ColumnType>> = { _cdp_loaded_at: 'timestamp', _cdp_load_id: 'text' }
const instant = '2026-11-01T23:00:00.000Z'

const root = fileURLToPath(new URL('../..', import.meta.url))
const filesOf = (folder: string): ModelFile[] =>
  readdirSync(`${root}${folder}/models`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.sql'))
    .map((name) => ({
      file: `models/${name.replaceAll('\\', '/')}`,
      text: readFileSync(`${root}${folder}/models/${name}`, 'utf8'),
    }))

const bigquery: Speller = {
  name: ({ schema, name }) => [schema, name].map(quote).join('.'),
  literal,
  quote,
  typeName,
}

const googleTypeOf = (type: string): string => {
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(type)) return 'INT64'
  const word = /^\w+/.exec(type)?.[0] ?? type
  return { VARCHAR: 'STRING', DECIMAL: 'NUMERIC', DOUBLE: 'FLOAT64', BOOLEAN: 'BOOL' }[word] ?? word
}

const known = (schema: string, name: string, columns: Readonly<Record<string, string>>): Known => ({
  names: [[schema, name]],
  columns,
})

let google: Google
beforeAll(async () => {
  google = await openGoogle()
})
afterAll(() => google.close())

describe.each([
  ['the demo', filesOf('.'), demo],
  ['the example', filesOf('test/fixtures/example'), example],
] as const)('%s', (_, files, streams) => {
  it('uses nothing that is not common to both engines', async () => {
    const problems = await checkPortability(files, { engines: ['duckdb', 'bigquery'], folder: 'models' })
    expect(files.length).toBeGreaterThan(5)
    expect(problems.map(said)).toEqual([])
  })

  it('mixes no types, and is GoogleSQL to Google’s analyzer', async () => {
    const facts = { streams: Object.keys(streams) }
    const scratch = await inMemory()
    const local = await compileModels(files, { ...facts, engine: 'duckdb' })
    const raw = new Map(
      Object.entries(streams).map(([name, columns]) => [
        name,
        Object.entries({ ...columns, ...landed }).map(([column, type]) => ({
          name: column,
          type: scratch.typeName(type),
        })),
      ]),
    )
    const checked = await checkModels(local.models, { scratch, raw, instant })
    const types = { engines: ['duckdb', 'bigquery'], folder: 'models', scratch, instant, models: local.models }
    const byTypes = await checkTypes(files, types)
    await scratch.close()
    expect([checked.problems, checked.notes, byTypes.map(said)]).toEqual([[], [], []])

    const relations = [
      ...Object.entries(streams).map(([name, columns]) =>
        known('raw', name, mapped({ ...columns, ...landed }, typeName)),
      ),
      ...[...checked.columns].map(([name, columns]) =>
        known('models', name, Object.fromEntries(columns.map((one) => [one.name, googleTypeOf(one.type)]))),
      ),
      ...Object.entries(engineRelations).map(([name, { columns }]) =>
        known(
          'cdp',
          name,
          mapped(columns, (type) => typeName(columnType(type))),
        ),
      ),
    ]
    const { models, problems } = await compileModels(files, { ...facts, engine: 'bigquery' })
    expect(problems).toEqual([])
    expect(models.length).toBe(checked.columns.size)
    for (const model of models) {
      for (const parts of [model.sql, ...model.tests.map((test) => test.sql)]) {
        const sql = render(parts, bigquery, instant)
        expect(await google.refuses(sql, relations), sql).toBeUndefined()
      }
    }
  })
})

const mapped = <T extends string>(
  columns: Readonly<Record<string, T>>,
  change: (type: T) => string,
): Record<string, string> => Object.fromEntries(Object.entries(columns).map(([name, type]) => [name, change(type)]))
