import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { env, missing, redact, resolve, secretsIn } from '../../src/core/secret.ts'

const names = ['CDP_TEST_TOKEN', 'CDP_TEST_URL']

describe('secrets', () => {
  afterEach(() => {
    for (const name of names) delete process.env[name]
  })

  it('print as their name however they are printed', () => {
    process.env['CDP_TEST_TOKEN'] = 'very-secret-value'
    const secret = env('CDP_TEST_TOKEN')
    resolve(secret)
    for (const text of [String(secret), JSON.stringify({ secret }), inspect({ secret })]) {
      expect(text).toContain('[secret CDP_TEST_TOKEN]')
      expect(text).not.toContain('very-secret-value')
    }
  })

  it('are redacted from any text once they were read', () => {
    process.env['CDP_TEST_TOKEN'] = 'abcd-1234-token'
    resolve(env('CDP_TEST_TOKEN'))
    expect(redact('Authorization: Bearer abcd-1234-token')).toBe('Authorization: Bearer [secret CDP_TEST_TOKEN]')
  })

  it('lose only the credentials of a URL, so that the host stays readable', () => {
    process.env['CDP_TEST_URL'] = 'postgres://reader:p%40ss-word@db.example:5432/shop'
    resolve(env('CDP_TEST_URL'))
    const shown = redact('cannot reach postgres://reader:p%40ss-word@db.example:5432/shop (p@ss-word)')
    expect(shown).toContain('db.example:5432/shop')
    expect(shown).not.toContain('p%40ss-word')
    expect(shown).not.toContain('p@ss-word')
  })

  it('with a fallback are not missing, and the fallback is no secret', () => {
    expect(resolve(env('CDP_TEST_URL', '.cdp/a.duckdb'))).toBe('.cdp/a.duckdb')
    expect(redact('opened .cdp/a.duckdb')).toBe('opened .cdp/a.duckdb')
    expect(missing([env('CDP_TEST_URL', 'x'), env('CDP_TEST_TOKEN'), 'plain'])).toEqual(['CDP_TEST_TOKEN'])
  })

  it('are found inside plain settings at any depth', () => {
    const found = secretsIn({ a: { b: [env('CDP_TEST_TOKEN')] }, c: 1 })
    expect(found.map((secret) => secret.name)).toEqual(['CDP_TEST_TOKEN'])
  })

  it('that are missing say which variable to set', () => {
    expect(() => resolve(env('CDP_TEST_TOKEN'))).toThrow('CDP_TEST_TOKEN')
  })
})
