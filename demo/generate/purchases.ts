// Who bought what, when and where. The shape is the one RFM looks for: a few who buy often and much, a long tail who
// bought once, and known cut-offs in recency for the people the story is about.

import { basket, totalOf, type Line } from './catalogue.ts'
import { DAY, dayOne, HOUR, midnight } from './clock.ts'
import { isVip, type Kind, type Person } from './people.ts'
import type { Random } from './random.ts'

export interface Purchase {
  readonly person: Person
  readonly channel: 'pos' | 'shop'
  readonly at: number
  readonly lines: readonly Line[]
  readonly total: number
}

/** A moment between the two when a shop is open (7 to 22 o'clock), as nearly as the borders allow. */
export const openingHours = (random: Random, from: number, to: number): number => {
  const drawn = midnight(random.int(from, to)) + 7 * HOUR + random.int(0, 15 * HOUR - 1)
  const whole = Math.floor(Math.min(Math.max(drawn, from), to) / 1000) * 1000
  return Math.max(whole, from)
}

type Span = readonly [number, number]

/** How many purchases, and the oldest and newest day they may fall on, in days before "now". */
const habits: Readonly<Record<Kind, { count: Span; oldest: number; newest: Span }>> = {
  loyal: { count: [5, 5], oldest: 300, newest: [10, 10] },
  cashier: { count: [2, 2], oldest: 300, newest: [30, 30] },
  double: { count: [3, 3], oldest: 200, newest: [20, 20] },
  vip: { count: [14, 40], oldest: 364, newest: [0, 28] },
  vipAtRisk: { count: [14, 34], oldest: 364, newest: [65, 150] },
  vipTurning: { count: [16, 30], oldest: 364, newest: [61, 61] },
  newcomer: { count: [1, 2], oldest: 6.7, newest: [0, 0] },
  regular: { count: [3, 7], oldest: 364, newest: [0, 120] },
  tail: { count: [0, 2], oldest: 364, newest: [8, 8] },
  guest: { count: [0, 0], oldest: 0, newest: [0, 0] },
  anonymous: { count: [0, 0], oldest: 0, newest: [0, 0] },
}

export const purchase = (random: Random, person: Person, channel: 'pos' | 'shop', at: number): Purchase => {
  const lines = basket(random, channel, isVip(person) || person.kind === 'double')
  return { person, channel, at, lines, total: totalOf(lines) }
}

const ofPerson = (random: Random, person: Person): Purchase[] => {
  const atTill = person.channels.has('pos')
  const online = person.channels.has('shop')
  const { oldest, ...habit } = habits[person.kind]
  const count = random.int(...habit.count)
  const newest = random.int(...habit.newest)
  const bought: Purchase[] = []
  const buy = (channel: 'pos' | 'shop', from: number, to: number): void => {
    const at = openingHours(random, dayOne - from * DAY, dayOne - to * DAY)
    bought.push(purchase(random, person, channel, at))
  }
  const where = (): 'pos' | 'shop' => (atTill && (!online || random.chance(0.42)) ? 'pos' : 'shop')
  if (person.kind === 'loyal') for (let visit = 0; visit < 500; visit += 1) buy('pos', 364, 0.2)
  if (person.kind === 'double') for (let visit = 0; visit < 3; visit += 1) buy('pos', 200, 20)
  if (atTill || online) {
    const rest = person.kind === 'double' || person.kind === 'loyal' ? () => 'shop' as const : where
    // The last purchase of a VIP is where their recency says, not by chance long before it.
    const latest = isVip(person) ? newest + 2 : oldest
    for (let made = 0; made < count; made += 1) buy(rest(), made === 0 ? latest : oldest, newest)
  }
  if (atTill && !bought.some(({ channel }) => channel === 'pos')) buy('pos', oldest, newest)
  if (person.kind === 'vipTurning') {
    // Ten in the morning, 60 days before: both the days between and the calendar days pass 60 only on day 2.
    bought.push(purchase(random, person, 'shop', midnight(dayOne - 60 * DAY) + 10 * HOUR))
  }
  return bought
}

/** In order of time. */
export const makePurchases = (random: Random, people: readonly Person[]): Purchase[] =>
  people.flatMap((person) => ofPerson(random, person)).toSorted((left, right) => left.at - right.at)
