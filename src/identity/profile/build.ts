// Builds a golden profile: one row a person, each trait the value that its rule says, and where it came from.
import { CdpError, type Place } from '../../core/errors.ts'
import { didYouMean } from '../../core/nearest.ts'
import type { Column, Warehouse } from '../../warehouse/warehouse.ts'
import type { Aggregate, ProfileSettings } from '../settings.ts'
import { settle, withWork, type Work } from '../work.ts'
import { findOriginChanges, originCounts, writeOrigins } from './origins.ts'
import { describeRule, isAggregate, isPresent, planTraits, type Trait, typeOf, weight } from './rules.ts'
import { sourceColumn, stageRanked } from './stage.ts'

export interface ProfileInput {
  readonly warehouse: Warehouse
  /** Name of the model. */
  readonly profile: string
  /** Its SELECT: the records, with person_id. */
  readonly select: string
  readonly settings: ProfileSettings
  /** Of the model, for errors. */
  readonly place: Place
  /** Makes the relation from a SELECT; called once, last, in the transaction if it can be. */
  readonly publish: (select: string) => Promise<void>
}

export interface ProfileOutcome {
  readonly persons: number
}

/** Throws MODEL_COLUMN, PROFILE_RULE; then nothing was changed. */
export const buildProfile = (input: ProfileInput): Promise<ProfileOutcome> =>
  withWork(input.warehouse, 'profile', (work) => build(work, input))

const build = async (work: Work, input: ProfileInput): Promise<ProfileOutcome> => {
  const { warehouse, select, settings } = input
  const columns = await warehouse.describe(select)
  const plan = planTraits(settings)
  checkTraits(input, columns, plan.traits)
  await stageRanked(work, select, columns, settings, plan)
  await work.make('persons', onePass(work, columns, plan.traits))
  for (const trait of plan.traits) await stageApart(work, columns, trait)
  const apart = plan.traits.filter((trait) => isApart(trait))
  const joins = apart.map(
    (trait) => `\nleft join ${work.name(trait.column)} ${trait.column} on ${trait.column}.person_id = p.person_id`,
  )
  const values = plan.traits.map((trait) => {
    const value = `${isApart(trait) ? trait.column : 'p'}.${trait.column}`
    return `${isList(trait) ? `coalesce(${value}, [])` : value} as ${warehouse.quote(trait.name)}`
  })
  const picked = plan.traits.filter((trait) => !isAggregate(trait.rule.pick))
  await findOriginChanges(
    work,
    input.profile,
    picked.map((trait) => ({
      name: trait.name,
      rule: describeRule(trait.rule),
      table: work.name(isApart(trait) ? trait.column : 'persons'),
      column: recordColumn(trait),
    })),
  )
  const counts = await work.numbers({
    persons: `select count(*) from ${work.name('persons')} p`,
    ...originCounts(work),
  })
  await settle(
    warehouse,
    () => writeOrigins(work, input.profile, counts),
    () =>
      input.publish(`select ${['p.person_id', ...values].join(', ')}\nfrom ${work.name('persons')} p${joins.join('')}`),
  )
  return { persons: counts.persons }
}

/** The winning record's key, beside the value. */
const recordColumn = (trait: Trait): string => `record_${trait.column}`

// Values that need a grouping of their own.
const isApart = (trait: Trait): boolean => trait.rule.pick === 'most_frequent' || isList(trait)

// Not every engine tells an array that is null from one that is empty, so nobody's is null.
const isList = (trait: Trait): boolean => trait.rule.pick === 'list' || trait.rule.pick === 'set'

const onePass = (work: Work, columns: readonly Column[], traits: readonly Trait[]): string => {
  const list = traits.filter((trait) => !isApart(trait)).flatMap((trait) => columnsOf(work.warehouse, columns, trait))
  return `select ${['r.person_id', ...list].join(',\n  ')}\nfrom ${work.name('ranked')} r group by r.person_id`
}

const columnsOf = (warehouse: Warehouse, columns: readonly Column[], trait: Trait): string[] => {
  const { pick } = trait.rule
  if (trait.from === undefined) return [`count(*) as ${trait.column}`]
  const value = `r.${trait.column}`
  const type = typeOf(columns, trait.from)
  const present = isPresent(warehouse, value, type)
  if (isAggregate(pick)) return [`${aggregated(warehouse, pick, value, type, present)} as ${trait.column}`]
  const measure = {
    longest: `length(${warehouse.name({ schema: 'cdp', name: 'to_text' })}(${value}))`,
    most_complete: 'r.complete',
  }
  const least = `case when ${present} then ${weight(trait, 'r', pick === 'longest' || pick === 'most_complete' ? measure[pick] : undefined)} end`
  const words = warehouse.dialect
  return [
    `${words.minBy(value, least)} as ${trait.column}`,
    `${words.minBy('r.record_key', least)} as ${recordColumn(trait)}`,
  ]
}

