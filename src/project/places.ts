// Where in a TypeScript file a setting stands, by searching its keys one inside the other: the values themselves carry no place.
import type { Place } from '../core/errors.ts'

/** Line and column of the deepest key of a path that is found; the file alone when none is. */
export const placeOfPath = (file: string, text: string, path: readonly (string | number)[]): Place => {
  let index = -1
  let from = 0
  for (const key of path) {
    if (typeof key === 'number') continue
    const escaped = key.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
    const pattern = new RegExp(`(?<![\\w.$])(['"\`]?)${escaped}\\1(?=\\s*[:,}(]|\\s*$)`, 'gm')
    pattern.lastIndex = from
    const match = pattern.exec(text)
    if (match === null) break
    index = match.index
    from = match.index + match[0].length
  }
  return index < 0 ? { file } : placeAt(file, text, index)
}

export const placeAt = (file: string, text: string, index: number): Place => {
  const before = text.slice(0, index)
  return {
    file,
    line: before.split('\n').length,
    column: Array.from(before.slice(before.lastIndexOf('\n') + 1)).length + 1,
  }
}
