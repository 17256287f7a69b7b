// Who does what on day 2. Nobody is chosen twice, so that every change in the story has one cause.

import { consenting } from './campaigns.ts'
import { DAY, dayOne } from './clock.ts'
import type { Person } from './people.ts'
import type { Random } from './random.ts'
import type { Device, Happening } from './sessions.ts'
import type { World } from './world.ts'

export interface Cast {
  /** VIPs at risk who buy again. */
  readonly returning: readonly Person[]
  /** Addresses whose consent ends, and whose they are; the first two are VIPs at risk. */
  readonly withdrawing: readonly (readonly [string, Person])[]
  /** Anonymous until now; they open an account in the browser they were seen in. */
  readonly converts: readonly { readonly device: Device; readonly person: Person }[]
  /** They buy what they left in the cart more than three days ago. */
  readonly finishing: readonly Person[]
  /** New to Lotus: with an account, at a till, in the CRM. */
  readonly newcomers: {
    readonly shop: readonly Person[]
    readonly pos: readonly Person[]
    readonly crm: readonly Person[]
  }
  /** They have an account, and sign up for the newsletter. */
  readonly subscribing: readonly Person[]
  /** People who opened the last campaign and click only now. */
  readonly clicking: readonly Happening[]
  /** Regular guests of the tills and of the shop. */
  readonly guests: readonly Person[]
  readonly buyers: readonly Person[]
  readonly double: Person
}

const ordinary = ({ kind }: Person): boolean => kind === 'regular' || kind === 'tail' || kind === 'vip'

/** People with an account whose cart has been waiting for more than three days. */
const abandoned = (devices: readonly Device[], traffic: readonly Happening[]): Set<string> => {
  const owners = new Map(
    devices.filter(({ loggedIn }) => loggedIn).map((device) => [device.anonymousId, device.person]),
  )
  const carts = new Map<string, number>()
  for (const { anonymous_id, event, at } of traffic) {
    const owner = owners.get(anonymous_id ?? '')
    if (owner === undefined) continue
    if (event === 'add_to_cart') carts.set(owner, at)
    if (event === 'purchase') carts.delete(owner)
  }
  return new Set([...carts].filter(([, at]) => at < dayOne - 3 * DAY).map(([person]) => person))
}

const openedOnly = (traffic: readonly Happening[]): Happening[] => {
  const opened = new Map<string, Happening>()
  for (const happening of traffic) {
    const key = `${happening.properties['campaign_id']} ${happening.properties['email']}`
    if (happening.event === 'email_open') opened.set(key, happening)
    if (happening.event === 'email_click') opened.delete(key)
  }
  return [...opened.values()].filter(({ at }) => at > dayOne - 5 * DAY)
}

export const castDayTwo = (world: World, random: Random): Cast => {
  const { population, devices, traffic, signups } = world
  const people = new Map(population.people.map((person) => [person.id, person]))
  const busy = new Set<Person>()
  const take = (count: number, suits: (person: Person) => boolean): Person[] => {
    const chosen = random.sample(
      [...people.values()].filter((person) => !busy.has(person) && suits(person)),
      count,
    )
    for (const person of chosen) busy.add(person)
    return chosen
  }
  const returning = take(6, ({ kind, channels }) => kind === 'vipAtRisk' && channels.has('shop'))
  const words = [...consenting(signups, dayOne)].flatMap(([address, id]) => {
    const person = people.get(id)
    return person ? [[address, person] as const] : []
  })
  const withdrawingOf = (count: number, suits: (person: Person) => boolean) => {
    const chosen = new Set(take(count, (person) => suits(person) && words.some(([, owner]) => owner === person)))
    return words.filter(([, person]) => chosen.has(person))
  }
  const withdrawing = [
    ...withdrawingOf(2, ({ kind, channels }) => kind === 'vipAtRisk' && channels.has('shop')),
    ...withdrawingOf(10, ({ kind }) => kind === 'regular' || kind === 'vip'),
  ]
  const seen = new Set(traffic.map(({ anonymous_id }) => anonymous_id))
  const unknown = new Map(
    devices.filter(({ anonymousId }) => seen.has(anonymousId)).map((device) => [device.person, device]),
  )
  const converts = take(5, ({ id, kind }) => kind === 'anonymous' && unknown.has(id)).flatMap((person) => {
    const device = unknown.get(person.id)
    return device ? [{ device, person }] : []
  })
  const withCart = abandoned(devices, traffic)
  const finishing = take(8, (person) => ordinary(person) && withCart.has(person.id))
  const subscribing = take(
    3,
    (person) => ordinary(person) && person.channels.has('shop') && !person.channels.has('newsletter'),
  )
  const guests = take(35, (person) => ordinary(person) && person.channels.has('pos'))
  const buyers = take(9, (person) => ordinary(person) && person.channels.has('shop'))
  const born = (count: number, channel: 'shop' | 'pos' | 'crm'): Person[] =>
    Array.from({ length: count }, () => population.add('newcomer', new Set([channel])))
  return {
    returning,
    withdrawing,
    converts,
    finishing,
    subscribing,
    guests,
    buyers,
    clicking: random.sample(openedOnly(traffic), 15),
    newcomers: { shop: born(5, 'shop'), pos: born(5, 'pos'), crm: born(4, 'crm') },
    double: population.only('double'),
  }
}
