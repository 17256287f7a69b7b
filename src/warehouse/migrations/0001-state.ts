// The first state: the schemas, and every relation of the engine. Until the first release it follows
// relations.ts; from then on its list is copied here, and every change is a migration of its own.
import { engineRelations, type EngineRelationName } from '../relations.ts'
import { createEngineRelation } from '../statements.ts'
import type { Migration } from './index.ts'

// No primary keys or unique constraints: on DuckDB they forbid changing a column's type and cost an index lookup for each row
// of a bulk write, on BigQuery they are not enforced. The statements that write keep `key` of each relation unique.
export const state: Migration = {
  version: 1,
  name: 'state',
  up: (warehouse) => [
    // A developer's copy reads the raw schema of another warehouse.
    ...(warehouse.landing ? (['models', 'cdp'] as const) : (['raw', 'models', 'cdp'] as const)).map((schema) =>
      warehouse.createSchema(schema),
    ),
    ...(Object.keys(engineRelations) as EngineRelationName[]).map((name) => createEngineRelation(warehouse, name)),
  ],
}
