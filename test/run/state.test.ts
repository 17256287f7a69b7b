// What only the warehouse knows, carried from one database to another.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exportState, importState, type StateSummary } from '../../src/run/state.ts'
import { engineRelations, keptRelations } from '../../src/warehouse/relations.ts'
import type { Warehouse } from '../../src/warehouse/warehouse.ts'
import { inMemory } from '../models/project.ts'

// A value of every type that is not easily carried: digits beyond 2^53, marks that JSON and SQL care for, instants to the microsecond.
const values: Readonly<Record<string, (n: number) => string>> = {
  text: (n) => `'it''s "ữ" 😀 \\ line\nbreak ${n}'`,
  integer: (n) => `${9_007_199_254_740_993n + BigInt(n)}`,
  boolean: () => 'true',
  double: (n) => `${n + 0.1}`,
  timestamp: (n) => `timestamptz '2026-11-01 00:00:00.00000${n}+00'`,
  json: (n) => `'{"a":[1,"ữ",null],"n":${n}}'`,
}

const typeOf = (type: string): string => type.replace('?', '')

let folder: string
const warehouses: Warehouse[] = []
const opened = async (): Promise<Warehouse> => {
  const warehouse = await inMemory()
  warehouses.push(warehouse)
  return warehouse
}

/** Two rows in every kept relation: one whole, one with null wherever that may be. */
const filled = async (): Promise<Warehouse> => {
  const warehouse = await opened()
  for (const name of keptRelations) {
    const types = Object.values<string>(engineRelations[name].columns)
    const row = (n: number, sparse: boolean): string =>
      `(${types.map((type) => (sparse && type.endsWith('?') ? 'null' : values[typeOf(type)]?.(n))).join(', ')})`
    await warehouse.run(`insert into cdp.${name} values ${row(1, false)}, ${row(2, true)}`)
  }
  return warehouse
}

const contents = async (warehouse: Warehouse): Promise<Record<string, unknown>> => {
  const found: Record<string, unknown> = {}
  for (const name of keptRelations) found[name] = await warehouse.all(`select * from cdp.${name} order by all`)
  return found
}

const rowsOf = (summaries: readonly StateSummary[]): Record<string, number> =>
  Object.fromEntries(summaries.map((summary) => [summary.relation, summary.rows]))

describe('the state of a warehouse', () => {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cdp-state-'))
  })
  afterEach(async () => {
    for (const warehouse of warehouses.splice(0)) await warehouse.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('comes back equal, value by value, in a new database', async () => {
    const [before, after] = [await filled(), await opened()]
    await exportState(before, join(folder, 'out'), '2026-11-01T00:00:00Z')
    const known = await contents(before)
    const restored = rowsOf(await importState(after, join(folder, 'out')))
    for (const name of keptRelations.filter((one) => one !== 'cursors')) expect(restored[name], name).toBe(2)
    expect({ ...(await contents(after)), cursors: known['cursors'] }).toEqual(known)
  })

  it('is for its owner’s eyes only', async () => {
    await exportState(await filled(), join(folder, 'out'), '2026-11-01T00:00:00Z')
    for (const file of ['manifest.json', 'person.ndjson', 'sync_rows.ndjson']) {
      expect(statSync(join(folder, 'out', file)).mode & 0o077, file).toBe(0)
    }
    expect(statSync(join(folder, 'out')).mode & 0o077).toBe(0)
  })

  it('leaves out cursors of streams whose rows are not there, and says so', async () => {
    const before = await opened()
    for (const stream of ['shop.orders', 'shop.customers']) {
      await before.run(`insert into cdp.cursors values ('${stream}', '5', 'load', now())`)
    }
    await exportState(before, folder, '2026-11-01T00:00:00Z')
    const after = await opened()
    await after.run('create table raw.shop_orders as select 1 as id')
    const summary = (await importState(after, folder)).find(({ relation }) => relation === 'cursors')
    expect(summary).toEqual({
      relation: 'cursors',
      rows: 1,
      note: '1 left out: their landed rows are not in this warehouse',
    })
    expect(await after.all('select stream from cdp.cursors')).toEqual([{ stream: 'shop.orders' }])
  })

  it('is not put on top of other state', async () => {
    await exportState(await filled(), folder, '2026-11-01T00:00:00Z')
    const after = await opened()
    await after.run(`insert into cdp.person_redirects values ('people', 'a', 'b', 'run')`)
    await expect(importState(after, folder)).rejects.toMatchObject({
      code: 'STATE_NOT_EMPTY',
      args: { relations: ['person_redirects'] },
    })
    expect(await after.all('select count(*) as n from cdp.sync_rows')).toEqual([{ n: 0 }])
  })

  it('is all there or not at all', async () => {
    await exportState(await filled(), folder, '2026-11-01T00:00:00Z')
    writeFileSync(join(folder, 'sync_rows.ndjson'), '{"sync": "torn')
    const after = await opened()
    await expect(importState(after, folder)).rejects.toMatchObject({ kind: 'data' })
    for (const name of keptRelations) {
      expect(await after.all(`select count(*) as n from cdp.${name}`), name).toEqual([{ n: 0 }])
    }
  })

  it('is refused where there is none, or of a format that is not known', async () => {
    const after = await opened()
    await expect(importState(after, join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'STATE_NOT_FOUND' })
    await exportState(await filled(), folder, '2026-11-01T00:00:00Z')
    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as object
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, format: 2 }))
    await expect(importState(after, folder)).rejects.toMatchObject({ code: 'STATE_FORMAT' })
    writeFileSync(join(folder, 'manifest.json'), 'not JSON')
    await expect(importState(after, folder)).rejects.toMatchObject({ code: 'STATE_UNREADABLE' })
  })
})
