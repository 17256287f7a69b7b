// What BigQuery has its own words for.
import type { Dialect } from '../dialect.ts'

export const dialect: Dialect = {
  cte: (name, select) => `${name} as (\n  ${select})`,
  minBy: (value, by) => `any_value(${value} having min ${by})`,
  later: (timestamp, ms) => `timestamp_add(${timestamp}, interval ${ms} millisecond)`,
  rowNumber: () => undefined,
}