const isWhole = (type: string): boolean => /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER|64|128)?$/i.test(type)
const isDecimal = (type: string): boolean => /^(DECIMAL|(BIG)?NUMERIC)/i.test(type)

// The average of exact numbers is their exact sum, read as a double once, by the count: the same to the last digit on every engine and in
// whatever order the records come. Doubles are added up as they come.
const aggregated = (warehouse: Warehouse, pick: Aggregate, value: string, type: string, present: string): string => {
  const values = `case when ${present} then ${value} end`
  if (pick === 'sum' && isWhole(type)) return `cast(sum(${values}) as ${warehouse.typeName('integer')})`
  if (pick !== 'avg' || !(isWhole(type) || isDecimal(type))) return `${pick}(${values})`
  const sum = `cast(cast(sum(${values}) as ${warehouse.typeName('text')}) as ${warehouse.typeName('double')})`
  return `${sum} / nullif(count(${values}), 0)`
}

const stageApart = async (work: Work, columns: readonly Column[], trait: Trait): Promise<void> => {
  if (!isApart(trait) || trait.from === undefined) return
  const present = isPresent(work.warehouse, `r.${trait.column}`, typeOf(columns, trait.from))
  const from = `from ${work.name('ranked')} r where ${present}`
  if (trait.rule.pick === 'list') {
    await work.make(
      trait.column,
      `select r.person_id, array_agg(r.${trait.column} order by r.${trait.order.name}) as ${trait.column} ${from} group by r.person_id`,
    )
  } else if (trait.rule.pick === 'set') {
    await work.make(
      trait.column,
      `select d.person_id, array_agg(d.${trait.column} order by d.${trait.column}) as ${trait.column}
from (select distinct r.person_id, r.${trait.column} ${from}) d group by d.person_id`,
    )
  } else {
    const prefer = trait.prefer === undefined ? '' : `, r.${trait.prefer}`
    const least = weight(trait, 'c', 'c.times')
    const words = work.warehouse.dialect
    await work.make(
      trait.column,
      `select c.person_id, ${words.minBy(`c.${trait.column}`, least)} as ${trait.column}, ${words.minBy('c.record_key', least)} as ${recordColumn(trait)}
from (
  select r.person_id, r.${trait.column}${prefer}, count(*) as times, min(r.${trait.order.name}) as ${trait.order.name},
    ${words.minBy('r.record_key', `r.${trait.order.name}`)} as record_key
  ${from} group by r.person_id, r.${trait.column}${prefer}
) c group by c.person_id`,
    )
  }
}

const checkTraits = (input: ProfileInput, columns: readonly Column[], traits: readonly Trait[]): void => {
  const { profile: model, settings, place } = input
  const names = columns.map((column) => column.name)
  const wanted = [
    ['person_id', 'a profile must give'],
    ...settings.record.map((column) => [column, `names a record of ${settings.of}`]),
    ...traits.flatMap((trait) =>
      trait.from === undefined ? [] : [[trait.from, `the trait ${trait.name} is made of`]],
    ),
    ...traits.flatMap((trait) =>
      trait.order.by === undefined ? [] : [[trait.order.by, `the trait ${trait.name} goes by`]],
    ),
    ...(traits.some((trait) => trait.prefer !== undefined) ? [[sourceColumn(settings), '`prefer` goes by']] : []),
  ]
  for (const [column = '', why = ''] of wanted) {
    if (names.some((name) => name.toLowerCase() === column.toLowerCase())) continue
    throw new CdpError('MODEL_COLUMN', { model, column, why, near: didYouMean(column, names) }, { place })
  }
  const text = traits.find(
    (trait) =>
      ['sum', 'avg'].includes(trait.rule.pick) &&
      typeOf(columns, trait.from ?? '') === input.warehouse.typeName('text'),
  )
  if (text === undefined) return
  const problem = `is the ${text.rule.pick} of \`${text.from}\`, which is text: use cdp.safe_decimal(…) in the SELECT`
  throw new CdpError('PROFILE_RULE', { trait: text.name, problem }, { place })
}
