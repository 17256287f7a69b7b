// The embedded DuckDB that reads files and pages for this warehouse: opened when it is first asked for.
import { open } from '../duckdb/open.ts'
import { literal, quote, typeName } from '../duckdb/text.ts'
import type { OpenOptions, Reader, Session, Warehouse } from '../warehouse.ts'

export const lazyReader = (options: OpenOptions): { readonly reader: Reader; close(): Promise<void> } => {
  let opened: Promise<Warehouse> | undefined
  const database = (): Promise<Warehouse> => (opened ??= open({ path: ':memory:' }, { ...options, mode: 'write' }))
  return {
    reader: {
      quote,
      literal,
      typeName,
      run: async (statement) => (await database()).run(statement),
      all: async <T>(statement: Parameters<Session['all']>[0]) => (await database()).all<T>(statement),
      stream: async function* (statement) {
        yield* (await database()).stream(statement)
      },
      describe: async (select) => (await database()).describe(select),
    },
    close: async () => {
      const found = opened
      opened = undefined
      await (await found)?.close()
    },
  }
}
