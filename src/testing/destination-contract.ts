// What every destination must keep, as data: each case runs against a connector and its twin over real HTTP.
// Cases name the capability they need, never a connector; a connector that cannot keep one declares the gap with its reason.
import { fail } from 'node:assert/strict'
import type { Destination } from '../sync/destination.ts'
import { faultCases } from './destination-faults.ts'
import type { DestinationCase } from './destination-harness.ts'
import { snapshotCases } from './destination-snapshots.ts'
import { writeCases } from './destination-writes.ts'

export { contextFor, type DestinationCase, type DestinationHarness } from './destination-harness.ts'

export const destinationContract: readonly DestinationCase[] = [...writeCases, ...faultCases, ...snapshotCases]

/** The cases that concern this destination, each with the reason why it is passed over, if it is. Unknown gaps are an error. */
export const casesFor = (
  destination: Destination,
  gaps: Readonly<Record<string, string>> = {},
): readonly (DestinationCase & { readonly gap: string | undefined })[] => {
  const unknown = Object.keys(gaps).filter((title) => !destinationContract.some((test) => test.title === title))
  if (unknown.length > 0) fail(`no case of the contract is called: ${unknown.join('; ')}`)
  const capabilities = destination.takes === 'snapshot' ? ['snapshot'] : ['changes', destination.semantics]
  return destinationContract
    .filter((test) => capabilities.includes(test.needs))
    .map((test) => ({ ...test, gap: gaps[test.title] }))
}
