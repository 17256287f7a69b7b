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
  closing?: Promise<void>
}
const registryKey = Symbol.for('composable-cdp.duckdb-files')
const shared = globalThis as { [registryKey]?: Map<string, Held> }

const pollMs = 100

/** Waits up to `waitMs` for whoever holds the file, then throws WAREHOUSE_LOCKED. Readers of one process share the engine. */
export const openFile = async (settings: FileSettings, options: OpenOptions): Promise<Database> => {
  let engine: Promise<Engine> | undefined
  const start = (): Promise<Engine> => (engine ??= startEngine(settings, options.root))
  const stop = async (): Promise<void> => engine?.then((started) => started.stop()).catch(() => undefined)
  try {
    if (settings.path === ':memory:') return await (await start()).attach(':memory:', 'write')
    const path = resolvePath(options.root, settings.path)
    if (options.mode === 'write') mkdirSync(dirname(path), { recursive: true })
    else if (!existsSync(path)) throw openError(settings.path, 'it does not exist yet; `cdp run` creates it')
    const { held, key, own } = await acquire(settings.path, path, options, start)
    if (!own) await stop()
    return lease(held, key)
  } catch (error) {
    await stop()
    throw error instanceof CdpError || options.signal?.aborted ? error : engineRefusal(settings.path, error)
  }
}

interface Acquired {
  readonly held: Held
  readonly key: string
  /** Whether it was opened here, and not shared. */
  readonly own: boolean
}

const acquire = async (
  named: string,
  path: string,
  options: OpenOptions,
  start: () => Promise<Engine>,
): Promise<Acquired> => {
  const { clock, mode, signal, waitMs } = options
  const began = clock.now()
  for (let told = false; ; told = true) {
    const attempt = await attachOnce(path, mode, start)
    if (typeof attempt !== 'string') return attempt
    const passed = clock.now() - began
    if (passed >= waitMs) {
      const waited = formatDuration(passed)
      const purpose = mode === 'read' ? 'reading' : 'writing'
      throw new CdpError('WAREHOUSE_LOCKED', { path: named, holder: attempt, waited, mode: purpose })
    }
    if (!told) options.onWait?.(attempt)
    await clock.sleep(Math.min(pollMs, waitMs - passed), signal)
  }
}

/** The file, or who holds it. */
const attachOnce = async (
  path: string,
  mode: 'read' | 'write',
  start: () => Promise<Engine>,
): Promise<Acquired | string> => {
  const files = (shared[registryKey] ??= new Map())
  const key = realPath(path)
  while (files.get(key)?.closing) await files.get(key)?.closing
  const found = files.get(key)
  if (found && !(found.mode === 'read' && mode === 'read')) return `this program (pid ${process.pid})`
  const held = found ?? { mode, database: start().then((engine) => engine.attach(path, mode)), users: 0 }
  if (!found) files.set(key, held)
  held.users += 1
  try {
    await held.database
    return { held, key, own: !found }
  } catch (error) {
    if (files.get(key) === held) files.delete(key)
    const holder = lockHolder(parseEngineError(error))
    if (holder === undefined) throw error
    return holder
  }
}

// What one opener gets: the database itself is closed with its last user.
const lease = async (held: Held, key: string): Promise<Database> => {
  const database = await held.database
  return {
    connect: () => database.connect(),
    close: async (after) => {
      held.users -= 1
      if (held.users > 0) return after
      held.closing = database.close(after).finally(() => shared[registryKey]?.delete(key))
      return held.closing
    },
  }
}

const realPath = (path: string): string => {
  const inFolder = join(realpathSync(dirname(path)), basename(path))
  return existsSync(inFolder) ? realpathSync(inFolder) : inFolder
}

const openError = (path: string, reason: string): CdpError => new CdpError('WAREHOUSE_OPEN', { path, reason })

const engineRefusal = (path: string, thrown: unknown): CdpError => {
  const error = parseEngineError(thrown)
  if (isFull(error)) return new CdpError('WAREHOUSE_FULL', { reason: error.message }, { cause: thrown })
  return new CdpError('WAREHOUSE_OPEN', { path, reason: error.message.replace(/\.$/, '') }, { cause: thrown })
}
