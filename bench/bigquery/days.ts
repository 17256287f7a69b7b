// The demo's project on BigQuery's stand-in, day by day, by the commands that a person types; what each sends is counted.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DAY_1_NOW, DAY_2_NOW, generateDay1, generateDay2 } from '../../demo/generate/index.ts'
import { discoverTwins, startSandbox } from '../../src/sandbox/server.ts'
import { bigquery } from '../../src/warehouse/define-bigquery.ts'
import { openWarehouse } from '../../src/warehouse/warehouse.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Counted, Meter } from './meter.ts'

const repository = new URL('../../..', import.meta.url).pathname
const cli = new URL('../../src/cli/main.js', import.meta.url).pathname

export interface Phase {
  readonly name: string
  readonly counted: readonly Counted[]
}

export const measureDays = async (apiEndpoint: string, meter: Meter): Promise<readonly Phase[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'cdp-bench-bigquery-'))
  const sandbox = await startSandbox({ port: 0, twins: await discoverTwins([join(repository, 'dist/connectors')]) })
  const project = `days-${process.pid}`
  const env = {
    ...process.env,
    HUBSPOT_URL: `${sandbox.url}/hubspot`,
    CAMPAIGN_URL: `${sandbox.url}/webhook`,
    LOTUS_GCP_PROJECT: project,
    LOTUS_BIGQUERY_API: apiEndpoint,
  }
  const phases: Phase[] = []
  const take = (name: string): void => void phases.push({ name, counted: meter.take() })
  const phase = async (name: string, command: string, now: string): Promise<void> => {
    process.stderr.write(`${name}: cdp ${command} --now ${now}\n`)
    const args = ['--project', folder, '--target', 'bigquery', '--quiet', command, '--now', now]
    const child = spawn(process.execPath, [cli, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] })
    const [code] = (await once(child, 'close')) as [number | null]
    if (code !== 0) throw new Error(`cdp ${command} ended with ${code}`)
    take(name)
  }
  try {
    for (const part of ['cdp.config.ts', 'models', 'syncs', 'connectors', 'package.json']) {
      cpSync(join(repository, part), join(folder, part), { recursive: true })
    }
    symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
    await generateDay1(join(folder, '.cdp/lotus'))
    const empty = await openWarehouse(bigquery({ project, location: 'US', apiEndpoint }), {
      root: folder,
      mode: 'write',
      waitMs: 0,
      clock: systemClock,
    })
    await empty.close()
    take('the state of an empty project')
    await phase('full run', 'run', DAY_1_NOW)
    await phase('sync plan', 'plan', DAY_1_NOW)
    await phase('sync', 'sync', DAY_1_NOW)
    await phase('no-change run', 'run', DAY_1_NOW)
    await phase('no-change sync', 'sync', DAY_1_NOW)
    await generateDay2(join(folder, '.cdp/lotus'))
    await phase('1 % run', 'run', DAY_2_NOW)
    await phase('1 % sync plan', 'plan', DAY_2_NOW)
    await phase('1 % sync', 'sync', DAY_2_NOW)
    return phases
  } finally {
    await sandbox.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
