// What landing is told, and what its steps share.
import type { Clock } from '../core/clock.ts'
import type { Emit } from '../core/events.ts'
import type { RelationName, Warehouse } from '../warehouse/warehouse.ts'
import type { ReadStream } from './read.ts'
import type { LoadResult } from './result.ts'
import type { PagesRead, ScanRead, StreamSettings } from './source.ts'
import type { Work } from './stage.ts'

/** What landing needs of a compiled stream. */
export interface LandStream extends StreamSettings {
  readonly id: string
  /** Its name in schema raw. */
  readonly relation: string
  readonly from: ScanRead | { readonly kind: 'pages' }
}

export interface LandOptions {
  readonly warehouse: Warehouse
  readonly stream: LandStream
  /** For streams that are read in pages: the code that reads them. */
  readonly pages?: PagesRead
  readonly root: string
  /** Of timestamps without a zone, unless the stream has its own. */
  readonly timeZone: string
  readonly runId: string
  /** ISO, UTC: `_cdp_loaded_at` of new and changed rows. */
  readonly instant: string
  /** `shrink` lets a load through that is empty or less than half of the last. */
  readonly allow: ReadonlySet<string>
  readonly emit: Emit
  readonly clock: Clock
  readonly signal: AbortSignal
  /** An existing folder for temporary files. */
  readonly tempDir: string
  /** Called in the transaction that lands rows: what it writes stays or goes with them, should the process die. */
  readonly stored?: (landed: Pick<LoadResult, 'changed' | 'rowsTotal'>) => Promise<void>
}

/** Everything the steps of a load share. */
export interface LandContext extends LandOptions {
  readonly relation: RelationName
  readonly exists: boolean
  readonly work: Work
  readonly read: ReadStream
  readonly startedAt: string
}
