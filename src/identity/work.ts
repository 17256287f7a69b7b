// Tables that live only while a graph or a profile is built. One place decides where they are: temporary tables of the session.
import type { Warehouse } from '../warehouse/warehouse.ts'

export interface Work {
  readonly warehouse: Warehouse
  /** The quoted name of a work table. */
  name(table: string): string
  /** Makes a work table of a SELECT, in place of one of that name. */
  make(table: string, select: string): Promise<void>
  /** How many rows a work table has. */
  count(table: string): Promise<number>
  /** Forgets all of them. */
  drop(): Promise<void>
}

/** Does some work with work tables, and forgets them however it ends. */
export const withWork = async <T>(
  warehouse: Warehouse,
  purpose: 'identity' | 'profile',
  use: (work: Work) => Promise<T>,
): Promise<T> => {
  const work = openWork(warehouse, `_cdp_${purpose}`)
  try {
    const result = await use(work)
    await work.drop()
    return result
  } catch (error) {
    // What went wrong first is what is told.
    await work.drop().catch(() => undefined)
    throw error
  }
}

/** Work tables whose names start with `prefix`. */
export const openWork = (warehouse: Warehouse, prefix: string): Work => {
  const made = new Set<string>()
  const name = (table: string): string => warehouse.quote(`${prefix}_${table}`)
  return {
    warehouse,
    name,
    make: async (table, select) => {
      made.add(table)
      await warehouse.run(`create or replace temp table ${name(table)} as\n${select}`)
    },
    count: async (table) => {
      const rows = await warehouse.all<{ n: number }>(`select count(*) as n from ${name(table)}`)
      return rows[0]?.n ?? 0
    },
    drop: async () => {
      for (const table of made) await warehouse.run(`drop table if exists ${name(table)}`)
      made.clear()
    },
  }
}
