// Why somebody is one person: finds who is asked for by id, record or identifier value, and gathers what the graph knows of them.
import type { Row, Warehouse } from '../warehouse/warehouse.ts'
import { explainLinks } from './explain-links.ts'
import {
  type Explained,
  type ExplainedEvent,
  type ExplainedProfile,
  type PersonExplanation,
  recordsShown,
} from './explanation.ts'
import { describeRule } from './profile/rules.ts'
import type { IdentitySettings, ProfileSettings } from './settings.ts'
import { recordKey, trimmed } from './stage.ts'

/** What must be known of the project. */
export interface ExplainFacts {
  readonly warehouse: Warehouse
  /** Country of phone numbers written without one. */
  readonly region: string
  readonly graphs: readonly { readonly name: string; readonly settings: IdentitySettings }[]
  readonly profiles: readonly { readonly name: string; readonly settings: ProfileSettings }[]
}

const personsShown = 10

/** `query`: a person id, one that was merged away, a record key (`shop/1`), or the value of an identifier as anybody would write it. */
export const explainPerson = async (facts: ExplainFacts, query: string): Promise<Explained> => {
  const built = await facts.warehouse.relations('models')
  const graphs = facts.graphs.filter((graph) => built.some((relation) => relation.name === graph.name))
  const text = query.trim()
  for (const find of [findById, findByRecord, findByValue]) {
    const found: Found[] = []
    for (const graph of graphs) found.push(...(await find(facts, graph, text)))
    if (found.length === 0) continue
    const persons: PersonExplanation[] = []
    const names = built.map((relation) => relation.name)
    for (const { graph, personId } of found.slice(0, personsShown)) {
      persons.push(await explain(facts, graph, personId, names))
    }
    const unlisted = found.reduce((sum, one) => sum + (one.unlisted ?? 0), 0)
    return { query, matchedBy: found[0]?.matchedBy, persons, total: found.length + unlisted }
  }
  return { query, matchedBy: undefined, persons: [], total: 0 }
}

type Graph = ExplainFacts['graphs'][number]
interface Found {
  readonly graph: Graph
  readonly personId: string
  readonly matchedBy: string
  /** Persons of the graph that were found beside those listed; said once. */
  readonly unlisted?: number
}

const cdp = (warehouse: Warehouse, name: string): string => warehouse.name({ schema: 'cdp', name })
const model = (warehouse: Warehouse, name: string): string => warehouse.name({ schema: 'models', name })

const findById = async ({ warehouse }: ExplainFacts, graph: Graph, text: string): Promise<Found[]> => {
  const rows = await warehouse.all<{ person_id: string; target: string | null }>(
    `select p.person_id, r.person_id as target from ${cdp(warehouse, 'person')} p
left join ${cdp(warehouse, 'person_redirects')} r on r.graph = p.graph and r.old_id = p.person_id
where p.graph = ${warehouse.literal(graph.name)} and p.person_id = ${warehouse.literal(text)}`,
  )
  return rows.map((row) => ({
    graph,
    personId: row.target ?? row.person_id,
    matchedBy: row.target === null ? 'person id' : 'former id',
  }))
}

const findByRecord = async ({ warehouse }: ExplainFacts, graph: Graph, text: string): Promise<Found[]> => {
  const rows = await warehouse.all<{ person_id: string }>(
    `select r.person_id from ${cdp(warehouse, 'person_records')} r
where r.graph = ${warehouse.literal(graph.name)} and r.record_key = ${warehouse.literal(text)}`,
  )
  return rows.map((row) => ({ graph, personId: row.person_id, matchedBy: 'record' }))
}

// As written, and as the shipped functions normalise it: models decide which of the three the graph holds.
const findByValue = async ({ warehouse, region }: ExplainFacts, graph: Graph, text: string): Promise<Found[]> => {
  const written = warehouse.literal(text)
  const forms = `(select ${written} as v union all select ${cdp(warehouse, 'normalize_email')}(${written})
union all select ${cdp(warehouse, 'normalize_phone')}(${written}, ${warehouse.literal(region)}))`
  const each = Object.keys(graph.settings.identifiers).map(
    (identifier, rank) =>
      `select ${rank} as k, p.person_id, min(f.v) as v from ${model(warehouse, graph.name)} p
join (select distinct w.v from ${forms} w where w.v is not null) f on f.v = ${trimmed(warehouse, identifier, 'p')} group by p.person_id`,
  )
  const rows = await warehouse.all<{ k: number; person_id: string; v: string; total: number }>(
    `select g.person_id, g.k, g.v, count(*) over () as total from (
select u.person_id, min(u.k) as k, min(u.v) as v from (\n${each.join('\nunion all\n')}\n) u group by u.person_id
) g order by g.k, g.person_id limit ${personsShown}`,
  )
  const names = Object.keys(graph.settings.identifiers)
  return rows.map((row, at) => ({
    graph,
    personId: row.person_id,
    matchedBy: `${names[row.k] ?? ''} ${row.v}`,
    ...(at === 0 ? { unlisted: row.total - rows.length } : {}),
  }))
}

