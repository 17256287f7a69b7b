// Everything there is at the end of day 1, in memory: what day 1 writes and what day 2 starts from.

import { dayOne } from './clock.ts'
import { makeContacts, type ContactLine } from './crm.ts'
import { noDirt, Pen, type Dirt } from './dirt.ts'
import { makeSignups, type SignupLine } from './newsletter.ts'
import { makePopulation, type Population } from './people.ts'
import { makePurchases } from './purchases.ts'
import { Random } from './random.ts'
import { makeReceipts } from './receipts.ts'
import type { Customer, Kept, Order, Receipt } from './rows.ts'
import type { Device, Happening } from './sessions.ts'
import { makeCustomers, makeOrders } from './shop.ts'
import { makeDevices, makeTraffic } from './web.ts'

/** What the sources hold, or what one day adds to them. */
export interface Records {
  readonly receipts: readonly Kept<Receipt>[]
  readonly customers: readonly Kept<Customer>[]
  readonly orders: readonly Order[]
  /** The whole file, on both days. */
  readonly contacts: readonly ContactLine[]
  readonly signups: readonly SignupLine[]
  readonly devices: readonly Device[]
  /** In order of time. */
  readonly traffic: readonly Happening[]
  readonly dirt: Dirt
}

export interface World extends Records {
  readonly random: Random
  readonly population: Population
}

export const makeWorld = (seed: string): World => {
  const random = new Random(seed)
  const dirt = noDirt()
  const pen = (label: string): Pen => new Pen(random.fork(label), dirt)
  const population = makePopulation(random.fork('people'))
  const { people } = population
  const purchases = makePurchases(random.fork('purchases'), people)
  const customers = makeCustomers(pen('customers'), people, purchases)
  const orders = makeOrders(random.fork('orders'), purchases, 1, dayOne)
  const receipts = makeReceipts(pen('receipts'), population, purchases)
  const contacts = makeContacts(pen('contacts'), people)
  const signups = makeSignups(pen('signups'), people)
  const devices = makeDevices(random.fork('devices'), people)
  const traffic = makeTraffic(random.fork('traffic'), people, devices, orders, signups)
  return { random, population, receipts, customers, orders, contacts, signups, devices, traffic, dirt }
}
