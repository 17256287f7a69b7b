// The destination seam: what a connector that sends data out must say and do. Batching, pacing, retry, ledger and guards are the engine's;
// a connector only translates.
import type { ZodType } from 'zod'
import { branded } from '../core/brand.ts'
import type { Clock } from '../core/clock.ts'
import type { Json, JsonObject } from '../core/json.ts'

export type Operation = 'upsert' | 'insert' | 'update' | 'remove'
export type Mode = 'upsert' | 'insert' | 'update' | 'mirror' | 'append'

/** One change of one match key. */
export interface Change {
  readonly operation: Operation
  /** The same for this key and this version of its row, also when it is sent again. */
  readonly id: string
  readonly key: Readonly<Record<string, Json>>
  /** Mapped fields that are not null (or are null and in `clear`). Empty for a removal. */
  readonly record: JsonObject
  /** The vendor's id for this key, where an earlier outcome gave one. */
  readonly reference?: string
}

/** What became of one change. */
export type Outcome =
  | { readonly status: 'delivered'; readonly reference?: string; readonly note?: string }
  /** The vendor refuses this row; it comes back next run with this reason. */
  | { readonly status: 'rejected'; readonly reason: string }
  /** Not done, may be tried again; `afterMs` as the vendor asked. */
  | { readonly status: 'retry'; readonly reason: string; readonly afterMs?: number }
  /** Nobody can say whether it was done. */
  | { readonly status: 'unknown'; readonly reason: string }
  /** Taken into a job whose end is asked for later with `poll`. */
  | { readonly status: 'pending'; readonly job: string }

/** One outcome for each change, in order; or the whole batch refused before anything was processed, which the engine splits to find the rows at fault. */
export type WriteResult = readonly Outcome[] | { readonly refused: string }

export interface Limits {
  /** Changes in one call. */
  readonly batch: number
  /** Bytes of changes (as JSON) in one call. */
  readonly bytes?: number
  /** Calls at once. */
  readonly inFlight: number
  /** Calls in a span of time. */
  readonly rate?: { readonly calls: number; readonly perMs: number }
}

export interface WriteContext {
  readonly sync: string
  readonly run: string
  readonly clock: Clock
  readonly signal: AbortSignal
  /** The same for a batch that is sent again. */
  readonly idempotencyKey: string
}

export interface SnapshotContext extends WriteContext {
  /** Key fields, then mapped fields, in order. */
  readonly fields: readonly string[]
}

export interface DestinationFacts {
  /** The connector's word for it: `webhook`, `hubspot.list`. */
  readonly name: string
  /** Where it goes, for people: a host, a path, a list's name. Never a credential. */
  readonly target: string
  readonly modes: readonly Mode[]
  /** What a removal does there; `mirror` on a system of record demands that the sync names one of these in `remove`. Empty: `remove` is not asked. */
  readonly removes?: readonly string[]
  readonly semantics: 'state' | 'message'
  /** `changes`: what differs. `snapshot`: the whole wanted set, whenever anything in it changed. */
  readonly takes: 'changes' | 'snapshot'
  readonly confirmation: 'rows' | 'count' | 'none'
  /** A message that may be sent again under the same id, within this time. */
  readonly repeatable?: 'always' | 'never' | { readonly byId: true; readonly withinMs: number }
  readonly limits: Limits
}

/** What a destination can do once its settings are resolved. */
export interface Writer {
  write(changes: readonly Change[], context: WriteContext): Promise<WriteResult>
  /** For `snapshot`: writes all rows at once, visible only when whole. Returns the number written. */
  replace?(rows: AsyncIterable<JsonObject>, context: SnapshotContext): Promise<number>
  /** Asks for the end of a job; `changes` are those that were taken into it, in order, with empty records, because a job may outlive
   * the process that began it. `pending` again when it is not over. */
  poll?(job: string, changes: readonly Change[], context: WriteContext): Promise<readonly Outcome[]>
  close?(): Promise<void>
}

/** `K`: names of match keys. `F`: names of fields that may be mapped. */
export interface Destination<K extends string = string, F extends string = string> extends DestinationFacts {
  /** Match keys; a sync gives at least one of these. */
  readonly key: ZodType<Readonly<Partial<Record<K, unknown>>>>
  /** The record a sync's `map` makes; types its keys. */
  readonly record: ZodType<Readonly<Partial<Record<F, unknown>>>>
  /** Every setting, so that missing secrets are named before anything starts. */
  readonly settings: readonly unknown[]
  /**
   * Resolves secrets and gets ready; called only when there is something to send. `remove` is the sync's.
   * `root` is the project's folder, absolute: relative paths start there (default: the current folder).
   */
  open(options: { readonly remove?: string; readonly root?: string }): Promise<Writer>
}

/**
 * Declares a destination: what a connector function returns.
 * Throw CdpError of kind `auth` from `write` when the credential is refused: it stops this sync and no other.
 */
export const defineDestination = <K extends string, F extends string>(
  destination: Destination<K, F>,
): Destination<K, F> => branded('destination', destination)
