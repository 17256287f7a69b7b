// How statements of the engine name its state, and say instants.
import type { EngineRelationName } from './relations.ts'
import type { Warehouse } from './warehouse.ts'

/** A relation of the state, as SQL. */
export const stateTable = (warehouse: Warehouse, name: EngineRelationName): string =>
  warehouse.name({ schema: 'cdp', name })

/** An instant, as SQL; `iso` is a text that this program made. */
export const instantOf = (warehouse: Warehouse, iso: string): string => asInstant(warehouse, warehouse.literal(iso))

/** A text, or a parameter that is one, as an instant. */
export const asInstant = (warehouse: Warehouse, sql: string): string =>
  `cast(${sql} as ${warehouse.typeName('timestamp')})`
