// A survey as people export it: tabs, dates the other way round, holes in a column of numbers.
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cleanUp, patience, projectFrom, repository, type Project } from '../e2e/project.ts'
import { realData, startReceiver, type Receiver } from './data.ts'

const { path, missing } = realData('marketing_campaign/marketing_campaign.csv')

describe('the marketing campaign', { timeout: patience }, () => {
  let project: Project
  let receiver: Receiver
  const cdp = (...args: string[]) => project.must(args, { env: { CAMPAIGN_FILE: path, WEBHOOK_URL: receiver.url } })
  /** Who answered, straight from the file: without an income where there is none. */
  const responders = (): Record<string, unknown> => {
    const [head = [], ...rows] = readFileSync(path, 'utf8')
      .trimEnd()
      .split(/\r?\n/)
      .map((line) => line.split('\t'))
    const cell = (row: readonly string[], name: string): string => row[head.indexOf(name)] ?? ''
    const bought = head.filter((name) => name.startsWith('Mnt'))
    return Object.fromEntries(
      rows
        .filter((row) => cell(row, 'Response') === '1')
        .map((row) => [
          cell(row, 'ID'),
          {
            education: cell(row, 'Education'),
            ...(cell(row, 'Income') === '' ? {} : { income: Number(cell(row, 'Income')) }),
            since: `${cell(row, 'Dt_Customer').split('-').toReversed().join('-')}T00:00:00Z`,
            spent: bought.reduce((sum, name) => sum + Number(cell(row, name)), 0),
            campaign: 'last',
          },
        ]),
    )
  }

  beforeAll(async () => {
    if (missing !== undefined) return
    receiver = await startReceiver()
    project = projectFrom(join(repository, 'test/real/marketing_campaign'))
    await cdp('run', '--quiet')
  }, patience)
  afterAll(async () => {
    if (missing === undefined) await receiver.close()
    await cleanUp()
  })

  it('is 2,240 customers, 24 without an income, 334 who answered', async ({ skip }) => {
    skip(missing !== undefined, missing)
    expect(
      await project.all(`select count(*) as customers, count(*) filter (income is null) as without_income,
        count(*) filter (responded) as responders, min(since) as first, max(since) as last from customers`),
    ).toEqual([
      {
        customers: 2240,
        without_income: 24,
        responders: 334,
        first: '2012-07-30T00:00:00Z',
        last: '2014-06-29T00:00:00Z',
      },
    ])
    expect(await project.all(`select count(*) as n from cdp.quarantine`)).toEqual([{ n: 0 }])
    expect(await project.all(`select test, severity, count(*) as n from cdp.test_failures group by all`)).toEqual([
      { test: 'not_null(income)', severity: 'warn', n: 24 },
    ])
  })

  it('is synced as a segment, read back equal, and not sent again', async ({ skip }) => {
    skip(missing !== undefined, missing)
    expect((await cdp('sync')).rows).toMatchObject([{ status: 'done', delivered: 334 }])
    expect(await receiver.audience('responders')).toEqual(responders())
    const requests = await receiver.requests()
    expect((await cdp('run', '--full-refresh')).rows).toContainEqual(
      expect.objectContaining({ step: 'responders', detail: '0 entered, 0 left; same content' }),
    )
    expect((await cdp('sync')).rows).toMatchObject([{ status: 'unchanged' }])
    expect(await receiver.requests()).toBe(requests)
  })
})
