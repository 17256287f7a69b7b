// What a connector's test supplies to the destination contract, and the words its cases share.
import { deepEqual, fail } from 'node:assert/strict'
import { systemClock } from '../core/clock.ts'
import type { JsonObject } from '../core/json.ts'
import type { FaultInput } from '../sandbox/fault.ts'
import type { Change, Destination, Outcome, WriteContext, Writer, WriteResult } from '../sync/destination.ts'

/** What a connector's test supplies. Each case gets a fresh twin. */
export interface DestinationHarness {
  readonly destination: Destination
  /** A new writer; `timeoutMs` where the case needs a short one. */
  open(options?: { readonly timeoutMs?: number }): Promise<Writer>
  /** The `index`th valid upsert: its own key, and a record the vendor keeps whole. */
  upsert(index: number): Change
  /** Text in `upsert(index)`, and in no other, by which the fault `rows` finds it. */
  mark(index: number): string
  /** What the vendor holds: a key's value -> its record, in the words of `upsert`. */
  held(): Promise<ReadonlyMap<string, JsonObject>>
  /** Switches a fault on for the request that writes. */
  fault(fault: FaultInput): Promise<void>
  /** Requests since the start. */
  requests(): Promise<number>
  /** Values that no message may show. */
  readonly secrets: readonly string[]
}

export interface DestinationCase {
  readonly title: string
  readonly needs: 'changes' | 'snapshot' | 'state' | 'message'
  readonly run: (harness: DestinationHarness) => Promise<void>
}

/** A context as the engine gives; the same `key` means the same batch. */
export const contextFor = (key: string, extra: Partial<WriteContext> = {}): WriteContext => ({
  sync: 'contract',
  run: 'run-1',
  clock: systemClock,
  signal: new AbortController().signal,
  idempotencyKey: key,
  ...extra,
})

export const removal = (change: Change, reference?: string): Change => ({
  operation: 'remove',
  id: `${change.id}-removed`,
  key: change.key,
  record: {},
  ...(reference === undefined ? {} : { reference }),
})

export const outcomesOf = (result: WriteResult): readonly Outcome[] =>
  'refused' in result ? fail(`the whole batch was refused: ${result.refused}`) : result

export const statuses = (result: WriteResult): string[] => outcomesOf(result).map((outcome) => outcome.status)

const keyOf = (change: Change): string => {
  const [value] = Object.values(change.key)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

export const holds = async (harness: DestinationHarness, changes: readonly Change[]): Promise<void> => {
  const held = await harness.held()
  deepEqual(
    Object.fromEntries([...held].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    Object.fromEntries(changes.map((c) => [keyOf(c), c.record] as const).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  )
}

export const three = (harness: DestinationHarness): Change[] => [0, 1, 2].map((index) => harness.upsert(index))
