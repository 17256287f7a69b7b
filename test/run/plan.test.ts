// What a run would do, and why: from versions, files and time alone.
import { afterEach, describe, expect, it } from 'vitest'
import { planned, removeFolders, runProject, shop, statuses } from './project.ts'

afterEach(removeFolders)

describe('the plan of a run', () => {
  it('is everything before the first, in an order in which each comes after what it reads', async () => {
    const project = runProject(shop)
    await project.change('select 1')
    const plan = await project.plan()
    expect(plan.quiet).toBe(false)
    expect(planned(plan)).toEqual({
      'shop.customers': 'do: 1 new or changed file',
      'shop.orders': 'do: 1 new or changed file',
      buyers: 'do: not built yet',
      names: 'do: not built yet',
      sums: 'do: not built yet',
      biggest: 'do: not built yet',
      report: 'do: not built yet',
    })
    const order = plan.steps.map((step) => step.id)
    expect(order.indexOf('buyers')).toBeLessThan(order.indexOf('names'))
    expect(order.indexOf('sums')).toBeLessThan(order.indexOf('biggest'))
  })

  it('is nothing after a run that went well, and a run then writes nothing', async () => {
    const project = runProject(shop)
    await project.run()
    const plan = await project.plan()
    expect(plan.quiet).toBe(true)
    expect(new Set(plan.steps.map((step) => step.action))).toEqual(new Set(['none']))
    const result = await project.run()
    expect(new Set(Object.values(statuses(result)))).toEqual(new Set(['unchanged']))
    expect(await project.all('select run_id from cdp.runs')).toEqual([{ run_id: 'run-1' }])
  })

  it('follows a new file to what reads it and no further', async () => {
    const project = runProject(shop)
    await project.run()
    project.write('data/orders-2.csv', 'no,customer,amount\n3,1,50\n')
    expect(planned(await project.plan())).toEqual({
      'shop.customers': 'none: no new or changed file',
      'shop.orders': 'do: 1 new or changed file',
      buyers: 'none: unchanged',
      names: 'none: unchanged',
      sums: 'maybe: reads raw.shop_orders',
      biggest: 'maybe: reads sums',
      report: 'maybe: reads sums',
    })
  })

  it('stops where the content came out the same', async () => {
    const project = runProject(shop)
    await project.run()
    project.write('data/orders-2.csv', 'no,customer,amount\n3,1,50\n')
    const built = await project.run()
    expect(statuses(built)).toMatchObject({ sums: 'done', biggest: 'done', buyers: 'unchanged' })
    // The biggest is the same; a view has no content of its own, so it is new when what it reads is.
    expect(await project.all(`select relation from cdp.versions where version = 'run-2' order by all`)).toEqual([
      { relation: 'raw.shop_orders' },
      { relation: 'report' },
      { relation: 'sums' },
    ])
    project.write('data/customers-2.csv', 'id,name\n3,An\n')
    const again = await project.run()
    expect(statuses(again)).toMatchObject({ buyers: 'done', names: 'done', sums: 'unchanged', biggest: 'unchanged' })
    // The names are the same two: whatever reads them would not be built.
    expect(again.steps.find((step) => step.step === 'names')?.detail).toContain('same content')
  })

  it('sees a changed definition, but not a changed description', async () => {
    const project = runProject(shop)
    await project.run()
    project.write(
      'models/buyers.sql',
      '/*\nkind: table\ndescription: who buys\n*/\nselect id, name from raw.shop_customers\n',
    )
    expect((await project.plan()).quiet).toBe(true)
    project.write('models/buyers.sql', '/*\nkind: table\n*/\nselect id, upper(name) as name from raw.shop_customers\n')
    expect(planned(await project.plan())).toMatchObject({
      buyers: 'do: its definition, an input or the time changed',
      names: 'maybe: reads buyers',
      report: 'maybe: reads buyers',
      sums: 'none: unchanged',
    })
  })

  it('takes time for an input of a model that reads the clock, by the day in the project’s zone where it says so', async () => {
    const clocked = (refresh: string): string =>
      `/*\nkind: table\n${refresh}*/\nselect name, current_date as today from raw.shop_customers\n`
    const project = runProject({
      ...shop,
      'models/now.sql': clocked(''),
      'models/daily.sql': clocked('refresh: day\n'),
    })
    // Midnight in Vietnam is 17:00 in UTC.
    await project.run({ instant: '2026-11-01T16:00:00.000Z' })
    expect(planned(await project.plan({ instant: '2026-11-01T16:59:00.000Z' }))).toMatchObject({
      now: 'do: its definition, an input or the time changed',
      daily: 'none: unchanged',
    })
    expect(planned(await project.plan({ instant: '2026-11-01T17:00:00.000Z' }))).toMatchObject({
      daily: 'do: its definition, an input or the time changed',
    })
    const result = await project.run({ instant: '2026-11-01T16:30:00.000Z' })
    expect(result.steps.find((step) => step.step === 'now')).toMatchObject({ status: 'done', detail: 'same content' })
  })

  it('is of the selected alone, and of all of these under a full refresh', async () => {
    const project = runProject(shop)
    await project.run()
    const plan = await project.plan({ selected: new Set(['buyers', 'names']), fullRefresh: true })
    expect(planned(plan)).toEqual({ buyers: 'do: full refresh', names: 'do: full refresh' })
  })

  it('needs no secret, and says which one a stream will need', async () => {
    const project = runProject({
      ...shop,
      'cdp.config.ts': (shop['cdp.config.ts'] ?? '').replace(`'data/orders*.csv'`, `env('CDP_TEST_UNSET')`),
    })
    await project.change('select 1')
    expect(planned(await project.plan())['shop.orders']).toBe(
      'do: asks its source, by CDP_TEST_UNSET, which is not set here',
    )
  })
})
