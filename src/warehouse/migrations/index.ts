// The state's history: numbered, never edited once released. Each runs in one transaction and is recorded in cdp.migrations.
import type { Warehouse } from '../warehouse.ts'
import { state } from './0001-state.ts'
import { billing } from './0002-billing.ts'

export interface Migration {
  readonly version: number
  readonly name: string
  /** Statements in order. */
  up(warehouse: Warehouse): readonly string[]
}

export const migrations: readonly Migration[] = [state, billing]
