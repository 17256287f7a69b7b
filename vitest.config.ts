// Tests import the package by its own name, as a connector does; the condition makes that name mean the sources, not dist/.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['cdp-source'] },
  ssr: { resolve: { conditions: ['cdp-source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', './test/closing-line.ts'],
    isolate: false,
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
