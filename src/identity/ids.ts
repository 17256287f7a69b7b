// Ids that stay: each old id goes to the one component with most of its former records (a tie: the one with its anchor record), each
// component keeps the oldest id that came to it, and a component to which none came gets a new one. Each id goes once and each component
// keeps one, so ids are unique by construction. Age is fixed at birth: run, earliest time, record key.
import { keyColumn, nullsLast, rowColumn, seenColumn } from './stage.ts'
import type { Work } from './work.ts'

/** Where the registry of ids is, as quoted names, and of which graph. */
export interface Registry {
  readonly graph: string
  /** Of the graph, as a literal. */
  readonly literal: string
  readonly person: string
  readonly personRecords: string
}

export const registryOf = (work: Work, graph: string): Registry => ({
  graph,
  literal: work.warehouse.literal(graph),
  person: work.warehouse.name({ schema: 'cdp', name: 'person' }),
  personRecords: work.warehouse.name({ schema: 'cdp', name: 'person_records' }),
})

/** What the assignment found, so that later steps are left out when there is nothing for them to do. */
export interface Assigned {
  readonly persons: number
  /** Old ids that did not stay because an older one came to the same component. */
  readonly merged: number
  readonly issued: number
}

/**
 * From work tables `records` and `component` makes
 * `members` (x, record_key, root, seen, was): every record that is or was there; x and root are null where it vanished, was where it is new;
 * `claims` (was, root, n, first_key): which components have former records of an id, and how many;
 * `picks` (was, root): where each old id goes, when some of its records are left;
 * `issued` (root, person_id, anchor, ordinal, seen, records): new ids, where there are any;
 * `assigned` (root, person_id): every component's id.
 */
export const assignIds = async (work: Work, registry: Registry): Promise<Assigned> => {
  await stageMembers(work, registry)
  await stageClaims(work)
  const { persons, claims, ids, claimed } = await work.numbers({
    persons: `select count(distinct m.root) from ${work.name('members')} m where m.x is not null`,
    claims: `select count(*) from ${work.name('claims')} c`,
    ids: `select count(distinct c.was) from ${work.name('claims')} c`,
    claimed: `select count(distinct c.root) from ${work.name('claims')} c`,
  })
  let kept = claimed
  if (claims > ids) {
    await stagePicks(work, registry)
    kept = (await work.numbers({ kept: `select count(distinct p.root) from ${work.name('picks')} p` })).kept
  } else work.alias('picks', 'claims')
  if (ids > kept) await stageKeepers(work, registry)
  else work.alias('keepers', 'picks')
  if (persons > kept) await stageIssued(work, registry)
  const fresh = persons > kept ? ` union all select i.root, i.person_id from ${work.name('issued')} i` : ''
  await work.make('assigned', `select k.root, k.was as person_id from ${work.name('keepers')} k${fresh}`)
  return { persons, merged: ids - kept, issued: persons - kept }
}

const stageMembers = (work: Work, registry: Registry): Promise<void> =>
  work.make(
    'members',
    `select n.x, coalesce(n.record_key, b.record_key) as record_key, n.root, n.seen, b.person_id as was
from (
  select r.${rowColumn} as x, r.${keyColumn} as record_key, coalesce(c.p, r.${rowColumn}) as root, r.${seenColumn} as seen
  from ${work.name('records')} r left join ${work.name('component')} c on c.x = r.${rowColumn}
) n
full join (select p.record_key, p.person_id from ${registry.personRecords} p where p.graph = ${registry.literal}) b
  on b.record_key = n.record_key`,
  )

const stageClaims = (work: Work): Promise<void> =>
  work.make(
    'claims',
    `select m.was, m.root, count(*) as n, min(m.record_key) as first_key
from ${work.name('members')} m where m.was is not null and m.x is not null group by m.was, m.root`,
  )

// Most ids have all their records in one component; only the others need an order.
const stagePicks = async (work: Work, registry: Registry): Promise<void> => {
  await work.make('torn', `select c.was from ${work.name('claims')} c group by c.was having count(*) > 1`)
  await work.make(
    'picks',
    `select c.was, c.root from ${work.name('claims')} c left join ${work.name('torn')} t on t.was = c.was where t.was is null
union all
select o.was, o.root from (
  select c.was, c.root, row_number() over (
    partition by c.was order by c.n desc, case when a.root = c.root then 0 else 1 end, c.first_key) as place
  from ${work.name('claims')} c
  join ${work.name('torn')} t on t.was = c.was
  left join (
    select p.person_id, m.root from ${registry.person} p
    join ${work.name('torn')} t on t.was = p.person_id
    join ${work.name('members')} m on m.record_key = p.anchor and m.x is not null
    where p.graph = ${registry.literal}
  ) a on a.person_id = c.was
) o where o.place = 1`,
  )
}

const stageKeepers = async (work: Work, registry: Registry): Promise<void> => {
  await work.make('contested', `select p.root from ${work.name('picks')} p group by p.root having count(*) > 1`)
  await work.make(
    'keepers',
    `select p.root, p.was from ${work.name('picks')} p left join ${work.name('contested')} c on c.root = p.root where c.root is null
union all
select o.root, o.was from (
  select p.root, p.was, row_number() over (
    partition by p.root order by r.born_run, ${nullsLast('r.born_seen_at')}, r.anchor, r.ordinal) as place
  from ${work.name('contested')} c
  join ${work.name('picks')} p on p.root = c.root
  join ${registry.person} r on r.graph = ${registry.literal} and r.person_id = p.was
) o where o.place = 1`,
  )
}

// The anchor of a new id is the component's oldest record: the earliest time, nulls last, then the key.
const stageIssued = async (work: Work, registry: Registry): Promise<void> => {
  const { warehouse } = work
  await work.make(
    'unclaimed',
    `select m.root, min(m.seen) as seen, count(*) as records from ${work.name('members')} m
left join ${work.name('keepers')} k on k.root = m.root
where m.x is not null and k.root is null group by m.root`,
  )
  await work.make(
    'anchors',
    `select u.root, u.seen, u.records, min(m.record_key) as anchor from ${work.name('unclaimed')} u
join ${work.name('members')} m on m.root = u.root and (m.seen = u.seen or u.seen is null)
group by u.root, u.seen, u.records`,
  )
  const integerText = (value: string): string => `cast(${value} as ${warehouse.typeName('text')})`
  // The length keeps apart keys that differ only in their Unicode form, which the hash does not see.
  const input = `${warehouse.literal(`${registry.graph}\n`)} || ${integerText('length(o.anchor)')} || ' ' || o.anchor || ' ' || ${integerText('o.ordinal')}`
  await work.make(
    'issued',
    `select o.root, o.anchor, o.ordinal, o.seen, o.records,
  'p_' || substr(${warehouse.name({ schema: 'cdp', name: 'sha256_hex' })}(${input}), 1, 20) as person_id
from (
  select a.root, a.anchor, a.seen, a.records, coalesce(e.last_ordinal + 1, 0) as ordinal
  from ${work.name('anchors')} a
  left join (
    select p.anchor, max(p.ordinal) as last_ordinal from ${registry.person} p
    where p.graph = ${registry.literal} group by p.anchor
  ) e on e.anchor = a.anchor
) o`,
  )
}
