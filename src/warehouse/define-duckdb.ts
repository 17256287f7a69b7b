// The `duckdb(…)` entry of a project's warehouses: plain data; the engine itself is loaded only when it is opened.
import type { Setting } from '../core/secret.ts'
import type { WarehouseDefinition } from './warehouse.ts'

export interface DuckDbSettings {
  /** A file below the project, or absolute. `:memory:` keeps nothing. */
  readonly path: Setting
  /** For example `4GB`; default the engine's. */
  readonly memoryLimit?: string
  /** Default: the machine's cores. */
  readonly threads?: number
}

/**
 * An embedded DuckDB file.
 *
 * @example
 * const local = duckdb({ path: '.cdp/bookshop.duckdb' })
 */
export const duckdb = (settings: DuckDbSettings): WarehouseDefinition => ({
  // The same ending as this file: sources under test, JavaScript in the package.
  module: `./duckdb/open${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  engine: 'duckdb',
  settings: { ...settings },
})
