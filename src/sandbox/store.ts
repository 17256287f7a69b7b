// What the twins hold, kept over restarts when a path is given.
import { existsSync, readFileSync, renameSync, writeFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { CdpError, reasonOf } from '../core/errors.ts'
import type { JsonObject } from '../core/json.ts'

export interface Store {
  /** What was kept for a twin. */
  kept(name: string): JsonObject | undefined
  /** Something changed; written a moment later, many changes at once. */
  touch(): void
  /** Writes what is not written yet. */
  flush(): void
}

export const openStore = (path: string | undefined, snapshot: () => JsonObject): Store => {
  if (path === undefined) return { kept: () => undefined, touch: () => undefined, flush: () => undefined }
  const before = read(path)
  let timer: NodeJS.Timeout | undefined
  const flush = (): void => {
    if (timer === undefined) return
    clearTimeout(timer)
    timer = undefined
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(`${path}.tmp`, JSON.stringify(snapshot()), { mode: 0o600 })
    renameSync(`${path}.tmp`, path)
  }
  return {
    kept: (name) => {
      const state = before[name]
      return isObject(state) ? state : undefined
    },
    touch: () => {
      timer ??= setTimeout(flush, 300)
    },
    flush,
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const read = (path: string): JsonObject => {
  if (!existsSync(path)) return {}
  try {
    const state: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (isObject(state)) return state
  } catch (thrown) {
    throw new CdpError('SANDBOX_STATE', { path, reason: reasonOf(thrown) }, { cause: thrown })
  }
  throw new CdpError('SANDBOX_STATE', { path, reason: 'it is not a JSON object' })
}
