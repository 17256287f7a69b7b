// Landing a million rows, beside what the engine does alone with the same file on the same disk. Pairs in turn, each in a new database
// file; the ratio is the peer's best time over ours, so higher is better. One JSON line a figure.
// node dist/bench/ingest.js [rows, default 1000000]
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Client } from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { DuckDBInstance } from '@duckdb/node-api'
import { systemClock } from '../src/core/clock.ts'
import { land, type LandStream } from '../src/ingest/land.ts'
import type { PagesRead, ScanRead, StreamSettings } from '../src/ingest/source.ts'
import { duckdb } from '../src/warehouse/define-duckdb.ts'
import { openWarehouse } from '../src/warehouse/warehouse.ts'
import { postgres } from '../connectors/postgres.ts'
import { startPostgres } from './support/postgres-server.ts'

const rows = Number(process.argv[2] ?? 1_000_000)
const rounds = 5
const root = mkdtempSync(join(tmpdir(), 'cdp-bench-ingest-'))
const temp = join(root, 'tmp')
mkdirSync(temp)
const say = (line: Record<string, string | number | boolean>): void => console.log(JSON.stringify(line))

let databases = 0
const newDatabase = (): string => `database-${databases++}.duckdb`
const remove = (database: string): void => {
  for (const ending of ['', '.wal']) rmSync(join(root, database + ending), { force: true })
}

/** Milliseconds of one statement by the engine alone, the file opened and closed around it. */
const alone = async (sql: string): Promise<number> => {
  const database = newDatabase()
  const instance = await DuckDBInstance.create(join(root, database), {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connection = await instance.connect()
  const start = performance.now()
  await connection.run(sql)
  const ms = performance.now() - start
  connection.disconnectSync()
  instance.closeSync()
  remove(database)
  return ms
}

const stream = (from: LandStream['from'], settings: StreamSettings): LandStream => ({
  id: 'b.t',
  relation: 'b_t',
  ...settings,
  from,
})

/** Milliseconds of a first load by us. */
const landed = async (from: LandStream['from'], settings: StreamSettings, pages?: PagesRead): Promise<number> => {
  const database = newDatabase()
  const warehouse = await openWarehouse(duckdb({ path: database }), {
    root,
    mode: 'write',
    waitMs: 0,
    clock: systemClock,
  })
  const start = performance.now()
  const result = await land({
    warehouse,
    stream: stream(from, settings),
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
  const ms = performance.now() - start
  await warehouse.close()
  remove(database)
  if (result.rowsTotal !== rows) throw new Error(`landed ${result.rowsTotal} rows of ${rows}`)
  return ms
}

const compare = async (
  name: string,
  floor: number,
  peer: () => Promise<number>,
  ours: () => Promise<number>,
  facts: Record<string, string | number> = {},
): Promise<void> => {
  const [peers, own]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    peers.push(await peer())
    own.push(await ours())
  }
  const [best, mine] = [Math.min(...peers), Math.min(...own)]
  const ratio = Math.round((best / mine) * 100) / 100
  say({
    bench: `ingest ${name}`,
    rows,
    peer_ms: Math.round(best),
    our_ms: Math.round(mine),
    rows_per_s: Math.round((rows / mine) * 1000),
    ratio,
    floor,
    holds: ratio >= floor,
    ...facts,
  })
}

/** Writes lines to a file; deterministic. */
const generate = async (
  file: string,
  header: string,
  line: (i: number, random: () => number) => string,
): Promise<string> => {
  let state = 42
  const random = (): number => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648
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

const csv = await generate(
  'receipts.csv',
  'receipt_no,phone,name,amount,store,paid_at,note\n',
  (i, random) =>
    `R${i},${phone(random)},${name(random)},${amount(random)},${Math.floor(random() * 50)},${at(i)},${random() < 0.1 ? '"one, ""two"""' : 'nothing'}\n`,
)
const ndjson = await generate(
  'events.ndjson',
  '',
  (i, random) =>
    `${JSON.stringify({ event_id: `e${i}`, phone: phone(random), name: name(random), amount: Number(amount(random)), store: Math.floor(random() * 50), at: at(i), ...(i % 10 === 0 ? { tags: ['a', 'b'] } : {}) })}\n`,
)

const csvScan: ScanRead = { kind: 'scan', path: csv }
const readCsv = `create table t as select * from read_csv('${csv}', all_varchar = true)`
const megabytes = (path: string): number => Math.round(statSync(path).size / 1e6)

await compare(
  'csv, no key',
  0.7,
  () => alone(readCsv),
  () => landed(csvScan, {}),
  { mb: megabytes(csv) },
)
await compare(
  'csv, key, types and lines',
  0.35,
  () => alone(readCsv),
  () =>
    landed(csvScan, {
      key: ['receipt_no'],
      cursor: 'paid_at',
      types: { amount: 'decimal(18,2)', paid_at: 'timestamp', store: 'integer' },
      lines: true,
    }),
  { mb: megabytes(csv) },
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
  const withClient = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
    const client = new Client({ connectionString: server.url })
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.end()
    }
  }
  await withClient(async (client) => {
    await client.query(`create table receipts as select i as receipt_no, '09' || lpad((i * 7919 % 100000000)::text, 8, '0') as phone,
    'Nguyễn Văn ' || i % 100000 as name, (i * 31 % 10000000 / 100.0)::numeric(12, 2) as amount, i % 50 as store,
    timestamptz '2023-11-14 22:13:20+00' + i * interval '1 second' as paid_at, 'nothing' as note from generate_series(1, ${rows}::bigint) i`)
  })
  const copied = join(root, 'copied.csv')
  const { from: pages } =
    postgres({ url: server.url, streams: { receipts: { key: ['receipt_no'], cursor: 'paid_at' } } }).streams[
      'receipts'
    ] ?? {}
  if (pages?.kind === 'pages') {
    await compare(
      'postgres, key and cursor',
      0.7,
      async () => {
        const start = performance.now()
        await withClient((client) =>
          pipeline(client.query(copyTo('copy receipts to stdout (format csv)')), createWriteStream(copied)),
        )
        const copying = performance.now() - start
        return (
          copying +
          (await alone(`create table t as select * from read_csv('${copied}', header = false, all_varchar = true)`))
        )
      },
      () => landed({ kind: 'pages' }, { key: ['receipt_no'], cursor: 'paid_at' }, pages),
      { server: server.name },
    )
  }
} finally {
  await server.stop()
}
rmSync(root, { recursive: true, force: true })
