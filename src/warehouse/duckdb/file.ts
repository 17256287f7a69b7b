// Opening a database file: waiting for its lock, and what the engine does not guard against within one process.
import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve as resolvePath } from 'node:path'
import { formatDuration } from '../../core/clock.ts'
import { CdpError } from '../../core/errors.ts'
import type { OpenOptions } from '../warehouse.ts'
import { type Database, type Engine, type EngineSettings, startEngine } from './engine.ts'
import { isFull, lockHolder, parseEngineError } from './errors.ts'

export interface FileSettings extends EngineSettings {
  /** As the user wrote it; `:memory:` is no file. */
  readonly path: string
}

// File locks belong to a process: a second open in the same process is let through by the system, writes over the first, and its
// close drops the lock of both. So what this process has open is kept here, shared by every copy of this package.
interface Held {
  readonly mode: 'read' | 'write'
  readonly database: Promise<Database>
  users: number
}
const registryKey = Symbol.for('composable-cdp.duckdb-files')
const shared = globalThis as { [registryKey]?: Map<string, Held> }

const pollMs = 100

/** Waits up to `waitMs` for whoever holds the file, then throws WAREHOUSE_LOCKED. Readers of one process share the engine. */
export const openFile = async (settings: FileSettings, options: OpenOptions): Promise<Database> => {
  if (settings.path === ':memory:') return (await startEngine(settings, options.root)).attach(':memory:', 'write')
  const path = resolvePath(options.root, settings.path)
  if (options.mode === 'write') mkdirSync(dirname(path), { recursive: true })
  else if (!existsSync(path)) {
    throw openError(settings.path, 'it does not exist yet; `cdp run` creates it')
  }

  let engine: Promise<Engine> | undefined
  const start = (): Promise<Engine> => (engine ??= startEngine(settings, options.root))
  const began = options.clock.now()
  let waiting = false
  try {
    for (;;) {
      const attempt = await attachOnce(path, options.mode, start)
      if (typeof attempt !== 'string') return attempt
      const waited = options.clock.now() - began
      if (waited >= options.waitMs) {
        throw new CdpError('WAREHOUSE_LOCKED', {
          path: settings.path,
          holder: attempt,
          waited: formatDuration(waited),
          mode: options.mode === 'read' ? 'reading' : 'writing',
        })
      }
      if (!waiting) options.onWait?.(attempt)
      waiting = true
      await options.clock.sleep(Math.min(pollMs, options.waitMs - waited), options.signal)
    }
  } catch (error) {
    ;(await engine)?.stop()
    throw error instanceof CdpError || options.signal?.aborted ? error : engineRefusal(settings.path, error)
  }
}

/** The database, or who holds the file. */
const attachOnce = async (
  path: string,
  mode: 'read' | 'write',
  start: () => Promise<Engine>,
): Promise<Database | string> => {
  const files = (shared[registryKey] ??= new Map())
  const key = realPath(path)
  const found = files.get(key)
  if (found && !(found.mode === 'read' && mode === 'read')) return `this program (pid ${process.pid})`
  const held = found ?? { mode, database: start().then((engine) => engine.attach(path, mode)), users: 0 }
  if (!found) files.set(key, held)
  held.users += 1
  try {
    const database = await held.database
    return {
      connect: () => database.connect(),
      close: async () => {
        held.users -= 1
        if (held.users > 0) return
        await database.close()
        files.delete(key)
      },
    }
  } catch (error) {
    if (files.get(key) === held) files.delete(key)
    const holder = lockHolder(parseEngineError(error))
    if (holder === undefined) throw error
    return holder
  }
}

const realPath = (path: string): string => {
  const folder = join(realpathSync(dirname(path)), basename(path))
  return existsSync(folder) ? realpathSync(folder) : folder
}

const openError = (path: string, reason: string): CdpError => new CdpError('WAREHOUSE_OPEN', { path, reason })

const engineRefusal = (path: string, thrown: unknown): CdpError => {
  const error = parseEngineError(thrown)
  if (isFull(error)) return new CdpError('WAREHOUSE_FULL', { reason: error.message }, { cause: thrown })
  return new CdpError('WAREHOUSE_OPEN', { path, reason: error.message.replace(/\.$/, '') }, { cause: thrown })
}
