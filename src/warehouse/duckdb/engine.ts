// The embedded engine: an empty database in memory to which the warehouse's file is attached under a fixed name.
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import duckdb, { type Connection, type Database as Instance } from '@duckdb/node-bindings'
import { databaseAlias, literal } from './text.ts'

export interface EngineSettings {
  readonly memoryLimit?: string | undefined
  readonly threads?: number | undefined
}

/** An attached database. */
export interface Database {
  /** A connection that works in it; the first one costs nothing. */
  connect(): Promise<Connection>
  /** Writes what is in the log into the file and lets it go, once its connections are gone. */
  close(after: Promise<void>): Promise<void>
}

export interface Engine {
  /** Throws what the engine throws. */
  attach(path: string, mode: 'read' | 'write'): Promise<Database>
  stop(): void
}

export const startEngine = async (settings: EngineSettings, root: string): Promise<Engine> => {
  const config = duckdb.create_config()
  const set = (name: string, value: string): void => duckdb.set_config(config, name, value)
  // Nothing is downloaded or loaded behind the user's back.
  set('autoinstall_known_extensions', 'false')
  set('autoload_known_extensions', 'false')
  set('errors_as_json', 'true')
  set('temp_directory', spillFolder(root))
  if (settings.memoryLimit !== undefined) set('memory_limit', settings.memoryLimit)
  if (settings.threads !== undefined) set('threads', String(settings.threads))
  const instance = await duckdb.open(':memory:', config)
  return {
    stop: () => duckdb.close_sync(instance),
    attach: async (path, mode) => {
      const first = await duckdb.connect(instance)
      const readOnly = mode === 'read' ? ', read_only' : ''
      try {
        await duckdb.query(
          first,
          `set global TimeZone = 'UTC';
          attach ${literal(path)} as ${databaseAlias} (type duckdb${readOnly});
          use ${databaseAlias}`,
        )
      } catch (error) {
        duckdb.disconnect_sync(first)
        throw error
      }
      return databaseOf(instance, first)
    },
  }
}

const databaseOf = (instance: Instance, first: Connection): Database => {
  let ready: Connection | undefined = first
  return {
    connect: async () => {
      if (ready) {
        const connection = ready
        ready = undefined
        return connection
      }
      const connection = await duckdb.connect(instance)
      await duckdb.query(connection, `use ${databaseAlias}`)
      return connection
    },
    close: async (after) => {
      await after
      if (ready) duckdb.disconnect_sync(ready)
      const last = await duckdb.connect(instance)
      // Closing the engine alone leaves the file open for as long as a result of it is in memory.
      await duckdb.query(last, `detach ${databaseAlias}`).catch(() => undefined)
      duckdb.disconnect_sync(last)
      duckdb.close_sync(instance)
    },
  }
}

/** Where the engine spills what does not fit in memory: one folder a process, since an engine empties its folder when it stops. */
const spillFolder = (root: string): string => {
  const parent = join(root, '.cdp', 'tmp')
  try {
    mkdirSync(parent, { recursive: true })
    for (const name of readdirSync(parent))
      if (isLeftOver(name)) rmSync(join(parent, name), { recursive: true, force: true })
  } catch {
    // A folder that may only be read is no reason not to read; a spill then fails with the engine's own error.
  }
  spills += 1
  return join(parent, `spill-${process.pid}-${spills}`)
}
let spills = 0

// Of a process that was killed: its folder may hold gigabytes.
const isLeftOver = (name: string): boolean => {
  const pid = /^spill-(\d+)-\d+$/.exec(name)?.[1]
  if (pid === undefined || Number(pid) === process.pid) return false
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
