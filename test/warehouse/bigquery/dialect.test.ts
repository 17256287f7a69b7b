// What BigQuery can do where the contract of warehouses speaks another dialect, and its portable functions by the stand-in: a second
// engine beside Google's evaluator that gives the rows which DuckDB gives.
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import { bigquery } from '../../../src/warehouse/define-bigquery.ts'
import { literal } from '../../../src/warehouse/bigquery/text.ts'
import { engineRelations } from '../../../src/warehouse/relations.ts'
import { columnType } from '../../../src/warehouse/statements.ts'
import { openWarehouse, type Value, type Warehouse } from '../../../src/warehouse/warehouse.ts'
import { findEmulator } from '../../bigquery-emulator/emulator.ts'
import { allRows } from '../functions/all-rows.ts'
import { callOf, standIn } from './spell.ts'

const emulator = await findEmulator()
const timeout = 600_000

describe.skipIf(typeof emulator === 'string')('BigQuery by its stand-in', () => {
  let w: Warehouse
  beforeAll(async () => {
    const apiEndpoint = typeof emulator === 'string' ? '' : emulator.url
    w = await openWarehouse(bigquery({ project: `dialect-${process.pid}`, location: 'US', apiEndpoint }), {
      root: tmpdir(),
      mode: 'write',
      waitMs: 0,
      clock: systemClock,
    })
  }, timeout)
  afterAll(() => w.close())

  it('has the relations of the engine with the columns it names', { timeout }, async () => {
    for (const [name, { columns }] of Object.entries(engineRelations)) {
      const wanted = Object.entries<string>(columns).map(([column, type]) => ({
        name: column,
        type: w.typeName(columnType(type)),
      }))
      expect(await w.describe(`select * from ${w.name({ schema: 'cdp', name })}`), name).toEqual(wanted)
    }
  })

  describe.each(Object.entries(allRows).filter(([name]) => name !== 'normalize_phone'))('cdp.%s', (name, rows) => {
    it('gives what its rows say', { timeout }, async () => {
      const calls = rows.flatMap((row) => {
        const call = callOf(name, row)
        return call === undefined || standIn(call) !== undefined ? [] : [{ call, gives: row[1] }]
      })
      const [found = {}] = await w.all(`select ${calls.map(({ call }, at) => `${call} as v${at}`).join(',\n')}`)
      const results = calls.map(({ call }, at) => ({ call, gives: textOf(found[`v${at}`] ?? null) }))
      expect(results).toEqual(calls)
    })
  })

  // Over a relation: a call with a constant compiles its patterns anew.
  it('gives the telephone numbers of the rows', { timeout }, async () => {
    const rows = (allRows['normalize_phone'] ?? []).filter(([args]) =>
      args.every((arg) => arg === null || typeof arg === 'string'),
    )
    const spelled = (value: unknown): string => (typeof value === 'string' ? literal(value) : 'cast(null as string)')
    const structs = rows.map(
      ([[cell, region]], at) => `struct(${at} as place, ${spelled(cell)} as cell, ${spelled(region)} as region)`,
    )
    const found = await w.all<{ gives: string | null }>(
      `select cdp.normalize_phone(cell, region) as gives from unnest([${structs.join(',\n')}]) order by place`,
    )
    expect(rows.map(([args], at) => [args, found[at]?.gives])).toEqual(rows.map(([args, gives]) => [args, gives]))
  })
})

/** As cdp.to_text writes a value. */
const textOf = (value: Value): string | null => {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') {
    return Object.is(value, -0) ? '0' : String(value)
  }
  if (typeof value !== 'string') return value === null ? null : 'a value of an unexpected type'
  const instant = /^(\d{4}-\d{2}-\d{2}T[\d:]{8})(?:\.(\d+))?Z$/.exec(value)
  return instant ? `${instant[1]}.${(instant[2] ?? '').padEnd(6, '0')}Z` : value
}
