// What `cdp status` and `cdp explain model` say of a warehouse.
import { afterEach, describe, expect, it } from 'vitest'
import { loadProject } from '../../src/project/load.ts'
import { explainModel } from '../../src/run/explain.ts'
import { lastRuns, wrongNow } from '../../src/run/status.ts'
import { removeFolders, runProject, shop } from './project.ts'

afterEach(removeFolders)

describe('the status of a warehouse', () => {
  it('is the last run of each command and what needs somebody', async () => {
    const project = runProject({ ...shop, 'data/orders.csv': 'no,customer,amount\n1,1,100\n2,2,much\n' })
    await project.run()
    project.write(
      'models/sums.sql',
      '/*\nkind: table\n*/\nselect cast(name as integer) as id, 1 as total from raw.shop_customers\n',
    )
    await project.run()
    const warehouse = await project.open('read')
    try {
      expect(await lastRuns(warehouse)).toMatchObject([
        { run: 'run-2', command: 'run', status: 'failed', exit_code: 3 },
      ])
      expect(await wrongNow(warehouse)).toEqual([
        { what: 'model', name: 'biggest', detail: 'sums failed' },
        { what: 'model', name: 'report', detail: 'sums failed' },
        { what: 'model', name: 'sums', detail: expect.stringContaining('Could not convert string') as string },
        { what: 'quarantine', name: 'shop.orders', detail: '1 open row, among them: "much" is not an integer' },
      ])
    } finally {
      await warehouse.close()
    }
  })

  it('of a model is what it reads, what reads it, its version and its statement', async () => {
    const project = runProject(shop)
    await project.run()
    const { compiled } = await loadProject(project.root)
    const warehouse = await project.open('read')
    try {
      const sums = await explainModel(compiled, warehouse, 'sums', '2026-11-01T00:00:00Z')
      expect(sums).toMatchObject({ kind: 'table', file: 'models/sums.sql', reads: ['raw.shop_orders'] })
      expect(new Set(sums.readBy)).toEqual(new Set(['biggest', 'report']))
      expect(sums.version).toMatchObject({ version: 'run-1', status: 'good', rows: 2 })
      expect(sums.sql).toContain('from "raw"."shop_orders"')
      await expect(explainModel(compiled, warehouse, 'smus', '2026-11-01T00:00:00Z')).rejects.toThrow(
        'Did you mean "sums"?',
      )
    } finally {
      await warehouse.close()
    }
  })
})
