// The `bigquery(…)` entry of a project's warehouses: plain data; Google's client is loaded only when it is opened.
import type { Setting } from '../core/secret.ts'
import type { WarehouseDefinition } from './warehouse.ts'

export interface BigQuerySettings {
  /** The project that holds the datasets and pays for the jobs. */
  readonly project: Setting
  /** Where the datasets are, `asia-southeast1` or `EU`. It can never be changed for a dataset. */
  readonly location: Setting
  /** Names of the datasets, by default `raw`, `models` and `cdp`. With another name than `cdp`, models no longer paste into a console. */
  readonly datasets?: { readonly raw?: string; readonly models?: string; readonly cdp?: string }
  /** A statement that would be billed for more fails and costs nothing: `50 GB`, `2 TiB`. Default: the limit of the project in Google Cloud. */
  readonly maximumBytesBilled?: string
  /** What a TiB that a statement reads costs, in US dollars, for the estimates of `cdp plan`. Default: 6.25, the list price on demand of
   * many regions; with slots of your own it means little. */
  readonly pricePerTiB?: number
  /** Days after which the tables of a developer's copy (`--dev`) go, counted from when each was made. It holds for copies that are made
   * from then on. Default: 14. */
  readonly developmentDays?: number
  /** On every job, beside those of the engine: `{ team: 'crm' }`. Lower-case letters, digits, `_` and `-`. */
  readonly labels?: Readonly<Record<string, string>>
  /** A key file, a workload identity file, or the JSON of either. Default: the application-default credentials. */
  readonly credentials?: Setting
  /**
   * Where syncs write down what is about to be sent and what became of it: on this machine's disk (default), or besides, before anything
   * is relied on, in the warehouse, for containers whose disk is gone when they end. Only one at a time may then deliver a sync.
   */
  readonly journal?: 'disk' | 'warehouse'
  /** Another address of the service. One that starts with `http:` is an emulator, which gets no credentials. */
  readonly apiEndpoint?: Setting
  /** Another address of its Storage API, `host:port`. An emulator without one gives results page by page. */
  readonly storageEndpoint?: Setting
}

/**
 * Datasets of a BigQuery project.
 *
 * @example
 * const production = bigquery({ project: env('GCP_PROJECT'), location: 'asia-southeast1', maximumBytesBilled: '50 GB' })
 */
export const bigquery = (settings: BigQuerySettings): WarehouseDefinition => ({
  // The same ending as this file: sources under test, JavaScript in the package.
  module: `./bigquery/open${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  engine: 'bigquery',
  settings: { ...settings },
})
