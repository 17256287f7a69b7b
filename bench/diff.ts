// The diff of a sync beside the raw hash join of two such tables, in one run: 1 % changed, nothing changed, everything new.
// One JSON line a figure. node dist/bench/diff.js [rows, default 1000000]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../src/core/clock.ts'
import { diffStatement } from '../src/sync/diff.ts'
import { shapeOf } from '../src/sync/shape.ts'
import type { SyncInput } from '../src/sync/spec.ts'
import { duckdb } from '../src/warehouse/define-duckdb.ts'
import { openWarehouse } from '../src/warehouse/warehouse.ts'

const rows = Number(process.argv[2] ?? 1_000_000)
const turns = 9
const say = (line: Record<string, string | number>): void =>
  console.log(JSON.stringify({ bench: 'diff', rows, ...line }))
const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
const round = (n: number): number => Math.round(n * 100) / 100

const root = mkdtempSync(join(tmpdir(), 'cdp-bench-'))
const warehouse = await openWarehouse(duckdb({ path: 'diff.duckdb' }), {
  root,
  mode: 'write',
  waitMs: 0,
  clock: systemClock,
})

interface Cost {
  readonly ms: number
  readonly cpuMs: number
}
const once = async (sql: string): Promise<Cost> => {
  const [start, before] = [performance.now(), process.cpuUsage()]
  await warehouse.run(sql)
  const { user, system } = process.cpuUsage(before)
  return { ms: performance.now() - start, cpuMs: (user + system) / 1000 }
}
// Turn about, so that what else the machine does meets both.
const beside = async (name: string, sql: string): Promise<void> => {
  const [own, raw]: [Cost[], Cost[]] = [[], []]
  for (let turn = 0; turn < turns; turn++) {
    raw.push(await once(rawJoin))
    own.push(await once(sql))
  }
  const of = (costs: readonly Cost[], which: keyof Cost): number => median(costs.map((cost) => cost[which]))
  say({
    figure: name,
    ms: Math.round(of(own, 'ms')),
    rawJoinMs: Math.round(of(raw, 'ms')),
    ratio: round(of(own, 'ms') / of(raw, 'ms')),
    cpuRatio: round(of(own, 'cpuMs') / of(raw, 'cpuMs')),
  })
}

const columns = ['full_name', 'city', 'lifetime_value', 'orders', 'last_order']
const rawJoin = `create or replace temp table raw_join as
  select coalesce(a.email, b.email) as email, a.* exclude (email)
  from main.people a full join main.people_before b on a.email = b.email
  where a.email is null or b.email is null or ${columns.map((column) => `a.${column} is distinct from b.${column}`).join(' or ')}`

const input: SyncInput = {
  spec: {
    id: 'bench',
    from: 'people',
    key: { email: 'email' },
    map: { name: 'full_name', city: 'city', ltv: 'lifetime_value', orders: 'orders', last_order: 'last_order' },
    mode: 'mirror',
    remove: undefined,
    purpose: undefined,
    clear: [],
    guard: {},
    fingerprint: 'bench',
    destination: {
      name: 'none',
      target: 'nowhere',
      modes: ['mirror'],
      semantics: 'state',
      takes: 'changes',
      confirmation: 'rows',
      limits: { batch: 100, inFlight: 4 },
    },
  },
  consent: undefined,
  consentFreshnessMs: undefined,
  fromFreshnessMs: undefined,
}

try {
  await warehouse.run(`create table main.people as
    select 'user' || i || '@example.com' as email, 'Nguyễn Văn ' || (i % 1000) as full_name,
      case i % 7 when 0 then 'Hà Nội' when 1 then 'Đà Nẵng' else 'Huế' end as city,
      cast((i * 7919) % 10000000 / 100 as decimal(18, 2)) as lifetime_value, i % 50 as orders,
      date '2026-01-01' + cast(i % 300 as integer) as last_order
    from range(${rows}) r(i)`)
  await warehouse.run('create table main.people_before as select * from main.people')
  const shape = await shapeOf(warehouse, input)
  const facts = { epoch: 1, now: new Date().toISOString(), retryRejected: false, lastMap: shape.map }
  const diff = `create or replace temp table plan_of_bench ${diffStatement(warehouse, input, shape, facts)}`
  const first = await once(diff)
  say({ figure: 'everything is new', ms: Math.round(first.ms), rowsPerSecond: Math.round(rows / (first.ms / 1000)) })
  await warehouse.run(`insert into cdp.sync_rows
      (sync, key_hash, key, match, wanted, status, held, row_hash, seen, fields, attempts, epoch, seq, updated_at)
    select 'bench', key_hash, key, match, operation, 'delivered', true, row_hash, seen, fields, 0, 1, rowid, now()
    from plan_of_bench where action = 'send'`)
  await warehouse.run('checkpoint')
  await beside('nothing changed', diff)
  await warehouse.run(`update main.people set full_name = full_name || ' x' where hash(email) % 100 = 3`)
  await warehouse.run('checkpoint')
  await beside('1 % changed', diff)
} finally {
  await warehouse.close()
  rmSync(root, { recursive: true, force: true })
}
