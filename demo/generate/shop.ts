// The web shop: accounts (one a person) and their orders.

import { DAY, dayOne, withOffset } from './clock.ts'
import type { Pen } from './dirt.ts'
import { isReliable, type Person } from './people.ts'
import type { Purchase } from './purchases.ts'
import type { Random } from './random.ts'
import type { Customer, Kept, Order } from './rows.ts'

/** An account opened at `created`. */
export const customerRow = (pen: Pen, person: Person, id: string, created: number, updated: number): Customer => {
  const { random } = pen
  const certain = isReliable(person)
  const phone = () => {
    if (certain || !random.chance(0.06)) return pen.phone(person.phone)
    return random.chance(0.3) ? null : pen.junkPhone()
  }
  return {
    id,
    email: !certain && random.chance(0.006) ? pen.junkEmail() : pen.email(person.email),
    phone: phone(),
    full_name: pen.name(person.name),
    city: random.chance(0.85) ? person.city : null,
    birth_date: random.chance(0.7) ? person.birthDate : null,
    created_at: withOffset(created),
    updated_at: withOffset(updated),
  }
}

/** Accounts in the order in which they were opened: ids say nothing about who is who. */
export const makeCustomers = (
  pen: Pen,
  people: readonly Person[],
  purchases: readonly Purchase[],
): Kept<Customer>[] => {
  const { random } = pen
  const firstOrder = new Map<Person, number>()
  for (const { person, channel, at } of purchases) {
    if (channel === 'shop' && !firstOrder.has(person)) firstOrder.set(person, at)
  }
  const opened = people
    .filter(({ channels }) => channels.has('shop'))
    .map((person) => {
      const order = firstOrder.get(person)
      const slack = person.kind === 'newcomer' ? 0.2 * DAY : random.int(0, 40) * DAY
      const created =
        order === undefined ? dayOne - random.int(10 * DAY, 364 * DAY) : order - random.int(60_000, slack + 600_000)
      return { person, created, updated: random.chance(0.3) ? random.int(created, dayOne) : created }
    })
    .toSorted((left, right) => left.created - right.created)
  return opened.map(({ person, created, updated }, index) => {
    person.customerId = `C${10_001 + index}`
    return { person: person.id, row: customerRow(pen, person, person.customerId, created, updated) }
  })
}

const statusOf = (random: Random, { person, at }: Purchase, now: number): Order['status'] => {
  if (at > now - 1.5 * DAY) return 'pending'
  if (at > now - 4 * DAY) return 'shipped'
  const settled = person.kind !== 'regular' && person.kind !== 'tail'
  return settled
    ? 'completed'
    : random.weighted([
        ['completed', 93],
        ['cancelled', 4],
        ['returned', 3],
      ])
}

/** `purchases` in order of time; orders stand for nobody new, so they carry no truth of their own. */
export const makeOrders = (random: Random, purchases: readonly Purchase[], first: number, now: number): Order[] =>
  purchases
    .filter(({ channel, person }) => channel === 'shop' && person.customerId !== undefined)
    .map((bought, index) => {
      const status = statusOf(random, bought, now)
      const moved = status === 'pending' ? 0 : random.int(1, status === 'shipped' ? 36 : 90) * 3_600_000
      return {
        order_id: `O${100_000 + first + index}`,
        customer_id: bought.person.customerId ?? '',
        items: bought.lines,
        total: bought.total,
        status,
        ordered_at: withOffset(bought.at),
        updated_at: withOffset(Math.min(bought.at + moved, now)),
      }
    })
