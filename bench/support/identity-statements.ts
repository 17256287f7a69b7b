// What a build of identity asks of a warehouse, counted by kind of statement: on an engine where each is a job of a second or two these are
// the seconds, whatever the stand-in takes for them.
import { buildIdentity, type IdentityInput } from '../../src/identity/build.ts'
import type { Statement, Warehouse } from '../../src/warehouse/warehouse.ts'

export type Counts = Readonly<Record<string, number>>

/** `work` with a warehouse that counts: `describe`, `select`, `insert`, `delete`, `update`, `create` (work tables and relations), `load`,
 * `transaction` (those in which something was run). */
export const countStatements = async (
  warehouse: Warehouse,
  work: (counted: Warehouse) => Promise<unknown>,
): Promise<Counts> => {
  const counts: Record<string, number> = {}
  const add = (kind: string): void => {
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  const kindOf = (statement: Statement): string => {
    const sql = typeof statement === 'string' ? statement : statement.sql
    return (/^\s*(\w+)/.exec(sql)?.[1] ?? '').toLowerCase().replace('with', 'select')
  }
  const written = (): number => ['insert', 'update', 'delete'].reduce((sum, kind) => sum + (counts[kind] ?? 0), 0)
  await work({
    ...warehouse,
    run: (statement) => {
      add(kindOf(statement))
      return warehouse.run(statement)
    },
    all: (statement) => {
      add('select')
      return warehouse.all(statement)
    },
    stream: (statement) => {
      add('select')
      return warehouse.stream(statement)
    },
    describe: (select) => {
      add('describe')
      return warehouse.describe(select)
    },
    makeScratch: (name, definition) => {
      add('create')
      return warehouse.makeScratch(name, definition)
    },
    load: (target, columns, select) => {
      add('load')
      return warehouse.load(target, columns, select)
    },
    transaction: async (inside) => {
      const before = written()
      const result = await warehouse.transaction(inside)
      if (written() > before) add('transaction')
      return result
    },
  })
  return counts
}

/** The statements of one build of an identity graph, and what it found. */
export const identityStatements = async (
  input: IdentityInput,
): Promise<{ readonly counts: Counts; readonly total: number; readonly records: number; readonly persons: number }> => {
  let found = { records: 0, persons: 0 }
  const counts = await countStatements(input.warehouse, async (warehouse) => {
    found = await buildIdentity({ ...input, warehouse })
  })
  const total = Object.values(counts).reduce((sum, n) => sum + n, 0)
  return { counts, total, records: found.records, persons: found.persons }
}
