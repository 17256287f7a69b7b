// Quarantined rows that get another try: what they land is seen by the models, by the next run.
import { afterEach, describe, expect, it } from 'vitest'
import { loadProject } from '../../src/project/load.ts'
import { performReplay } from '../../src/run/replay.ts'
import { config, planned, removeFolders, runProject, shop, type RunProject } from './project.ts'

afterEach(removeFolders)

const replay = async (project: RunProject, runId: string) =>
  performReplay({
    project: (await loadProject(project.root)).compiled,
    openWarehouse: (mode) => project.open(mode),
    runId,
    instant: '2026-11-02T00:00:00.000Z',
    clock: { now: () => Date.UTC(2026, 10, 2), sleep: () => Promise.resolve() },
    signal: new AbortController().signal,
    emit: () => undefined,
    selected: undefined,
    tempDir: `${project.root}/.cdp/tmp`,
  })

describe('a replay', () => {
  it('gives what it lands a new version, so that models are built again, and is written down', async () => {
    const project = runProject({ ...shop, 'data/orders.csv': 'no,customer,amount\n1,1,100\n2,2,12.5\n' })
    await project.run()
    expect((await project.plan()).quiet).toBe(true)
    project.write('cdp.config.ts', config.replace(`amount: 'integer'`, `amount: 'decimal(18,2)'`))
    expect(await replay(project, 'run-2')).toMatchObject([{ stream: 'shop.orders', tried: 1, closed: 1, open: 0 }])
    expect(await project.all(`select version from cdp.versions where relation = 'raw.shop_orders'`)).toEqual([
      { version: 'run-2' },
    ])
    expect(planned(await project.plan())).toMatchObject({
      sums: 'do: its definition, an input or the time changed',
      buyers: 'none: unchanged',
    })
    expect(await project.all('select run_id, command, status from cdp.runs order by all')).toEqual([
      { run_id: 'run-1', command: 'run', status: 'done' },
      { run_id: 'run-2', command: 'replay', status: 'done' },
    ])
  })

  it('of what still does not fit changes nothing, and without open rows there is no run', async () => {
    const project = runProject({ ...shop, 'data/orders.csv': 'no,customer,amount\n1,1,100\n2,2,much\n' })
    await project.run()
    expect(await replay(project, 'run-2')).toMatchObject([{ tried: 1, closed: 0, open: 1 }])
    expect((await project.plan()).quiet).toBe(true)
    const good = runProject(shop)
    await good.run()
    expect(await replay(good, 'run-2')).toEqual([])
    expect(await good.all('select count(*) as n from cdp.runs')).toEqual([{ n: 1 }])
  })
})
