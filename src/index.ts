// The public API, and the only barrel. Connectors import from here, as a third party would.
export { defineProject, type ProjectDefinition } from './project/define-project.ts'
export { duckdb, type DuckDbSettings } from './warehouse/define-duckdb.ts'
export { bigquery, type BigQuerySettings } from './warehouse/define-bigquery.ts'
export { env, resolve, redact, isSecret, type Secret, type Setting } from './core/secret.ts'
export { CdpError, isCdpError, type ErrorCode } from './core/errors.ts'
export { systemClock, type Clock } from './core/clock.ts'
export type { Json, JsonObject } from './core/json.ts'
export {
  defineSource,
  type Page,
  type PagesRead,
  type ReadContext,
  type ScanRead,
  type Source,
  type Stream,
  type StreamSettings,
} from './ingest/source.ts'
export { createPager, type PageAnswer, type PageCall, type Pager, type Pagination } from './ingest/http/paging.ts'
export { parseJson, recordsIn, type Records } from './ingest/http/records.ts'
export {
  defineDestination,
  type Change,
  type Destination,
  type DestinationFacts,
  type Limits,
  type Mode,
  type Operation,
  type Outcome,
  type SnapshotContext,
  type WriteContext,
  type Writer,
  type WriteResult,
} from './sync/destination.ts'
export { defineSync, type Guard, type MapValue, type SyncDefinition } from './sync/define-sync.ts'
export { httpClient } from './http/client.ts'
export { explain } from './http/explain.ts'
export { isTransient, requestWithRetry, type RetrySettings } from './http/retry.ts'
export type {
  HttpClient,
  HttpClientSettings,
  HttpFailure,
  HttpRequest,
  HttpResponse,
  HttpResult,
} from './http/types.ts'
export { defineTwin, type Twin, type TwinLife, type TwinRequest, type TwinResponse } from './sandbox/twin.ts'
export { strikes } from './sandbox/strikes.ts'
export type { Fault, FaultInput } from './sandbox/fault.ts'
