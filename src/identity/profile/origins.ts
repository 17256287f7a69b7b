// Which record each picked value of a profile came from, in cdp.trait_origins. Only what differs is written.
import type { Work } from '../work.ts'

export interface OriginOf {
  readonly name: string
  readonly rule: string
  /** The work table, quoted, with person_id and the winning record's key. */
  readonly table: string
  readonly column: string
}

/** Makes work table `origin_changes` of what differs from cdp.trait_origins; record_key is null for an origin that is no more. */
export const findOriginChanges = (work: Work, profile: string, traits: readonly OriginOf[]): Promise<void> => {
  const { warehouse } = work
  const now = traits.map(
    ({ name, rule, table, column }) =>
      `select o.person_id, ${warehouse.literal(name)} as trait, o.${column} as record_key, ${warehouse.literal(rule)} as rule from ${table} o where o.${column} is not null`,
  )
  const none = `select o.person_id, o.trait, o.record_key, o.rule from ${originsOf(work)} o where 1 = 0`
  return work.make(
    'origin_changes',
    `select coalesce(n.person_id, b.person_id) as person_id, coalesce(n.trait, b.trait) as trait, n.record_key, n.rule,
  case when b.person_id is null then 0 else 1 end as known
from (\n${[none, ...now].join('\nunion all\n')}\n) n
full join (select o.person_id, o.trait, o.record_key, o.rule from ${originsOf(work)} o where o.profile = ${warehouse.literal(profile)}) b
  on b.person_id = n.person_id and b.trait = n.trait
where n.person_id is null or b.person_id is null or n.record_key <> b.record_key or n.rule <> b.rule`,
  )
}

/** How many origins are there to write, and to take back: scalar SELECTs for `numbers`. */
export const originCounts = (work: Work): Readonly<Record<'origins' | 'formerOrigins', string>> => ({
  origins: `select count(*) from ${work.name('origin_changes')} c where c.record_key is not null`,
  formerOrigins: `select count(*) from ${work.name('origin_changes')} c where c.known = 1`,
})

export const writeOrigins = async (
  work: Work,
  profile: string,
  counts: Readonly<Record<'origins' | 'formerOrigins', number>>,
): Promise<void> => {
  const { warehouse } = work
  const [origins, changes, mine] = [originsOf(work), work.name('origin_changes'), warehouse.literal(profile)]
  if (counts.formerOrigins > 0) {
    await warehouse.run(
      `delete from ${origins} as o where o.profile = ${mine} and exists (select 1 from ${changes} c where c.person_id = o.person_id and c.trait = o.trait and c.known = 1)`,
    )
  }
  if (counts.origins > 0) {
    await warehouse.run(
      `insert into ${origins} (profile, person_id, trait, record_key, rule)
select ${mine}, c.person_id, c.trait, c.record_key, c.rule from ${changes} c where c.record_key is not null`,
    )
  }
}

const originsOf = (work: Work): string => work.warehouse.name({ schema: 'cdp', name: 'trait_origins' })
