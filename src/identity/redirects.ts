// Where ids that are no more lead: a redirect follows the former records of its id, so it is re-pointed when a merge is undone.
import type { ChangeCounts } from './changes.ts'
import type { Registry } from './ids.ts'
import type { Work } from './work.ts'

const cdp = (work: Work, name: string): string => work.warehouse.name({ schema: 'cdp', name })

/**
 * Makes work table `redirected` (old_id, person_id, known) of the redirects that are new or lead elsewhere than before. An id that has no
 * former record left keeps its target, or goes where that one went. Gives how many.
 */
export const findRedirects = async (work: Work, registry: Registry, changes: ChangeCounts): Promise<number> => {
  if (changes.merged + changes.split + changes.retired === 0) return 0
  const graph = registry.literal
  const merges = work.name('merges')
  const merging = changes.merged > 0
  const current = `(select d.old_id, d.person_id from ${cdp(work, 'person_redirects')} d where d.graph = ${graph})`
  await work.make(
    'followed',
    `select o.old_id, o.person_id from (
  select v.old_id, v.person_id, row_number() over (
    partition by v.old_id order by v.n desc, case when ${merging ? 'coalesce(c.person_id, g.person_id)' : 'c.person_id'} = v.person_id then 0 else 1 end, v.first_key
  ) as place
  from (
    select f.person_id as old_id, a.person_id, count(*) as n, min(f.record_key) as first_key
    from (
      select r.person_id, r.record_key from ${cdp(work, 'person_former_records')} r where r.graph = ${graph}${
        merging
          ? `
      union all
      select m.was as person_id, m.record_key from ${work.name('members')} m join ${merges} g on g.was = m.was`
          : ''
      }
    ) f
    join ${work.name('members')} m on m.record_key = f.record_key and m.x is not null
    join ${work.name('assigned')} a on a.root = m.root
    group by f.person_id, a.person_id
  ) v
  left join ${current} c on c.old_id = v.old_id${merging ? `\n  left join ${merges} g on g.was = v.old_id` : ''}
) o where o.place = 1`,
  )
  await work.make(
    'redirected',
    `select n.old_id, n.person_id, case when c.old_id is null then 0 else 1 end as known from (
  select f.old_id, f.person_id from ${work.name('followed')} f
  union all
  select c.old_id, coalesce(t.person_id, c.person_id) as person_id from ${current} c
  left join ${work.name('followed')} f on f.old_id = c.old_id
  left join ${work.name('followed')} t on t.old_id = c.person_id
  where f.old_id is null
) n left join ${current} c on c.old_id = n.old_id
where c.old_id is null or c.person_id <> n.person_id`,
  )
  return work.count('redirected')
}

export const writeRedirects = async (work: Work, registry: Registry, runId: string): Promise<void> => {
  const redirects = cdp(work, 'person_redirects')
  await work.warehouse.run(
    `delete from ${redirects} as d where d.graph = ${registry.literal} and exists (select 1 from ${work.name('redirected')} n where n.old_id = d.old_id and n.known = 1)`,
  )
  await work.warehouse.run(
    `insert into ${redirects} (graph, old_id, person_id, run_id)
select ${registry.literal}, n.old_id, n.person_id, ${work.warehouse.literal(runId)} from ${work.name('redirected')} n`,
  )
}
