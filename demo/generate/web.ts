// Ninety days of web traffic: visits that end in the shop's orders, carts left behind, people who only look, and what
// became of the newsletter's campaigns.

import { campaignHappenings } from './campaigns.ts'
import { DAY, dayOne, HOUR, utc } from './clock.ts'
import type { SignupLine } from './newsletter.ts'
import { isVip, type Person } from './people.ts'
import { openingHours } from './purchases.ts'
import type { Random } from './random.ts'
import type { Order, WebEvent } from './rows.ts'
import { play, steps, type Device, type Happening, type Session } from './sessions.ts'

export const DAY_1_EVENTS = 150_000
const WINDOW = 90 * DAY

export const newDevice = (random: Random, person: Person, shy: boolean): Device => ({
  anonymousId: `a-${random.int(0, 0xffff_ffff).toString(16).padStart(8, '0')}${random.int(0, 0xffff).toString(16).padStart(4, '0')}`,
  person: person.id,
  customerId: person.customerId ?? null,
  shy,
  loggedIn: false,
})

/** Most people with an account are seen in one browser or two; one second browser in six never logs in. */
export const makeDevices = (random: Random, people: readonly Person[]): Device[] =>
  people.flatMap((person) => {
    if (person.kind === 'anonymous') return [newDevice(random, person, false)]
    if (person.customerId === undefined || !random.chance(0.88)) return []
    const main = newDevice(random, person, false)
    return random.chance(0.25) ? [main, newDevice(random, person, random.chance(0.17))] : [main]
  })

export const purchaseSessions = (random: Random, devices: readonly Device[], orders: readonly Order[]): Session[] => {
  const byCustomer = new Map<string, Device[]>()
  for (const device of devices) {
    if (device.shy || device.customerId === null) continue
    byCustomer.set(device.customerId, [...(byCustomer.get(device.customerId) ?? []), device])
  }
  return orders.flatMap((order) => {
    const owned = byCustomer.get(order.customer_id)
    if (!owned) return []
    const at = Date.parse(order.ordered_at)
    return [{ device: random.pick(owned), at, kind: 'purchase' as const, views: random.int(2, 6), order }]
  })
}

export const visit = (random: Random, device: Device, from: number, to: number): Session => ({
  device,
  at: openingHours(random, from, to),
  kind: random.weighted([
    ['browse', 88],
    ['cart', 9],
    ['checkout', 3],
  ]),
  views: random.int(1, 8),
})

/** In order of time, and exactly `count` of them: what is too much goes from the page views. */
export const settle = (happenings: readonly Happening[], count: number): Happening[] => {
  let excess = happenings.length - count
  return happenings
    .filter(({ event }) => !(event === 'page_view' && excess-- > 0))
    .toSorted((left, right) => left.at - right.at)
}

export const playAll = (random: Random, sessions: readonly Session[]): Happening[] => {
  const happenings: Happening[] = []
  for (const session of sessions.toSorted((left, right) => left.at - right.at)) {
    play(random, session, (happening) => happenings.push(happening))
  }
  return happenings
}

export const numbered = (happenings: readonly Happening[], first: number): WebEvent[] =>
  happenings.map(({ at, ...fields }, index) => ({
    event_id: `E${String(first + index).padStart(7, '0')}`,
    ...fields,
    occurred_at: utc(at),
  }))

export const makeTraffic = (
  random: Random,
  people: readonly Person[],
  devices: readonly Device[],
  orders: readonly Order[],
  signups: readonly SignupLine[],
): Happening[] => {
  const from = dayOne - WINDOW
  const recent = orders.filter(({ ordered_at }) => Date.parse(ordered_at) > from + HOUR)
  const sessions = purchaseSessions(random, devices, recent)
  const mail = campaignHappenings(random, people, devices, signups)
  const kinds = new Map(people.map((person) => [person.id, person]))
  const keen = devices.flatMap((device) => {
    const person = kinds.get(device.person)
    return Array.from({ length: person && isVip(person) ? 4 : random.int(1, 3) }, () => device)
  })
  let planned = mail.length + sessions.reduce((sum, session) => sum + steps(session), 0)
  for (const device of devices) {
    const session = visit(random, device, from, dayOne - HOUR)
    sessions.push(session)
    planned += steps(session)
  }
  while (planned < DAY_1_EVENTS) {
    const session = visit(random, random.pick(keen), from, dayOne - HOUR)
    sessions.push(session)
    planned += steps(session)
  }
  return settle([...playAll(random, sessions), ...mail], DAY_1_EVENTS)
}
