// `kind: profile` from file to relation, with the identity model it belongs to.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkModels } from '../../src/models/check.ts'
import { compileModels } from '../../src/models/compile.ts'
import type { CompiledModel, Warehouse } from '../../src/models/model.ts'
import { build, compiled, contextOf, inMemory, rowsOf } from './project.ts'

const people = `/*
kind: identity
record: [source, record_id]
seen_at: seen
identifiers: { email: {} }
*/
select * from (values ('shop', 1, 'a@e.vn', 'An', 5, timestamptz '2026-10-01 00:00:00Z'), ('crm', 2, 'a@e.vn', 'Ân', 7, timestamptz '2026-10-02 00:00:00Z'))
  v(source, record_id, email, full_name, points, seen)`
const profileOf = (traits: string, of = 'people'): string =>
  `/*\nkind: profile\nof: ${of}\ntraits:\n${traits}\n*/\nselect * from people`

let warehouse: Warehouse
beforeEach(async () => {
  warehouse = await inMemory()
})
afterEach(() => warehouse.close())

const project = (traits: string): Promise<readonly CompiledModel[]> =>
  compiled({ 'profiles.sql': profileOf(traits), 'people.sql': people })
const problemsOf = async (profile: string): Promise<string[]> => {
  const files = [
    { file: 'models/people.sql', text: people },
    { file: 'models/profiles.sql', text: profile },
  ]
  const { problems } = await compileModels(files, { engine: 'duckdb', streams: [] })
  return problems.map((problem) => problem.message)
}

describe('the header of a profile', () => {
  it('takes a word or its options for a rule, and takes over what a record is', async () => {
    const models = await project(
      '  full_name: { pick: latest, prefer: [shop] }\n  email: latest\n  since: { pick: min, from: seen }',
    )
    expect(models.map((model) => model.name)).toEqual(['people', 'profiles'])
    expect(models[1]?.reads).toContain('people')
    expect(models[1]?.header).toEqual({
      of: 'people',
      record: ['source', 'record_id'],
      seen_at: 'seen',
      traits: {
        full_name: { pick: 'latest', prefer: ['shop'] },
        email: { pick: 'latest', prefer: [] },
        since: { pick: 'min', prefer: [], from: 'seen' },
      },
    })
  })

  it('changes with the header of the identity model', async () => {
    const before = await project('  email: latest')
    const after = await compiled({
      'profiles.sql': profileOf('  email: latest'),
      'people.sql': people
        .replace('seen_at: seen\n', '')
        .replace('email: {}', 'full_name: {}')
        .replace('identifiers', 'seen_at: seen\nidentifiers'),
    })
    const other = await compiled({
      'profiles.sql': profileOf('  email: { pick: latest, by: seen }'),
      'people.sql': people.replace('seen_at: seen\n', ''),
    })
    expect(after[1]?.fingerprint).toBe(before[1]?.fingerprint)
    expect(other[1]?.fingerprint).not.toBe(before[1]?.fingerprint)
  })

  it.each([
    ['a rule nobody knows', profileOf('  email: newest'), /"traits.email.pick" must be latest/],
    ['an option nobody knows', profileOf('  email: { pick: latest, form: mail }'), /form/],
    ['a trait called person_id', profileOf('  person_id: latest'), /must not name person_id/],
    ['`of` a model that is not there', profileOf('  email: latest', 'persons'), /persons, which is no model/],
    ['`of` a model of another kind', profileOf('  email: latest', 'profiles'), /profiles is a profile|circle/],
    ['`prefer` for a computed trait', profileOf('  points: { pick: sum, prefer: [shop] }'), /`prefer` means nothing/],
  ])('with %s is refused', async (_, profile, message) => {
    expect((await problemsOf(profile)).join('\n')).toMatch(message)
  })

  it('needs a time for a rule that goes by time', async () => {
    const files = { 'profiles.sql': profileOf('  email: latest'), 'people.sql': people.replace('seen_at: seen\n', '') }
    await expect(compiled(files)).rejects.toThrow(/neither has people a `seen_at` nor the rule a `by`/)
  })
})

const traits = `  full_name: { pick: latest, prefer: [shop] }
  points: sum
  mean: { pick: avg, from: points }
  records: count
  spellings: { pick: set, from: full_name }
  since: { pick: min, from: seen }`

describe('building a profile', () => {
  it('gives one row a person and says where each value came from', async () => {
    for (const model of await project(traits)) await build(model, contextOf(warehouse))
    expect(await rowsOf(warehouse, 'select * exclude (person_id) from profiles')).toEqual([
      ['An', 12, 6, 2, ['An', 'Ân'], '2026-10-01T00:00:00Z'],
    ])
    expect(await rowsOf(warehouse, 'select trait, record_key, rule from cdp.trait_origins')).toEqual([
      ['full_name', 'shop/1', 'latest, shop before others'],
    ])
  })

  it('keeps its content while nothing changes', async () => {
    const [identityModel, profileModel] = await project(traits)
    if (!identityModel || !profileModel) throw new Error('no model')
    await build(identityModel, contextOf(warehouse))
    const first = await build(profileModel, contextOf(warehouse))
    expect(first.rows).toBe(1)
    expect((await build(profileModel, contextOf(warehouse))).content).toBe(first.content)
  })

  it('has the columns that check says it has', async () => {
    const models = await project(traits)
    const { columns, problems } = await checkModels(models, {
      scratch: warehouse,
      raw: new Map(),
      instant: '2026-11-01T00:00:00Z',
    })
    expect(problems).toEqual([])
    const scratch = columns.get('profiles')
    for (const model of models) await build(model, contextOf(warehouse))
    expect(scratch).toEqual(await warehouse.describe('select * from profiles'))
  })

  it('is told by check when a trait has no column', async () => {
    const models = await project('  city: latest')
    const { problems } = await checkModels(models, {
      scratch: warehouse,
      raw: new Map(),
      instant: '2026-11-01T00:00:00Z',
    })
    expect(problems.map((problem) => problem.message)).toEqual([expect.stringMatching(/profiles gives no column city/)])
  })
})
