// Files of syncs below `.cdp`, apart for each target of the project: the state of a sync is in the target's warehouse.
import { join } from 'node:path'

export interface SyncPaths {
  /** Journals: one folder a sync, `<epoch>-<part>.ndjson`. */
  readonly journals: string
  /** The plan's rows as they go out. Personal data: it goes with the run. */
  readonly spool: string
  readonly lock: string
}

export const syncPaths = (root: string, target: string, sync: string): SyncPaths => {
  const at = (kind: string): string => join(root, '.cdp', kind, encodeURIComponent(target), encodeURIComponent(sync))
  return { journals: at('journal'), spool: at('spool'), lock: `${at('locks')}.json` }
}
