import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from '../../src/core/clock.ts'
import { CdpError, formatPlace, isCdpError } from '../../src/core/errors.ts'
import { exitCodeOf, kindOfError, worstKind } from '../../src/core/exit.ts'
import { fingerprint } from '../../src/core/hash.ts'
import { didYouMean, nearest } from '../../src/core/nearest.ts'
import { catalogue } from '../../src/core/error-catalogue.ts'

describe('durations', () => {
  it('are read in every unit and refused otherwise', () => {
    expect([
      parseDuration('250ms'),
      parseDuration('10s'),
      parseDuration('1.5m'),
      parseDuration('2h'),
      parseDuration('1d'),
    ]).toEqual([250, 10_000, 90_000, 7_200_000, 86_400_000])
    expect(parseDuration('soon')).toBeUndefined()
    expect(formatDuration(65_000)).toBe('1 min 05 s')
  })
})

describe('near names', () => {
  it('are offered only when near', () => {
    expect(nearest('recrods', ['records', 'people'])).toBe('records')
    expect(didYouMean('zzz', ['records', 'people'])).toBe('')
  })
})

describe('errors', () => {
  it('of another copy of the package are known by their brand', () => {
    const error = new CdpError(
      'GRAPH_CYCLE',
      { path: ['a', 'b', 'a'] },
      { place: { file: 'models/a.sql', line: 3, column: 7 } },
    )
    expect(isCdpError(error)).toBe(true)
    expect(isCdpError(new Error('x'))).toBe(false)
    expect(error.place && formatPlace(error.place)).toBe('models/a.sql:3:7')
  })

  it('decide the exit code by the worst kind met', () => {
    expect(exitCodeOf(worstKind(['transient', 'auth', undefined]))).toBe(4)
    expect(exitCodeOf(worstKind([undefined]))).toBe(0)
    expect(kindOfError(new TypeError('x'))).toBe('bug')
  })

  it('have names in capitals and a message that ends a sentence', () => {
    for (const name of Object.keys(catalogue)) expect(name).toMatch(/^[A-Z][A-Z0-9_]+$/)
  })
})

describe('fingerprints', () => {
  it('do not depend on the order of keys and do on every value', () => {
    expect(fingerprint({ a: 1, b: [2, { c: 3 }] })).toBe(fingerprint({ b: [2, { c: 3 }], a: 1 }))
    expect(fingerprint({ a: 1 })).not.toBe(fingerprint({ a: '1' }))
  })
})
