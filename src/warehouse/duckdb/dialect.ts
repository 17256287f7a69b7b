// What DuckDB has its own words for.
import type { Dialect } from '../dialect.ts'

// Without the detour through a list the planner takes a table for as large as what it is drawn from, and builds its hash tables on
// the wrong side.
const few = (select: string, columns: readonly string[]): string => {
  const item = columns.length === 1 ? columns[0] : `{${columns.map((column) => `${column}: ${column}`).join(', ')}}`
  const back = columns.length === 1 ? `item as ${columns[0]}` : columns.map((column) => `item.${column}`).join(', ')
  return `select ${back} from (select unnest(items) as item from (select list(${item}) as items from (
  ${select})))`
}

export const dialect: Dialect = {
  cte: (name, select, how, columns = ['m']) =>
    how === 'few'
      ? `${name} as materialized (\n  ${few(select, columns)})`
      : `${name} as ${how === 'once' ? '' : 'not '}materialized (\n  ${select})`,
  minBy: (value, by) => `min_by(${value}, ${by})`,
  later: (timestamp, ms) => `${timestamp} + to_milliseconds(${ms})`,
  rowNumber: (alias) => `${alias}.rowid`,
}
