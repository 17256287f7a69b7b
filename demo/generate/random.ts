// The one source of chance in the generated company: a small seeded generator, so that the same seed gives the same bytes.
// Generator: sfc32 (C. Doty-Humphrey, public domain), seeded through FNV-1a and splitmix32. No transcendental
// functions are used anywhere, because their last bit may differ between machines.

export class Random {
  readonly #seed: string
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: string) {
    this.#seed = seed
    let hash = 0x811c9dc5
    for (const unit of Buffer.from(seed, 'utf8')) hash = Math.imul(hash ^ unit, 0x01000193)
    const word = (): number => {
      hash = (hash + 0x9e3779b9) | 0
      let mixed = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad)
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
      return (mixed ^ (mixed >>> 15)) | 0
    }
    this.#a = word()
    this.#b = word()
    this.#c = word()
    for (let round = 0; round < 12; round += 1) this.next()
  }

  /** An independent generator for one part of the data: adding a draw to one part leaves the others as they were. */
  fork(label: string): Random {
    return new Random(`${this.#seed}/${label}`)
  }

  /** Uniform in [0, 1). */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return (sum >>> 0) / 0x1_0000_0000
  }

  /** A whole number, both ends included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** One element of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    const element = list[Math.floor(this.next() * list.length)]
    if (element === undefined) throw new RangeError('nothing to pick from')
    return element
  }

  /** One element of a list of [element, weight], neither empty nor of weight zero. */
  weighted<T>(list: readonly (readonly [T, number])[]): T {
    let left = this.next() * list.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [element, weight] of list) {
      left -= weight
      if (left < 0) return element
    }
    throw new RangeError('nothing to pick from')
  }

  /** `count` different elements in random order (all of them if there are fewer). */
  sample<T>(list: readonly T[], count = list.length): T[] {
    const rest = [...list]
    const taken: T[] = []
    while (taken.length < count && rest.length > 0) taken.push(...rest.splice(this.int(0, rest.length - 1), 1))
    return taken
  }

  digits(count: number): string {
    let text = ''
    for (let at = 0; at < count; at += 1) text += String(this.int(0, 9))
    return text
  }
}
