// What one more day brings: about one row in a hundred is new or changed, and each kind of change the story needs is
// among them.

import { mailEvent } from './campaigns.ts'
import { dayTwo, HOUR, midnight, withOffset } from './clock.ts'
import { contactRow, type ContactLine } from './crm.ts'
import { castDayTwo, type Cast } from './day-two-cast.ts'
import { noDirt, Pen } from './dirt.ts'
import { signupRow, type SignupLine } from './newsletter.ts'
import type { Person } from './people.ts'
import { openingHours, purchase, type Purchase } from './purchases.ts'
import { numberSlips, slipOf, walkIn } from './receipts.ts'
import type { Customer, Kept, Order, Receipt } from './rows.ts'
import { steps, type Device, type Happening } from './sessions.ts'
import type { Random } from './random.ts'
import { customerRow, makeOrders } from './shop.ts'
import { newDevice, playAll, purchaseSessions, settle, visit } from './web.ts'
import type { Records, World } from './world.ts'

export const DAY_2_EVENTS = 1_500
const FROM = midnight(dayTwo) + 7 * HOUR
const TO = dayTwo - HOUR

/** `contacts` is the whole file again; everything else holds the new and changed rows alone. */
export interface DayTwo extends Records {
  readonly cast: Cast
  /** The CRM contact with the e-mail of one known person and the phone of another. */
  readonly joining: string
  readonly corrected: string
}

export const makeDayTwo = (world: World): DayTwo => {
  const random = world.random.fork('day 2')
  const dirt = noDirt()
  const pen = (label: string): Pen => new Pen(random.fork(label), dirt)
  const cast = castDayTwo(world, random.fork('cast'))
  const customers = openAccounts(pen('customers'), world, cast)
  const bought = buy(random.fork('purchases'), cast)
  const placed = makeOrders(random.fork('orders'), bought, world.orders.length + 1, dayTwo)
  const moved = moveOrders(world.orders)
  const receipts = ringUp(pen('receipts'), bought, world.receipts.length + 1)
  const crm = editContacts(pen('contacts'), world, cast)
  const signups = hear(pen('signups'), world, cast)
  const web = surf(random.fork('web'), world, cast, placed)
  return { cast, customers, receipts, signups, orders: [...placed, ...moved], ...crm, ...web, dirt }
}

const openAccounts = (pen: Pen, world: World, { converts, newcomers }: Cast): Kept<Customer>[] => {
  const { random } = pen
  const people = [...converts.map(({ person }) => person), ...newcomers.shop]
  const opened = people.map((person, index) => {
    person.customerId = `C${10_001 + world.customers.length + index}`
    const at = FROM + index * 600_000
    return { person: person.id, row: customerRow(pen, person, person.customerId, at, at) }
  })
  for (const { device, person } of converts) device.customerId = person.customerId ?? null
  // People move; what identifies them stays, so nobody's records come apart by it.
  const changed = random.sample(world.customers, 22).map(({ person, row }) => ({
    person,
    row: {
      ...row,
      city: random.pick(['Đà Nẵng', 'Hà Nội', 'Hải Phòng']),
      updated_at: withOffset(openingHours(random, FROM, TO)),
    },
  }))
  return [...opened, ...changed]
}

const buy = (random: Random, cast: Cast): Purchase[] => {
  const at = (): number => openingHours(random, FROM + 3 * HOUR, TO)
  const all = (people: readonly Person[], channel: (person: Person) => 'pos' | 'shop'): Purchase[] =>
    people.map((person) => purchase(random, person, channel(person), at()))
  const online = [...cast.finishing, ...cast.converts.map(({ person }) => person), ...cast.newcomers.shop.slice(0, 3)]
  return [
    ...all(cast.returning, ({ channels }) => (channels.has('pos') ? 'pos' : 'shop')),
    ...all([...online, ...cast.buyers], () => 'shop'),
    ...all([...cast.guests, ...cast.newcomers.pos], () => 'pos'),
  ].toSorted((left, right) => left.at - right.at)
}

