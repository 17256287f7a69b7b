// CRM contacts as the call centre keeps them, some people twice, with three lines that no reader should take.

import { citySpellings } from './catalogue.ts'
import { DAY, dayOne, withOffset } from './clock.ts'
import type { Pen } from './dirt.ts'
import { isReliable, isVip, type Person } from './people.ts'
import type { Contact, Kept } from './rows.ts'

const KNOWN_TWICE = 0.05

export type Wrong = 'columns' | 'points' | 'birthDate'

/** A line of the file; a wrong one is spoiled when it is written, its row is what it should have been. */
export interface ContactLine extends Kept<Contact> {
  readonly person: string
  readonly wrong?: Wrong
}

export const contactRow = (pen: Pen, person: Person, number: number, updated: number): Contact => {
  const { random } = pen
  const { family, rest } = pen.nameParts(person.name)
  // At most one of the two is missing: a contact that cannot be reached would not be one.
  const missing = isReliable(person)
    ? 'neither'
    : random.weighted([
        ['neither', 72],
        ['email', 20],
        ['phone', 8],
      ])
  const other = person.kind === 'double' || random.chance(0.7)
  const email = (other ? person.otherEmail : undefined) ?? person.email
  const phone = (other ? person.otherPhone : undefined) ?? person.phone
  const tier =
    isVip(person) || person.kind === 'loyal' ? (['gold', 'platinum'] as const) : (['bronze', 'silver'] as const)
  return {
    contact_id: `K${String(number).padStart(5, '0')}`,
    given_name: rest,
    family_name: family,
    email: missing === 'email' ? pen.junkEmail() : pen.email(email),
    phone: missing === 'phone' ? pen.junkPhone() : pen.phone(phone),
    city: random.pick(citySpellings[person.city] ?? [person.city]),
    birth_date: random.chance(0.6) ? person.birthDate : '',
    loyalty_tier: random.pick(tier),
    points: random.int(0, tier[0] === 'gold' ? 9000 : 1500),
    updated_at: withOffset(updated),
  }
}

/**
 * People whose records all hang together by the account's phone and e-mail: whatever a wrong line would add once it is
 * corrected, it joins nobody else.
 */
const wellKnown = (person: Person): boolean =>
  person.kind === 'regular' &&
  person.household === undefined &&
  !person.otherEmail &&
  !person.otherPhone &&
  person.channels.has('shop') &&
  !person.channels.has('crm')

export const makeContacts = (pen: Pen, people: readonly Person[]): ContactLine[] => {
  const { random } = pen
  const known = people.filter(({ channels }) => channels.has('crm'))
  const twice = known.filter(({ kind }) => kind !== 'double' && random.chance(KNOWN_TWICE))
  const wrong: readonly Wrong[] = ['columns', 'points', 'birthDate']
  const spoiled = random.sample(people.filter(wellKnown), wrong.length)
  const order = random.sample([...known, ...twice])
  for (const [index, person] of spoiled.entries()) order.splice(310 + index * 620, 0, person)
  return order.map((person, index) => {
    const row = contactRow(pen, person, index + 1, dayOne - random.int(DAY, 360 * DAY))
    const kind = wrong[spoiled.indexOf(person)]
    return kind === undefined ? { person: person.id, row } : { person: person.id, row, wrong: kind }
  })
}

/** The cells of a line in the order of the header. */
export const contactCells = ({ row, wrong }: ContactLine): (string | number)[] => {
  const cells = Object.values<string | number>({ ...row })
  if (wrong === 'columns') cells.splice(6, 0, 'Quận 1')
  if (wrong === 'points') cells[8] = 'not a number'
  if (wrong === 'birthDate') cells[6] = '1990-02-30'
  return cells
}
