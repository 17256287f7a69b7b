// The version of this package, read from its own package.json (two folders up from the sources, three from dist/).
import { existsSync, readFileSync } from 'node:fs'

let known: string | undefined

export const packageVersion = (): string => {
  if (known === undefined) {
    const near = new URL('../../package.json', import.meta.url)
    const file = existsSync(near) ? near : new URL('../../../package.json', import.meta.url)
    known = (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  }
  return known
}
