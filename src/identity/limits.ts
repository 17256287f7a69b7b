// `max_per_person`: a person has at most so many values of an identifier. Where a component has more, it is built again, link by link, the
// strongest first, and a link that would join too many values is refused. Taking whole components, as if no limit existed, makes the
// result independent of the order in which records arrived.
import type { IdentitySettings } from './settings.ts'
import { keyColumn, ranked, rowColumn, seenColumn, valueColumn } from './stage.ts'
import { isJunk } from './junk.ts'
import { type UnionFind, unionFind } from './union-find.ts'
import type { Work } from './work.ts'

interface Limit {
  readonly identifier: string
  readonly rank: number
  readonly most: number
}

const limitsOf = (settings: IdentitySettings): readonly Limit[] =>
  ranked(settings).flatMap(([identifier, rank]) => {
    const most = settings.identifiers[identifier]?.max_per_person
    return most === undefined ? [] : [{ identifier, rank, most }]
  })

/**
 * Splits the components of work table `component` (x, p) that break a limit. Where links are refused it makes `refused` (x, vid, reason).
 * Gives how many there are. `rows` is the highest row number, `values` the highest vid.
 */
export const applyLimits = async (
  work: Work,
  settings: IdentitySettings,
  sizes: { readonly rows: number; readonly values: number },
): Promise<number> => {
  const limits = limitsOf(settings)
  if (limits.length === 0) return 0
  await stageViolators(work, limits)
  if ((await work.count('violators')) === 0) return 0
  await stageLimited(work, settings, limits)
  const guard = await readGuard(work, limits, sizes)
  const inside = new Uint8Array(sizes.rows + 1)
  const refused: (readonly [x: number, vid: number, limit: number])[] = []
  await work.each(linksByStrength(work), (x, vid) => {
    inside[x] = 1
    const broken = guard.join(x, vid)
    if (broken !== undefined) refused.push([x, vid, broken])
  })
  await work.load('divided', ['x', 'p'], (put) => {
    for (let x = 1; x <= sizes.rows; x++) if (inside[x] === 1) put(x, guard.sets.find(x))
  })
  await work.make(
    'component_limited',
    `select c.x, coalesce(d.p, c.p) as p from ${work.name('component')} c left join ${work.name('divided')} d on d.x = c.x`,
  )
  work.alias('component', 'component_limited')
  if (refused.length > 0) await stageRefused(work, limits, refused)
  return refused.length
}

const stageRefused = async (
  work: Work,
  limits: readonly Limit[],
  refused: readonly (readonly [x: number, vid: number, limit: number])[],
): Promise<void> => {
  await work.load('refusals', ['x', 'vid', 'l'], (put) => refused.forEach((row) => put(...row)))
  const reasons = limits.map(
    ({ most, identifier }, at) =>
      `when ${at} then ${work.warehouse.literal(`a person has at most ${most} ${identifier}`)}`,
  )
  await work.make(
    'refused',
    `select d.x, d.vid, case d.l ${reasons.join(' ')} end as reason from ${work.name('refusals')} d`,
  )
}

const limitedRows = (work: Work, limit: Limit, extra: string): string => {
  const value = `r.${valueColumn(limit.rank)}`
  return `from ${work.name('records')} r join ${work.name('component')} c on c.x = r.${rowColumn}
left join ${work.name('judged')} j on j.k = ${limit.rank} and j.blocked = 1 and j.value = ${value}
${extra}where ${value} is not null and j.value is null`
}

// A few too many may be taken here (for a junk value that only one record carries): building them again gives the same component.
const stageViolators = (work: Work, limits: readonly Limit[]): Promise<void> => {
  const each = limits.map((limit) => {
    const value = `r.${valueColumn(limit.rank)}`
    const having = limit.most === 1 ? `min(${value}) < max(${value})` : `count(distinct ${value}) > ${limit.most}`
    return `select c.p as root ${limitedRows(work, limit, '')} group by c.p having ${having}`
  })
  return work.make('violators', `select distinct u.root from (\n${each.join('\nunion all\n')}\n) u`)
}

// limited (x, l, v): the limited values of the records concerned, as numbers.
const stageLimited = (work: Work, settings: IdentitySettings, limits: readonly Limit[]): Promise<void> => {
  const { warehouse } = work
  const each = limits.map((limit, at) => {
    const value = `r.${valueColumn(limit.rank)}`
    return `select c.x, ${at} as l, ${value} as value ${limitedRows(work, limit, `join ${work.name('violators')} b on b.root = c.p\n`)} and not ${isJunk(warehouse, value, settings.junk)}`
  })
  return work.make(
    'limited',
    `select u.x, u.l, dense_rank() over (partition by u.l order by u.value) as v from (\n${each.join('\nunion all\n')}\n) u`,
  )
}

/** Links of the components concerned, as (row, vid): strongest identifier first, then values that few records carry, then the earliest. */
const linksByStrength = (work: Work): string => `select l.x, l.vid from (
select e.x, e.vid, e.k, j.records, j.value, r.${seenColumn} as seen, r.${keyColumn} as record_key,
  min(r.${seenColumn}) over (partition by e.vid) as first_seen
from ${work.name('edges')} e
join ${work.name('component')} c on c.x = e.x
join ${work.name('violators')} b on b.root = c.p
join ${work.name('judged')} j on j.vid = e.vid
join ${work.name('records')} r on r.${rowColumn} = e.x
where e.blocked = 0) l
order by l.k, l.records, l.first_seen nulls last, l.value, l.seen nulls last, l.record_key`

interface Guard {
  readonly sets: UnionFind
  /** Joins a row and a value, or gives the index of the limit that this would break. */
  join(x: number, vid: number): number | undefined
}

const readGuard = async (
  work: Work,
  limits: readonly Limit[],
  sizes: { readonly rows: number; readonly values: number },
): Promise<Guard> => {
  const sets = unionFind(sizes.rows + sizes.values + 1)
  /** root -> the limited values of its set; a list is shorter than a set and has at most `most` entries. */
  const held = limits.map(() => new Map<number, readonly number[]>())
  await work.each(`select d.x, d.l, d.v from ${work.name('limited')} d`, (x, l, v) => void held[l]?.set(x, [v]))
  const join = (x: number, vid: number): number | undefined => {
    const a = sets.find(x)
    const b = sets.find(sizes.rows + vid)
    if (a === b) return undefined
    const together = held.map((values) => merged(values.get(a), values.get(b)))
    const broken = together.findIndex((values, at) => (values?.length ?? 0) > (limits[at]?.most ?? 0))
    if (broken >= 0) return broken
    sets.union(a, b)
    const root = sets.find(a)
    for (const [at, values] of held.entries()) {
      const now = together[at]
      if (now) values.set(root, now)
    }
    return undefined
  }
  return { sets, join }
}

const merged = (a: readonly number[] | undefined, b: readonly number[] | undefined): readonly number[] | undefined => {
  if (!a || !b) return a ?? b
  return [...a, ...b.filter((value) => !a.includes(value))]
}
