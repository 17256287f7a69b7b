// The destination contract where nothing goes wrong: order, limits, repeats, removals.
import { deepEqual, equal, ok } from 'node:assert/strict'
import type { Change } from '../sync/destination.ts'
import { contextFor, holds, outcomesOf, removal, statuses, three, type DestinationCase } from './destination-harness.ts'

export const writeCases: readonly DestinationCase[] = [
  {
    title: 'says one outcome for each change, in order, and the vendor holds them',
    needs: 'changes',
    run: async (harness) => {
      const changes = three(harness)
      const writer = await harness.open()
      deepEqual(statuses(await writer.write(changes, contextFor('b1'))), ['delivered', 'delivered', 'delivered'])
      await writer.close?.()
      await holds(harness, changes)
    },
  },
  {
    title: 'sends nothing before there is something to send',
    needs: 'changes',
    run: async (harness) => {
      const writer = await harness.open()
      await writer.close?.()
      equal(await harness.requests(), 0)
    },
  },
  {
    title: 'takes a batch as large as its limit, and sends nothing of a larger one',
    needs: 'changes',
    run: async (harness) => {
      const { batch } = harness.destination.limits
      const changes = Array.from({ length: batch + 1 }, (_, index) => harness.upsert(index))
      const writer = await harness.open()
      ok('refused' in (await writer.write(changes, contextFor('b1'))))
      equal(await harness.requests(), 0)
      const result = await writer.write(changes.slice(0, batch), contextFor('b2'))
      deepEqual(new Set(statuses(result)), new Set(['delivered']))
      await writer.close?.()
      equal((await harness.held()).size, batch)
    },
  },
  {
    title: 'changes what is there instead of adding it again',
    needs: 'state',
    run: async (harness) => {
      const [first, second] = [harness.upsert(0), harness.upsert(1)]
      const changed: Change = { ...first, id: `${first.id}-2`, record: second.record }
      const writer = await harness.open()
      await writer.write([first], contextFor('b1'))
      deepEqual(statuses(await writer.write([changed, second], contextFor('b2'))), ['delivered', 'delivered'])
      await writer.close?.()
      await holds(harness, [changed, second])
    },
  },
  {
    title: 'makes no duplicate when a batch is sent again under the same key',
    needs: 'changes',
    run: async (harness) => {
      const changes = three(harness)
      const writer = await harness.open()
      await writer.write(changes, contextFor('b1'))
      deepEqual(statuses(await writer.write(changes, contextFor('b1'))), ['delivered', 'delivered', 'delivered'])
      await writer.close?.()
      await holds(harness, changes)
    },
  },
  {
    title: 'removes by the key alone, and calls the removal of what is not there delivered',
    needs: 'state',
    run: async (harness) => {
      const [first, second, never] = [harness.upsert(0), harness.upsert(1), harness.upsert(2)]
      const writer = await harness.open()
      await writer.write([first, second], contextFor('b1'))
      deepEqual(statuses(await writer.write([removal(first), removal(never)], contextFor('b2'))), [
        'delivered',
        'delivered',
      ])
      await writer.close?.()
      await holds(harness, [second])
    },
  },
  {
    title: 'removes by the reference that an earlier outcome gave',
    needs: 'state',
    run: async (harness) => {
      const [first, second] = [harness.upsert(0), harness.upsert(1)]
      const writer = await harness.open()
      const [outcome] = outcomesOf(await writer.write([first, second], contextFor('b1')))
      const reference = outcome?.status === 'delivered' ? outcome.reference : undefined
      deepEqual(statuses(await writer.write([removal(first, reference)], contextFor('b2'))), ['delivered'])
      await writer.close?.()
      await holds(harness, [second])
    },
  },
  {
    title: 'takes removals and upserts in one batch',
    needs: 'state',
    run: async (harness) => {
      const [first, second, third] = three(harness)
      if (!first || !second || !third) return
      const writer = await harness.open()
      await writer.write([first, second], contextFor('b1'))
      const result = await writer.write([third, removal(first), second], contextFor('b2'))
      deepEqual(statuses(result), ['delivered', 'delivered', 'delivered'])
      await writer.close?.()
      await holds(harness, [second, third])
    },
  },
]
