// DuckDB held to the contract of warehouses.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { warehouseCases } from '../../src/testing/warehouse-contract.ts'
import { duckdb } from '../../src/warehouse/define-duckdb.ts'
import { openWarehouse } from '../../src/warehouse/warehouse.ts'

const supports = { transactionalDdl: true, concurrentWriters: false, fileLock: true, dryRun: false }

describe('DuckDB as a warehouse', () => {
  for (const { test, gap } of warehouseCases(supports)) {
    it.skipIf(gap !== undefined)(gap === undefined ? test.title : `${test.title} (${gap})`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'cdp-warehouse-'))
      const files = mkdtempSync(join(tmpdir(), 'cdp-files-'))
      try {
        await test.run({
          folder: files,
          open: (options = {}) =>
            openWarehouse(duckdb({ path: 'state/test.duckdb' }), {
              root: folder,
              mode: 'write',
              waitMs: 0,
              clock: systemClock,
              ...options,
            }),
        })
      } finally {
        for (const path of [folder, files]) rmSync(path, { recursive: true, force: true })
      }
    })
  }
})
