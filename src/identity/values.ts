// Identifier values as the graph sees them: trimmed text, and those that several records carry.
import type { IdentitySettings } from './settings.ts'
import { ranked, rowColumn, valueColumn } from './stage.ts'
import type { Work } from './work.ts'

/**
 * Makes work table `shared` of the values that at least two records carry:
 * vid (1, 2, …), k (rank of the identifier), value, records (how many carry it), hub (the first row that does).
 */
export const stageSharedValues = async (work: Work, settings: IdentitySettings): Promise<void> => {
  const parts = ranked(settings).map(
    ([, rank]) => `select ${rank} as k, r.${valueColumn(rank)} as value, count(*) as records, min(r.${rowColumn}) as hub
from ${work.name('records')} r where r.${valueColumn(rank)} is not null group by r.${valueColumn(rank)} having count(*) > 1`,
  )
  await work.make('shared', `select row_number() over () as vid, u.* from (\n${parts.join('\nunion all\n')}\n) u`)
}

/** Makes work table `edges`: which row (x) carries which shared value (vid, k, hub), blocked ones too (blocked: 1, else 0). */
export const stageEdges = async (work: Work, settings: IdentitySettings): Promise<void> => {
  const parts = ranked(settings).map(
    ([, rank]) => `select r.${rowColumn} as x, s.vid, s.k, s.hub, s.blocked
from ${work.name('records')} r join ${work.name('judged')} s on s.k = ${rank} and s.value = r.${valueColumn(rank)}`,
  )
  await work.make('edges', parts.join('\nunion all\n'))
}

/** Makes work table `pairs` (a, b): each row with the first that carries the same value. A star a value, so linear in the links. */
export const stagePairs = (work: Work): Promise<void> =>
  work.make(
    'pairs',
    `select distinct e.hub as a, e.x as b from ${work.name('edges')} e where e.blocked = 0 and e.hub <> e.x`,
  )
