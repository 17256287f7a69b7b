// Newsletter sign-ups with consent: what was asked, where, how, and what people said later.

import { stores } from './catalogue.ts'
import { DAY, dayOne, utc } from './clock.ts'
import type { Pen } from './dirt.ts'
import type { Person } from './people.ts'
import type { Random } from './random.ts'
import type { Kept, Purpose, Signup } from './rows.ts'

const JUNK_SIGNUPS = 8

interface Word {
  readonly at: number
  readonly person: Person
  /** As it was given, before the typing errors. */
  readonly email: string
  readonly purpose: Purpose
  readonly granted: boolean
  readonly later: boolean
}

export interface SignupLine extends Kept<Signup> {
  readonly person: string
  /** Address without typing errors, for the campaigns. */
  readonly address: string
}

/** Everything one person said, oldest first. */
const wordsOf = (random: Random, person: Person): Word[] => {
  const words: Word[] = []
  const at = dayOne - random.int(4 * DAY, 300 * DAY)
  const loyalToUs = person.kind !== 'regular' && person.kind !== 'tail' && person.kind !== 'newcomer'
  const say = (purpose: Purpose, email: string): void => {
    const granted = loyalToUs || random.chance(0.92)
    words.push({ at: at + words.length * 1000, person, email, purpose, granted, later: false })
    if (granted && !loyalToUs && random.chance(0.09)) {
      const withdrawn = random.int(at + DAY, dayOne)
      words.push({ at: withdrawn, person, email, purpose, granted: false, later: true })
    }
  }
  const email = person.otherEmail && person.kind !== 'double' && random.chance(0.5) ? person.otherEmail : person.email
  say('marketing.email', email)
  if (random.chance(0.2)) say('marketing.sms', email)
  if (random.chance(0.25)) say('marketing.zalo', email)
  if (person.kind === 'double' && person.otherEmail) say('marketing.email', person.otherEmail)
  return words
}

export const signupRow = (pen: Pen, word: Word, number: number): SignupLine => {
  const { random } = pen
  const { person, email, purpose, granted, at, later } = word
  const onPaper = !later && random.chance(0.15)
  const place = () => {
    if (later) return 'https://lotus.example/huy-dang-ky'
    return onPaper ? `store ${random.pick(stores).code}` : 'https://lotus.example/ban-tin'
  }
  const method = () => {
    if (later) return 'unsubscribe_link' as const
    return onPaper ? ('paper' as const) : random.pick(['checkbox', 'double_opt_in'] as const)
  }
  const row: Signup = {
    signup_id: `N${String(number).padStart(5, '0')}`,
    email: pen.email(email),
    name: later || random.chance(0.2) ? null : pen.name(person.name),
    purpose,
    granted,
    place: place(),
    method: method(),
    at: utc(at),
  }
  return { person: person.id, address: email, row }
}

export const makeSignups = (pen: Pen, people: readonly Person[]): SignupLine[] => {
  const { random } = pen
  const words = people.filter(({ channels }) => channels.has('newsletter')).flatMap((person) => wordsOf(random, person))
  const lines = words
    .toSorted((left, right) => left.at - right.at)
    .map((word, index) => signupRow(pen, word, index + 1))
  // Some gave an address nobody reads: real people, but no record of theirs can be joined by it.
  const strangers = people.filter(({ kind, channels }) => kind === 'tail' && channels.has('pos') && channels.size === 1)
  for (const [index, person] of random.sample(strangers, JUNK_SIGNUPS).entries()) {
    const at = dayOne - (index + 1) * 20 * DAY
    const said = { email: 'test@test.com', purpose: 'marketing.email', granted: true, later: false } as const
    lines.push(signupRow(pen, { ...said, at, person }, lines.length + 1))
    pen.dirt.junk['test@test.com'] += 1
  }
  return lines
}
