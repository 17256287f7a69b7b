// Identity from records to persons, beside an in-memory union-find over the same records. One JSON line a figure.
// node dist/bench/identity.js [records, default 1000000]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../src/core/clock.ts'
import { judgeValues } from '../src/identity/blocks.ts'
import { buildIdentity } from '../src/identity/build.ts'
import { components } from '../src/identity/components.ts'
import { buildProfile } from '../src/identity/profile/build.ts'
import type { ProfileSettings } from '../src/identity/settings.ts'
import { stageRecords } from '../src/identity/stage.ts'
import { unionFind } from '../src/identity/union-find.ts'
import { stageEdges, stagePairs, stageSharedValues } from '../src/identity/values.ts'
import { withWork } from '../src/identity/work.ts'
import { duckdb } from '../src/warehouse/define-duckdb.ts'
import { openWarehouse, type Warehouse } from '../src/warehouse/warehouse.ts'
import { peopleSettings as settings, recordsOfPeople } from './support/people.ts'

const size = Number(process.argv[2] ?? 1_000_000)
const say = (line: Record<string, unknown>): void => console.log(JSON.stringify({ bench: 'identity', ...line }))
const round = (n: number): number => Math.round(n * 100) / 100

/** Processor time is the steadier figure on a machine that does other things. */
interface Cost {
  readonly seconds: number
  readonly cpuSeconds: number
}
const timed = async (work: () => Promise<unknown>): Promise<Cost & { readonly outcome: unknown }> => {
  const [start, before] = [performance.now(), process.cpuUsage()]
  const outcome = await work()
  const { user, system } = process.cpuUsage(before)
  return { seconds: round((performance.now() - start) / 1000), cpuSeconds: round((user + system) / 1e6), outcome }
}

const profile: ProfileSettings = {
  of: 'people',
  record: settings.record,
  seen_at: 'updated_at',
  traits: {
    full_name: { pick: 'latest', prefer: ['source0'] },
    email: { pick: 'latest', prefer: [] },
    phone: { pick: 'latest', prefer: [] },
    city: { pick: 'most_frequent', prefer: [] },
    first_seen: { pick: 'min', prefer: [], from: 'updated_at' },
  },
}

const select = 'select * from main.records'
const place = { file: 'people.sql' }

const buildProfiles = (warehouse: Warehouse): Promise<unknown> =>
  buildProfile({
    warehouse,
    profile: 'profiles',
    select: 'select * from main.people',
    settings: profile,
    place,
    publish: async (made) => {
      await warehouse.run(`create or replace table main.profiles as ${made}`)
    },
  })

let runs = 0
const build = async (warehouse: Warehouse): Promise<unknown> => {
  runs += 1
  return buildIdentity({
    warehouse,
    graph: 'people',
    select,
    settings,
    runId: `run-${runs}`,
    instant: '2026-11-01T00:00:00Z',
    place,
    publish: async (made) => {
      await warehouse.run(`create or replace table main.people as ${made}`)
    },
  })
}

// The peer: the records out of the warehouse, a map of values and a union-find; nothing is written, blocked, kept or explained.
const inMemory = async (warehouse: Warehouse): Promise<void> => {
  const ids = new Map<string, number>()
  const sets = unionFind(size * 4)
  let rows = 0
  const columns = ['email', 'phone', 'anonymous_id']
  for await (const batch of warehouse.stream(`select ${columns.join(', ')} from main.records`)) {
    for (let row = 0; row < batch.rowCount; row++, rows++) {
      for (const values of batch.values) {
        const value = values[row]
        if (typeof value !== 'string' || value === 'test@test.com' || value === '+84900000001') continue
        const known = ids.get(value)
        if (known === undefined) ids.set(value, rows)
        else sets.union(known, rows)
      }
    }
  }
}

const shapes: Record<string, string> = {
  'a chain in order': `select i as a, i + 1 as b from range(${size - 1}) t(i)`,
  'a shuffled chain': `select least(x, y) as a, greatest(x, y) as b from (select r as x, lead(r) over (order by i) as y from (select i, row_number() over (order by hash(i)) - 1 as r from range(${size}) t(i))) where y is not null`,
  'a star': `select i as a, ${size - 1} as b from range(${size - 1}) t(i)`,
  'a random graph, one giant': `select distinct least(x, y) as a, greatest(x, y) as b from (select hash(i, 1) % ${size} as x, hash(i, 2) % ${size} as y from range(${2 * size}) t(i)) where x <> y`,
}

// Records to components: what the peer does, with guards.
const onlyComponents = (warehouse: Warehouse): Promise<void> =>
  withWork(warehouse, 'identity', async (work) => {
    const records = await stageRecords(work, 'bench', select, settings, place)
    await stageSharedValues(work, settings)
    await judgeValues(work, 'bench', settings)
    await stageEdges(work, settings)
    await stagePairs(work)
    await components(work, 'pairs', 'component', records)
  })

const main = async (warehouse: Warehouse): Promise<void> => {
  const people = Math.ceil(size / 3)
  await warehouse.run(`create table main.records as ${recordsOfPeople(0, size, people)}`)
  const peer = await timed(() => inMemory(warehouse))
  say({ what: 'peer: in-memory union-find over the records', records: size, ...peer })
  const copy = await timed(() => warehouse.run('create table main.copied as select * from main.records'))
  say({ what: 'limit: copying the records', records: size, seconds: copy.seconds, cpuSeconds: copy.cpuSeconds })
  const told = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const { outcome, ...cost } = await timed(work)
    const ratio = round(cost.seconds / peer.seconds)
    const cpuRatio = round(cost.cpuSeconds / peer.cpuSeconds)
    say({
      what,
      records: size,
      ...cost,
      ratio,
      cpuRatio,
      rssMb: Math.round(process.memoryUsage().rss / 1e6),
      ...(typeof outcome === 'object' ? outcome : {}),
    })
  }
  await told('records to components, guarded', () => onlyComponents(warehouse))
  await told('first build: components, ids, history, evidence, relation', () => build(warehouse))
  await told('again, nothing changed', () => build(warehouse))
  await warehouse.run(`insert into main.records ${recordsOfPeople(size, Math.ceil(size * 1.01), people)}`)
  await told('again, 1 % new records', () => build(warehouse))
  await told('profiles, five traits', () => buildProfiles(warehouse))
  await told('profiles again, nothing changed', () => buildProfiles(warehouse))
  for (const [what, pairs] of Object.entries(shapes)) {
    for (const inMemoryUpTo of [0, undefined]) {
      await withWork(warehouse, 'identity', async (work) => {
        await work.make('pairs', pairs)
        const where = inMemoryUpTo === 0 ? ', all in the warehouse' : ''
        await told(`components of ${what}${where}`, () => components(work, 'pairs', 'result', size, inMemoryUpTo))
      })
    }
  }
}

const root = mkdtempSync(join(tmpdir(), 'cdp-bench-'))
const warehouse = await openWarehouse(duckdb({ path: join(root, 'bench.duckdb') }), {
  root,
  mode: 'write',
  waitMs: 0,
  clock: systemClock,
})
try {
  await main(warehouse)
} finally {
  await warehouse.close()
  rmSync(root, { recursive: true, force: true })
}
