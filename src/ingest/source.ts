// The source seam: what a connector that brings data in must say. Landing, types, quarantine and cursors are the engine's.
import { branded } from '../core/brand.ts'
import type { Clock } from '../core/clock.ts'
import type { Setting } from '../core/secret.ts'

/** How a stream lands, whatever it is read from. */
export interface StreamSettings {
  /** Columns that name a row once; a row with a known key replaces it. Without a key every row is new. */
  readonly key?: readonly string[]
  /** A column that only grows. For files it decides which version of a key wins; for pages also where the next read starts. */
  readonly cursor?: string
  /** Every load holds all rows: what is not there any more has vanished. */
  readonly full?: boolean
  /** Promises about columns: `integer`, `decimal(18,2)`, `double`, `boolean`, `date`, `timestamp`, `text`, `json`. A row that breaks one is quarantined. */
  readonly types?: Readonly<Record<string, string>>
  /** Zone of timestamps written without one; default the project's. */
  readonly timeZone?: string
  /** Share of rows that may be quarantined before the load fails, acting above 20 rows; default 0.05. */
  readonly maxQuarantined?: number
  /** Adds `_cdp_source_file` and `_cdp_source_line` to the raw relation. */
  readonly lines?: boolean
}

/** Files that the engine reads itself, without one row passing through JavaScript. Plain data: it is kept in the compiled project. */
export interface ScanRead {
  /** `files(…)` says it itself. */
  readonly kind: 'scan'
  /** A path or glob below the project, or absolute. */
  readonly path: Setting
  /** Default: by the file's ending. `lines`: every line is a row with one column, `text`. Any may be gzipped (`.gz`). */
  readonly format?: 'csv' | 'ndjson' | 'json' | 'parquet' | 'lines'
  /** How a CSV is written, where the engine should not find out by itself. `columns` names the columns of a file without a header. */
  readonly csv?: {
    readonly delimiter?: string
    readonly quote?: string
    readonly header?: boolean
    readonly columns?: readonly string[]
  }
}

/** What a read needs to know and may use. */
export interface ReadContext {
  /** The cursor saved with the last rows, as text; undefined on the first read or under `full`. */
  readonly cursor: string | undefined
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly progress: (rows: number) => void
}

/** A piece of a stream: parsed rows, or bytes in a format the engine's reader knows (a COPY stream, a downloaded file). */
export type Page =
  | { readonly rows: readonly Readonly<Record<string, unknown>>[]; readonly cursor?: string }
  | {
      readonly bytes: AsyncIterable<Uint8Array>
      readonly format: 'csv' | 'ndjson'
      /** Columns in order with portable types, or `number` for one of unknown length, where the source knows them; the bytes then have
       * no header. An empty type is inferred from the text. */
      readonly columns?: readonly { readonly name: string; readonly type: string }[]
      readonly cursor?: string
    }

export interface PagesRead {
  readonly kind: 'pages'
  /** Settings a missing secret may hide in, reported before anything starts. */
  readonly settings?: readonly unknown[]
  read(context: ReadContext): AsyncIterable<Page>
}

export interface Stream extends StreamSettings {
  readonly from: ScanRead | PagesRead
}

export interface Source {
  readonly streams: Readonly<Record<string, Stream>>
}

/**
 * Declares a source: what a connector function returns.
 *
 * @example
 * const shop = defineSource({ streams: { customers: { key: ['id'], from: { kind: 'scan', path: 'data/customers*.csv' } } } })
 */
export const defineSource = (source: Source): Source => branded('source', source)
