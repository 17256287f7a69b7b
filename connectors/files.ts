// Files as a source: CSV, NDJSON, JSON, Parquet and lines of text, read by the engine itself.
import { defineSource, type ScanRead, type Setting, type Source, type StreamSettings } from 'composable-cdp'

export interface FileStream extends StreamSettings {
  /** A path or glob below the project, or absolute: `data/pos/*.csv`, `data/**\/events-{1,2}.ndjson.gz`. */
  readonly path: Setting
  /** Default: by the ending, `.gz` left out: csv, tsv, txt · ndjson, jsonl · json · parquet. `lines`: every line is a row with one column, `text`. */
  readonly format?: NonNullable<ScanRead['format']>
  /** Of CSV. Default: the one of `,` `;` tab `|` that the header has most of. */
  readonly delimiter?: string
  /** Of CSV; default `"`, `''` for none. */
  readonly quote?: string
  /** Of CSV: the first record holds the names; default true. */
  readonly header?: boolean
  /** Of CSV: names of the columns in order, instead of the header's. */
  readonly columns?: readonly string[]
}

/**
 * Streams read from files. Only new and changed files are read again.
 *
 * @example
 * const shop = files({
 *   streams: {
 *     customers: { path: 'data/shop-customers*.csv', key: ['id'], cursor: 'updated_at' },
 *     events: { path: 'data/events/*.ndjson.gz', types: { at: 'timestamp' } },
 *   },
 * })
 */
export const files = (options: { readonly streams: Readonly<Record<string, FileStream>> }): Source =>
  defineSource({
    streams: Object.fromEntries(
      Object.entries(options.streams).map(
        ([name, { path, format, delimiter, quote, header, columns, ...settings }]) => {
          const csv = {
            ...(delimiter === undefined ? {} : { delimiter }),
            ...(quote === undefined ? {} : { quote }),
            ...(header === undefined ? {} : { header }),
            ...(columns === undefined ? {} : { columns }),
          }
          const from: ScanRead = {
            kind: 'scan',
            path,
            ...(format === undefined ? {} : { format }),
            ...(Object.keys(csv).length === 0 ? {} : { csv }),
          }
          return [name, { ...settings, from }]
        },
      ),
    ),
  })
