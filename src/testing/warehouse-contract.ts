// What every warehouse must keep, as data: each case runs against an empty one. Cases name the capability they need, never an
// engine; a warehouse that cannot keep one declares the gap with its reason.
import { fail } from 'node:assert/strict'
import type { Supports } from '../warehouse/warehouse.ts'
import { bulkCases } from './warehouse-bulk.ts'
import type { WarehouseCase } from './warehouse-harness.ts'
import { sessionCases } from './warehouse-sessions.ts'
import { stateCases } from './warehouse-state.ts'
import { valueCases } from './warehouse-values.ts'

export type { WarehouseCase, WarehouseHarness } from './warehouse-harness.ts'

export const warehouseContract: readonly WarehouseCase[] = [...valueCases, ...sessionCases, ...bulkCases, ...stateCases]

/** The cases that concern a warehouse, each with the reason why it is passed over, if it is. Unknown gaps are an error. */
export const warehouseCases = (
  supports: Supports,
  gaps: Readonly<Record<string, string>> = {},
): readonly { readonly test: WarehouseCase; readonly gap: string | undefined }[] => {
  const unknown = Object.keys(gaps).filter((title) => !warehouseContract.some((test) => test.title === title))
  if (unknown.length > 0) fail(`no case of the contract is called: ${unknown.join('; ')}`)
  return warehouseContract
    .filter((test) => test.needs === undefined || supports[test.needs])
    .map((test) => ({ test, gap: gaps[test.title] }))
}
