// A graph over a real warehouse in memory: give it records, build, look.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/core/clock.ts'
import { buildIdentity, type IdentityInput, type IdentityOutcome } from '../../src/identity/build.ts'
import type { IdentitySettings } from '../../src/identity/settings.ts'
import { duckdb } from '../../src/warehouse/define-duckdb.ts'
import { engineRelations } from '../../src/warehouse/relations.ts'
import { openWarehouse, type Warehouse } from '../../src/warehouse/warehouse.ts'

export interface TestWarehouse {
  readonly warehouse: Warehouse
  close(): Promise<void>
}

export const openMemory = async (): Promise<TestWarehouse> => {
  const root = mkdtempSync(join(tmpdir(), 'cdp-test-'))
  const warehouse = await openWarehouse(duckdb({ path: ':memory:' }), {
    root,
    mode: 'write',
    waitMs: 0,
    clock: systemClock,
  })
  return {
    warehouse,
    close: async () => {
      await warehouse.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

export type TestRecord = Readonly<Record<string, string | number | null>>

export const settings = (
  over: Partial<IdentitySettings> & Pick<IdentitySettings, 'identifiers'>,
): IdentitySettings => ({
  record: ['source', 'record_id'],
  seen_at: 'seen_at',
  names: [],
  junk: [],
  ...over,
})

let runs = 0
const nextRun = (): string => `run-${String((runs += 1)).padStart(6, '0')}`

/** Puts records into a table `given`; every column is text, but `seen_at`, an instant. */
export const give = async (
  warehouse: Warehouse,
  columns: readonly string[],
  records: readonly TestRecord[],
): Promise<void> => {
  const types = columns.map((c) => `${warehouse.quote(c)} ${c === 'seen_at' ? 'timestamptz' : 'varchar'}`)
  await warehouse.run(`create or replace table main.given (${types.join(', ')})`)
  for (let at = 0; at < records.length; at += 200) {
    const chunk = records.slice(at, at + 200)
    const rows = chunk.map((_, r) => `(${columns.map((_c, c) => `$${r * columns.length + c + 1}`).join(', ')})`)
    const parameters = chunk.flatMap((record) => columns.map((column) => record[column] ?? null))
    await warehouse.run({ sql: `insert into main.given values ${rows.join(', ')}`, parameters })
  }
}

export const build = (
  warehouse: Warehouse,
  header: IdentitySettings,
  over: Partial<IdentityInput> = {},
): Promise<IdentityOutcome> =>
  buildIdentity({
    warehouse,
    graph: 'people',
    select: 'select * from main.given',
    settings: header,
    runId: nextRun(),
    instant: '2026-11-01T00:00:00Z',
    place: { file: 'models/people.sql' },
    publish: async (select) => {
      await warehouse.run(`create or replace table main.people as ${select}`)
    },
    ...over,
  })

/** Record key -> person id. */
export const personOf = async (warehouse: Warehouse): Promise<Map<string, string>> => {
  const rows = await warehouse.all<{ record_key: string; person_id: string }>(
    "select record_key, person_id from cdp.person_records where graph = 'people'",
  )
  return new Map(rows.map((row) => [row.record_key, row.person_id]))
}

/** The partition: groups of record keys, each sorted, in order of their first. */
export const groups = async (warehouse: Warehouse): Promise<string[][]> => {
  const byPerson = new Map<string, string[]>()
  for (const [key, person] of await personOf(warehouse)) byPerson.set(person, [...(byPerson.get(person) ?? []), key])
  return [...byPerson.values()]
    .map((keys) => keys.toSorted())
    .toSorted((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1))
}

/** Forgets every person. */
export const clear = async (warehouse: Warehouse): Promise<void> => {
  for (const name of Object.keys(engineRelations)) {
    if (name.startsWith('person')) await warehouse.run(`delete from cdp.${name}`)
  }
}
