import { expect, it } from 'vitest'
import { formatByteSize, parseByteSize } from '../../src/core/byte-size.ts'

it('an amount of data is read in units of a thousand and of 1024', () => {
  const texts = ['50 GB', '2 TiB', '1.5 MB', '500', '3k', '0 bytes', 'a lot', '-1 GB']
  expect(texts.map(parseByteSize)).toEqual([50e9, 2 * 2 ** 40, 1.5e6, 500, 3000, undefined, undefined, undefined])
})

it('an amount of data is written with the unit that fits it', () => {
  expect([0, 999, 1000, 1_250_000, 123_456_789_012, 2e15].map(formatByteSize)).toEqual([
    '0 bytes',
    '999 bytes',
    '1.0 kB',
    '1.3 MB',
    '123 GB',
    '2000 TB',
  ])
})