/** Parcels move on: the newest rows of orders that day 1 knew as pending or shipped. */
const moveOrders = (orders: readonly Order[]): Order[] =>
  orders
    .filter(({ status }) => status === 'pending' || status === 'shipped')
    .slice(0, 20)
    .map((order, index) => ({
      ...order,
      status: order.status === 'pending' ? 'shipped' : 'completed',
      updated_at: withOffset(FROM + index * 300_000),
    }))

const ringUp = (pen: Pen, bought: readonly Purchase[], first: number): Kept<Receipt>[] => {
  const slips = bought.filter(({ channel }) => channel === 'pos').map((one) => slipOf(pen, one))
  return numberSlips([...slips, ...Array.from({ length: 10 }, () => walkIn(pen, FROM, TO))], first)
}

const editContacts = (pen: Pen, world: World, { newcomers, double }: Cast) => {
  const { random } = pen
  const at = (): number => openingHours(random, FROM, TO)
  const moving = new Set(
    random.sample(
      world.contacts.filter(({ wrong }) => !wrong),
      15,
    ),
  )
  let corrected = ''
  const contacts = world.contacts.map((line): ContactLine => {
    const { person, row, wrong } = line
    if (wrong === 'points') {
      corrected = row.contact_id
      return { person, row: { ...row, updated_at: withOffset(at()) } }
    }
    if (!moving.has(line)) return line
    return { person, row: { ...row, points: row.points + random.int(10, 400), updated_at: withOffset(at()) } }
  })
  const add = (person: Person, change: { email?: string; phone?: string } = {}): ContactLine => {
    const row = contactRow(pen, person, contacts.length + 1, at())
    return { person: person.id, row: { ...row, ...change } }
  }
  for (const person of newcomers.crm) contacts.push(add(person))
  const joint = add(double, { email: double.email, phone: pen.phone(double.otherPhone ?? double.phone) })
  contacts.push(joint)
  return { contacts, joining: joint.row.contact_id, corrected }
}

const hear = (pen: Pen, world: World, { withdrawing, newcomers, subscribing }: Cast): SignupLine[] => {
  const words = [
    ...withdrawing.map(([email, person]) => ({ email, person, granted: false, later: true })),
    ...[...newcomers.shop, ...subscribing].map((person) => ({
      email: person.email,
      person,
      granted: true,
      later: false,
    })),
  ]
  return words.map((word, index) => {
    const at = FROM + index * 600_000
    return signupRow(pen, { ...word, at, purpose: 'marketing.email' }, world.signups.length + 1 + index)
  })
}

const surf = (random: Random, world: World, cast: Cast, placed: readonly Order[]) => {
  const accounts = cast.newcomers.shop.map((person) => newDevice(random, person, false))
  const strangers = Array.from({ length: 10 }, () => newDevice(random, world.population.add('anonymous'), false))
  const devices: Device[] = [...world.devices, ...accounts, ...strangers]
  const clicks: Happening[] = cast.clicking.map(({ properties, customer_id }) => {
    const { campaign_id, email } = properties
    const at = openingHours(random, FROM, TO)
    return mailEvent('email_click', at, String(campaign_id), String(email), customer_id, undefined)
  })
  // Browsers of known people that never logged in stay as they are: day 2 has its own log-ins, those of new accounts.
  const fresh = new Set([...accounts, ...strangers, ...cast.converts.map(({ device }) => device)])
  const settled = world.devices.filter(
    (device) => !fresh.has(device) && (device.loggedIn || device.customerId === null),
  )
  const sessions = purchaseSessions(random, [...settled, ...fresh], placed)
  const look = (device: Device): number => {
    const session = visit(random, device, FROM, TO)
    sessions.push(session)
    return steps(session)
  }
  for (const device of [...accounts, ...strangers]) look(device)
  let left = DAY_2_EVENTS - clicks.length - sessions.reduce((sum, session) => sum + steps(session), 0)
  while (left > 0) left -= look(random.pick(settled))
  return { devices, traffic: settle([...playAll(random, sessions), ...clicks], DAY_2_EVENTS) }
}
