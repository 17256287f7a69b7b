import { describe, expect, it } from 'vitest'
import { formatTable, widthOf } from '../../src/cli/table.ts'

describe('tables', () => {
  it('line up Vietnamese text in either normal form', () => {
    expect(widthOf('Nguyễn'.normalize('NFC'))).toBe(6)
    expect(widthOf('Nguyễn'.normalize('NFD'))).toBe(6)
  })

  it('put numbers to the right and cut wide columns to the window', () => {
    const text = formatTable(
      [
        { name: 'x'.repeat(100), rows: 1234 },
        { name: 'short', rows: 5 },
      ],
      40,
    )
    const lines = text.trimEnd().split('\n')
    expect(lines.every((line) => widthOf(line) <= 40)).toBe(true)
    expect(lines[2]).toMatch(/…\s+1,234$/)
    expect(lines[3]).toMatch(/\s5$/)
  })
})
