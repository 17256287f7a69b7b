// What the engine knows of one sync: plain data that a compiled project holds, and what follows from it.
import type { Guard, MapValue } from './define-sync.ts'
import type { DestinationFacts, Mode, Operation } from './destination.ts'

export interface SyncSpec {
  readonly id: string
  readonly from: string
  /** Match key field -> column of `from`. */
  readonly key: Readonly<Record<string, string>>
  readonly map: Readonly<Record<string, MapValue>>
  readonly mode: Mode
  readonly remove: string | undefined
  readonly purpose: string | undefined
  readonly clear: readonly string[]
  readonly guard: Guard
  readonly destination: DestinationFacts
  /** Of all of the above. */
  readonly fingerprint: string
}

/** A sync with what the project says around it. */
export interface SyncInput {
  readonly spec: SyncSpec
  /** The consent model's name, if the project has one. */
  readonly consent: string | undefined
  /** Milliseconds after which consent, or `from`, counts as too old to send from. */
  readonly consentFreshnessMs: number | undefined
  readonly fromFreshnessMs: number | undefined
}

const operations: Readonly<Record<Mode, Operation>> = {
  upsert: 'upsert',
  mirror: 'upsert',
  update: 'update',
  insert: 'insert',
  append: 'insert',
}

/** What is said of a row that is wanted. */
export const writeOperation = (spec: SyncSpec): Operation => operations[spec.mode]

/** A key goes out once and never again, whatever becomes of its row. */
export const sendsOnce = (spec: SyncSpec): boolean => spec.mode === 'insert' || spec.mode === 'append'

export const isMessage = (spec: SyncSpec): boolean => spec.destination.semantics === 'message'

export const takesSnapshot = (spec: SyncSpec): boolean => spec.destination.takes === 'snapshot'

/** Rows that left `from` are removed. A snapshot holds nothing else than what is wanted. */
export const mirrors = (spec: SyncSpec): boolean => spec.mode === 'mirror' || takesSnapshot(spec)

/** Whether a key can be taken away again, for consent too. On a system of record only in the way that the sync names. */
export const canRemove = (spec: SyncSpec): boolean => {
  if (isMessage(spec)) return false
  if (takesSnapshot(spec)) return true
  const { removes = [], modes } = spec.destination
  return removes.length === 0 ? modes.includes('mirror') : spec.remove !== undefined
}
