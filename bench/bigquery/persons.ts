// Identity from many records to persons on BigQuery's stand-in: how many statements, and where the loop over the graph gives way to memory.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/core/clock.ts'
import { buildIdentity } from '../../src/identity/build.ts'
import { bigquery } from '../../src/warehouse/define-bigquery.ts'
import { openWarehouse, type ColumnType, type Warehouse } from '../../src/warehouse/warehouse.ts'
import { peopleSettings, recordsOfPeople } from '../support/people.ts'
import type { Phase } from './days.ts'
import type { Meter } from './meter.ts'

const columns: Readonly<Record<string, ColumnType>> = {
  source: 'text',
  record_id: 'text',
  email: 'text',
  phone: 'text',
  anonymous_id: 'text',
  full_name: 'text',
  city: 'text',
  updated_at: 'timestamp',
}

export interface Persons extends Phase {
  /** Times the graph was made smaller in the warehouse. */
  readonly rounds: number
}

export const measurePersons = async (
  standIn: { readonly url: string; readonly grpc: string },
  meter: Meter,
  size: number,
): Promise<readonly Persons[]> => {
  const root = mkdtempSync(join(tmpdir(), 'cdp-bench-bigquery-'))
  const settings = { project: `persons-${process.pid}`, location: 'US', apiEndpoint: standIn.url }
  const options = { root, mode: 'write', waitMs: 0, clock: systemClock } as const
  // Rows go by the Storage API, beside the proxy: page by page they would take the stand-in minutes.
  const warehouse = await openWarehouse(bigquery({ ...settings, storageEndpoint: standIn.grpc }), options)
  const phases: Persons[] = []
  const phase = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    process.stderr.write(`identity, ${name}\n`)
    meter.take()
    const started = performance.now()
    await work()
    process.stderr.write(`  ${((performance.now() - started) / 1000).toFixed(0)} s\n`)
    const counted = meter.take()
    phases.push({
      name: `identity, ${size.toLocaleString('en-US')} records, ${name}`,
      counted,
      rounds: roundsIn(counted),
    })
  }
  try {
    const records = warehouse.name({ schema: 'models', name: 'records' })
    const list = Object.entries(columns).map(([name, type]) => `${warehouse.quote(name)} ${warehouse.typeName(type)}`)
    await warehouse.run(`create table ${records} (${list.join(', ')})`)
    const load = (from: number, to: number): Promise<number> =>
      warehouse.load(
        { schema: 'models', name: 'records' },
        Object.keys(columns),
        recordsOfPeople(from, to, Math.ceil(size / 3)),
      )
    await load(0, size)
    await phase('first build', () => build(warehouse, records))
    await phase('again, nothing changed', () => build(warehouse, records))
    await load(size, Math.ceil(size * 1.01))
    await phase('again, 1 % new records', () => build(warehouse, records))
    const few = Math.ceil(size / 10)
    await phase(`the same, memory for only ${few.toLocaleString('en-US')} edges`, () => build(warehouse, records, few))
    await phase('the same, no memory at all', () => build(warehouse, records, 0))
    return phases
  } finally {
    await warehouse.close()
    rmSync(root, { recursive: true, force: true })
  }
}

let runs = 0
const build = (warehouse: Warehouse, records: string, inMemoryUpTo?: number): Promise<unknown> => {
  runs += 1
  return buildIdentity({
    warehouse,
    graph: 'people',
    select: `select * from ${records}`,
    settings: peopleSettings,
    runId: `run-${runs}`,
    instant: '2026-11-01T00:00:00Z',
    place: { file: 'people.sql' },
    publish: async (made) => {
      await warehouse.run(`create or replace table ${warehouse.name({ schema: 'models', name: 'people' })} as ${made}`)
    },
    ...(inMemoryUpTo === undefined ? {} : { inMemoryUpTo }),
  })
}

const roundsIn = (counted: Persons['counted']): number =>
  new Set(
    counted.flatMap(({ text, kind }) =>
      kind === 'definition' ? (/^create\b[^(]*?_graph_(\d+)/i.exec(text)?.[1] ?? []) : [],
    ),
  ).size
