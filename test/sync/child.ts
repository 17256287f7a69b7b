// A process that runs one sync to a server and can be killed at any moment; process.test.ts starts it. It says what it did on stdout.
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/core/clock.ts'
import type { CompiledProject } from '../../src/project/compiled.ts'
import { performSyncs } from '../../src/run/sync.ts'
import type { Destination, Writer } from '../../src/sync/destination.ts'
import { duckdb } from '../../src/warehouse/define-duckdb.ts'
import { openWarehouse } from '../../src/warehouse/warehouse.ts'
import { syncOf } from './sync-of.ts'

const { SYNC_ROOT: root = '', SYNC_URL: url = '', SYNC_ROWS: rows = '0', SYNC_FIRST: first = '1' } = process.env
const definition = duckdb({ path: 'kill.duckdb', threads: 1 })
const open = (mode: 'read' | 'write') => openWarehouse(definition, { root, mode, waitMs: 5000, clock: systemClock })

const warehouse = await open('write')
const version = `${first}-${rows}`
const [known] = await warehouse.all<{ version: string }>(`select version from cdp.versions where relation = 'people'`)
if (known?.version !== version) {
  await warehouse.run(`create or replace table main.people as
    select 'p' || i as person_id, 'u' || i || '@x.vn' as email, 'Name ' || i as name from range(${first}, ${first} + ${rows}) r(i)`)
  await warehouse.run('delete from cdp.versions')
  await warehouse.run({
    sql: `insert into cdp.versions (relation, version, fingerprint, status, built_at) values ('people', $1, '', 'good', now())`,
    parameters: [version],
  })
}
await warehouse.close()

const writer: Writer = {
  write: async (changes) => {
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(changes) }).catch((error: unknown) => error)
    const reason = answer instanceof Error ? answer.message : ''
    return changes.map(() => (reason === '' ? { status: 'delivered' } : { status: 'retry', reason }))
  },
}
const sync = syncOf('vips', { destination: { limits: { batch: 20, inFlight: 3 } } })
const project: CompiledProject = {
  madeBy: 'test',
  root,
  name: 'kill',
  region: 'VN',
  timeZone: 'UTC',
  target: 'local',
  warehouse: definition,
  streams: [],
  models: [],
  syncs: [sync],
  consent: undefined,
  requirePurpose: false,
  schedule: {},
  inputs: [],
  warnings: [],
}
const result = await performSyncs({
  project,
  openWarehouse: open,
  live: () =>
    Promise.resolve({
      pages: () => {
        throw new Error('no pages')
      },
      destination: () => ({ ...sync.destination, open: () => Promise.resolve(writer) }) as unknown as Destination,
    }),
  runId: `run-${process.pid}`,
  instant: new Date().toISOString(),
  clock: systemClock,
  signal: new AbortController().signal,
  emit: (event) => appendFileSync(join(root, 'child.log'), `${JSON.stringify(event)}\n`),
  allow: new Set(),
  selected: undefined,
})
process.stdout.write(JSON.stringify(result.summaries[0]))
