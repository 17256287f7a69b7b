// `cdp explain row`: the delivery history of one match key, from the log, with what the ledger holds of it now.
import { CdpError } from '../core/errors.ts'
import { sha256 } from '../core/hash.ts'
import { didYouMean } from '../core/nearest.ts'
import type { CompiledProject } from '../project/compiled.ts'
import { instantOf } from '../warehouse/state-sql.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'

/** One entry of the log, oldest first; the last one is the ledger's row, where there is one. */
export interface RowEvent {
  readonly at: string
  /** `intent`, `outcome` or `plan` of the log; `now` is the ledger's row. */
  readonly event: string
  readonly epoch: number
  readonly operation: string
  readonly status: string | null
  readonly reason: string | null
  readonly detail: string | null
}

/** `key`: the value of the match key, or for a key of several fields its JSON (`{"email":"…","brand":"…"}`). */
export const explainSyncRow = async (
  project: CompiledProject,
  warehouse: Warehouse,
  syncId: string,
  key: string,
): Promise<readonly RowEvent[]> => {
  const sync = project.syncs.find((one) => one.id === syncId)
  if (sync === undefined) {
    const near = didYouMean(
      syncId,
      project.syncs.map((one) => one.id),
    )
    throw new CdpError('SELECTOR_UNKNOWN', { selector: syncId, near })
  }
  const hashes = keyTexts(Object.keys(sync.key), key).map((text) => sha256(text).slice(0, 32))
  const marks = hashes.map((_, at) => `$${at + 2}`).join(', ')
  const detail = warehouse.dialect.values.json('detail', warehouse.typeName('json'))
  const since = await firstRunOf(warehouse, syncId)
  const bound = since === undefined ? '' : ` and happened_at >= ${instantOf(warehouse, since)}`
  return warehouse.all<RowEvent>({
    sql: `select happened_at as ${warehouse.quote('at')}, event, epoch, operation, status, reason, ${detail} as detail, seq
          from cdp.sync_log where sync = $1 and key_hash in (${marks})${bound}
          union all
          select updated_at, 'now', epoch, wanted, status, reason, key, seq + 1
          from cdp.sync_rows where sync = $1 and key_hash in (${marks})
          order by epoch, seq`,
    parameters: [syncId, ...hashes],
  })
}

// The log is kept by days: those before the sync's first run need not be looked at. A day is taken off, because clocks are set back.
const firstRunOf = async (warehouse: Warehouse, sync: string): Promise<string | undefined> => {
  const [first] = await warehouse.all<{ at: string | null }>({
    sql: `select min(started_at) as ${warehouse.quote('at')} from cdp.sync_runs where sync = $1`,
    parameters: [sync],
  })
  if (first === undefined || first.at === null) return undefined
  return new Date(Date.parse(first.at) - 86_400_000).toISOString()
}

// The ledger keeps a key as JSON; what was a number there is written as one here too.
const keyTexts = (fields: readonly string[], key: string): readonly string[] => {
  if (key.startsWith('{')) return [key]
  const values: unknown[] = [key.normalize('NFC'), ...(/^-?\d{1,15}$/.test(key) ? [Number(key)] : [])]
  return values.map((value) => JSON.stringify({ [fields[0] ?? '']: value }))
}
