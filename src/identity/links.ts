// The evidence: which record carries which shared value, and whether it joined, was blocked or was refused.
import { identifierOf } from './blocks.ts'
import type { Registry } from './ids.ts'
import type { IdentitySettings } from './settings.ts'
import { keyColumn, rowColumn } from './stage.ts'
import type { Work } from './work.ts'

const linksOf = (work: Work): string => work.warehouse.name({ schema: 'cdp', name: 'person_links' })

/** Makes work table `link_changes` of what differs from cdp.person_links; status is null for a link that is no more. */
export const findLinkChanges = (
  work: Work,
  registry: Registry,
  settings: IdentitySettings,
  refused: number,
): Promise<void> => {
  const refusals = refused > 0 ? `\nleft join ${work.name('refused')} f on f.x = e.x and f.vid = e.vid` : ''
  const now = `select r.${keyColumn} as record_key, ${identifierOf(work, settings, 'e.k')} as identifier, j.value,
  case when e.blocked = 1 then 'blocked'${refused > 0 ? ` when f.x is not null then 'refused'` : ''} else 'used' end as status,
  ${refused > 0 ? 'f.reason' : `cast(null as ${work.warehouse.typeName('text')})`} as reason
from ${work.name('edges')} e
join ${work.name('judged')} j on j.vid = e.vid
join ${work.name('records')} r on r.${rowColumn} = e.x${refusals}`
  return work.make(
    'link_changes',
    `select coalesce(n.record_key, b.record_key) as record_key, coalesce(n.identifier, b.identifier) as identifier,
  n.value, n.status, n.reason, case when b.record_key is null then 0 else 1 end as known
from (${now}) n
full join (select l.record_key, l.identifier, l.value, l.status, l.reason from ${linksOf(work)} l where l.graph = ${registry.literal}) b
  on b.record_key = n.record_key and b.identifier = n.identifier
where n.record_key is null or b.record_key is null or n.value <> b.value or n.status <> b.status or n.reason is distinct from b.reason`,
  )
}

/** How many links are there to write, and to take back: scalar SELECTs for `numbers`. */
export const linkCounts = (work: Work): Readonly<Record<'links' | 'formerLinks', string>> => ({
  links: `select count(*) from ${work.name('link_changes')} c where c.status is not null`,
  formerLinks: `select count(*) from ${work.name('link_changes')} c where c.known = 1`,
})

export const writeLinks = async (
  work: Work,
  registry: Registry,
  counts: Readonly<Record<'links' | 'formerLinks', number>>,
): Promise<void> => {
  const { warehouse } = work
  const [links, changes] = [linksOf(work), work.name('link_changes')]
  if (counts.formerLinks > 0) {
    await warehouse.run(
      `delete from ${links} as l where l.graph = ${registry.literal} and exists (select 1 from ${changes} c where c.record_key = l.record_key and c.identifier = l.identifier and c.known = 1)`,
    )
  }
  if (counts.links > 0) {
    await warehouse.run(
      `insert into ${links} (graph, record_key, identifier, value, status, reason)
select ${registry.literal}, c.record_key, c.identifier, c.value, c.status, c.reason from ${changes} c where c.status is not null`,
    )
  }
}
