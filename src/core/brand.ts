// Objects that cross the package border carry a brand, so that `instanceof` of another copy of the package is never asked.

/** Marks a definition; the mark survives two copies of the package and is not enumerable. */
export const branded = <T extends object>(kind: string, value: T): T =>
  Object.defineProperty(value, Symbol.for(`composable-cdp.${kind}`), { value: true })

export const hasBrand = (kind: string, value: unknown): boolean =>
  typeof value === 'object' && value !== null && Symbol.for(`composable-cdp.${kind}`) in value
