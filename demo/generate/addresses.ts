// Hands out phone numbers and e-mail addresses, each once: two people share one only where the story says so.

import { bare, type Name } from './names.ts'
import type { Random } from './random.ts'

/** Prefixes of Vietnamese mobile numbers in use (national form, without the 0). */
const mobilePrefixes =
  '32 33 34 35 36 37 38 39 56 58 59 70 76 77 78 79 81 82 83 84 85 86 88 90 90 91 91 93 94 96 97 98 98'.split(' ')

const domains: readonly (readonly [string, number])[] = [
  ['gmail.com', 70],
  ['yahoo.com.vn', 9],
  ['outlook.com', 8],
  ['icloud.com', 6],
  ['lotus.example', 1],
  ['congty.example', 6],
]

export interface Addresses {
  /** National form with its leading zero: `0912345678`. */
  mobile(): string
  /** A line in Hà Nội or Hồ Chí Minh City: `02838123456`. */
  landline(): string
  email(name: Name): string
}

/** Draws until the value is new. */
const once = (used: Set<string>, draw: () => string): string => {
  let value = draw()
  while (used.has(value)) value = draw()
  used.add(value)
  return value
}

export const makeAddresses = (random: Random): Addresses => {
  const phones = new Set<string>()
  const locals = new Set<string>()

  const local = (name: Name): string => {
    const [family = '', ...rest] = bare(`${name.family} ${name.rest}`).toLowerCase().split(' ')
    const given = rest.at(-1) ?? ''
    const base = random.pick([
      `${given}.${family}`,
      `${family}${rest.join('')}`,
      `${family}.${rest.join('.')}`,
      `${given}${family}`,
      `${rest.join('')}.${family}`,
    ])
    return random.chance(0.75) ? `${base}${random.int(1, 999)}` : `${base}.${random.int(60, 99)}`
  }

  return {
    mobile: () => once(phones, () => `0${random.pick(mobilePrefixes)}${random.digits(7)}`),
    landline: () => once(phones, () => `0${random.pick(['243', '283'])}${random.int(5, 9)}${random.digits(6)}`),
    email: (name) => {
      // Unique without its dots as well, so that no normalisation of mailbox names can join two people.
      let mailbox = local(name)
      while (locals.has(mailbox.replaceAll('.', ''))) mailbox = local(name)
      locals.add(mailbox.replaceAll('.', ''))
      return `${mailbox}@${random.weighted(domains)}`
    },
  }
}
