// Tables that live only while a graph or a profile is built, and what else of a build depends on what an engine's transactions can do.
import type { Warehouse } from '../warehouse/warehouse.ts'
import { type Put, writingNumbers } from './numbers.ts'

export interface Work {
  readonly warehouse: Warehouse
  /** The quoted name of a work table. */
  name(table: string): string
  /** Makes a work table of a SELECT, in place of one of that name. */
  make(table: string, select: string): Promise<void>
  /** Makes a work table of whole numbers that `write` puts row by row. */
  load(table: string, columns: readonly string[], write: (put: Put) => void): Promise<void>
  /** From here on `table` is work table `of`, or what that one stands for: where a step has nothing to do, nothing is copied. */
  alias(table: string, of: string): void
  /** What SELECTs of one number each give, in one statement: on some engines a statement takes seconds, however little it does. */
  numbers<Name extends string>(selects: Readonly<Record<Name, string>>): Promise<Readonly<Record<Name, number>>>
  /** How many rows a work table has. */
  count(table: string): Promise<number>
  /** Calls `take` with each row of a SELECT of up to three whole numbers, in its order. */
  each(select: string, take: (a: number, b: number, c: number) => void): Promise<void>
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
  const aliases = new Map<string, string>()
  const real = (table: string): string => aliases.get(table) ?? table
  const full = (table: string): string => `${prefix}_${table}`
  const name = (table: string): string => warehouse.name({ schema: 'scratch', name: full(real(table)) })
  const fresh = async (table: string, definition: string): Promise<void> => {
    aliases.delete(table)
    made.add(table)
    await warehouse.makeScratch(full(table), definition)
  }
  const numbers: Work['numbers'] = async (selects) => {
    const names = Object.keys(selects) as (keyof typeof selects)[]
    const list = names.map((one) => `(${selects[one]}) as ${warehouse.quote(one)}`)
    const [row] = await warehouse.all<Record<keyof typeof selects, number>>(`select ${list.join(',\n  ')}`)
    return Object.fromEntries(names.map((one) => [one, row?.[one] ?? 0])) as Record<keyof typeof selects, number>
  }
  return {
    warehouse,
    name,
    make: (table, select) => fresh(table, `as\n${select}`),
    load: async (table, columns, write) => {
      const types = columns.map((column) => `${warehouse.quote(column)} ${warehouse.typeName('integer')}`)
      await fresh(table, `(${types.join(', ')})`)
      await writingNumbers(warehouse.reader, columns, write, async (select) => {
        await warehouse.load({ schema: 'scratch', name: full(table) }, columns, select)
      })
    },
    alias: (table, of) => void aliases.set(table, real(of)),
    numbers,
    count: async (table) => (await numbers({ n: `select count(*) from ${name(table)}` })).n,
    each: (select, take) =>
      seeingWork(warehouse, async () => {
        for await (const { rowCount, values } of warehouse.stream(select)) {
          const [a = [], b = [], c = []] = values
          for (let row = 0; row < rowCount; row++) take(Number(a[row]), Number(b[row]), Number(c[row]))
        }
      }),
    drop: async () => {
      if (dropsAtOnce(warehouse)) for (const table of made) await warehouse.dropScratch(full(table))
      made.clear()
      aliases.clear()
    },
  }
}

// An engine with transactional DDL keeps work tables in the session, where a stream sees them only from within a transaction and they
// take memory. On others they are tables that everybody sees, each DROP takes seconds, and the warehouse drops them when it is closed.
const dropsAtOnce = (warehouse: Warehouse): boolean => warehouse.supports.transactionalDdl
const seeingWork = (warehouse: Warehouse, read: () => Promise<void>): Promise<void> =>
  warehouse.supports.transactionalDdl ? warehouse.transaction(read) : read()

/**
 * Writes what is kept and puts the relation in place, all or nothing. Where DDL is not transactional the relation follows: a death
 * between the two leaves the relation of the build before, and the next build, which finds what was written, makes it anew.
 */
export const settle = async (
  warehouse: Warehouse,
  write: () => Promise<void>,
  publish: () => Promise<void>,
): Promise<void> => {
  if (warehouse.supports.transactionalDdl) {
    await warehouse.transaction(async () => {
      await write()
      await publish()
    })
    return
  }
  await warehouse.transaction(write)
  await publish()
}
