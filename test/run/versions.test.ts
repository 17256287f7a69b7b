import { describe, expect, it } from 'vitest'
import { clockBucket } from '../../src/run/versions.ts'

describe('the clock as an input', () => {
  it('is the instant itself, or the hour or the day it is in, where the project is', () => {
    const instant = '2026-11-01T17:30:00.000Z'
    expect(clockBucket('run', instant, 'Asia/Ho_Chi_Minh')).toBe(instant)
    expect(clockBucket('day', instant, 'Asia/Ho_Chi_Minh')).toBe('2026-11-02')
    expect(clockBucket('day', instant, 'UTC')).toBe('2026-11-01')
    expect(clockBucket('hour', instant, 'Asia/Ho_Chi_Minh')).toContain('00')
    const midnights = ['2026-11-01T16:59:59Z', '2026-11-01T17:00:00Z', '2026-11-01T17:59:59Z'].map((at) =>
      clockBucket('hour', at, 'Asia/Ho_Chi_Minh'),
    )
    expect(midnights[0]).not.toBe(midnights[1])
    expect(midnights[1]).toBe(midnights[2])
  })

  it('tells apart the two hours that a clock shows twice', () => {
    // Clocks go back from 02:00 to 01:00 in New York at 06:00 UTC.
    const first = clockBucket('hour', '2026-11-01T05:30:00Z', 'America/New_York')
    const second = clockBucket('hour', '2026-11-01T06:30:00Z', 'America/New_York')
    expect(first).not.toBe(second)
  })
})
