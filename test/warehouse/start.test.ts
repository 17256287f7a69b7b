// What a run with nothing to do pays for before it can say so.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { fingerprint } from '../../src/core/hash.ts'
import { duckdbInstall } from '../../src/warehouse/functions/index.ts'
import { migrations } from '../../src/warehouse/migrations/index.ts'
import { functionsFingerprint, stateVersion } from '../../src/warehouse/version.ts'

const root = new URL('../..', import.meta.url).pathname

// What is loaded with a file: its imports but those of types alone, and not those inside functions.
const loadedWith = (file: string, seen = new Set<string>()): Set<string> => {
  const text = readFileSync(join(root, file), 'utf8')
  for (const [, names, target] of text.matchAll(/^(?:import|export) ([^'"]*?)\bfrom '([^']+)'/gms)) {
    if (target === undefined || /^type\b/.test(names ?? '') || seen.has(target)) continue
    const path = target.startsWith('.') ? join(file, '..', target) : target
    if (seen.has(path)) continue
    seen.add(path)
    if (target.startsWith('.')) loadedWith(path, seen)
  }
  return seen
}

it('opening a warehouse loads the engine, the errors and nothing that a quiet run does not need', () => {
  const loaded = [...loadedWith('src/warehouse/duckdb/open.ts')]
  const packages = loaded.filter((path) => !path.startsWith('src/'))
  expect(packages.filter((name) => !name.startsWith('node:'))).toEqual(['@duckdb/node-bindings'])
  expect(packages).not.toContain('node:async_hooks')
  expect(loaded.filter((path) => /functions|migrations|kysely|relations|statements|unload/.test(path))).toEqual([])
  expect(loaded.length).toBeLessThan(25)
})

it('the version file names the functions and migrations there are', () => {
  expect(functionsFingerprint, 'write this into src/warehouse/version.ts').toBe(fingerprint(duckdbInstall('cdp')))
  expect(migrations.map((migration) => migration.version)).toEqual(
    Array.from({ length: stateVersion }, (_, at) => at + 1),
  )
})
