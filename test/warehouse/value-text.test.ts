// Dates and instants as texts, against JavaScript's own calendar.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { dateText, decimalText, timestampText } from '../../src/warehouse/duckdb/value-text.ts'

const day = 86_400_000

it('writes every day as the calendar of JavaScript does', () => {
  fc.assert(
    fc.property(fc.integer({ min: -100_000_000, max: 100_000_000 }), (days) => {
      expect(dateText(days)).toBe(new Date(days * day).toISOString().replace(/T.*/, ''))
    }),
    { numRuns: 2000 },
  )
  const days = Array.from({ length: 40_800 }, (_, at) => at - 800)
  expect(days.filter((each) => dateText(each) !== new Date(each * day).toISOString().slice(0, 10))).toEqual([])
})

it('writes every instant as JavaScript does, with no zero at the end', () => {
  fc.assert(
    fc.property(fc.integer({ min: -8.64e15, max: 8.64e15 }), (ms) => {
      const iso = new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z')
      expect(timestampText(BigInt(ms) * 1000n, 6)).toBe(iso)
      expect(timestampText(BigInt(ms), 3)).toBe(iso)
    }),
  )
  expect(timestampText(-1n, 6)).toBe('1969-12-31T23:59:59.999999Z')
  expect(timestampText(1n, 9)).toBe('1970-01-01T00:00:00.000000001Z')
})

it('writes a decimal that reads back as the same scaled integer', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }),
      fc.integer({ min: 0, max: 38 }),
      (scaled, scale) => {
        const text = decimalText(scaled, scale)
        expect(BigInt(text.replace('.', ''))).toBe(scaled)
        expect(text.includes('.') ? text.length - text.indexOf('.') - 1 : 0).toBe(scale)
      },
    ),
  )
})
