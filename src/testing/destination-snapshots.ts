// The destination contract for those that take the whole wanted set.
import { equal, fail, rejects } from 'node:assert/strict'
import type { JsonObject } from '../core/json.ts'
import type { Change, SnapshotContext, Writer } from '../sync/destination.ts'
import { contextFor, holds, three, type DestinationCase } from './destination-harness.ts'

const replace = (
  writer: Writer,
  changes: readonly Change[],
  how: { readonly breakOff?: boolean; readonly signal?: AbortSignal } = {},
): Promise<number> => {
  const rows = async function* (): AsyncIterable<JsonObject> {
    for (const { key, record } of changes) yield { ...key, ...record }
    if (how.breakOff) throw new Error('the rows broke off')
  }
  const fields = [...new Set(changes.flatMap(({ key, record }) => [...Object.keys(key), ...Object.keys(record)]))]
  const context: SnapshotContext = { ...contextFor('s1', how.signal ? { signal: how.signal } : {}), fields }
  if (!writer.replace) fail('a destination that takes snapshots has no `replace`')
  return writer.replace(rows(), context)
}

export const snapshotCases: readonly DestinationCase[] = [
  {
    title: 'replaces all it wrote before, and says how many rows it wrote',
    needs: 'snapshot',
    run: async (harness) => {
      const changes = three(harness)
      const writer = await harness.open()
      equal(await replace(writer, changes.slice(0, 2)), 2)
      await holds(harness, changes.slice(0, 2))
      equal(await replace(writer, changes.slice(1)), 2)
      await holds(harness, changes.slice(1))
      equal(await replace(writer, []), 0)
      await holds(harness, [])
      await writer.close?.()
    },
  },
  {
    title: 'leaves what was there when the rows break off or the run is ended',
    needs: 'snapshot',
    run: async (harness) => {
      const changes = three(harness)
      const writer = await harness.open()
      await replace(writer, changes)
      await rejects(replace(writer, changes.slice(0, 1), { breakOff: true }))
      await holds(harness, changes)
      const stop = new AbortController()
      stop.abort(new Error('ended'))
      await rejects(replace(writer, changes.slice(0, 1), { signal: stop.signal }))
      await holds(harness, changes)
      await writer.close?.()
    },
  },
]
