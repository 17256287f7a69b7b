// A project in a folder and runs of it from this process, each with a name and an instant of its own: what the tests of running share.
import { join } from 'node:path'
import { systemClock, type Clock } from '../../src/core/clock.ts'
import type { RunEvent } from '../../src/core/events.ts'
import { openCompiled } from '../../src/project/cache.ts'
import type { CompiledProject } from '../../src/project/compiled.ts'
import { loadProject } from '../../src/project/load.ts'
import { planRun, type PlanOptions, type RunPlan } from '../../src/run/plan.ts'
import { performRun, type PerformOptions, type RunResult } from '../../src/run/run.ts'
import { openWarehouse, type Row, type Warehouse } from '../../src/warehouse/warehouse.ts'
import { folderOf, removeFolders, type Folder } from '../project/folder.ts'

export { removeFolders }

export interface RunProject extends Folder {
  readonly events: RunEvent[]
  /** Runs are called `run-1`, `run-2`, … and happen an hour after another from 2026-11-01T00:00:00Z, unless told. */
  run(options?: Partial<PerformOptions>): Promise<RunResult>
  plan(options?: Partial<PlanOptions>): Promise<RunPlan>
  open(mode: 'read' | 'write'): Promise<Warehouse>
  all<T = Row>(sql: string): Promise<T[]>
  change(sql: string): Promise<void>
}

const start = Date.UTC(2026, 10, 1)
export const instantAt = (hours: number): string => new Date(start + hours * 3_600_000).toISOString()

const clock: Clock = { now: () => start, sleep: () => Promise.resolve() }

export const runProject = (files: Readonly<Record<string, string>>): RunProject => {
  const folder = folderOf(files)
  const events: RunEvent[] = []
  let runs = 0
  const load = async (): Promise<CompiledProject> =>
    (await openCompiled(folder.root)) ?? (await loadProject(folder.root)).compiled
  const open = async (mode: 'read' | 'write'): Promise<Warehouse> =>
    openWarehouse((await load()).warehouse, { root: folder.root, mode, waitMs: 0, clock: systemClock })
  const opened = async <T>(mode: 'read' | 'write', work: (warehouse: Warehouse) => Promise<T>): Promise<T> => {
    const warehouse = await open(mode)
    try {
      return await work(warehouse)
    } finally {
      await warehouse.close()
    }
  }
  return {
    ...folder,
    events,
    open,
    all: (sql) => opened('read', (warehouse) => warehouse.all(sql)),
    change: (sql) => opened('write', async (warehouse) => void (await warehouse.run(sql))),
    plan: async (options = {}) => {
      const project = await load()
      const asked = { instant: instantAt(runs), selected: undefined, fullRefresh: false, ...options }
      return opened('read', (warehouse) => planRun(warehouse, project, asked))
    },
    run: async (options = {}) => {
      runs += 1
      return performRun({
        project: await load(),
        openWarehouse: open,
        live: async () => (await loadProject(folder.root)).live,
        runId: `run-${runs}`,
        instant: instantAt(runs),
        clock,
        signal: new AbortController().signal,
        emit: (event) => events.push(event),
        allow: new Set(),
        selected: undefined,
        fullRefresh: false,
        strict: false,
        tempDir: join(folder.root, '.cdp/tmp'),
        ...options,
      })
    },
  }
}

/** step -> status */
export const statuses = (result: RunResult): Record<string, string> =>
  Object.fromEntries(result.steps.map((step) => [step.step, step.status]))

/** step -> action: reason */
export const planned = (plan: RunPlan): Record<string, string> =>
  Object.fromEntries(plan.steps.map((step) => [step.id, `${step.action}: ${step.reason}`]))

export const config = `import { defineProject, duckdb, env } from 'composable-cdp'
import { files } from 'composable-cdp/connectors/files'

export default defineProject({
  name: 'shop',
  timeZone: 'Asia/Ho_Chi_Minh',
  warehouses: { local: duckdb({ path: '.cdp/test.duckdb' }) },
  sources: {
    shop: files({
      streams: {
        customers: { path: 'data/customers*.csv', key: ['id'] },
        orders: { path: 'data/orders*.csv', key: ['no'], types: { amount: 'integer' } },
      },
    }),
  },
})
`

/** Two streams; two models on each, one on both. */
export const shop: Readonly<Record<string, string>> = {
  'cdp.config.ts': config,
  'data/customers.csv': 'id,name\n1,An\n2,Binh\n',
  'data/orders.csv': 'no,customer,amount\n1,1,100\n2,2,250\n',
  'models/buyers.sql': '/*\nkind: table\n*/\nselect id, name from raw.shop_customers\n',
  'models/names.sql': '/*\nkind: table\n*/\nselect distinct name from buyers\n',
  'models/sums.sql':
    '/*\nkind: table\n*/\nselect customer as id, sum(amount) as total from raw.shop_orders group by customer\n',
  'models/biggest.sql': '/*\nkind: table\n*/\nselect max(total) as total from sums\n',
  'models/report.sql':
    '/*\nkind: view\n*/\nselect b.name, s.total from buyers b join sums s on cast(s.id as string) = cast(b.id as string)\n',
}
