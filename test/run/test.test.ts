// The tests of models alone, over what is built.
import { afterEach, describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/core/events.ts'
import { loadProject } from '../../src/project/load.ts'
import { performTests } from '../../src/run/test.ts'
import { removeFolders, runProject, shop, type RunProject } from './project.ts'

afterEach(removeFolders)

const files = {
  ...shop,
  'models/buyers.sql': `/*\nkind: table\ntests: [{ unique: id }, { expression: name <> 'An', severity: warn }]\n*/\nselect id, name from raw.shop_customers\n`,
  'models/late.sql': '/*\nkind: table\ntests: [{ unique: id }]\n*/\nselect id from buyers\n',
  'models/tests/somebody_is_big.sql': 'select 1 as nobody where (select max(total) from sums) < 1000\n',
}

const test = async (project: RunProject, selected: ReadonlySet<string> | undefined, emit: (event: RunEvent) => void) =>
  performTests({
    project: (await loadProject(project.root)).compiled,
    openWarehouse: (mode) => project.open(mode),
    runId: 'tests',
    instant: '2026-11-02T00:00:00.000Z',
    emit,
    selected,
  })

describe('the tests of models', () => {
  it('are run over what is built, with rows that fail, and say what is not built', async () => {
    const project = runProject(files)
    await project.run({ selected: new Set(['shop.customers', 'shop.orders', 'buyers', 'sums']) })
    const said: string[] = []
    const results = await test(project, undefined, (event) => {
      if (event.type === 'warning') said.push(event.message)
    })
    expect(results.toSorted((a, b) => b.test.localeCompare(a.test))).toEqual([
      { model: 'buyers', test: 'unique(id)', severity: 'error', rows: 0 },
      { model: 'sums', test: 'somebody_is_big', severity: 'error', rows: 1 },
      { model: 'buyers', test: `expression(name <> 'An')`, severity: 'warn', rows: 1 },
    ])
    expect(said).toEqual(['not built yet, so not tested'])
    expect(await project.all(`select test from cdp.test_failures where run_id = 'tests' order by all`)).toHaveLength(2)
  })

  it('may be those of some models only', async () => {
    const project = runProject(files)
    await project.run()
    const results = await test(project, new Set(['late']), () => undefined)
    expect(results).toEqual([{ model: 'late', test: 'unique(id)', severity: 'error', rows: 0 }])
  })
})
