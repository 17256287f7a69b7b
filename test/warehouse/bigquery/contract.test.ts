// BigQuery held to the contract of warehouses, by Google's client against a stand-in for the service. A gap says why.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { warehouseCases } from '../../../src/testing/warehouse-contract.ts'
import { findEmulator } from '../../bigquery-emulator/emulator.ts'
import { isLive } from '../../bigquery/live.ts'
import { withFresh } from './fresh.ts'
import { gaps, gapsOfService } from './gaps.ts'

const emulator = isLive ? { url: '', grpc: '' } : await findEmulator()
const supports = {
  transactionalDdl: false,
  concurrentWriters: true,
  fileLock: false,
  quotesInNames: false,
  dryRun: true,
}

describe('BigQuery as a warehouse', () => {
  it.for(warehouseCases(supports, isLive ? gapsOfService : gaps))(
    '$test.title',
    { timeout: 600_000 },
    async ({ test, gap }, { skip }) => {
      const running = typeof emulator === 'string' ? skip(emulator) : emulator
      if (gap !== undefined) skip(gap)
      const folder = mkdtempSync(join(tmpdir(), 'cdp-bigquery-'))
      try {
        await withFresh(running, folder, (open) => expect(test.run({ folder, open })).resolves.toBeUndefined())
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
  )
})
