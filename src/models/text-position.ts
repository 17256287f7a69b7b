// Places in a text. The SQL parser counts lines and code points, DuckDB counts bytes of UTF-8, JavaScript counts UTF-16 units;
// a Vietnamese name or an emoji on the line before a reference makes all three differ.

/** From 1; the column counts code points, as editors do. */
export interface Position {
  readonly line: number
  readonly column: number
}

export const positionAt = (text: string, index: number): Position => {
  const before = text.slice(0, index)
  const lineStart = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: Array.from(before.slice(lineStart)).length + 1 }
}

/** Index of a position; beyond the end of the text, its length. */
export const indexAt = (text: string, { line, column }: Position): number => {
  let start = 0
  for (let n = 1; n < line; n++) {
    const end = text.indexOf('\n', start)
    if (end < 0) return text.length
    start = end + 1
  }
  let index = start
  for (let n = 1; n < column && index < text.length; n++) index += (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1
  return index
}

/** Index of a byte of the text's UTF-8. */
export const indexOfByte = (text: string, byte: number): number =>
  Buffer.from(text, 'utf8').subarray(0, byte).toString('utf8').length

const widest = 100

/** The line with a caret under the column; a long line is cut around it. */
export const excerpt = (text: string, { line, column }: Position): string => {
  const points = Array.from((text.split('\n')[line - 1] ?? '').replace(/\r$/, '').replaceAll('\t', ' '))
  const from = Math.max(0, Math.min(column - 1 - widest / 2, points.length - widest))
  const shown = points.slice(from, from + widest).join('')
  return `${shown}\n${' '.repeat(column - 1 - from)}^`
}
