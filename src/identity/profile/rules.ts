// What a trait's rule means in SQL. A picked trait is the value of one record: that with the least `weight`, a whole number made of, from
// the heaviest to the lightest, the source's place in `prefer`, what the rule measures, and the record's place in time, ties by record key.
// An empty value (null, or a text of blanks) has no weight, so it never wins over a present one.
import type { Column, Warehouse } from '../../warehouse/warehouse.ts'
import { type Aggregate, aggregates, type Pick, type ProfileSettings, type TraitRule } from '../settings.ts'

/** An order of a person's records in time: column `name` of the work table `ranked` is the place, 1 the first. */
export interface Order {
  readonly name: string
  readonly by: string | undefined
  readonly descending: boolean
}

/** A trait with the work table's columns it needs. */
export interface Trait {
  readonly name: string
  readonly rule: TraitRule
  /** Column of the SELECT; undefined for a count of records. */
  readonly from: string | undefined
  /** The value in work tables. */
  readonly column: string
  /** The place of the record's source in `prefer`, when there is one. */
  readonly prefer: string | undefined
  readonly order: Order
}

export const isAggregate = (pick: Pick | Aggregate): pick is Aggregate =>
  (aggregates as readonly string[]).includes(pick)

/** Traits in the header's order, and the orders they need between them. */
export const planTraits = (
  settings: ProfileSettings,
): { readonly traits: readonly Trait[]; readonly orders: readonly Order[] } => {
  const orders: Order[] = []
  const traits = Object.entries(settings.traits).map(([name, rule], at): Trait => {
    const by = rule.by ?? settings.seen_at
    const descending = rule.pick !== 'earliest' && rule.pick !== 'first'
    let order = orders.find((known) => known.by === by && known.descending === descending)
    if (!order) {
      order = { name: `place_${orders.length}`, by, descending }
      orders.push(order)
    }
    return {
      name,
      rule,
      from: rule.from ?? (rule.pick === 'count' ? undefined : name),
      column: `value_${at}`,
      prefer: rule.prefer.length > 0 ? `prefer_${at}` : undefined,
      order,
    }
  })
  return { traits, orders }
}

/** Rules whose value is that of one record need a time to order records by; these alone mean nothing without. */
export const needsTime = (pick: Pick | Aggregate): boolean => ['latest', 'earliest', 'first', 'last'].includes(pick)

/** `latest by paid_at, shop before others` */
export const describeRule = (rule: TraitRule): string => {
  const by = rule.by === undefined ? '' : ` by ${rule.by}`
  const from = rule.from === undefined ? '' : ` of ${rule.from}`
  const prefer = rule.prefer.length === 0 ? '' : `, ${rule.prefer.join(' before ')} before others`
  return `${rule.pick}${from}${by}${prefer}`
}

/** Whether a value is present. */
export const isPresent = (warehouse: Warehouse, value: string, type: string): string =>
  type === warehouse.typeName('text') ? `${warehouse.dialect.trimmed(value)} <> ''` : `${value} is not null`

export const typeOf = (columns: readonly Column[], name: string): string =>
  columns.find((column) => column.name.toLowerCase() === name.toLowerCase())?.type ?? ''

// Places of weight: up to 50 preferred sources, measures below ten million, and below ten thousand million records a person.
export const mostPreferred = 50
const preferUnit = '100000000000000000'
const measureUnit = '10000000000'
const measureMost = '9999999'

/** The weight of a record for a picked trait; `measure` is what more of wins. */
export const weight = (trait: Trait, alias: string, measure: string | undefined): string => {
  const prefer = trait.prefer === undefined ? '' : `${alias}.${trait.prefer} * ${preferUnit} + `
  const measured =
    measure === undefined ? '' : `(${measureMost} - least(${measure}, ${measureMost})) * ${measureUnit} + `
  return `${prefer}${measured}${alias}.${trait.order.name}`
}
