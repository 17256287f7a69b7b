// What `cdp.config.ts` says. Checked by zod when the project is loaded; the types here are what an editor shows.
import { branded } from '../core/brand.ts'
import type { Source } from '../ingest/source.ts'
import type { WarehouseDefinition } from '../warehouse/warehouse.ts'

export interface ProjectDefinition {
  /** Of the project; any text. */
  readonly name: string
  /** ISO country of phone numbers written without one; default none. */
  readonly region?: string
  /** Of schedules, of days in reports, and of timestamps that land without a zone; default UTC. */
  readonly timeZone?: string
  /** The first is the default target. */
  readonly warehouses: Readonly<Record<string, WarehouseDefinition>>
  /** Source name -> what a connector's function returns. A stream lands as `raw.<source>_<stream>`. */
  readonly sources: Readonly<Record<string, Source>>
  /** Folder of syncs; default `syncs`. */
  readonly syncs?: string
  /** Folder of models; default `models`. */
  readonly models?: string
  /** A model with columns person_id, purpose, granted; no row means no. */
  readonly consent?: string
  /** Forbids a sync without `purpose`. */
  readonly requirePurpose?: boolean
  /** Cron expression -> selectors of what to run and sync. */
  readonly schedule?: Readonly<Record<string, { readonly run?: string; readonly sync?: string }>>
}

/**
 * Declares a project.
 *
 * @example
 * export default defineProject({
 *   name: 'bookshop',
 *   warehouses: { local: duckdb({ path: '.cdp/bookshop.duckdb' }) },
 *   sources: { shop: files({ streams: { customers: { path: 'data/customers*.csv', key: ['id'] } } }) },
 * })
 */
export const defineProject = (project: ProjectDefinition): ProjectDefinition => branded('project', project)
