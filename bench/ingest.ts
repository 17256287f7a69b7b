// Landing a million rows, beside what the engine does alone with the same file on the same disk. Pairs in turn, each in a new database
// file; the ratio is the peer's best over ours, so higher is better. `cpu_ratio` is the same of this process's processor time, which
// says more on a machine that others use. One JSON line a figure.
// node dist/bench/ingest.js [rows, default 1000000]
import { once } from 'node:events'
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { Client } from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { postgres } from '../connectors/postgres.ts'
import { systemClock } from '../src/core/clock.ts'
import { land, type LandStream } from '../src/ingest/land.ts'
import type { PagesRead, ScanRead, StreamSettings } from '../src/ingest/source.ts'
import { duckdb } from '../src/warehouse/define-duckdb.ts'
import { openWarehouse } from '../src/warehouse/warehouse.ts'
import { startPostgres } from './support/postgres-server.ts'

const rows = Number(process.argv[2] ?? 1_000_000)
const rounds = 5
const root = mkdtempSync(join(tmpdir(), 'cdp-bench-ingest-'))
const temp = join(root, 'tmp')
mkdirSync(temp)
const say = (line: Record<string, string | number | boolean>): void => console.log(JSON.stringify(line))

interface Taken {
  readonly ms: number
  readonly cpu: number
}

