// What steps cost, and journals of syncs that are kept in the warehouse. A state that 0001 has just made has both already.
import { createEngineRelation } from '../statements.ts'
import type { Migration } from './index.ts'

export const billing: Migration = {
  version: 2,
  name: 'billing',
  up: (warehouse) => {
    const steps = warehouse.name({ schema: 'cdp', name: 'run_steps' })
    const integer = warehouse.typeName('integer')
    return [
      ...['statements', 'bytes_billed'].map(
        (column) => `alter table ${steps} add column if not exists ${column} ${integer}`,
      ),
      // The one before held entries on their way within a transaction: it is always empty.
      `drop table if exists ${warehouse.name({ schema: 'cdp', name: 'sync_journal' })}`,
      createEngineRelation(warehouse, 'sync_journal'),
    ]
  },
}
