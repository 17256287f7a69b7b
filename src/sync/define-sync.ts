// What a file in `syncs/` says: which rows go where, under which key, as which fields, under whose consent.
import { branded } from '../core/brand.ts'
import type { Json } from '../core/json.ts'
import type { Destination, Mode } from './destination.ts'

/** A field's value: a column of `from`, or a constant. */
export type MapValue = string | { readonly value: Json }

/** Bounds on a plan, checked before anything is sent: a count, or a percent that acts only above 20 rows. */
export interface Guard {
  /** Keys new to the destination. */
  readonly maxAdditions?: number | `${number}%`
  /** Keys whose row changed. */
  readonly maxChanges?: number | `${number}%`
  /** Keys no row wants any more; removals for consent do not count. */
  readonly maxRemovals?: number | `${number}%`
  /** Whether `from` may be empty; default false. */
  readonly allowEmpty?: boolean
}

export interface SyncDefinition<K extends string = string, F extends string = string> {
  /** State is keyed by it; default the file's name. */
  readonly id?: string
  /** Any model. */
  readonly from: string
  /** What a connector's function returns. */
  readonly to: Destination<K, F>
  /** Destination's match key <- column of `from`. */
  readonly key: { readonly [name in K]?: string }
  /** Destination's field <- column of `from`, or a constant. */
  readonly map: { readonly [name in F]?: MapValue }
  /** `upsert`: add and change. `update`: change what is there. `insert`: add, never change. `mirror`: add, change and remove. `append`: once per key. */
  readonly mode: Mode
  /** What a removal does, where the destination asks for it. */
  readonly remove?: string
  /** Rows without consent for it are not sent, and are removed if they were. */
  readonly purpose?: string
  /** Fields whose null is sent, so that the value is cleared there. */
  readonly clear?: readonly NoInfer<F>[]
  /** Bounds on what one run may do; only `allowEmpty: false` is on by itself. */
  readonly guard?: Guard
  /** For selectors: `tag:daily`. */
  readonly tags?: readonly string[]
  /** For people. */
  readonly description?: string
}

/**
 * Declares a sync.
 *
 * @example
 * export default defineSync({
 *   from: 'spenders',
 *   to: webhook({ url: env('AUDIENCE_URL') }),
 *   key: { phone: 'phone' },
 *   map: { name: 'full_name', spend: 'total_spend' },
 *   mode: 'mirror',
 * })
 */
export const defineSync = <K extends string, F extends string>(sync: SyncDefinition<K, F>): SyncDefinition<K, F> =>
  branded('sync', sync)
