// A hundred small models: the first run beside the same statements in one bare DuckDB, a run with nothing to do, and a run after one model
// changed. One JSON line a figure. node dist/bench/models.js [rows of each base table, default 100000]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { systemClock } from '../src/core/clock.ts'
import { render } from '../src/models/model.ts'
import { openCompiled } from '../src/project/cache.ts'
import { loadProject } from '../src/project/load.ts'
import { newRunId } from '../src/run/options.ts'
import { performRun, type RunResult } from '../src/run/run.ts'
import { openWarehouse, type Warehouse } from '../src/warehouse/warehouse.ts'

const rows = Number(process.argv[2] ?? 100_000)
const root = mkdtempSync(join(tmpdir(), 'cdp-bench-'))
const say = (line: Record<string, string | number>): void => console.log(JSON.stringify(line))
const timed = async <T>(work: () => Promise<T>): Promise<[T, number, number]> => {
  const [start, before] = [performance.now(), process.cpuUsage()]
  const value = await work()
  const { user, system } = process.cpuUsage(before)
  return [value, performance.now() - start, (user + system) / 1000]
}
const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
const round = (ratio: number): number => Math.round(ratio * 100) / 100

// Ten base tables, then layers of aggregates and joins over them.
const sqlOf = (n: number): string => {
  if (n < 10)
    return `select i as id, i % 1000 as k, hash(i + ${n}) % 1000000 as v, 'name ' || i % 5000 as name from range(${rows}) t(i)`
  const [a, b] = [`m${n % 10}`, `m${10 + (n % 30)}`]
  if (n < 40) return `select k, count(*) as n, sum(v) as v, max(name) as name from ${a} group by k`
  return `select a.id, a.k, a.name, b.n, b.v + ${n} as v from ${a} a join ${b} b using (k) where a.v % 7 <> ${n % 7}`
}
const write = (n: number, sql: string): void =>
  writeFileSync(join(root, 'models', `m${n}.sql`), `/* kind: table */\n${sql}\n`)

mkdirSync(join(root, 'models'))
writeFileSync(
  join(root, 'cdp.config.ts'),
  `import { defineProject, duckdb } from 'composable-cdp'
export default defineProject({ name: 'bench', warehouses: { local: duckdb({ path: 'bench.duckdb' }) }, sources: {} })
`,
)
for (let n = 0; n < 100; n++) write(n, sqlOf(n))

let statements = 0
const counted = (warehouse: Warehouse): Warehouse => ({
  ...warehouse,
  run: (statement) => {
    statements += 1
    return warehouse.run(statement)
  },
})

const run = async (): Promise<RunResult> => {
  const project = (await openCompiled(root)) ?? (await loadProject(root)).compiled
  return performRun({
    project,
    openWarehouse: async (mode) =>
      counted(await openWarehouse(project.warehouse, { root, mode, waitMs: 0, clock: systemClock })),
    live: () => Promise.reject(new Error('nothing here is code')),
    runId: newRunId(systemClock),
    instant: new Date().toISOString(),
    clock: systemClock,
    signal: new AbortController().signal,
    emit: () => undefined,
    allow: new Set(),
    selected: undefined,
    fullRefresh: false,
    strict: false,
    tempDir: join(root, '.cdp', 'tmp'),
  })
}
const built = (result: RunResult): number => result.steps.filter((step) => step.status === 'done').length

const bare = async (sql: readonly string[], file: string): Promise<void> => {
  const instance = await DuckDBInstance.create(join(root, file))
  const connection = await instance.connect()
  for (const statement of sql) await connection.run(statement)
  connection.closeSync()
  instance.closeSync()
}

try {
  const [{ compiled }, compileMs] = await timed(() => loadProject(root))
  say({ bench: 'models', figure: 'compile 100 models', ms: Math.round(compileMs) })
  const speller = {
    name: (r: { name: string }) => `"${r.name}"`,
    quote: (n: string) => `"${n}"`,
    literal: (t: string) => `'${t}'`,
    typeName: (t: string) => t,
  }
  const same = compiled.models.map(
    (model) => `create or replace table ${model.name} as ${render(model.sql, speller, '')}`,
  )
  // Pairs in turn: what else the machine does falls on both. The ratio of processor time is steadier than that of the clock.
  const pairs = []
  let first: RunResult | undefined
  for (let n = 0; n < 4; n++) {
    const [, peerMs, peerCpu] = await timed(() => bare(same, `peer-${n}.duckdb`))
    rmSync(join(root, 'bench.duckdb'), { force: true })
    const [result, ms, cpu] = await timed(run)
    first = result
    if (n > 0) pairs.push({ ms, peerMs, ratio: ms / peerMs, cpu: cpu / peerCpu })
    rmSync(join(root, `peer-${n}.duckdb`), { force: true })
  }
  say({
    bench: 'models',
    figure: 'first run',
    rows,
    built: first === undefined ? 0 : built(first),
    ms: Math.round(median(pairs.map((pair) => pair.ms))),
    peer_ms: Math.round(median(pairs.map((pair) => pair.peerMs))),
    ratio: round(median(pairs.map((pair) => pair.ratio))),
    processor_ratio: round(median(pairs.map((pair) => pair.cpu))),
    bound: 1.3,
  })

  statements = 0
  const [quiet, quietMs] = await timed(run)
  say({
    bench: 'models',
    figure: 'nothing changed',
    built: built(quiet),
    statements,
    ms: Math.round(quietMs),
    bound_ms: 1000,
  })

  write(15, sqlOf(15).replace('max(name)', 'min(name)'))
  const readers = compiled.models.filter((model) => model.reads.includes('m15')).length
  const [one, oneMs] = await timed(run)
  say({ bench: 'models', figure: 'one changed', built: built(one), expected: readers + 1, ms: Math.round(oneMs) })
} finally {
  rmSync(root, { recursive: true, force: true })
}
