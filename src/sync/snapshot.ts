// Delivery to a destination that takes the whole wanted set: one call, after which it holds exactly that, or what it held before.
import type { JsonObject } from '../core/json.ts'
import { connectorFault, type Delivery, nap, newItem, thrownBy } from './delivery.ts'
import { readLines, type SpoolRow } from './spool.ts'
import { backoff } from './tuning.ts'

export interface SnapshotInput {
  /** The plan's rows. */
  readonly spool: string
  readonly snapshot?: { readonly rows: string; readonly fields: readonly string[] }
}

const rowsOf = async function* (path: string): AsyncGenerator<JsonObject> {
  for await (const page of readLines<{ record: string }>(path)) {
    for (const { record } of page) yield JSON.parse(record) as JsonObject
  }
}

/** Returns the rows written, or undefined when the destination did not take them. */
export const sendSnapshot = async (delivery: Delivery, input: SnapshotInput): Promise<number | undefined> => {
  const { writer, journal, seam, tally, tuning, random, spec } = delivery
  const { snapshot } = input
  if (writer.replace === undefined || snapshot === undefined) {
    delivery.stop(connectorFault(delivery, 'it says that it takes snapshots and has no `replace`'))
    return undefined
  }
  for (const phase of ['remove', 'write'] as const) journal.window(phase, Number.MAX_SAFE_INTEGER)
  await journal.flush()
  for (let attempt = 1; !delivery.halt.aborted; attempt++) {
    tally.calls += 1
    seam('call')
    let written: number
    try {
      written = await writer.replace(rowsOf(snapshot.rows), {
        ...delivery.context([]),
        idempotencyKey: `${spec.id}-${delivery.runId}`,
        fields: snapshot.fields,
      })
    } catch (thrown) {
      const error = thrownBy(delivery, thrown)
      if (error.kind !== 'transient' || attempt >= tuning.tries) {
        delivery.stop(error)
        return undefined
      }
      await nap(delivery, backoff(attempt, tuning, random))
      continue
    } finally {
      seam('answer')
    }
    await settleAll(delivery, input.spool, tally.calls)
    return written
  }
  return undefined
}

/** All of the plan's rows are there now, or gone. */
const settleAll = async (delivery: Delivery, spool: string, call: number): Promise<void> => {
  for await (const page of readLines<SpoolRow>(spool)) {
    for (const row of page) {
      const item = newItem(row.n, { operation: row.op, id: row.id, key: JSON.parse(row.key) as JsonObject, record: {} })
      if (row.action === 'send') delivery.settle(item, call, { status: 'delivered' })
      else delivery.journal.outcome(row.n, call, { status: 'delivered' })
    }
    await delivery.journal.flush()
  }
}
