// What every part of one sync's delivery shares: its settings, its counts, and why it stopped.
import type { Clock } from '../core/clock.ts'
import { CdpError, isCdpError, reasonOf } from '../core/errors.ts'
import { sha256 } from '../core/hash.ts'
import type { Change, Outcome, WriteContext, Writer } from './destination.ts'
import type { Journal } from './journal.ts'
import { createPace, type Pace } from './pace.ts'
import type { Seam } from './seam.ts'
import { isMessage, type SyncSpec } from './spec.ts'
import type { Tuning } from './tuning.ts'

export interface DeliverySettings {
  readonly spec: SyncSpec
  readonly writer: Writer
  readonly journal: Journal
  readonly runId: string
  readonly clock: Clock
  /** 0 to 1, for jitter. */
  readonly random: () => number
  /** Stop taking new work; calls in flight are finished. */
  readonly signal: AbortSignal
  readonly tuning: Tuning
  readonly seam: Seam
  /** Called now and then with rows settled so far. */
  readonly onProgress: (tally: Tally) => void
}

export interface Tally {
  /** Rows whose attempts in this run have ended, however. */
  sentUpserts: number
  sentRemoves: number
  /** Delivered. */
  upserts: number
  removes: number
  rejected: number
  retrying: number
  unknown: number
  pending: number
  calls: number
}

/** One change on its way. */
export interface Item {
  readonly n: number
  readonly change: Change
  tries: number
  /** When its first try failed. */
  failedAt: number | undefined
  dueAt: number
  /** How its last try ended. */
  last: Retry | undefined
}

export type Retry = Extract<Outcome, { status: 'retry' }>

export interface Delivery extends DeliverySettings {
  readonly message: boolean
  readonly tally: Tally
  readonly pace: Pace
  /** Aborted by the run's signal, or when this sync stops. */
  readonly halt: AbortSignal
  /** Ends this sync: nothing new is sent. The first error counts. */
  stop(error: CdpError): void
  stopped(): CdpError | undefined
  /** Faults of the connector: delivery goes on, the run says so. */
  readonly faults: CdpError[]
  context(changes: readonly Change[]): WriteContext
  /** Notes the end of a row's attempts in this run. */
  settle(item: Item, call: number, outcome: Outcome): void
}

export const createDelivery = (settings: DeliverySettings): Delivery => {
  const { spec, journal, runId, clock } = settings
  const tally: Tally = {
    sentUpserts: 0,
    sentRemoves: 0,
    upserts: 0,
    removes: 0,
    rejected: 0,
    retrying: 0,
    unknown: 0,
    pending: 0,
    calls: 0,
  }
  const halting = new AbortController()
  const faults: CdpError[] = []
  // Calls in flight are always finished, so what connectors are given is never aborted.
  const { signal } = new AbortController()
  let stopped: CdpError | undefined
  return {
    ...settings,
    message: isMessage(spec),
    tally,
    faults,
    pace: createPace(spec.destination.limits.rate, clock),
    halt: AbortSignal.any([settings.signal, halting.signal]),
    stop: (error) => {
      stopped ??= error
      halting.abort(error)
    },
    stopped: () => stopped,
    context: (changes) => ({
      sync: spec.id,
      run: runId,
      clock,
      signal,
      // An id stands for a key, an operation and a version of its row: the ids of a batch are its content.
      idempotencyKey: sha256(changes.map((change) => change.id).join('\n')).slice(0, 32),
    }),
    settle: (item, call, outcome) => {
      journal.outcome(item.n, call, outcome)
      const removal = item.change.operation === 'remove'
      tally[removal ? 'sentRemoves' : 'sentUpserts'] += 1
      if (outcome.status === 'delivered') tally[removal ? 'removes' : 'upserts'] += 1
      else tally[outcome.status === 'retry' ? 'retrying' : outcome.status] += 1
    },
  }
}

export const newItem = (n: number, change: Change): Item => ({
  n,
  change,
  tries: 0,
  failedAt: undefined,
  dueAt: 0,
  last: undefined,
})

/** Resolves after `ms`, at once when the delivery halts. Only the clock's own failure is thrown. */
export const nap = async (delivery: Delivery, ms: number): Promise<void> => {
  try {
    await delivery.clock.sleep(ms, delivery.halt)
  } catch (error) {
    if (!delivery.halt.aborted) throw error
  }
}

/** Something thrown by a connector as a fault of it, or the CdpError that it is. */
export const thrownBy = (delivery: Delivery, thrown: unknown): CdpError =>
  isCdpError(thrown)
    ? thrown
    : new CdpError(
        'SYNC_CONNECTOR',
        { sync: delivery.spec.id, destination: delivery.spec.destination.name, detail: reasonOf(thrown) },
        { cause: thrown },
      )

export const connectorFault = (delivery: Delivery, detail: string): CdpError =>
  new CdpError('SYNC_CONNECTOR', { sync: delivery.spec.id, destination: delivery.spec.destination.name, detail })
