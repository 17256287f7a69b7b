// The embedded engine: an empty database in memory to which the warehouse's file is attached under a fixed name.
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { databaseAlias, literal } from './text.ts'

export interface EngineSettings {
  readonly memoryLimit?: string | undefined
  readonly threads?: number | undefined
}

/** An attached database. */
export interface Database {
  /** A connection that works in it; the first one costs nothing. */
  connect(): Promise<DuckDBConnection>
  /** Writes what is in the log into the file and lets it go. */
  close(): Promise<void>
}

export interface Engine {
  /** Throws what the engine throws. */
  attach(path: string, mode: 'read' | 'write'): Promise<Database>
  stop(): void
}

export const startEngine = async (settings: EngineSettings, root: string): Promise<Engine> => {
  const instance = await DuckDBInstance.create(':memory:', {
    // Nothing is downloaded or loaded behind the user's back.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    errors_as_json: 'true',
    temp_directory: spillFolder(root),
    ...(settings.memoryLimit === undefined ? {} : { memory_limit: settings.memoryLimit }),
    ...(settings.threads === undefined ? {} : { threads: String(settings.threads) }),
  })
  return {
    stop: () => instance.closeSync(),
    attach: async (path, mode) => {
      const first = await instance.connect()
      const readOnly = mode === 'read' ? ', read_only' : ''
      try {
        await first.run(
          `set global TimeZone = 'UTC'; attach ${literal(path)} as ${databaseAlias} (type duckdb${readOnly}); use ${databaseAlias}`,
        )
      } catch (error) {
        first.disconnectSync()
        throw error
      }
      return databaseOf(instance, first)
    },
  }
}

const databaseOf = (instance: DuckDBInstance, first: DuckDBConnection): Database => {
  let ready: DuckDBConnection | undefined = first
  return {
    connect: async () => {
      const connection = ready ?? (await instance.connect())
      if (connection !== ready) await connection.run(`use ${databaseAlias}`)
      ready = undefined
      return connection
    },
    close: async () => {
      ready?.disconnectSync()
      const last = await instance.connect()
      // Closing the engine alone leaves the file open for as long as a result of it is in memory.
      await last.run(`detach ${databaseAlias}`).catch(() => undefined)
      last.disconnectSync()
      instance.closeSync()
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
