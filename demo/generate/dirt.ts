// How one person's name, phone and e-mail are written differently each time, and what is typed instead of them.
// Every kind of dirt is counted where it is made, so that the summary can say how much of each the data holds.

import { bare, type Name } from './names.ts'
import type { Random } from './random.ts'

/** Number of written values of each kind. */
export interface Dirt {
  nameWithoutDiacritics: number
  /** Decomposed (Unicode NFD) and different from the composed form. */
  nameNfd: number
  /** Given name before family name (in the CRM: the two columns exchanged). */
  nameSwapped: number
  nameUpperCase: number
  /** `chị Lan`, `Lan`: only at the tills. */
  nameGivenOnly: number
  /** `0912345678` */
  phonePlain: number
  /** `0912 345 678` */
  phoneSpaced: number
  /** `+84 912 345 678` */
  phonePlus84: number
  /** `84912345678` */
  phone84: number
  /** `(+84) 912-345-678` */
  phoneParenthesised: number
  emailUpperCase: number
  emailSpace: number
  /** Junk values written instead of a phone or an e-mail, by value; `''` is the empty one. */
  junk: Record<JunkValue, number>
}

export type JunkValue = 'N/A' | '0000000000' | 'test@test.com' | 'null' | ''

export const noDirt = (): Dirt => ({
  nameWithoutDiacritics: 0,
  nameNfd: 0,
  nameSwapped: 0,
  nameUpperCase: 0,
  nameGivenOnly: 0,
  phonePlain: 0,
  phoneSpaced: 0,
  phonePlus84: 0,
  phone84: 0,
  phoneParenthesised: 0,
  emailUpperCase: 0,
  emailSpace: 0,
  junk: { 'N/A': 0, '0000000000': 0, 'test@test.com': 0, null: 0, '': 0 },
})

/** A writer of dirty values; what it wrote is counted in `dirt`. */
export class Pen {
  readonly random: Random
  readonly dirt: Dirt

  constructor(random: Random, dirt: Dirt) {
    this.random = random
    this.dirt = dirt
  }

  /** Family name and the rest in the two fields of a form. */
  nameParts(name: Name): { family: string; rest: string } {
    const { family, rest } = name
    const style = this.random.weighted([
      ['clean', 46],
      ['bare', 20],
      ['nfd', 12],
      ['swapped', 9],
      ['upper', 7],
      ['bareUpper', 6],
    ] as const)
    const both = (change: (text: string) => string) => ({ family: change(family), rest: change(rest) })
    if (style === 'clean') return { family, rest }
    if (style === 'swapped') {
      this.dirt.nameSwapped += 1
      return { family: rest, rest: family }
    }
    if (style === 'nfd') {
      const parts = both((text) => text.normalize('NFD'))
      if (parts.family !== family || parts.rest !== rest) this.dirt.nameNfd += 1
      return parts
    }
    const bared = style === 'bare' || style === 'bareUpper'
    const raised = style === 'upper' || style === 'bareUpper'
    if (bared) this.dirt.nameWithoutDiacritics += 1
    if (raised) this.dirt.nameUpperCase += 1
    return both((text) => {
      const spelled = bared ? bare(text) : text
      return raised ? spelled.toUpperCase() : spelled
    })
  }

  name(name: Name): string {
    const { family, rest } = this.nameParts(name)
    return `${family} ${rest}`
  }

  /** As a cashier types it: sometimes only how the guest is called. */
  calledName(name: Name): string {
    if (!this.random.chance(0.25)) return this.name(name)
    this.dirt.nameGivenOnly += 1
    return this.random.pick([name.given, bare(name.given), `${name.female ? 'chị' : 'anh'} ${name.given}`])
  }

  /** `national` starts with its 0. */
  phone(national: string): string {
    const significant = national.slice(1)
    const head = significant.slice(0, -6)
    const tail = [significant.slice(-6, -3), significant.slice(-3)]
    switch (this.random.int(0, 5)) {
      case 0:
        this.dirt.phoneSpaced += 1
        return [`0${head}`, ...tail].join(' ')
      case 1:
        this.dirt.phonePlus84 += 1
        return `+84 ${[head, ...tail].join(' ')}`
      case 2:
        this.dirt.phone84 += 1
        return `84${significant}`
      case 3:
        this.dirt.phoneParenthesised += 1
        return `(+84) ${[head, ...tail].join('-')}`
      default:
        this.dirt.phonePlain += 1
        return national
    }
  }

  email(email: string): string {
    let written = email
    if (this.random.chance(0.12)) {
      written = this.random.chance(0.3)
        ? email.toUpperCase()
        : email.replaceAll(/(^|[.@])[a-z]/g, (start) => start.toUpperCase())
      this.dirt.emailUpperCase += 1
    }
    if (this.random.chance(0.07)) {
      written = this.random.pick([` ${written}`, `${written} `, ` ${written} `])
      this.dirt.emailSpace += 1
    }
    return written
  }

  junkPhone(): string {
    return this.#junk(this.random.pick(['N/A', '0000000000', 'null', '']))
  }

  junkEmail(): string {
    return this.#junk(this.random.pick(['N/A', 'test@test.com', 'test@test.com', 'null', '']))
  }

  #junk(value: JunkValue): JunkValue {
    this.dirt.junk[value] += 1
    return value
  }
}
