// An engine in memory with the library installed, and values written so that any engine can be handed the same rows.
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { duckdbInstall } from '../../../src/warehouse/functions/index.ts'

/** A value in a table of rows. Text, integers and booleans are themselves; the rest say their type. */
export type Value =
  | null
  | string
  | number
  | bigint
  | boolean
  | { readonly decimal: string }
  | { readonly double: string }
  | { readonly date: string }
  /** An instant, `2026-10-01 08:00:00+00`. */
  | { readonly timestamp: string }
  /** A date and time of no zone. */
  | { readonly local: string }
  | { readonly list: readonly Value[] }
  | { readonly json: string }
  /** An expression of the engine under test. */
  | { readonly sql: string }

/** Arguments of a call and `cdp.to_text` of its value. */
export type Row = readonly [args: readonly Value[], gives: string | null]
export type Rows = Readonly<Record<string, readonly Row[]>>

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** A value as a DuckDB expression. */
export const duckdbLiteral = (value: Value): string => {
  if (value === null) return 'null'
  if (typeof value === 'string') return quote(value)
  if (typeof value !== 'object') return String(value)
  if ('sql' in value) return value.sql
  if ('list' in value) return `[${value.list.map(duckdbLiteral).join(', ')}]`
  const cast = (text: string, type: string): string => `cast(${quote(text)} as ${type})`
  if ('decimal' in value) return cast(value.decimal, 'decimal(38, 9)')
  if ('double' in value) return cast(value.double, 'double')
  if ('date' in value) return cast(value.date, 'date')
  if ('timestamp' in value) return cast(value.timestamp, 'timestamptz')
  if ('local' in value) return cast(value.local, 'timestamp')
  return cast(value.json, 'json')
}

export interface Evaluated {
  /** `cdp.to_text` of the value. */
  readonly text: string | null
  readonly type: string | null
}

const asText = (value: unknown): string | null => (typeof value === 'string' ? value : null)

export interface Engine {
  readonly connection: DuckDBConnection
  /** The values of expressions, evaluated in one statement. */
  readonly evaluate: (expressions: readonly string[]) => Promise<Evaluated[]>
  readonly close: () => void
}

/** Opens an engine. The session's zone is not UTC, because no function may depend on it. */
export const openEngine = async (schema = 'cdp'): Promise<Engine> => {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  await connection.run("set TimeZone = 'America/New_York'")
  await connection.run(`create schema "${schema.replaceAll('"', '""')}"`)
  for (const statement of duckdbInstall(schema)) await connection.run(statement)
  return {
    connection,
    evaluate: async (expressions) => {
      // The values are computed before to_text sees them: macros are expanded, and it mentions its argument often.
      const named = expressions.map((expression, at) => `${expression} as v${at}`).join(',\n')
      const texts = expressions.map((_, at) => `cdp.to_text(v${at}), typeof(v${at})`).join(', ')
      const reader = await connection.runAndReadAll(
        `with computed as materialized (select ${named}) select ${texts} from computed`,
      )
      const row = reader.getRows()[0] ?? []
      return expressions.map((_, at) => ({ text: asText(row[2 * at]), type: asText(row[2 * at + 1]) }))
    },
    close: () => {
      connection.closeSync()
      instance.closeSync()
    },
  }
}
