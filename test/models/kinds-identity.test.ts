// `kind: identity` from file to relation: what its header may say, and what a build gives.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { IdentitySettings } from '../../src/identity/settings.ts'
import { compileModels } from '../../src/models/compile.ts'
import type { CompiledModel, Warehouse } from '../../src/models/model.ts'
import { identity } from '../../src/models/kinds/identity.ts'
import { build, compiled, contextOf, inMemory, rowsOf } from './project.ts'

const sql = "select 'shop' as source, 1 as record_id, 'a@e.vn' as email, timestamptz '2026-10-01 00:00:00Z' as seen"
const fileOf = (header: string, select = sql): string => `/*\nkind: identity\n${header}\n*/\n${select}`
const compileOne = async (header: string, select = sql): Promise<CompiledModel> => {
  const [model] = await compiled({ 'people.sql': fileOf(header, select) })
  if (!model) throw new Error('no model')
  return model
}
const problemsOf = async (header: string): Promise<string[]> => {
  const { problems } = await compileModels([{ file: 'models/people.sql', text: fileOf(header) }], {
    engine: 'duckdb',
    streams: [],
  })
  return problems.map((problem) => `${problem.place?.line ?? 0}: ${problem.message}`)
}

describe('the header of an identity model', () => {
  it('keeps the order of identifiers, takes one name for a list, and no guards for none', async () => {
    const model = await compileOne(
      'record: [source, record_id]\nseen_at: seen\nnames: full_name\nidentifiers:\n  email: { max_shared_by: 50, max_per_person: 2 }\n  anonymous_id:\n  phone: {}\njunk: [123, Vãng Lai]',
    )
    expect(model.header).toEqual({
      record: ['source', 'record_id'],
      seen_at: 'seen',
      names: ['full_name'],
      identifiers: { email: { max_shared_by: 50, max_per_person: 2 }, anonymous_id: {}, phone: {} },
      junk: ['123', 'Vãng Lai'],
    } satisfies IdentitySettings)
    const { identifiers } = model.header as IdentitySettings
    expect(Object.keys(identifiers)).toEqual(['email', 'anonymous_id', 'phone'])
    expect(identity.requires?.(model.header as IdentitySettings)).toEqual([
      'source',
      'record_id',
      'seen',
      'full_name',
      'email',
      'anonymous_id',
      'phone',
    ])
  })

  it.each([
    ['no record', 'identifiers: { email: {} }', /record/],
    ['no identifiers', 'record: [source, record_id]', /identifiers/],
    ['an empty list of identifiers', 'record: [source, record_id]\nidentifiers: {}', /at least one column/],
    [
      'a guard that is misspelled',
      'record: [source, record_id]\nidentifiers: { email: { max_shared: 5 } }',
      /max_shared_by/,
    ],
    [
      'a guard that is no count',
      'record: [source, record_id]\nidentifiers: { email: { max_shared_by: 0 } }',
      /max_shared_by/,
    ],
    [
      'a record column as an identifier',
      'record: [source, record_id]\nidentifiers: { record_id: {} }',
      /must not name a column of `record`/,
    ],
  ])('with %s is refused', async (_, header, message) => {
    const problems = await problemsOf(header)
    expect(problems.join('\n')).toMatch(message)
  })
})

describe('building an identity model', () => {
  let warehouse: Warehouse
  beforeEach(async () => {
    warehouse = await inMemory()
  })
  afterEach(() => warehouse.close())
  const header = 'record: [source, record_id]\nseen_at: seen\nidentifiers: { email: {} }'
  const two = `${sql} union all select 'crm', 7, 'a@e.vn', null union all select 'crm', 8, null, null -- people`

  it('gives its SELECT plus person_id, says how many persons, and keeps its content while nothing changes', async () => {
    const model = await compileOne(header, two)
    const first = await build(model, contextOf(warehouse))
    expect(first).toMatchObject({ rows: 3, detail: '3 records are 2 persons' })
    expect(await rowsOf(warehouse, 'select count(*), count(distinct person_id) from people')).toEqual([[3, 2]])
    const second = await build(model, contextOf(warehouse, { runId: 'run-2' }))
    expect(second.content).toBe(first.content)
    expect(await rowsOf(warehouse, 'select graph, event, run_id from cdp.person_history')).toEqual([
      ['people', 'created', 'run-1'],
      ['people', 'created', 'run-1'],
    ])
  })

  it('leaves the last good relation and registry when it fails', async () => {
    await build(await compileOne(header, two), contextOf(warehouse))
    const before = await rowsOf(warehouse, 'select * from people order by all')
    await expect(
      build(await compileOne(header, `${two}\nunion all select 'crm', 8, 'b@e.vn', null`), contextOf(warehouse)),
    ).rejects.toMatchObject({ code: 'IDENTITY_RECORD_TWICE', place: { file: 'models/people.sql' } })
    expect(await rowsOf(warehouse, 'select * from people order by all')).toEqual(before)
    expect(await rowsOf(warehouse, 'select count(*) from cdp.person')).toEqual([[2]])
  })

  it('takes the place of a view of that name', async () => {
    const [view] = await compiled({ 'people.sql': 'select 1 as x' })
    if (view) await build(view, contextOf(warehouse))
    await build(await compileOne(header, two), contextOf(warehouse))
    expect(await rowsOf(warehouse, 'select count(*) from people')).toEqual([[3]])
  })
})
