// Values that come from the environment: resolved only when a step needs them, and never shown.
import { CdpError } from './errors.ts'

const brand = Symbol.for('composable-cdp.secret')

/** A reference to an environment variable. Prints as `[secret NAME]` everywhere; only `resolve` reads it. */
export interface Secret {
  readonly name: string
  readonly fallback: string | undefined
  toString(): string
  toJSON(): string
}

/** A setting that may come from the environment. */
export type Setting = string | Secret

class EnvironmentSecret implements Secret {
  readonly name: string
  readonly fallback: string | undefined

  constructor(name: string, fallback: string | undefined) {
    this.name = name
    this.fallback = fallback
    Object.defineProperty(this, brand, { value: true })
  }

  toString(): string {
    return `[secret ${this.name}]`
  }

  toJSON(): string {
    return this.toString()
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

/**
 * A value from the environment, read only when the step that needs it starts.
 *
 * @example
 * const path = env('BOOKSHOP_DB', '.cdp/bookshop.duckdb')
 */
export const env = (name: string, fallback?: string): Secret => new EnvironmentSecret(name, fallback)

export const isSecret = (value: unknown): value is Secret =>
  typeof value === 'object' && value !== null && brand in value

const seen = new Map<string, string>()

/** Reads a setting. A missing variable without a fallback is a SECRETS_MISSING error. Values read from the environment are redacted from then on. */
export const resolve = (setting: Setting): string => {
  if (typeof setting === 'string') return setting
  const value = process.env[setting.name] ?? setting.fallback
  if (value === undefined) throw new CdpError('SECRETS_MISSING', { names: [setting.name] })
  if (process.env[setting.name] !== undefined) remember(setting.name, value)
  return value
}

/** The names among these settings that are not set and have no fallback. */
export const missing = (settings: readonly unknown[]): string[] => [
  ...new Set(
    settings
      .filter(isSecret)
      .filter((s) => process.env[s.name] === undefined && s.fallback === undefined)
      .map((s) => s.name),
  ),
]

/** Every secret inside a plain value, at any depth. */
export const secretsIn = (value: unknown, depth = 0): Secret[] => {
  if (isSecret(value)) return [value]
  if (typeof value !== 'object' || value === null || depth > 6) return []
  return Object.values(value).flatMap((inner) => secretsIn(inner, depth + 1))
}

const remember = (name: string, value: string): void => {
  const url = credentialsOfUrl(value)
  if (url === undefined) {
    if (value.length >= 4) seen.set(value, name)
    return
  }
  for (const part of url) if (part.length >= 4) seen.set(part, name)
}

// Of a URL only the credentials are secret: the host must stay readable in an error. Not a URL: undefined.
const credentialsOfUrl = (value: string): string[] | undefined => {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(value) || !URL.canParse(value)) return undefined
  const url = new URL(value)
  const parts = [url.username, url.password].filter((part) => part !== '')
  const query = [...url.searchParams]
    .filter(([key]) => /token|secret|key|password|signature|auth/i.test(key))
    .map(([, part]) => part)
  return [...parts, ...parts.map(decodeURIComponent), ...query]
}

/** Replaces every environment value seen so far by `[secret NAME]`. Every text that leaves the process passes here. */
export const redact = (text: string): string => {
  let out = text
  for (const [value, name] of seen) if (out.includes(value)) out = out.replaceAll(value, `[secret ${name}]`)
  return out
}