const explain = async (
  facts: ExplainFacts,
  graph: Graph,
  personId: string,
  built: readonly string[],
): Promise<PersonExplanation> => {
  const { warehouse } = facts
  const mine = `graph = ${warehouse.literal(graph.name)}`
  const id = warehouse.literal(personId)
  const [person] = await warehouse.all<{ status: PersonExplanation['status']; born_run: string }>(
    `select status, born_run from ${cdp(warehouse, 'person')} where ${mine} and person_id = ${id}`,
  )
  const former = await warehouse.all<{ old_id: string }>(
    `select old_id from ${cdp(warehouse, 'person_redirects')} where ${mine} and person_id = ${id} order by old_id`,
  )
  const formerIds = former.map((row) => row.old_id)
  const [counted] = await warehouse.all<{ n: number }>(
    `select count(*) as n from ${cdp(warehouse, 'person_records')} where ${mine} and person_id = ${id}`,
  )
  return {
    graph: graph.name,
    personId,
    formerIds,
    status: person?.status ?? 'active',
    bornRun: person?.born_run ?? '',
    recordCount: counted?.n ?? 0,
    records: await recordsOf(warehouse, graph, id),
    links: await explainLinks(warehouse, graph.name, personId),
    profiles: await profilesOf(facts, graph, id, built),
    history: await historyOf(warehouse, mine, [personId, ...formerIds]),
  }
}

const recordsOf = async (warehouse: Warehouse, graph: Graph, id: string): Promise<PersonExplanation['records']> => {
  const { record, seen_at } = graph.settings
  const order = seen_at === undefined ? '' : `p.${warehouse.quote(seen_at)} nulls last, `
  const rows = await warehouse.all<Row & { readonly cdp_record: string }>(
    `select ${recordKey(warehouse, record, 'p')} as cdp_record, p.* from ${model(warehouse, graph.name)} p
where p.person_id = ${id} order by ${order}1 limit ${recordsShown}`,
  )
  return rows.map(({ cdp_record, ...row }) => {
    const shown = Object.fromEntries(Object.entries(row).filter(([name]) => name !== 'person_id'))
    return { record: cdp_record, row: shown }
  })
}

const profilesOf = async (
  { warehouse, profiles }: ExplainFacts,
  graph: Graph,
  id: string,
  built: readonly string[],
): Promise<ExplainedProfile[]> => {
  const out: ExplainedProfile[] = []
  for (const { name, settings } of profiles) {
    if (settings.of !== graph.name || !built.includes(name)) continue
    const [row] = await warehouse.all(`select * from ${model(warehouse, name)} where person_id = ${id}`)
    const origins = await warehouse.all<{ trait: string; record_key: string }>(
      `select trait, record_key from ${cdp(warehouse, 'trait_origins')} where profile = ${warehouse.literal(name)} and person_id = ${id}`,
    )
    const traits = Object.entries(settings.traits).map(([trait, rule]) => ({
      trait,
      value: row?.[trait] ?? null,
      rule: describeRule(rule),
      record: origins.find((origin) => origin.trait === trait)?.record_key,
    }))
    out.push({ profile: name, traits })
  }
  return out
}

const historyOf = async (warehouse: Warehouse, mine: string, ids: readonly string[]): Promise<ExplainedEvent[]> => {
  const list = ids.map((id) => warehouse.literal(id)).join(', ')
  const rows = await warehouse.all<{
    event: ExplainedEvent['event']
    run_id: string
    time: string
    old_id: string | null
    person_id: string | null
    records: number
    cause: string | null
  }>(
    `select h.event, h.run_id, h.${warehouse.quote('at')} as ${warehouse.quote('time')}, h.old_id, h.person_id, h.records, h.cause
from ${cdp(warehouse, 'person_history')} h where h.${mine} and (h.old_id in (${list}) or h.person_id in (${list}))
order by h.run_id, h.event, h.old_id, h.person_id`,
  )
  return rows.map((row) => ({
    event: row.event,
    runId: row.run_id,
    at: row.time,
    oldId: row.old_id ?? undefined,
    personId: row.person_id ?? undefined,
    records: row.records,
    cause: row.cause ?? undefined,
  }))
}
