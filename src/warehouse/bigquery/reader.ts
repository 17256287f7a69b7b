// The embedded DuckDB that reads files and pages for this warehouse: opened when it is first asked for.
import { open } from '../duckdb/open.ts'
import type { OpenOptions, Session, Warehouse } from '../warehouse.ts'

export const lazyReader = (options: OpenOptions): { readonly session: Session; close(): Promise<void> } => {
  let opened: Promise<Warehouse> | undefined
  const reader = (): Promise<Warehouse> => (opened ??= open({ path: ':memory:' }, { ...options, mode: 'write' }))
  return {
    session: {
      run: async (statement) => (await reader()).run(statement),
      all: async <T>(statement: Parameters<Session['all']>[0]) => (await reader()).all<T>(statement),
      stream: async function* (statement) {
        yield* (await reader()).stream(statement)
      },
      describe: async (select) => (await reader()).describe(select),
    },
    close: async () => {
      const found = opened
      opened = undefined
      await (await found)?.close()
    },
  }
}
