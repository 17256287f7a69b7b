// Graphs and profiles over both engines: give both the same records, build both, compare all that is kept.
import { expect } from 'vitest'
import { buildIdentity, type IdentityOutcome } from '../../src/identity/build.ts'
import { buildProfile } from '../../src/identity/profile/build.ts'
import type { IdentitySettings, ProfileSettings } from '../../src/identity/settings.ts'
import type { ColumnType, RelationName, Warehouse } from '../../src/warehouse/warehouse.ts'
import { engineRelations } from '../../src/warehouse/relations.ts'
import { sameRows, storyOf, type Both } from './harness.ts'

/** Values as SQL reads them in text; a column's type casts them. */
export type Cells = readonly (string | null)[]
export type Types = Readonly<Record<string, ColumnType>>

export const kept = [
  'person',
  'person_records',
  'person_former_records',
  'person_links',
  'person_blocks',
  'person_history',
  'person_redirects',
] as const

const model = (name: string): RelationName => ({ schema: 'models', name })

/** Puts records into relation `given` of the models. */
export const give = async (warehouse: Warehouse, types: Types, records: readonly Cells[]): Promise<void> => {
  const columns = Object.entries(types)
  const rows = [columns.map(() => null), ...records].map((cells) =>
    columns
      .map(([name, type], at) => {
        const cell = cells[at] ?? null
        const text = cell === null ? 'null' : warehouse.literal(cell)
        return `cast(${text} as ${warehouse.typeName(type)}) as ${warehouse.quote(name)}`
      })
      .join(', '),
  )
  const select = rows.map((row) => `select ${row}`).join('\nunion all\n')
  const some = columns.map(([name]) => `g.${warehouse.quote(name)} is not null`).join(' or ')
  await warehouse.run(
    `create or replace table ${warehouse.name(model('given'))} as select * from (\n${select}\n) g where ${some}`,
  )
}

const publishing =
  (warehouse: Warehouse, name: string) =>
  async (select: string): Promise<void> => {
    await warehouse.run(`create or replace table ${warehouse.name(model(name))} as ${select}`)
  }

export interface Build {
  readonly run: string
  readonly graph?: string
  readonly inMemoryUpTo?: number
  readonly publish?: (select: string) => Promise<void>
}

export const buildGraph = (
  warehouse: Warehouse,
  settings: IdentitySettings,
  { run, graph = 'people', ...over }: Build,
): Promise<IdentityOutcome> =>
  buildIdentity({
    warehouse,
    graph,
    select: `select * from ${warehouse.name(model('given'))}`,
    settings,
    runId: run,
    instant: '2026-11-01T00:00:00.123456Z',
    place: { file: 'models/people.sql' },
    publish: publishing(warehouse, graph),
    ...over,
  })

export const buildProfiles = (
  warehouse: Warehouse,
  settings: ProfileSettings,
  select = `select * from ${warehouse.name(model(settings.of))}`,
): Promise<{ readonly persons: number }> =>
  buildProfile({
    warehouse,
    profile: 'profiles',
    select,
    settings,
    place: { file: 'models/profiles.sql' },
    publish: publishing(warehouse, 'profiles'),
  })

/** Does the same on both, which must give the same. */
export const each = async <T>(both: Both, work: (warehouse: Warehouse) => Promise<T>): Promise<T> => {
  const duck = await work(both.duck)
  const other = await work(both.bigquery).catch((thrown: unknown) => {
    throw new Error(storyOf(thrown), { cause: thrown })
  })
  const [left, right] = [JSON.stringify(duck), JSON.stringify(other)]
  if (left !== right) throw new Error(`DuckDB gave ${left}, BigQuery ${right}`)
  return duck
}

/** All that is kept of persons, as lines of text, by one statement. */
const textOfState = async (warehouse: Warehouse): Promise<string[]> => {
  const names = [...kept, 'trait_origins' as const]
  const width = Math.max(...names.map((name) => Object.keys(engineRelations[name].columns).length))
  const text = warehouse.typeName('text')
  const selects = names.map((name) => {
    const columns = Object.entries<string>(engineRelations[name].columns)
    const cells = Array.from({ length: width }, (_, at) => {
      const [column, type = ''] = columns[at] ?? []
      const value = column === undefined ? 'null' : `t.${warehouse.quote(column)}`
      const toText = warehouse.name({ schema: 'cdp', name: 'to_text' })
      return `${type.startsWith('timestamp') ? `${toText}(${value})` : `cast(${value} as ${text})`} as c${at}`
    })
    return `select '${name}' as relation, ${cells.join(', ')} from ${warehouse.name({ schema: 'cdp', name })} t`
  })
  const rows = await warehouse.all(selects.join('\nunion all\n'))
  return rows.map((row) => JSON.stringify(Object.values(row))).toSorted()
}

/** What is kept is the same; said quickly. */
export const sameTexts = async (both: Both): Promise<void> => {
  expect(await textOfState(both.bigquery)).toEqual(await textOfState(both.duck))
}

/** What is kept is the same, and so are models: every column by its own type. */
export const sameState = async (both: Both, models: readonly string[] = ['people']): Promise<void> => {
  for (const name of [...kept, 'trait_origins']) await sameRows(both.duck, both.bigquery, { schema: 'cdp', name })
  for (const name of models) await sameRows(both.duck, both.bigquery, model(name))
}

/** Forgets every person. */
export const forget = (both: Both): Promise<unknown> =>
  each(both, async (warehouse) => {
    for (const name of [...kept, 'trait_origins'])
      await warehouse.run(`delete from ${warehouse.name({ schema: 'cdp', name })} where true`)
  })
