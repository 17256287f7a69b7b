// Small parts of the statements that landing makes.
import type { Warehouse } from '../warehouse/warehouse.ts'

/** A text or a typed null. */
export const textOrNull = (warehouse: Warehouse, value: string | null | undefined): string =>
  value === null || value === undefined ? `cast(null as ${warehouse.typeName('text')})` : warehouse.literal(value)

/** A VALUES list a statement at a time: thousands of files do not make one statement of megabytes. */
export const insertRows = async <T>(
  warehouse: Warehouse,
  table: string,
  columns: readonly string[],
  rows: readonly T[],
  values: (row: T) => readonly string[],
): Promise<void> => {
  const list = columns.map((column) => warehouse.quote(column)).join(', ')
  for (let at = 0; at < rows.length; at += 500) {
    const part = rows.slice(at, at + 500).map((row) => `(${values(row).join(', ')})`)
    await warehouse.run(`insert into ${table} (${list}) values ${part.join(', ')}`)
  }
}
