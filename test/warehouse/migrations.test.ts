// States that earlier versions left: they are brought to this one, and nothing in them is lost.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { duckdb } from '../../src/warehouse/define-duckdb.ts'
import { engineRelations } from '../../src/warehouse/relations.ts'
import { stateVersion } from '../../src/warehouse/version.ts'
import { openWarehouse, type Warehouse } from '../../src/warehouse/warehouse.ts'

let root: string
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), 'cdp-migrations-'))))
afterEach(() => rmSync(root, { recursive: true, force: true }))

const open = (): Promise<Warehouse> =>
  openWarehouse(duckdb({ path: 'state.duckdb' }), { root, mode: 'write', waitMs: 0, clock: systemClock })

it('the first state gets what steps cost and the journals of syncs, and keeps its rows', async () => {
  const first = await open()
  await first.run('delete from cdp.migrations where version > 1')
  for (const column of ['statements', 'bytes_billed'])
    await first.run(`alter table cdp.run_steps drop column ${column}`)
  await first.run('drop table cdp.sync_journal')
  await first.run('create table cdp.sync_journal (sync varchar not null, epoch bigint not null, seq bigint not null)')
  await first.run(
    `insert into cdp.run_steps (run_id, step, kind, status, seconds, finished_at) values ('r', 's', 'table', 'done', 1, '2026-11-01 00:00:00Z')`,
  )
  await first.close()
  const second = await open()
  try {
    for (const name of ['run_steps', 'sync_journal'] as const) {
      const columns = (await second.describe(`select * from cdp.${name}`)).map((column) => column.name)
      expect(columns.toSorted()).toEqual(Object.keys(engineRelations[name].columns).toSorted())
    }
    expect(await second.all('select step, statements from cdp.run_steps')).toEqual([{ step: 's', statements: null }])
    expect(await second.all('select max(version) as version from cdp.migrations')).toEqual([{ version: stateVersion }])
  } finally {
    await second.close()
  }
})
