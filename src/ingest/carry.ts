// What the reader has staged, where the warehouse can read it: the reader's own relations where the two are one session, else scratch
// relations loaded there. Loads and DDL may be no part of a transaction, so all of it is made before one, and dropped after it.
// Rows never go straight into a raw relation by a load job: it would be there before the load's records are, and come twice when a load that
// died is tried again. From scratch they are inserted in the transaction, which reads them once more. A scratch table is modified by one
// load job in its life, so no table comes near the daily limit of modifications.
import type { ColumnType, Warehouse } from '../warehouse/warehouse.ts'

export interface MergeColumn {
  readonly name: string
  readonly type: ColumnType
}

export interface Carrier {
  /** Gives what stands in FROM, before an alias, for the rows of a SELECT over the reader with these columns. */
  bring(purpose: string, columns: readonly MergeColumn[], select: string): Promise<string>
  /** An empty relation to write to; gives its name. */
  make(purpose: string, columns: readonly MergeColumn[]): Promise<string>
  drop(): Promise<void>
}

export const openCarrier = (warehouse: Warehouse, relation: string): Carrier => {
  const made = new Set<string>()
  const create = async (purpose: string, columns: readonly MergeColumn[]): Promise<string> => {
    const name = `${purpose}_${relation}`
    made.add(name)
    const definitions = columns.map((c) => `${warehouse.quote(c.name)} ${warehouse.typeName(c.type)}`)
    await warehouse.makeScratch(name, `(${definitions.join(', ')})`)
    return name
  }
  return {
    bring: async (purpose, columns, select) => {
      if (warehouse.reader.run === warehouse.run) return `(${select})`
      // JSON travels as text: no file format of loads has it.
      const isJson = columns.some(({ type }) => type === 'json')
      const carried = columns.map(({ name, type }) => ({ name, type: type === 'json' ? 'text' : type }) as const)
      const name = await create(purpose, carried)
      const names = columns.map((column) => column.name)
      await warehouse.load({ schema: 'scratch', name }, names, select)
      const table = warehouse.name({ schema: 'scratch', name })
      if (!isJson) return table
      const values = columns.map(({ name: column, type }) => {
        const quoted = warehouse.quote(column)
        return type === 'json' ? `${warehouse.dialect.json.of(quoted)} as ${quoted}` : quoted
      })
      return `(select ${values.join(', ')} from ${table})`
    },
    make: async (purpose, columns) => warehouse.name({ schema: 'scratch', name: await create(purpose, columns) }),
    // They go by themselves in the end; not being able to drop one is no failure of a load that has been done.
    drop: async () => {
      for (const name of made) await warehouse.dropScratch(name).catch(() => undefined)
      made.clear()
    },
  }
}
