// Delivery through the engine beside a bare loop that reads, makes JSON and posts it on four connections and remembers nothing.
// Every program has a process of its own; the server answers at once. One JSON line a figure.
// node dist/bench/deliver.js [rows …, default 100000 1000000]
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { systemClock } from '../src/core/clock.ts'
import type { CompiledProject, CompiledSync } from '../src/project/compiled.ts'
import { performSyncs } from '../src/run/sync.ts'
import type { Destination, Writer } from '../src/sync/destination.ts'
import { duckdb } from '../src/warehouse/define-duckdb.ts'
import { openWarehouse } from '../src/warehouse/warehouse.ts'

const batch = 100
const [role = '100000', ...rest] = process.argv.slice(2)
const round = (n: number): number => Math.round(n * 100) / 100

const post = (agent: Agent, url: string, body: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const out = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json' } }, (answer) => {
      answer.resume()
      answer.on('end', resolve)
    })
    out.on('error', reject)
    out.end(body)
  })

const serve = (): void => {
  const server = createServer((incoming, outgoing) => {
    incoming.resume()
    incoming.on('end', () => outgoing.end())
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    process.stdout.write(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}\n`)
  })
}

// The engine's memory is bounded by a setting of the user; the bench takes a small one, for both.
const settings = { path: 'deliver.duckdb', memoryLimit: '128MB', threads: 2 }

const prepare = async (root: string, rows: number): Promise<void> => {
  const warehouse = await openWarehouse(duckdb(settings), { root, mode: 'write', waitMs: 0, clock: systemClock })
  await warehouse.run(`create table main.people as
    select 'user' || i || '@example.com' as email, 'Nguyễn Văn ' || (i % 1000) as full_name,
      case i % 7 when 0 then 'Hà Nội' when 1 then 'Đà Nẵng' else 'Huế' end as city,
      cast((i * 7919) % 10000000 / 100 as decimal(18, 2)) as lifetime_value, i % 50 as orders
    from range(${rows}) r(i)`)
  await warehouse.run(`insert into cdp.versions (relation, version, fingerprint, status, built_at)
    values ('people', '1', '', 'good', now())`)
  await warehouse.close()
}

interface Done {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly megabytes: number
}
const done = (start: number): void => {
  const ended: Done = {
    seconds: (performance.now() - start) / 1000,
    cpuSeconds: (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
    megabytes: Math.round(process.resourceUsage().maxRSS / 1024),
  }
  process.stdout.write(`${JSON.stringify(ended)}\n`)
}

const bare = async (root: string, url: string): Promise<void> => {
  const start = performance.now()
  const instance = await DuckDBInstance.create(join(root, settings.path), {
    memory_limit: settings.memoryLimit,
    threads: String(settings.threads),
  })
  const connection = await instance.connect()
  const result = await connection.stream(
    'select email, full_name, city, cast(lifetime_value as double) as lifetime_value, cast(orders as integer) as orders from main.people',
  )
  const names = result.columnNames()
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  const open = new Set<Promise<void>>()
  let waiting: unknown[] = []
  const flush = async (): Promise<void> => {
    const body = JSON.stringify({ changes: waiting })
    waiting = []
    const call = post(agent, url, body).finally(() => open.delete(call))
    open.add(call)
    if (open.size >= 4) await Promise.race(open)
  }
  for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    for (const row of chunk.getRows()) {
      const [email, ...values] = row
      waiting.push({ key: { email }, record: Object.fromEntries(values.map((value, at) => [names[at + 1], value])) })
      if (waiting.length === batch) await flush()
    }
  }
  if (waiting.length > 0) await flush()
  await Promise.all(open)
  agent.destroy()
  connection.closeSync()
  instance.closeSync()
  done(start)
}

const engine = async (root: string, url: string): Promise<void> => {
  const start = performance.now()
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  const writer: Writer = {
    write: async (changes) => {
      await post(agent, url, JSON.stringify({ changes }))
      return changes.map(() => ({ status: 'delivered' }) as const)
    },
  }
  const sync: CompiledSync = {
    id: 'bench',
    file: 'syncs/bench.ts',
    description: '',
    tags: [],
    from: 'people',
    key: { email: 'email' },
    map: { name: 'full_name', city: 'city', ltv: 'lifetime_value', orders: 'orders' },
    mode: 'mirror',
    remove: undefined,
    purpose: undefined,
    clear: [],
    guard: {},
    destination: {
      name: 'loopback',
      target: url,
      modes: ['mirror'],
      semantics: 'state',
      takes: 'changes',
      confirmation: 'rows',
      limits: { batch, inFlight: 4 },
    },
    secrets: [],
    fingerprint: 'bench',
  }
  const warehouse = duckdb(settings)
  const project: CompiledProject = {
    madeBy: 'bench',
    root,
    name: 'bench',
    region: '',
    timeZone: 'UTC',
    target: 'local',
    warehouse,
    streams: [],
    models: [],
    syncs: [sync],
    consent: undefined,
    requirePurpose: false,
    schedule: {},
    inputs: [],
    warnings: [],
  }
  const { summaries } = await performSyncs({
    project,
    openWarehouse: (mode) => openWarehouse(warehouse, { root, mode, waitMs: 0, clock: systemClock }),
    live: () =>
      Promise.resolve({
        pages: () => {
          throw new Error('no pages')
        },
        destination: () => ({ ...sync.destination, open: () => Promise.resolve(writer) }) as unknown as Destination,
      }),
    runId: 'bench',
    instant: new Date().toISOString(),
    clock: systemClock,
    signal: new AbortController().signal,
    emit: () => undefined,
    allow: new Set(),
    selected: undefined,
  })
  agent.destroy()
  if (summaries[0]?.status !== 'done')
    throw new Error(`the sync ended as ${summaries[0]?.status}: ${summaries[0]?.reason}`)
  done(start)
}

const child = (...args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [...process.execArgv, new URL(import.meta.url).pathname, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
const line = (process: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    process.stdout?.once('data', (data: Buffer) => resolve(data.toString().trim()))
    process.once('exit', (code) => reject(new Error(`a part of the bench ended with ${code}`)))
  })

const compare = async (sizes: readonly number[]): Promise<void> => {
  const server = child('serve')
  const url = await line(server)
  try {
    for (const rows of sizes) {
      const root = mkdtempSync(join(tmpdir(), 'cdp-bench-'))
      try {
        await prepare(root, rows)
        const loop = JSON.parse(await line(child('bare', root, url))) as Done
        const own = JSON.parse(await line(child('engine', root, url))) as Done
        console.log(
          JSON.stringify({
            bench: 'deliver',
            rows,
            batch,
            rowsPerSecond: Math.round(rows / own.seconds),
            bareRowsPerSecond: Math.round(rows / loop.seconds),
            ratio: round(loop.seconds / own.seconds),
            cpuRatio: round(loop.cpuSeconds / own.cpuSeconds),
            cpuMicrosecondsPerRow: round((own.cpuSeconds / rows) * 1e6),
            megabytes: own.megabytes,
            bareMegabytes: loop.megabytes,
          }),
        )
      } finally {
        rmSync(root, { recursive: true, force: true })
      }
    }
  } finally {
    server.kill()
  }
}

if (role === 'serve') serve()
else if (role === 'bare') await bare(rest[0] ?? '', rest[1] ?? '')
else if (role === 'engine') await engine(rest[0] ?? '', rest[1] ?? '')
else {
  const asked = process.argv.slice(2).map(Number)
  await compare(asked.length === 0 ? [100_000, 1_000_000] : asked)
}
