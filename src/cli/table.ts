// Tables for a terminal: columns as wide as their content, numbers to the right, cut to the window. Widths count what is seen, so
// that Vietnamese text in either normal form lines up.

const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

const isWide = (point: number): boolean =>
  (point >= 0x1100 && point <= 0x115f) ||
  (point >= 0x2e80 && point <= 0xa4cf) ||
  (point >= 0xac00 && point <= 0xd7a3) ||
  (point >= 0xf900 && point <= 0xfaff) ||
  (point >= 0xfe30 && point <= 0xfe6f) ||
  (point >= 0xff00 && point <= 0xff60) ||
  (point >= 0x1f300 && point <= 0x1faff)

/** Columns of a terminal that a text takes. */
export const widthOf = (text: string): number => {
  // Plain ASCII is by far the most common and needs no segmenter.
  if (/^[\u0020-\u007E]*$/.test(text)) return text.length
  let width = 0
  for (const { segment } of segments.segment(text)) width += isWide(segment.codePointAt(0) ?? 0) ? 2 : 1
  return width
}

const cut = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text
  let out = ''
  let used = 0
  for (const { segment } of segments.segment(text)) {
    used += isWide(segment.codePointAt(0) ?? 0) ? 2 : 1
    if (used > width - 1) break
    out += segment
  }
  return `${out}…`
}

const textOf = (cell: unknown): string => {
  if (cell === null || cell === undefined) return ''
  if (typeof cell === 'number' || typeof cell === 'bigint') return cell.toLocaleString('en-US')
  const text =
    typeof cell === 'string'
      ? cell
      : JSON.stringify(cell, (_key, v: unknown) => (typeof v === 'bigint' ? v.toString() : v))
  return text.replaceAll(/\s*\n\s*/g, ' ⏎ ')
}

/** Rows as an aligned table with a header line; `columns` is the window's width. */
export const formatTable = (rows: readonly Readonly<Record<string, unknown>>[], columns = 120): string => {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const numeric = names.map((name) =>
    rows.every((row) => ['number', 'bigint', 'undefined'].includes(typeof row[name]) || row[name] === null),
  )
  const cells = rows.map((row) => names.map((name) => textOf(row[name])))
  const widths = names.map((name, i) => Math.max(widthOf(name), ...cells.map((line) => widthOf(line[i] ?? ''))))
  const room = columns - 2 * (names.length - 1)
  const total = widths.reduce((sum, width) => sum + width, 0)
  if (total > room) {
    // The widest columns give way until the table fits; none falls under eight.
    let excess = total - room
    while (excess > 0) {
      const widest = Math.max(...widths)
      if (widest <= 8) break
      widths[widths.indexOf(widest)] = widest - 1
      excess--
    }
  }
  const line = (values: readonly string[]): string =>
    values
      .map((value, i) => {
        const width = widths[i] ?? 0
        const text = cut(value, width)
        const pad = ' '.repeat(Math.max(0, width - widthOf(text)))
        return numeric[i] ? pad + text : text + pad
      })
      .join('  ')
      .trimEnd()
  return [line(names), widths.map((width) => '─'.repeat(width)).join('  '), ...cells.map(line)].join('\n') + '\n'
}
