// The spool as batches: within the limits of a call, and never a removal and another change in one, so that removals can end first.
import type { JsonObject } from '../core/json.ts'
import { type Item, newItem } from './delivery.ts'
import type { Limits } from './destination.ts'
import type { Phase } from './journal.ts'
import { readLines, type SpoolRow } from './spool.ts'

export interface Feed {
  /** The job rows at the head of the spool, at most `most` of them, and how many there are. */
  polls(most: number): Promise<{ readonly rows: SpoolRow[]; readonly count: number }>
  /** The next batch of the current phase; undefined at its end. */
  take(): Promise<Item[] | undefined>
  readonly phase: Phase
  /** Goes on to the next phase; false when there is nothing more. */
  nextPhase(): Promise<boolean>
  close(): Promise<void>
}

const phaseOf = (row: SpoolRow): Phase => (row.op === 'remove' ? 'remove' : 'write')

const itemOf = (row: SpoolRow): Item =>
  newItem(row.n, {
    operation: row.op,
    id: row.id,
    key: JSON.parse(row.key) as JsonObject,
    record: row.record === null ? {} : (JSON.parse(row.record) as JsonObject),
    ...(row.ref === null || row.ref === undefined ? {} : { reference: row.ref }),
  })

/** Counts items into one call: false for the first that does not fit. What a connector writes around a change is not known here. */
export const fitting = (limits: Limits): ((item: Item) => boolean) => {
  let count = 0
  let bytes = 0
  return (item) => {
    count += 1
    if (count > limits.batch) return false
    if (limits.bytes === undefined) return true
    bytes += Buffer.byteLength(JSON.stringify(item.change)) + 1
    return count === 1 || bytes <= limits.bytes
  }
}

export const createFeed = (path: string, limits: Limits): Feed => {
  const pages = readLines<SpoolRow>(path)
  let page: readonly SpoolRow[] = []
  let at = 0
  let phase: Phase = 'remove'
  const peek = async (): Promise<SpoolRow | undefined> => {
    while (at >= page.length) {
      const next = await pages.next()
      if (next.done === true) return undefined
      page = next.value
      at = 0
    }
    return page[at]
  }
  return {
    get phase() {
      return phase
    },
    polls: async (most) => {
      const rows: SpoolRow[] = []
      let count = 0
      for (let row = await peek(); row?.action === 'poll'; row = await peek()) {
        at += 1
        count += 1
        if (count <= most) rows.push(row)
      }
      return { rows, count }
    },
    take: async () => {
      const batch: Item[] = []
      const fits = fitting(limits)
      for (let row = await peek(); row !== undefined && phaseOf(row) === phase; row = await peek()) {
        const item = itemOf(row)
        if (!fits(item)) break
        batch.push(item)
        at += 1
      }
      return batch.length === 0 ? undefined : batch
    },
    nextPhase: async () => {
      const row = await peek()
      if (row === undefined) return false
      phase = phaseOf(row)
      return true
    },
    close: async () => {
      await pages.return(undefined)
    },
  }
}
