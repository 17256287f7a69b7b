// What a build changes for records and ids, as work tables, with the cause of each merge and split.
import { identifierOf } from './blocks.ts'
import type { Assigned } from './ids.ts'
import type { IdentitySettings } from './settings.ts'
import type { Work } from './work.ts'

export interface ChangeCounts {
  readonly created: number
  readonly merged: number
  readonly split: number
  readonly retired: number
  /** Records whose id is new, other or gone. */
  readonly records: number
}

/**
 * Makes `moved` (x, record_key, was, person_id: null when the record vanished), `merges` (was, person_id, records),
 * `splits` (was, person_id, records) and `retired` (was, records).
 */
export const findChanges = async (work: Work, found: Assigned): Promise<ChangeCounts> => {
  const members = work.name('members')
  const assigned = work.name('assigned')
  await work.make(
    'moved',
    `select m.x, m.record_key, m.was, a.person_id
from ${members} m left join ${assigned} a on a.root = m.root
where m.was is distinct from a.person_id`,
  )
  const none = found.merged === 0 ? ' where 1 = 0' : ''
  await work.make(
    'merges',
    `select p.was, a.person_id, c.n as records from ${work.name(found.picks)} p
join ${assigned} a on a.root = p.root and a.person_id <> p.was
join ${work.name('claims')} c on c.was = p.was and c.root = p.root${none}`,
  )
  await work.make(
    'splits',
    `select m.was, m.person_id, count(*) as records from ${work.name('moved')} m
left join ${work.name('merges')} g on g.was = m.was and g.person_id = m.person_id
where m.was is not null and m.person_id is not null and g.was is null
group by m.was, m.person_id`,
  )
  await work.make(
    'retired',
    `select m.was, count(*) as records from ${work.name('moved')} m
left join ${work.name(found.picks)} p on p.was = m.was
where m.x is null and p.was is null group by m.was`,
  )
  return {
    created: found.issued,
    merged: found.merged,
    split: await work.count('splits'),
    retired: await work.count('retired'),
    records: await work.count('moved'),
  }
}

/** Makes `merge_causes` (was, cause): the strongest value that a former record of the id shares with another record. */
export const findMergeCauses = async (work: Work, settings: IdentitySettings): Promise<void> => {
  const [edges, members] = [work.name('edges'), work.name('members')]
  await work.make(
    'merge_values',
    `select distinct m.was, e.vid from ${members} m join ${work.name('merges')} g on g.was = m.was
join ${edges} e on e.x = m.x where e.blocked = 0`,
  )
  await work.make(
    'merge_causes',
    `select o.was, ${identifierOf(work, settings, 'o.k')} || ' ' || o.value as cause from (
  select s.was, j.k, j.value, row_number() over (partition by s.was order by j.k, j.value) as place
  from ${work.name('merge_values')} s
  join (
    select e.vid, min(m.was) as low, max(m.was) as high, count(*) as carriers, count(m.was) as old
    from ${edges} e join ${members} m on m.x = e.x
    where e.vid in (select v.vid from ${work.name('merge_values')} v) group by e.vid
  ) c on c.vid = s.vid and (c.old < c.carriers or c.low <> c.high)
  join ${work.name('judged')} j on j.vid = s.vid
) o where o.place = 1`,
  )
}

/** Makes `split_causes` (was, person_id, cause): a value blocked now, a refusal, or that nothing joins the records any more. */
export const findSplitCauses = (work: Work, settings: IdentitySettings): Promise<void> => {
  const moved = `${work.name('splits')} s
  join ${work.name('moved')} m on m.was = s.was and m.person_id = s.person_id
  join ${work.name('edges')} e on e.x = m.x
  join ${work.name('judged')} j on j.vid = e.vid`
  const value = `${identifierOf(work, settings, 'j.k')} || ' ' || j.value`
  return work.make(
    'split_causes',
    `select s.was, s.person_id, coalesce(b.cause, r.cause, 'no value joins its records any more') as cause
from ${work.name('splits')} s
left join (
  select s.was, s.person_id, min(${value} || ' is blocked') as cause from ${moved}
  join ${work.name('fresh_blocks')} f on f.vid = j.vid group by s.was, s.person_id
) b on b.was = s.was and b.person_id = s.person_id
left join (
  select s.was, s.person_id, min(${value} || ' is refused: ' || f.reason) as cause from ${moved}
  join ${work.name('refused')} f on f.x = e.x and f.vid = e.vid group by s.was, s.person_id
) r on r.was = s.was and r.person_id = s.person_id`,
  )
}
