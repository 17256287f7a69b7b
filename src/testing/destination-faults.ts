// The destination contract where something goes wrong: refusals, limits, broken connections, silence.
import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { isCdpError } from '../core/errors.ts'
import type { FaultInput } from '../sandbox/fault.ts'
import type { Outcome } from '../sync/destination.ts'
import { contextFor, holds, outcomesOf, statuses, three, type DestinationCase } from './destination-harness.ts'

// A case in which the write meets a fault and nothing may be said to be delivered; then the same batch goes well.
const undone = (
  title: string,
  fault: FaultInput,
  check: (outcome: Outcome) => void = () => undefined,
): DestinationCase => ({
  title,
  needs: 'state',
  run: async (harness) => {
    const changes = three(harness)
    await harness.fault(fault)
    const writer = await harness.open()
    for (const outcome of outcomesOf(await writer.write(changes, contextFor('b1')))) {
      equal(outcome.status, 'retry')
      check(outcome)
    }
    deepEqual(statuses(await writer.write(changes, contextFor('b1'))), ['delivered', 'delivered', 'delivered'])
    await writer.close?.()
    await holds(harness, changes)
  },
})

const unknowable = (title: string, fault: FaultInput): DestinationCase => ({
  title,
  needs: 'message',
  run: async (harness) => {
    await harness.fault(fault)
    const writer = await harness.open()
    deepEqual(statuses(await writer.write(three(harness), contextFor('b1'))), ['unknown', 'unknown', 'unknown'])
    await writer.close?.()
  },
})

export const faultCases: readonly DestinationCase[] = [
  {
    title: 'puts the error of a row on that row and on no other',
    needs: 'changes',
    run: async (harness) => {
      const changes = three(harness)
      await harness.fault({ kind: 'rows', match: harness.mark(1), times: 0 })
      const writer = await harness.open()
      const outcomes = outcomesOf(await writer.write(changes, contextFor('b1')))
      await writer.close?.()
      deepEqual(
        outcomes.map((outcome) => outcome.status),
        ['delivered', 'rejected', 'delivered'],
      )
      const [, second] = outcomes
      ok(second?.status === 'rejected' && second.reason.length > 5)
      await holds(
        harness,
        changes.filter((_, index) => index !== 1),
      )
    },
  },
  {
    title: 'says that a batch was refused as a whole, so that it is split',
    needs: 'changes',
    run: async (harness) => {
      await harness.fault({ kind: 'status', status: 400 })
      const writer = await harness.open()
      const result = await writer.write(three(harness), contextFor('b1'))
      await writer.close?.()
      ok('refused' in result && result.refused.includes('400'))
      await holds(harness, [])
    },
  },
  ...[401, 403].map((status): DestinationCase => ({
    title: `stops with an error of kind auth on ${status}`,
    needs: 'changes',
    run: async (harness) => {
      await harness.fault({ kind: 'status', status })
      const writer = await harness.open()
      await rejects(
        writer.write(three(harness), contextFor('b1')),
        (thrown) => isCdpError(thrown) && thrown.kind === 'auth',
      )
      await writer.close?.()
    },
  })),
  {
    title: 'waits after 429 as it is asked, and may send again whatever it sends',
    needs: 'changes',
    run: async (harness) => {
      const changes = three(harness)
      await harness.fault({ kind: 'status', status: 429, retryAfter: 7 })
      const writer = await harness.open()
      for (const outcome of outcomesOf(await writer.write(changes, contextFor('b1')))) {
        ok(outcome.status === 'retry' && outcome.afterMs === 7000)
      }
      deepEqual(statuses(await writer.write(changes, contextFor('b1'))), ['delivered', 'delivered', 'delivered'])
      await writer.close?.()
      await holds(harness, changes)
    },
  },
  undone('tries again after 500', { kind: 'status', status: 500 }),
  undone('tries again after 503, when asked', { kind: 'status', status: 503, retryAfter: 2 }, (outcome) =>
    ok(outcome.status === 'retry' && outcome.afterMs === 2000),
  ),
  undone('believes no page of HTML', { kind: 'html200' }),
  undone('believes no success that did nothing', { kind: 'silent' }),
  undone('tries again when the connection broke before anything was done', { kind: 'reset-before' }),
  undone('writes no duplicate when the connection broke after all was done', { kind: 'reset-after' }),
  {
    title: 'gives up after its time-out and tries again',
    needs: 'state',
    run: async (harness) => {
      await harness.fault({ kind: 'latency', ms: 500 })
      const writer = await harness.open({ timeoutMs: 100 })
      deepEqual(statuses(await writer.write(three(harness), contextFor('b1'))), ['retry', 'retry', 'retry'])
      await writer.close?.()
    },
  },
  unknowable('leaves messages unknown after 500', { kind: 'status', status: 500 }),
  unknowable('leaves messages unknown after a page of HTML', { kind: 'html200' }),
  unknowable('leaves messages unknown when the connection broke after sending', { kind: 'reset-after' }),
  {
    title: 'leaves messages unknown after its time-out',
    needs: 'message',
    run: async (harness) => {
      await harness.fault({ kind: 'latency', ms: 500 })
      const writer = await harness.open({ timeoutMs: 100 })
      deepEqual(statuses(await writer.write(three(harness), contextFor('b1'))), ['unknown', 'unknown', 'unknown'])
      await writer.close?.()
    },
  },
  {
    title: 'shows no secret in any message',
    needs: 'changes',
    run: async (harness) => {
      const said: string[] = [JSON.stringify(harness.destination.target)]
      const writer = await harness.open()
      const faults: FaultInput[] = [
        ...[302, 400, 401, 403, 404, 409, 429, 500, 501].map((status) => ({ kind: 'status' as const, status })),
        { kind: 'html200' },
        { kind: 'silent' },
        { kind: 'rows' },
        { kind: 'reset-after' },
      ]
      for (const [index, fault] of faults.entries()) {
        await harness.fault(fault)
        try {
          said.push(JSON.stringify(await writer.write(three(harness), contextFor(`b${index}`))))
        } catch (thrown) {
          said.push(String(thrown), JSON.stringify(thrown))
        }
      }
      await writer.close?.()
      for (const secret of harness.secrets) ok(!said.join('\n').includes(secret), 'a message shows a secret')
    },
  },
]
