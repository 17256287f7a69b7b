// The identifier values of one person's records that other records carry too, and what became of each.
import type { Warehouse } from '../warehouse/warehouse.ts'
import { type ExplainedLink, recordsShown } from './explanation.ts'

export const explainLinks = async (
  warehouse: Warehouse,
  graph: string,
  personId: string,
): Promise<readonly ExplainedLink[]> => {
  const cdp = (name: string): string => warehouse.name({ schema: 'cdp', name })
  const mine = warehouse.literal(graph)
  const rows = await warehouse.all<{
    identifier: string
    value: string
    status: ExplainedLink['status']
    refusal: string | null
    blocked: string | null
    shared_by: number | null
    allowed: number | null
    record_key: string
    n: number
  }>(
    `select l.identifier, l.value, l.status, l.reason as refusal, b.reason as blocked, b.shared_by, b.allowed, l.record_key, l.n from (
  select l.identifier, l.value, l.status, l.reason, l.record_key,
    count(*) over (partition by l.identifier, l.value, l.status) as n,
    row_number() over (partition by l.identifier, l.value, l.status order by l.record_key) as place
  from ${cdp('person_links')} l join ${cdp('person_records')} r on r.graph = l.graph and r.record_key = l.record_key
  where l.graph = ${mine} and r.person_id = ${warehouse.literal(personId)}
) l left join ${cdp('person_blocks')} b on b.graph = ${mine} and b.identifier = l.identifier and b.value = l.value
where l.place <= ${recordsShown} order by l.identifier, l.value, l.status, l.record_key`,
  )
  const links = new Map<string, ExplainedLink>()
  for (const row of rows) {
    const key = JSON.stringify([row.identifier, row.value, row.status])
    const known = links.get(key)
    links.set(key, {
      identifier: row.identifier,
      value: row.value,
      status: row.status,
      reason: row.refusal ?? (row.status === 'blocked' ? blockReason(row) : undefined),
      records: [...(known?.records ?? []), row.record_key],
      count: row.n,
    })
  }
  return [...links.values()]
}

const blockReason = (row: {
  readonly blocked: string | null
  readonly shared_by: number | null
  readonly allowed: number | null
}): string =>
  row.blocked === 'shared'
    ? `it seems to belong to ${row.shared_by ?? 0} people, and ${row.allowed ?? 0} may share it`
    : 'it identifies nobody'
