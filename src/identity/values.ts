// Identifier values as the graph sees them: trimmed text, and those that several records carry.
import type { Warehouse } from '../warehouse/warehouse.ts'
import type { IdentitySettings } from './settings.ts'
import { rowColumn, textOf } from './stage.ts'
import type { Work } from './work.ts'

/** The value of an identifier column as text, blanks at its ends removed; null when nothing is left. */
export const valueOf = (warehouse: Warehouse, column: string, alias: string): string =>
  `nullif(trim(${textOf(warehouse, `${alias}.${warehouse.quote(column)}`)}), '')`

/** Identifiers with their rank, 0 the strongest. */
export const ranked = (settings: IdentitySettings): readonly (readonly [identifier: string, rank: number])[] =>
  Object.keys(settings.identifiers).map((identifier, rank) => [identifier, rank] as const)

/**
 * Makes work table `shared` of the values that at least two records carry:
 * vid (1, 2, …), k (rank of the identifier), value, records (how many carry it), hub (the first row that does).
 */
export const stageSharedValues = async (work: Work, settings: IdentitySettings): Promise<void> => {
  const { warehouse } = work
  const row = warehouse.quote(rowColumn)
  const parts = ranked(settings).map(
    ([identifier, rank]) => `select ${rank} as k, v.value, count(*) as records, min(v.x) as hub
from (select ${row} as x, ${valueOf(warehouse, identifier, 'r')} as value from ${work.name('records')} r) v
where v.value is not null group by v.value having count(*) > 1`,
  )
  await work.make('shared', `select row_number() over () as vid, u.* from (\n${parts.join('\nunion all\n')}\n) u`)
}

/** Makes work table `edges`: which row (x) carries which shared value (vid, k, hub), blocked ones too (blocked: 1, else 0). */
export const stageEdges = async (work: Work, settings: IdentitySettings): Promise<void> => {
  const { warehouse } = work
  const row = warehouse.quote(rowColumn)
  const parts = ranked(settings).map(
    ([identifier, rank]) => `select r.${row} as x, s.vid, s.k, s.hub, s.blocked
from ${work.name('records')} r join ${work.name('judged')} s on s.k = ${rank} and s.value = ${valueOf(warehouse, identifier, 'r')}`,
  )
  await work.make('edges', parts.join('\nunion all\n'))
}
