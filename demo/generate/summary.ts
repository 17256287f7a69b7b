// What a day holds, in figures, and where to find the people the story is about.

import type { DayTwo } from './day-two.ts'
import { DAY_1_NOW, DAY_2_NOW } from './clock.ts'
import type { Dirt } from './dirt.ts'
import type { Kind, Person } from './people.ts'
import { CASHIER_RECEIPTS } from './receipts.ts'
import type { TruthRow, TruthSource } from './truth.ts'
import type { Records, World } from './world.ts'
import type { Written } from './write.ts'

export interface Summary {
  readonly day: 1 | 2
  readonly seed: string
  /** The instant to run the day's models at. */
  readonly now: string
  /** At the end of the day. */
  readonly people: {
    readonly total: number
    readonly byKind: Readonly<Record<Kind, number>>
    /** Never gave an e-mail, a phone or a log-in. */
    readonly anonymousOnly: number
    readonly households: number
    readonly householdPeople: number
  }
  /** Records that stand for a person at the end of the day; `total` is without `web`, whose records are browsers. */
  readonly records: Readonly<Record<TruthSource | 'total', number>>
  /** Rows of the day's files: on day 2 the new and changed ones, but `contacts` is the whole file on both days. */
  readonly rows: {
    readonly receipts: number
    readonly walkIns: number
    readonly customers: number
    readonly orders: number
    readonly contacts: number
    readonly wrongContacts: number
    readonly signups: number
    readonly withdrawals: number
    readonly events: number
  }
  /** Values written dirty; on day 2 in the new and changed rows. */
  readonly dirt: Dirt
  readonly files: readonly Written[]
  readonly story: Story
}

export interface Story {
  readonly cashier: { readonly person: string; readonly phone: string; readonly receipts: number }
  readonly loyal: {
    readonly person: string
    readonly customerId: string
    readonly phone: string
    readonly receipts: number
  }
  /** Two people on day 1, one from day 2 on by the CRM contact `joining` (null on day 1). */
  readonly double: {
    readonly person: string
    readonly first: { readonly customerId: string; readonly email: string }
    readonly second: { readonly email: string; readonly phone: string }
    readonly joining: string | null
  }
  /** Lines of the CRM that cannot be read, by contact. */
  readonly wrongContacts: readonly { readonly contact: string; readonly wrong: string }[]
  /** Day 2 alone. */
  readonly dayTwo?: {
    readonly correctedContact: string
    /** VIPs at risk on day 1 who bought again. */
    readonly returning: readonly string[]
    /** Addresses whose consent ended. */
    readonly withdrawing: readonly string[]
    /** Accounts of people who were anonymous on day 1. */
    readonly converts: readonly string[]
    /** Accounts that bought after their cart had been left. */
    readonly finishing: readonly string[]
    readonly newPeople: number
  }
}

const international = (national: string): string => `+84${national.slice(1)}`
const count = <T>(list: readonly T[], suits: (item: T) => boolean): number => list.filter((item) => suits(item)).length
const accounts = (people: readonly Person[]): string[] => people.flatMap(({ customerId }) => customerId ?? [])

const peopleOf = (people: readonly Person[]): Summary['people'] => {
  const byKind = {
    loyal: 0,
    cashier: 0,
    double: 0,
    vip: 0,
    vipAtRisk: 0,
    vipTurning: 0,
    newcomer: 0,
    regular: 0,
    tail: 0,
    guest: 0,
    anonymous: 0,
  }
  for (const { kind } of people) byKind[kind] += 1
  const householdPeople = count(people, ({ household }) => household !== undefined)
  return {
    total: people.length,
    byKind,
    anonymousOnly: count(people, ({ kind, customerId }) => kind === 'anonymous' && customerId === undefined),
    households: householdPeople / 2,
    householdPeople,
  }
}

const recordsOf = (truth: readonly TruthRow[]): Summary['records'] => {
  const records = { pos: 0, shop: 0, crm: 0, newsletter: 0, web: 0 }
  for (const { source } of truth) records[source] += 1
  return { total: truth.length - records.web, ...records }
}

const rowsOf = (day: Records): Summary['rows'] => ({
  receipts: day.receipts.length,
  walkIns: count(day.receipts, ({ person }) => person === null),
  customers: day.customers.length,
  orders: day.orders.length,
  contacts: day.contacts.length,
  wrongContacts: count(day.contacts, ({ wrong }) => wrong !== undefined),
  signups: day.signups.length,
  withdrawals: count(day.signups, ({ row }) => row.method === 'unsubscribe_link'),
  events: day.traffic.length,
})

const storyOf = (world: World, two: DayTwo | undefined, before: number): Story => {
  const { population } = world
  const [cashier, loyal, double] = [population.only('cashier'), population.only('loyal'), population.only('double')]
  const wrongContacts = (two ?? world).contacts.flatMap(({ row, wrong }) =>
    wrong === undefined ? [] : [{ contact: row.contact_id, wrong }],
  )
  return {
    cashier: { person: cashier.id, phone: international(cashier.phone), receipts: CASHIER_RECEIPTS },
    loyal: {
      person: loyal.id,
      customerId: loyal.customerId ?? '',
      phone: international(loyal.phone),
      receipts: count(world.receipts, ({ person }) => person === loyal.id),
    },
    double: {
      person: double.id,
      first: { customerId: double.customerId ?? '', email: double.email },
      second: { email: double.otherEmail ?? '', phone: international(double.otherPhone ?? '') },
      joining: two?.joining ?? null,
    },
    wrongContacts,
    ...(two && {
      dayTwo: {
        correctedContact: two.corrected,
        returning: two.cast.returning.map(({ id }) => id),
        withdrawing: two.cast.withdrawing.map(([address]) => address),
        converts: accounts(two.cast.converts.map(({ person }) => person)),
        finishing: accounts(two.cast.finishing),
        newPeople: population.people.length - before,
      },
    }),
  }
}

/** `before`: people there were before day 2 began (of no meaning on day 1). */
export const summarize = (
  seed: string,
  world: World,
  two: DayTwo | undefined,
  truth: readonly TruthRow[],
  files: readonly Written[],
  before = 0,
): Summary => ({
  day: two ? 2 : 1,
  seed,
  now: two ? DAY_2_NOW : DAY_1_NOW,
  people: peopleOf(world.population.people),
  records: recordsOf(truth),
  rows: rowsOf(two ?? world),
  dirt: (two ?? world).dirt,
  files,
  story: storyOf(world, two, before),
})
