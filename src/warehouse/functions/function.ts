// What a portable function is: data, so that every engine installs it, every test runs it and the reference page lists
// it from the same entry.

/** A parameter of type `any` takes a value of every type; the function reads it by `cdp.to_text` or as said. */
export type PortableType =
  | 'any'
  | 'text'
  | 'boolean'
  | 'integer'
  | 'decimal'
  | 'double'
  | 'date'
  | 'timestamp'
  | 'array'
  | 'text array'

export interface PortableParameter {
  readonly name: string
  readonly type: PortableType
}

/**
 * One function of the `cdp` schema. It means the same on every engine: `integer` is 64 bits, `decimal` is (38, 9),
 * `timestamp` is an instant, and no function depends on the session's time zone. Null in means null out unless the
 * description says otherwise, and a value that cannot be read gives null, never an error.
 */
export interface PortableFunction {
  readonly name: string
  readonly params: readonly PortableParameter[]
  readonly returns: PortableType
  readonly description: string
  /** A call that gives `result`, which is `cdp.to_text` of the value. */
  readonly example: { readonly sql: string; readonly result: string | null }
  /** The body of the DuckDB macro: one expression over the parameters. Other functions are called as `cdp.name(…)`. */
  readonly duckdb: string
  /** The body of the BigQuery SQL function, likewise. A parameter of type `any` or `array` is of ANY TYPE there. */
  readonly bigquery?: string
}

/** The functions of one file, under the heading they have on the reference page. */
export interface FunctionTheme {
  readonly title: string
  readonly functions: readonly PortableFunction[]
}

/** Parameters from `{ value: 'any', … }`, in order. */
export const parameters = (types: Readonly<Record<string, PortableType>>): readonly PortableParameter[] =>
  Object.entries(types).map(([name, type]) => ({ name, type }))
