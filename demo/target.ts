// The warehouse that the story is told on: DuckDB in a file, or the stand-in for BigQuery, which is started for the demo and ends with it.
import { startEmulator } from '../test/bigquery-emulator/emulator.ts'
import { aside } from './shell.ts'

export const targets = ['local', 'bigquery'] as const

export interface Target {
  /** What is added to every command. */
  readonly flags: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly files: readonly string[]
  readonly next: readonly string[]
  stop(): Promise<void>
}

const local: Target = {
  flags: [],
  env: {},
  files: ['lotus.duckdb', 'lotus.duckdb.wal'],
  next: [
    'Three commands to try next, in this repository:',
    '  npx cdp explain person nga.tran970@yahoo.com.vn',
    '  npx cdp query "select * from vip_at_risk order by total_spend desc limit 10"',
    '  npx cdp status',
  ],
  stop: () => Promise.resolve(),
}

/** Or why it cannot be had, and how to get it. */
export const openTarget = async (name: (typeof targets)[number]): Promise<Target | string> => {
  if (name === 'local') return local
  aside(
    'BigQuery is a stand-in on this machine (local-bigquery); the first time, installing it takes about two minutes.',
  )
  const standIn = await startEmulator()
  if (typeof standIn === 'string') return standIn
  return {
    flags: ['--target', name],
    env: {
      LOTUS_GCP_PROJECT: 'stand-in-of-the-demo',
      LOTUS_BIGQUERY_API: standIn.url,
      LOTUS_BIGQUERY_STORAGE: standIn.grpc,
    },
    files: [],
    next: [
      'The stand-in goes with the demo, and its seconds say nothing of the service. With a project of your own and the vendors of `npx cdp sandbox`:',
      '  LOTUS_GCP_PROJECT=my-project npx cdp run --target bigquery',
      'Its datasets raw, models and cdp are made if absent, in LOTUS_GCP_LOCATION (default US).',
    ],
    stop: () => standIn.stop(),
  }
}
