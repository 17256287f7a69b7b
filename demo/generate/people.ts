// Who there is: the population behind the records, before anything is written about anyone. This is the truth.

import { makeAddresses, type Addresses } from './addresses.ts'
import { cities } from './catalogue.ts'
import { makeName, type Name } from './names.ts'
import type { Random } from './random.ts'

/** Sources whose records stand for a person; web visitors come on top. */
export type Channel = 'pos' | 'shop' | 'crm' | 'newsletter'

/**
 * loyal: 500 receipts · cashier: their own phone is typed for 400 guests · double: known twice, under two e-mails and
 * two phones, until day 2 · vip, vipAtRisk (last bought 65 to 150 days ago), vipTurning (60 days ago on day 1) ·
 * newcomer: first purchase this week · regular, tail · guest: only on one receipt with the cashier's phone ·
 * anonymous: only on the web.
 */
export type Kind =
  | 'loyal'
  | 'cashier'
  | 'double'
  | 'vip'
  | 'vipAtRisk'
  | 'vipTurning'
  | 'newcomer'
  | 'regular'
  | 'tail'
  | 'guest'
  | 'anonymous'

export interface Person {
  readonly id: string
  readonly kind: Kind
  readonly name: Name
  readonly city: string
  /** `1990-05-17` */
  readonly birthDate: string
  readonly channels: ReadonlySet<Channel>
  email: string
  /** National form. */
  phone: string
  /** A second address or number, used in some places. */
  otherEmail?: string
  otherPhone?: string
  household?: number
  /** Set once the person has an account in the web shop. */
  customerId?: string
}

/** Gives their right phone and e-mail wherever asked: those whose records the story needs together, or apart. */
export const isReliable = ({ kind, household, otherPhone }: Person): boolean =>
  household !== undefined || otherPhone !== undefined || !['newcomer', 'regular', 'tail'].includes(kind)

export const isVip = (person: Person): boolean => person.kind.startsWith('vip')

const numbers: readonly (readonly [Kind, number])[] = [
  ['loyal', 1],
  ['cashier', 1],
  ['double', 1],
  ['vip', 81],
  ['vipAtRisk', 45],
  ['vipTurning', 4],
  ['newcomer', 70],
  ['regular', 700],
  ['tail', 3447],
  ['guest', 250],
  ['anonymous', 400],
]
const HOUSEHOLDS = 30
/** So many households have a web-shop account for both people; in the others at most one has. */
const HOUSEHOLDS_WITH_TWO_ACCOUNTS = 20

/** Probability of each channel, by kind. */
const habits: Readonly<Record<Kind, Readonly<Record<Channel, number>>>> = {
  loyal: { pos: 1, shop: 1, crm: 1, newsletter: 1 },
  cashier: { pos: 0, shop: 1, crm: 0, newsletter: 0 },
  double: { pos: 1, shop: 1, crm: 1, newsletter: 1 },
  vip: { pos: 0.75, shop: 0.9, crm: 0.8, newsletter: 0.85 },
  vipAtRisk: { pos: 0.7, shop: 0.95, crm: 0.8, newsletter: 0.92 },
  vipTurning: { pos: 0.5, shop: 1, crm: 1, newsletter: 1 },
  newcomer: { pos: 0.5, shop: 0.65, crm: 0.1, newsletter: 0.4 },
  regular: { pos: 0.65, shop: 0.6, crm: 0.5, newsletter: 0.4 },
  tail: { pos: 0.39, shop: 0.51, crm: 0.34, newsletter: 0.24 },
  guest: { pos: 0, shop: 0, crm: 0, newsletter: 0 },
  anonymous: { pos: 0, shop: 0, crm: 0, newsletter: 0 },
}

const channelsOf = (random: Random, kind: Kind): Set<Channel> => {
  const chosen = new Set<Channel>()
  for (const channel of ['pos', 'shop', 'crm', 'newsletter'] as const) {
    if (random.chance(habits[kind][channel])) chosen.add(channel)
  }
  const buys = chosen.has('pos') || chosen.has('shop')
  const mustBuy = kind.startsWith('vip') || kind === 'newcomer' || kind === 'regular'
  if (kind === 'guest' || kind === 'anonymous' || buys || (!mustBuy && chosen.size > 0)) return chosen
  return chosen.add(random.pick(['pos', 'shop']))
}

export class Population {
  readonly people: Person[] = []
  readonly addresses: Addresses
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
    this.addresses = makeAddresses(random.fork('addresses'))
  }

  /** The one person of a kind that has one. */
  only(kind: 'loyal' | 'cashier' | 'double'): Person {
    for (const person of this.people) if (person.kind === kind) return person
    throw new RangeError(`nobody is ${kind}`)
  }

  add(kind: Kind, channels: ReadonlySet<Channel> = channelsOf(this.#random, kind)): Person {
    const random = this.#random
    const name = makeName(random)
    const born = random.int(Date.UTC(1956, 0, 1), Date.UTC(2008, 11, 31))
    const person: Person = {
      id: `P${String(this.people.length + 1).padStart(5, '0')}`,
      kind,
      name,
      city: random.weighted(cities),
      birthDate: new Date(born).toISOString().slice(0, 10),
      channels,
      email: this.addresses.email(name),
      phone: this.addresses.mobile(),
    }
    const reachable = !['loyal', 'vipAtRisk', 'vipTurning'].includes(kind) && channels.size > 1
    const twoPhones = kind === 'double' || (reachable && channels.has('pos') && random.chance(0.04))
    const twoEmails = kind === 'double' || (reachable && channels.has('newsletter') && random.chance(0.05))
    if (twoPhones) person.otherPhone = this.addresses.mobile()
    if (twoEmails) person.otherEmail = this.addresses.email(name)
    this.people.push(person)
    return person
  }
}

export const makePopulation = (random: Random): Population => {
  const population = new Population(random)
  for (const [kind, count] of numbers) {
    for (let made = 0; made < count; made += 1) population.add(kind)
  }
  shareHouseholds(population, random)
  return population
}

/** Two people, two names, two e-mails, one phone; each shows the phone and an identifier of their own somewhere. */
const shareHouseholds = (population: Population, random: Random): void => {
  const ordinary = random.sample(
    population.people.filter(
      (person) => (person.kind === 'regular' || person.kind === 'tail') && !person.otherPhone && !person.otherEmail,
    ),
  )
  const withAccount = ordinary.filter((person) => person.channels.has('shop'))
  const without = ordinary.filter(({ channels }) => channels.has('crm') && channels.has('pos') && !channels.has('shop'))
  for (let household = 1; household <= HOUSEHOLDS; household += 1) {
    const first = withAccount.pop()
    const second = (household <= HOUSEHOLDS_WITH_TWO_ACCOUNTS ? withAccount : without).pop()
    if (!first || !second) return
    if (household % 2 === 0) first.phone = population.addresses.landline()
    second.phone = first.phone
    first.household = second.household = household
  }
}
