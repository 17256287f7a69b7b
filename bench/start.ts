// Start-up as ratios, in one run, pair by pair: `cdp --help` against a bare `node -e 0`, and a `cdp run && cdp sync` with nothing to do
// on the demo's project against two bare starts (Node, the engine's package, opening the file).
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateDay1, DAY_1_NOW } from '../demo/generate/index.ts'
import { discoverTwins, startSandbox } from '../src/sandbox/server.ts'

const repository = new URL('../..', import.meta.url).pathname
const cli = new URL('../src/cli/main.js', import.meta.url).pathname

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0

type Env = Readonly<Record<string, string>>

const run = (args: readonly string[], env: Env = {}): number => {
  const started = performance.now()
  const ended = spawnSync(process.execPath, args, { env: { ...process.env, ...env }, encoding: 'utf8' })
  if (ended.status !== 0) throw new Error(`node ${args.join(' ')} ended with ${ended.status}\n${ended.stderr}`)
  return performance.now() - started
}

/** Median milliseconds of both and the median of the pairs' ratios; the first pair is not counted. */
const pairs = (bench: string, bound: number, ours: () => number, peer: () => number, count = 11): void => {
  const measured = Array.from({ length: count + 1 }, () => ({ ours: ours(), peer: peer() })).slice(1)
  const ratio = median(measured.map((pair) => pair.ours / pair.peer))
  console.log(
    JSON.stringify({
      bench,
      ours_ms: Math.round(median(measured.map((pair) => pair.ours))),
      peer_ms: Math.round(median(measured.map((pair) => pair.peer))),
      ratio: Number(ratio.toFixed(2)),
      bound,
      holds: ratio <= bound,
    }),
  )
}

pairs(
  'cdp --help / node -e 0',
  1.5,
  () => run([cli, '--help']),
  () => run(['-e', '0']),
)

const folder = mkdtempSync(join(tmpdir(), 'cdp-bench-start-'))
const sandbox = await startSandbox({ port: 0, twins: await discoverTwins([join(repository, 'dist/connectors')]) })
try {
  for (const part of ['cdp.config.ts', 'models', 'syncs', 'connectors', 'package.json']) {
    cpSync(join(repository, part), join(folder, part), { recursive: true })
  }
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
  await generateDay1(join(folder, '.cdp/lotus'))
  const env = { HUBSPOT_URL: `${sandbox.url}/hubspot`, CAMPAIGN_URL: `${sandbox.url}/webhook` }
  const cdp = (...args: string[]): number => run([cli, '--project', folder, '--quiet', ...args], env)
  // The sandbox lives in this process, so the first sync must not block it.
  const { spawn } = await import('node:child_process')
  const first = async (...args: string[]): Promise<void> => {
    const child = spawn(process.execPath, [cli, '--project', folder, '--quiet', ...args], {
      env: { ...process.env, ...env },
      stdio: 'ignore',
    })
    const code = await new Promise<number | null>((done) => child.on('close', done))
    if (code !== 0) throw new Error(`cdp ${args.join(' ')} ended with ${code}`)
  }
  await first('run', '--now', DAY_1_NOW)
  await first('sync', '--now', DAY_1_NOW)
  const bare = join(folder, 'bare.mjs')
  writeFileSync(
    bare,
    `import { DuckDBInstance } from '${join(repository, 'node_modules/@duckdb/node-api/lib/index.js')}'
const connection = await (await DuckDBInstance.create(':memory:')).connect()
await connection.run("attach '${join(folder, '.cdp/lotus.duckdb')}' as warehouse")
process.exit(0)
`,
  )
  pairs(
    'cdp run && cdp sync with nothing to do / two bare starts',
    1.5,
    () => cdp('run', '--now', DAY_1_NOW) + cdp('sync', '--now', DAY_1_NOW),
    () => run([bare]) + run([bare]),
  )
} finally {
  await sandbox.close()
  rmSync(folder, { recursive: true, force: true })
}
