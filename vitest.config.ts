// Tests import the package by its own name, as a connector does; the condition makes that name mean the sources, not dist/.
import { availableParallelism } from 'node:os'
import { configDefaults, defineConfig } from 'vitest/config'

// What runs against BigQuery's stand-in takes minutes: CDP_TEST_BIGQUERY=0 leaves it out.
const standIn =
  process.env['CDP_TEST_BIGQUERY'] === '0'
    ? ['test/warehouse/bigquery/{contract,dialect,names,storage}.test.ts', 'test/bigquery/**']
    : []

export default defineConfig({
  resolve: { conditions: ['cdp-source'] },
  ssr: { resolve: { conditions: ['cdp-source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...standIn],
    reporters: ['default', './test/closing-line.ts'],
    isolate: false,
    pool: 'forks',
    maxWorkers: availableParallelism(),
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