const measured = async (work: () => Promise<unknown>): Promise<Taken> => {
  const [start, before] = [performance.now(), process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(before)
  return { ms: performance.now() - start, cpu: (user + system) / 1000 }
}

let databases = 0
const newDatabase = (): string => `database-${databases++}.duckdb`
const remove = (database: string): void => {
  for (const ending of ['', '.wal']) rmSync(join(root, database + ending), { force: true })
}

/** One statement by the engine alone. */
const alone = async (sql: string): Promise<Taken> => {
  const database = newDatabase()
  const instance = await DuckDBInstance.create(join(root, database), {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connection = await instance.connect()
  const taken = await measured(() => connection.run(sql))
  connection.disconnectSync()
  instance.closeSync()
  remove(database)
  return taken
}

/** A first load by us. */
const landed = async (from: LandStream['from'], settings: StreamSettings, pages?: PagesRead): Promise<Taken> => {
  const database = newDatabase()
  const options = { root, mode: 'write', waitMs: 0, clock: systemClock } as const
  const warehouse = await openWarehouse(duckdb({ path: database }), options)
  let total = 0
  const taken = await measured(async () => {
    const result = await land({
      warehouse,
      stream: { id: 'b.t', relation: 'b_t', ...settings, from },
      ...(pages === undefined ? {} : { pages }),
      root,
      timeZone: 'Asia/Ho_Chi_Minh',
      runId: 'bench',
      instant: new Date().toISOString(),
      allow: new Set(),
      emit: () => undefined,
      clock: systemClock,
      signal: new AbortController().signal,
      tempDir: temp,
    })
    total = result.rowsTotal
  })
  await warehouse.close()
  remove(database)
  if (total !== rows) throw new Error(`landed ${total} rows of ${rows}`)
  return taken
}

const compare = async (
  name: string,
  floor: number,
  peer: () => Promise<Taken>,
  ours: () => Promise<Taken>,
  facts: Record<string, string | number> = {},
): Promise<void> => {
  const [peers, own]: [Taken[], Taken[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    peers.push(await peer())
    own.push(await ours())
  }
  const best = (taken: readonly Taken[], of: keyof Taken): number => Math.min(...taken.map((one) => one[of]))
  const ratioOf = (of: keyof Taken): number => Math.round((best(peers, of) / best(own, of)) * 100) / 100
  say({
    bench: `ingest ${name}`,
    rows,
    peer_ms: Math.round(best(peers, 'ms')),
    our_ms: Math.round(best(own, 'ms')),
    rows_per_s: Math.round((rows / best(own, 'ms')) * 1000),
    ratio: ratioOf('ms'),
    cpu_ratio: ratioOf('cpu'),
    floor,
    holds: ratioOf('ms') >= floor,
    ...facts,
  })
}

/** Writes lines to a file; the same each time. */
const generate = async (
  file: string,
  header: string,
  line: (i: number, random: () => number) => string,
): Promise<string> => {
  // Mulberry32: every bit of it counts, so that names and phones are as many as they look.
  let state = 42
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const path = join(root, file)
  const out = createWriteStream(path)
  out.write(header)
  for (let i = 0; i < rows;) {
    let part = ''
    for (let n = 0; n < 10_000 && i < rows; n++, i++) part += line(i, random)
    if (!out.write(part)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'finish')
  return path
}

const at = (i: number): string => `${new Date(1_700_000_000_000 + i * 1000).toISOString().slice(0, 19)}Z`
const phone = (random: () => number): string => `09${String(Math.floor(random() * 1e8)).padStart(8, '0')}`
const amount = (random: () => number): string => (Math.floor(random() * 1e7) / 100).toFixed(2)
const name = (random: () => number): string => `Nguyễn Văn ${Math.floor(random() * 1e5)}`
const note = (random: () => number): string => (random() < 0.1 ? '"one, ""two"""' : 'nothing')
const store = (random: () => number): number => Math.floor(random() * 50)

const csv = await generate(
  'receipts.csv',
  'receipt_no,phone,name,amount,store,paid_at,note\n',
  (i, random) => `R${i},${phone(random)},${name(random)},${amount(random)},${store(random)},${at(i)},${note(random)}\n`,
)
const ndjson = await generate('events.ndjson', '', (i, random) => {
  const event = { event_id: `e${i}`, phone: phone(random), name: name(random), amount: Number(amount(random)) }
  const tags = i % 10 === 0 ? { tags: ['a', 'b'] } : {}
  return `${JSON.stringify({ ...event, store: store(random), at: at(i), ...tags })}\n`
})

const csvScan: ScanRead = { kind: 'scan', path: csv }
const readCsv = `create table t as select * from read_csv('${csv}', all_varchar = true)`
const megabytes = (path: string): number => Math.round(statSync(path).size / 1e6)
const types = { amount: 'decimal(18,2)', paid_at: 'timestamp', store: 'integer' }

const csvFacts = { mb: megabytes(csv) }
const whole = { key: ['receipt_no'], cursor: 'paid_at', types, lines: true }
await compare(
  'csv, no key',
  0.7,
  () => alone(readCsv),
  () => landed(csvScan, {}),
  csvFacts,
)
await compare(
  'csv, key, types and lines',
  0.35,
  () => alone(readCsv),
  () => landed(csvScan, whole),
  csvFacts,
)
await compare(
  'ndjson, key',
  0.35,
  () => alone(`create table t as select * from read_json('${ndjson}')`),
  () => landed({ kind: 'scan', path: ndjson }, { key: ['event_id'] }),
  { mb: megabytes(ndjson) },
)

const server = await startPostgres()
try {
  const withClient = async (work: (client: Client) => Promise<unknown>): Promise<void> => {
    const client = new Client({ connectionString: server.url })
    await client.connect()
    try {
      await work(client)
    } finally {
      await client.end()
    }
  }
  await withClient((client) =>
    client.query(`create table receipts as select i as receipt_no, '09' || lpad((i * 7919 % 100000000)::text, 8, '0') as phone,
      'Nguyễn Văn ' || i % 100000 as name, (i * 31 % 10000000 / 100.0)::numeric(12, 2) as amount, i % 50 as store,
      timestamptz '2023-11-14 22:13:20+00' + i * interval '1 second' as paid_at, 'nothing' as note
      from generate_series(1, ${rows}::bigint) i`),
  )
  const copied = join(root, 'copied.csv')
  const copyAndRead = async (): Promise<Taken> => {
    const copying = await measured(() =>
      withClient((client) =>
        pipeline(client.query(copyTo('copy receipts to stdout (format csv)')), createWriteStream(copied)),
      ),
    )
    const reading = await alone(
      `create table t as select * from read_csv('${copied}', header = false, all_varchar = true)`,
    )
    return { ms: copying.ms + reading.ms, cpu: copying.cpu + reading.cpu }
  }
  const settings = { key: ['receipt_no'], cursor: 'paid_at' }
  const pages = postgres({ url: server.url, streams: { receipts: settings } }).streams['receipts']?.from
  if (pages?.kind !== 'pages') throw new Error('postgres is not read in pages')
  await compare('postgres, key and cursor', 0.7, copyAndRead, () => landed({ kind: 'pages' }, settings, pages), {
    server: server.name,
  })
} finally {
  await server.stop()
}
rmSync(root, { recursive: true, force: true })
