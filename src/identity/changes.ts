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
  /** Of these, records that had an id. */
  readonly left: number
}

/** Makes `moved` (x, record_key, was, person_id: null when the record vanished) of the records whose id is new, other or gone. */
export const stageMoved = (work: Work): Promise<void> =>
  work.make(
    'moved',
    `select m.x, m.record_key, m.was, a.person_id
from ${work.name('members')} m left join ${work.name('assigned')} a on a.root = m.root
where m.was is distinct from a.person_id`,
  )

/** How many records moved, and how: scalar SELECTs for `numbers`. */
export const movedCounts = (work: Work): Readonly<Record<'records' | 'left' | 'passed' | 'gone', string>> => {
  const moved = `select count(*) from ${work.name('moved')} m`
  return {
    records: moved,
    left: `${moved} where m.was is not null`,
    /** From one id to another. */
    passed: `${moved} where m.was is not null and m.person_id is not null`,
    gone: `${moved} where m.x is null`,
  }
}

/**
 * Makes, where there are any, `merges` (was, person_id, records), `splits` (was, person_id, records) and `retired` (was, records).
 * `moved` is what `movedCounts` counts.
 */
export const findChanges = async (
  work: Work,
  found: Assigned,
  moved: Readonly<Record<keyof ReturnType<typeof movedCounts>, number>>,
): Promise<ChangeCounts> => {
  if (found.merged > 0) {
    await work.make(
      'merges',
      `select p.was, a.person_id, c.n as records from ${work.name('picks')} p
join ${work.name('assigned')} a on a.root = p.root and a.person_id <> p.was
join ${work.name('claims')} c on c.was = p.was and c.root = p.root`,
    )
  }
  if (moved.passed > 0) {
    const merges =
      found.merged > 0
        ? [`\nleft join ${work.name('merges')} g on g.was = m.was and g.person_id = m.person_id`, ' and g.was is null']
        : ['', '']
    await work.make(
      'splits',
      `select m.was, m.person_id, count(*) as records from ${work.name('moved')} m${merges[0]}
where m.was is not null and m.person_id is not null${merges[1]}
group by m.was, m.person_id`,
    )
  }
  if (moved.gone > 0) {
    await work.make(
      'retired',
      `select m.was, count(*) as records from ${work.name('moved')} m
left join ${work.name('picks')} p on p.was = m.was
where m.x is null and p.was is null group by m.was`,
    )
  }
  const counted = (table: string, is: boolean): string =>
    is ? `select count(*) from ${work.name(table)} t` : 'select 0'
  const { split, retired } =
    moved.passed + moved.gone === 0
      ? { split: 0, retired: 0 }
      : await work.numbers({
          split: counted('splits', moved.passed > 0),
          retired: counted('retired', moved.gone > 0),
        })
  return { created: found.issued, merged: found.merged, split, retired, records: moved.records, left: moved.left }
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

/**
 * Makes `split_causes` (was, person_id, cause): a value blocked now, a refusal, or that nothing joins the records any more.
 * `newlyBlocked` and `refused`: how many values and links.
 */
export const findSplitCauses = (
  work: Work,
  settings: IdentitySettings,
  { newlyBlocked, refused }: { readonly newlyBlocked: number; readonly refused: number },
): Promise<void> => {
  const moved = `${work.name('splits')} s
  join ${work.name('moved')} m on m.was = s.was and m.person_id = s.person_id
  join ${work.name('edges')} e on e.x = m.x
  join ${work.name('judged')} j on j.vid = e.vid`
  const value = `${identifierOf(work, settings, 'j.k')} || ' ' || j.value`
  const blocks = `
left join (
  select s.was, s.person_id, min(${value} || ' is blocked') as cause from ${moved}
  join ${work.name('fresh_blocks')} f on f.vid = j.vid group by s.was, s.person_id
) b on b.was = s.was and b.person_id = s.person_id`
  const refusals = `
left join (
  select s.was, s.person_id, min(${value} || ' is refused: ' || f.reason) as cause from ${moved}
  join ${work.name('refused')} f on f.x = e.x and f.vid = e.vid group by s.was, s.person_id
) r on r.was = s.was and r.person_id = s.person_id`
  const causes = [...(newlyBlocked > 0 ? ['b.cause'] : []), ...(refused > 0 ? ['r.cause'] : [])]
  return work.make(
    'split_causes',
    `select s.was, s.person_id, coalesce(${[...causes, `'no value joins its records any more'`].join(', ')}) as cause
from ${work.name('splits')} s${newlyBlocked > 0 ? blocks : ''}${refused > 0 ? refusals : ''}`,
  )
}
