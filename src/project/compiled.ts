// A project as plain data: all that `run`, `plan` and `sync` need to decide what to do. It is kept in a file under `.cdp/cache`,
// keyed by the files it was made from, so that a run with nothing to do loads no configuration, no parser and no query builder.
import type { Setting } from '../core/secret.ts'
import type { ScanRead, StreamSettings } from '../ingest/source.ts'
import type { CompiledModel } from '../models/model.ts'
import type { DestinationFacts, Mode } from '../sync/destination.ts'
import type { Guard, MapValue } from '../sync/define-sync.ts'
import type { WarehouseDefinition } from '../warehouse/warehouse.ts'

export interface CompiledStream extends StreamSettings {
  /** `shop.customers` */
  readonly id: string
  /** `shop_customers`, in schema raw. */
  readonly relation: string
  /** A scan is plain data; pages are read by code, so the project must be loaded for them. */
  readonly from: ScanRead | { readonly kind: 'pages' }
  /** Settings read from the environment, to name missing ones. */
  readonly secrets: readonly Setting[]
}

export interface CompiledSync {
  readonly id: string
  readonly file: string
  readonly description: string
  readonly tags: readonly string[]
  readonly from: string
  /** Match key field -> column of `from`. */
  readonly key: Readonly<Record<string, string>>
  readonly map: Readonly<Record<string, MapValue>>
  readonly mode: Mode
  readonly remove: string | undefined
  readonly purpose: string | undefined
  readonly clear: readonly string[]
  readonly guard: Guard
  readonly destination: DestinationFacts
  readonly secrets: readonly Setting[]
  /** Of everything above but description and tags. */
  readonly fingerprint: string
}

export interface InputFile {
  readonly file: string
  readonly bytes: number
  readonly modifiedMs: number
  readonly sha256: string
}

export interface CompiledProject {
  /** Of the package that made it; another version compiles anew. */
  readonly madeBy: string
  readonly root: string
  readonly name: string
  readonly region: string
  readonly timeZone: string
  readonly target: string
  /** Under `--dev`: whose copy of the target it is. Never kept. */
  readonly developer?: string
  readonly warehouse: WarehouseDefinition
  readonly streams: readonly CompiledStream[]
  /** In an order in which each model comes after what it reads. */
  readonly models: readonly CompiledModel[]
  readonly syncs: readonly CompiledSync[]
  /** Name of the consent model (person_id, purpose, granted), if any. */
  readonly consent: string | undefined
  readonly requirePurpose: boolean
  readonly schedule: Readonly<Record<string, { readonly run?: string; readonly sync?: string }>>
  /** Files and folders it was made from. */
  readonly inputs: readonly InputFile[]
  /** Said at every command: a sync without a purpose, and the like. */
  readonly warnings: readonly { readonly message: string; readonly file: string; readonly line?: number }[]
}
