import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { errorReference } from '../../src/core/error-reference.ts'

const file = new URL('../../docs/errors.md', import.meta.url)

describe('the reference of error codes', () => {
  it('is what the catalogue says (UPDATE_DOCS=1 writes it)', () => {
    if (process.env['UPDATE_DOCS'] !== undefined) writeFileSync(file, errorReference())
    expect(readFileSync(file, 'utf8')).toBe(errorReference())
  })
})
