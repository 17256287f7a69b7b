// Values that join nobody: junk, and values that too many different people share. Each is a decision, recorded once with its evidence and
// kept on later runs even if the count falls, so that building anew and building on give the same persons.
import type { IdentitySettings } from './settings.ts'
import { isJunk } from './junk.ts'
import { countPeople } from './shared-by.ts'
import { keyColumn, ranked, valueColumn } from './stage.ts'
import type { Work } from './work.ts'

/**
 * Judges work table `shared`. Makes `judged` (the same with blocked: 1 or 0) and, where there are new ones, `fresh_blocks` and `new_blocks`
 * (identifier, value, reason, shared_by, allowed, records, examples), the decisions to record.
 */
export const judgeValues = async (work: Work, graph: string, settings: IdentitySettings): Promise<Judged> => {
  const { warehouse } = work
  const identifier = caseOf(settings, (name) => warehouse.literal(name))
  await work.make(
    'marked',
    `select s.vid, s.k, s.value, s.records, s.hub, case when b.value is not null then 1 else 0 end as blocked,
  case when b.value is not null then 'known' when ${isJunk(warehouse, 's.value', settings.junk)} then 'junk' else 'fine' end as mark
from ${work.name('shared')} s
left join ${warehouse.name({ schema: 'cdp', name: 'person_blocks' })} b
  on b.graph = ${warehouse.literal(graph)} and b.identifier = ${identifier('s.k')} and b.value = s.value`,
  )
  const limits = sharingLimits(settings)
  const [found] = await warehouse.all<Readonly<Record<string, number>>>(
    `select ${['count(*) as n', `countif(m.mark = 'junk') as junk`, ...limits.map((limit) => `countif(${isOver(limit)}) as over_${limit.rank}`)].join(', ')} from ${work.name('marked')} m`,
  )
  const values = found?.['n'] ?? 0
  const over = limits.filter(({ rank }) => (found?.[`over_${rank}`] ?? 0) > 0)
  if (over.length === 0 && (found?.['junk'] ?? 0) === 0) {
    work.alias('judged', 'marked')
    return { values, newlyBlocked: 0 }
  }
  const shared = over.length === 0 ? '' : await findOverShared(work, settings, over)
  await work.make(
    'fresh_blocks',
    `select m.vid, m.k, m.value, m.records, 'junk' as reason, cast(null as ${warehouse.typeName('integer')}) as shared_by, cast(null as ${warehouse.typeName('integer')}) as allowed
from ${work.name('marked')} m where m.mark = 'junk'${shared}`,
  )
  const newlyBlocked = await work.count('fresh_blocks')
  await work.make(
    'judged',
    `select m.vid, m.k, m.value, m.records, m.hub,
  case when f.vid is not null then 1 else m.blocked end as blocked
from ${work.name('marked')} m left join ${work.name('fresh_blocks')} f on f.vid = m.vid`,
  )
  if (newlyBlocked > 0) await stageEvidence(work, settings, identifier('f.k'))
  return { values, newlyBlocked }
}

export interface Judged {
  /** That several records carry. */
  readonly values: number
  /** For the first time. */
  readonly newlyBlocked: number
}

const caseOf =
  (settings: IdentitySettings, then: (identifier: string) => string) =>
  (rank: string): string =>
    `case ${rank} ${ranked(settings)
      .map(([name, k]) => `when ${k} then ${then(name)}`)
      .join(' ')} end`

/** The name of an identifier from its rank. */
export const identifierOf = (work: Work, settings: IdentitySettings, rank: string): string =>
  caseOf(settings, (name) => work.warehouse.literal(name))(rank)

interface SharingLimit {
  readonly rank: number
  readonly most: number
}

const sharingLimits = (settings: IdentitySettings): readonly SharingLimit[] =>
  ranked(settings).flatMap(([name, rank]) => {
    const most = settings.identifiers[name]?.max_shared_by
    return most === undefined ? [] : [{ rank, most }]
  })

// Only values with more records than the limit can have more people: few, so the count may cost something.
const isOver = ({ rank, most }: SharingLimit): string => `m.mark = 'fine' and m.k = ${rank} and m.records > ${most}`

const findOverShared = async (
  work: Work,
  settings: IdentitySettings,
  limits: readonly SharingLimit[],
): Promise<string> => {
  await work.make(
    'candidates',
    `select m.vid, m.k, m.value from ${work.name('marked')} m where ${limits.map((limit) => `(${isOver(limit)})`).join(' or ')}`,
  )
  await countPeople(
    work,
    settings,
    limits.map(({ rank }) => rank),
  )
  const allowed = `case m.k ${limits.map(({ rank, most }) => `when ${rank} then ${most}`).join(' ')} end`
  return `
union all
select m.vid, m.k, m.value, m.records, 'shared' as reason, p.n as shared_by, ${allowed} as allowed
from ${work.name('marked')} m join ${work.name('people_of')} p on p.vid = m.vid where p.n > ${allowed}`
}

const examplesShown = 5

const stageEvidence = (work: Work, settings: IdentitySettings, identifier: string): Promise<void> => {
  const carriers = ranked(settings).map(
    ([, rank]) => `select f.vid, r.${keyColumn} as record_key from ${work.name('fresh_blocks')} f
join ${work.name('records')} r on f.k = ${rank} and f.value = r.${valueColumn(rank)}`,
  )
  return work.make(
    'new_blocks',
    `select ${identifier} as identifier, f.value, f.reason, f.shared_by, f.allowed, f.records, e.examples
from ${work.name('fresh_blocks')} f join (
  select n.vid, string_agg(n.record_key, ', ' order by n.record_key) as examples from (
    select c.vid, c.record_key, row_number() over (partition by c.vid order by c.record_key) as place from (
${carriers.join('\nunion all\n')}
    ) c
  ) n where n.place <= ${examplesShown} group by n.vid
) e on e.vid = f.vid`,
  )
}
