// The evidence: which record carries which shared value, and whether it joined, was blocked or was refused.
import { identifierOf } from './blocks.ts'
import type { Registry } from './ids.ts'
import type { IdentitySettings } from './settings.ts'
import { keyColumn, rowColumn } from './stage.ts'
import type { Work } from './work.ts'

const linksOf = (work: Work): string => work.warehouse.name({ schema: 'cdp', name: 'person_links' })

/** Makes work table `link_changes` of what differs from cdp.person_links; status is null for a link that is no more. Gives how many. */
export const findLinkChanges = async (work: Work, registry: Registry, settings: IdentitySettings): Promise<number> => {
  const now = `select r.${keyColumn} as record_key, ${identifierOf(work, settings, 'e.k')} as identifier, j.value,
  case when e.blocked = 1 then 'blocked' when f.x is not null then 'refused' else 'used' end as status, f.reason
from ${work.name('edges')} e
join ${work.name('judged')} j on j.vid = e.vid
join ${work.name('records')} r on r.${rowColumn} = e.x
left join ${work.name('refused')} f on f.x = e.x and f.vid = e.vid`
  await work.make(
    'link_changes',
    `select coalesce(n.record_key, b.record_key) as record_key, coalesce(n.identifier, b.identifier) as identifier,
  n.value, n.status, n.reason, case when b.record_key is null then 0 else 1 end as known
from (${now}) n
full join (select l.record_key, l.identifier, l.value, l.status, l.reason from ${linksOf(work)} l where l.graph = ${registry.literal}) b
  on b.record_key = n.record_key and b.identifier = n.identifier
where n.record_key is null or b.record_key is null or n.value <> b.value or n.status <> b.status or n.reason is distinct from b.reason`,
  )
  return work.count('link_changes')
}

export const writeLinks = async (work: Work, registry: Registry): Promise<void> => {
  const { warehouse } = work
  const [links, changes] = [linksOf(work), work.name('link_changes')]
  await warehouse.run(
    `delete from ${links} as l where l.graph = ${registry.literal} and exists (select 1 from ${changes} c where c.record_key = l.record_key and c.identifier = l.identifier and c.known = 1)`,
  )
  await warehouse.run(
    `insert into ${links} (graph, record_key, identifier, value, status, reason)
select ${registry.literal}, c.record_key, c.identifier, c.value, c.status, c.reason from ${changes} c where c.status is not null`,
  )
}
