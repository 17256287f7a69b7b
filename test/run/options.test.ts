import { describe, expect, it } from 'vitest'
import type { Clock } from '../../src/core/clock.ts'
import { instantOf, newRunId } from '../../src/run/options.ts'

const at = (ms: number): Clock => ({ now: () => ms, sleep: () => Promise.resolve() })

describe('the options of a run', () => {
  it('name runs so that they sort by time, and two of one moment apart', () => {
    const moments = [0, 999, 1000, Date.UTC(2026, 9, 31, 23, 59), Date.UTC(2026, 10, 1)]
    const ids = moments.map((ms) => newRunId(at(ms)))
    expect(ids.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(ids)
    expect(ids.at(-1)).toMatch(/^20261101T000000\.000Z-[0-9a-f]{4}$/)
    expect(new Set(Array.from({ length: 20 }, () => newRunId(at(0)))).size).toBeGreaterThan(1)
  })

  it('take an instant with its zone, and nothing else', () => {
    expect(instantOf('2026-11-01T23:00:00+07:00', at(0))).toBe('2026-11-01T16:00:00.000Z')
    expect(instantOf('2026-11-01T23:00Z', at(0))).toBe('2026-11-01T23:00:00.000Z')
    expect(instantOf(undefined, at(5))).toBe('1970-01-01T00:00:00.005Z')
    for (const text of ['2026-11-01', '2026-11-01T23:00:00', 'now', '2026-13-01T00:00:00Z', '']) {
      expect(() => instantOf(text, at(0)), text).toThrow('is not an instant')
    }
  })
})
