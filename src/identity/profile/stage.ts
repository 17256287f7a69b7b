// The records of a profile, each with its place in time among its person's: one pass over them, one order for each time that rules go by.
import type { Column } from '../../warehouse/warehouse.ts'
import type { ProfileSettings } from '../settings.ts'
import { nullsLast, recordKey, textOf } from '../stage.ts'
import type { Work } from '../work.ts'
import { isPresent, type Order, type Trait, typeOf } from './rules.ts'

/** The column whose values `prefer` names: `source` where the record has one, else the first that names a record. */
export const sourceColumn = (settings: ProfileSettings): string =>
  settings.record.find((column) => column.toLowerCase() === 'source') ?? settings.record[0] ?? ''

/**
 * Makes work table `ranked`: person_id, record_key, each trait's value and place in `prefer`, `complete` (how many of the traits'
 * values are present) where asked for, and each order's place.
 */
export const stageRanked = async (
  work: Work,
  select: string,
  columns: readonly Column[],
  settings: ProfileSettings,
  plan: { readonly traits: readonly Trait[]; readonly orders: readonly Order[] },
): Promise<void> => {
  const { warehouse } = work
  const column = (name: string): string => `s.${warehouse.quote(name)}`
  const picked = plan.traits.flatMap((trait) => (trait.from === undefined ? [] : [{ ...trait, from: trait.from }]))
  const times = plan.orders.map((order, at) => ({ order, name: `time_${at}` }))
  const complete = sumOf(
    picked.map(
      ({ from }) => `case when ${isPresent(warehouse, column(from), typeOf(columns, from))} then 1 else 0 end`,
    ),
  )
  const source = sourceColumn(settings)
  const sourceText =
    typeOf(columns, source) === warehouse.typeName('text') ? column(source) : textOf(warehouse, column(source))
  const list = [
    `${column('person_id')} as person_id`,
    `${recordKey(warehouse, settings.record, 's')} as record_key`,
    ...picked.map(({ from, column: name }) => `${column(from)} as ${name}`),
    ...plan.traits.flatMap((trait) =>
      trait.prefer === undefined ? [] : [`${preferred(work, sourceText, trait)} as ${trait.prefer}`],
    ),
    ...(plan.traits.some((trait) => trait.rule.pick === 'most_complete') ? [`${complete} as complete`] : []),
    ...times.flatMap(({ order, name }) => (order.by === undefined ? [] : [`${column(order.by)} as ${name}`])),
  ]
  await work.make(
    'rows',
    `select ${list.join(',\n  ')}\nfrom (\n${select}\n) s where ${column('person_id')} is not null`,
  )
  // A SELECT may give a record several times, with values that differ; then the values themselves settle what is left open.
  const [counts] = await warehouse.all<{ n: number; different: number }>(
    `select count(*) as n, count(distinct r.record_key) as different from ${work.name('rows')} r`,
  )
  const settle =
    counts && counts.n > counts.different ? picked.map((trait) => `, ${nullsLast(`r.${trait.column}`)}`).join('') : ''
  const places = times.map(({ order, name }) => {
    const place = `r.${name}`
    const time = order.by === undefined ? '' : `${order.descending ? `${place} desc nulls last` : nullsLast(place)}, `
    return `row_number() over (partition by r.person_id order by ${time}r.record_key${settle}) as ${order.name}`
  })
  await work.make('ranked', `select r.*, ${places.join(', ')} from ${work.name('rows')} r`)
}

// In halves: a long chain of additions is a deep one, and there are limits to depth.
const sumOf = (terms: readonly string[]): string => {
  if (terms.length < 2) return terms[0] ?? '0'
  const half = terms.length >> 1
  return `(${sumOf(terms.slice(0, half))} + ${sumOf(terms.slice(half))})`
}

const preferred = (work: Work, source: string, trait: Trait): string =>
  `case ${source} ${trait.rule.prefer.map((name, at) => `when ${work.warehouse.literal(name)} then ${at}`).join(' ')} else ${trait.rule.prefer.length} end`
