// Receipts of the tills: a purchase with what the cashier typed about the guest, walk-ins nobody knows, and the one
// cashier who types their own number for everybody.

import { basket, storeFor, totalOf, type Line } from './catalogue.ts'
import { DAY, dayOne, withoutZone } from './clock.ts'
import type { Pen } from './dirt.ts'
import { isReliable, type Population } from './people.ts'
import { openingHours, type Purchase } from './purchases.ts'
import type { Kept, Receipt } from './rows.ts'

export const CASHIER_RECEIPTS = 400
const WALK_INS = 500
/** Where the cashier with the busy phone works. */
const BUSY = { store: 'HCM-02', cashier: 'HCM-02-C3' }

/** A receipt before it has its number, which follows the order of payment. */
interface Slip {
  readonly at: number
  readonly person: string | null
  readonly fields: Omit<Receipt, 'receipt_id' | 'items' | 'amount' | 'paid_at'>
  readonly lines: readonly Line[]
}

/** One guest at a till. */
export const slipOf = (pen: Pen, bought: Purchase): Slip => {
  const { random } = pen
  const { person, at, lines } = bought
  const other = person.kind === 'double' || random.chance(0.3) ? person.otherPhone : undefined
  const usual = !isReliable(person) && random.chance(0.015) ? undefined : (other ?? person.phone)
  const { code } = storeFor(random, person.city)
  const phone = usual === undefined ? pen.junkPhone() : pen.phone(usual)
  const fields = { store: code, cashier: `${code}-C${random.int(1, 3)}`, phone, name: pen.calledName(person.name) }
  return { at, person: person.id, fields, lines }
}

export const walkIn = (pen: Pen, from: number, to: number): Slip => {
  const { random } = pen
  const { code } = storeFor(random, '')
  const name = random.weighted([
    ['', 60],
    ['Khách lẻ', 30],
    ['N/A', 10],
  ])
  const fields = { store: code, cashier: `${code}-C${random.int(1, 3)}`, phone: pen.junkPhone(), name }
  return { at: openingHours(random, from, to), person: null, fields, lines: basket(random, 'pos', false) }
}

const busySlips = (pen: Pen, population: Population): Slip[] => {
  const { random } = pen
  const cashier = population.only('cashier')
  const { people } = population
  const guests = people.filter(({ kind }) => kind === 'guest')
  const known = people.filter(({ kind, channels }) => kind === 'tail' && channels.size > 1)
  const served = random.sample([...guests, ...random.sample(known, CASHIER_RECEIPTS - guests.length)])
  return served.map((person) => ({
    at: openingHours(random, dayOne - 300 * DAY, dayOne - 8 * DAY),
    person: person.id,
    fields: { ...BUSY, phone: pen.phone(cashier.phone), name: pen.name(person.name) },
    lines: basket(random, 'pos', false),
  }))
}

/** Receipts in order of payment, numbered from `first`. */
export const numberSlips = (slips: readonly Slip[], first: number): Kept<Receipt>[] =>
  slips
    .toSorted((left, right) => left.at - right.at)
    .map(({ at, person, fields, lines }, index) => ({
      person,
      row: {
        receipt_id: `R${String(first + index).padStart(6, '0')}`,
        ...fields,
        items: lines.map(({ name, quantity }) => `${name} x${quantity}`).join(', '),
        amount: totalOf(lines),
        paid_at: withoutZone(at),
      },
    }))

export const makeReceipts = (pen: Pen, population: Population, purchases: readonly Purchase[]): Kept<Receipt>[] => {
  const slips = purchases.filter(({ channel }) => channel === 'pos').map((bought) => slipOf(pen, bought))
  const nobody = Array.from({ length: WALK_INS }, () => walkIn(pen, dayOne - 364 * DAY, dayOne))
  return numberSlips([...slips, ...busySlips(pen, population), ...nobody], 1)
}
