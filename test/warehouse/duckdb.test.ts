// DuckDB held to the contract of warehouses, without a gap.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { warehouseCases, type WarehouseHarness } from '../../src/testing/warehouse-contract.ts'
import { duckdb } from '../../src/warehouse/define-duckdb.ts'
import { openWarehouse } from '../../src/warehouse/warehouse.ts'

const supports = {
  transactionalDdl: true,
  concurrentWriters: false,
  fileLock: true,
  quotesInNames: true,
  dryRun: false,
}

describe('DuckDB as a warehouse', () => {
  const cases = warehouseCases(supports).map((entry) => [entry.test.title, entry] as const)
  it.for(cases)('%s', async ([, { test, gap }], { skip }) => {
    if (gap !== undefined) skip(gap)
    const [root, folder] = [mkdtempSync(join(tmpdir(), 'cdp-state-')), mkdtempSync(join(tmpdir(), 'cdp-files-'))]
    const open: WarehouseHarness['open'] = (options) =>
      openWarehouse(duckdb({ path: 'state/test.duckdb' }), {
        root,
        mode: 'write',
        waitMs: 0,
        clock: systemClock,
        ...options,
      })
    try {
      await expect(test.run({ folder, open })).resolves.toBeUndefined()
    } finally {
      for (const path of [root, folder]) rmSync(path, { recursive: true, force: true })
    }
  })
})
