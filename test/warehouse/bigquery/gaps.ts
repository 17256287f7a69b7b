// What of the contract of warehouses is not held to on BigQuery, by title, with the reason and where it is shown instead.
const readAhead = 'a stream does not read ahead'

export const gaps: Readonly<Record<string, string>> = {
  'the migrations give exactly the relations the engine names':
    'the stand-in lists functions among the tables; the columns are shown in dialect.test.ts',
  'an older state is read as it is, and migrated when opened to write':
    'the stand-in lists functions among the tables; that an empty state is made is shown in statements.test.ts',
  'a refused statement says its line and column': 'the stand-in gives no place; shown in service.test.ts',
  [readAhead]:
    'a result is computed whole before its first page; that pages are fetched one by one is shown in service.test.ts',
}

/** Those that are the service's own, not the stand-in's. */
export const gapsOfService: Readonly<Record<string, string>> = { [readAhead]: gaps[readAhead] ?? '' }
