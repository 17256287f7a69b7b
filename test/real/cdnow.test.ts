// Every purchase of CDNOW, from its text file to an audience at a vendor, held against what plain arithmetic makes of the same file.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cleanUp, patience, projectFrom, repository, type Project } from '../e2e/project.ts'
import { realData, startReceiver, type Receiver } from './data.ts'

const { path, missing } = realData('cdnow/CDNOW_master.txt')

interface Customer {
  readonly id: string
  last: string
  purchases: number
  cents: number
}

const customersOf = (text: string): Customer[] => {
  const all = new Map<string, Customer>()
  for (const line of text.trimEnd().split('\n').slice(1)) {
    const [id = '', date = '', , amount = ''] = line.trim().split(/\s+/)
    const customer = all.get(id) ?? { id, last: '', purchases: 0, cents: 0 }
    customer.purchases += 1
    customer.cents += Math.round(Number(amount) * 100)
    if (date > customer.last) customer.last = date
    all.set(id, customer)
  }
  return [...all.values()]
}

/** id -> 1 to 5, as ntile deals them: the first groups get one more. */
const quintiles = (
  customers: readonly Customer[],
  of: (customer: Customer) => string | number,
): Map<string, number> => {
  const sorted = customers.toSorted((a, b) => (of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : a.id < b.id ? -1 : 1))
  const [size, more] = [Math.floor(sorted.length / 5), sorted.length % 5]
  return new Map(
    sorted.map(({ id }, at) => [
      id,
      at < (size + 1) * more ? Math.floor(at / (size + 1)) + 1 : Math.floor((at - more) / size) + 1,
    ]),
  )
}

const dayOf = (date: string): number =>
  Date.parse(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`) / 86_400_000

describe('CDNOW', { timeout: patience }, () => {
  let project: Project
  let receiver: Receiver
  let customers: readonly Customer[] = []
  const env = (): Record<string, string> => ({ CDNOW_FILE: path, WEBHOOK_URL: receiver.url })
  const cdp = (...args: string[]) => project.must(args, { env: env() })
  /** Who must be in the audience on a day, by plain arithmetic. */
  const champions = (today: string): Record<string, unknown> => {
    const recency = quintiles(customers, (customer) => customer.last)
    const frequency = quintiles(customers, (customer) => customer.purchases)
    const money = quintiles(customers, (customer) => customer.cents)
    const best = customers.filter(
      ({ id, last }) =>
        recency.get(id) === 5 &&
        (frequency.get(id) ?? 0) >= 4 &&
        (money.get(id) ?? 0) >= 4 &&
        dayOf(today) - dayOf(last) <= 60,
    )
    return Object.fromEntries(best.map(({ id, purchases, cents }) => [id, { purchases, spent: cents / 100 }]))
  }

  beforeAll(async () => {
    if (missing !== undefined) return
    customers = customersOf(readFileSync(path, 'utf8'))
    receiver = await startReceiver()
    project = projectFrom(join(repository, 'test/real/cdnow'))
    await cdp('run', '--quiet', '--now', '1998-07-01T12:00:00-04:00')
  }, patience)
  afterAll(async () => {
    if (missing === undefined) await receiver.close()
    await cleanUp()
  })

  it('is 69,659 purchases of 23,570 customers for 2,500,315.63', async ({ skip }) => {
    skip(missing !== undefined, missing)
    expect(
      await project.all(`select count(*) as purchases, count(distinct customer_id) as customers, sum(amount) as total,
        min(bought_on) as first, max(bought_on) as last from purchases`),
    ).toEqual([
      {
        purchases: 69_659,
        customers: 23_570,
        total: expect.stringMatching(/^2500315\.630*$/) as string,
        first: '1997-01-01',
        last: '1998-06-30',
      },
    ])
    expect(await project.all(`select count(*) as n from cdp.quarantine`)).toEqual([{ n: 0 }])
    expect(await project.all(`select count(distinct person_id) as persons from people`)).toEqual([{ persons: 23_570 }])
  })

  it('has the quintiles that counting gives', async ({ skip }) => {
    skip(missing !== undefined, missing)
    const rows = await project.all<{ id: string; r: number; f: number; m: number }>(
      'select customer_id as id, recency as r, frequency as f, money as m from rfm',
    )
    const recency = quintiles(customers, (customer) => customer.last)
    const frequency = quintiles(customers, (customer) => customer.purchases)
    const money = quintiles(customers, (customer) => customer.cents)
    expect(rows).toHaveLength(23_570)
    expect(
      rows.filter(({ id, r, f, m }) => recency.get(id) !== r || frequency.get(id) !== f || money.get(id) !== m),
    ).toEqual([])
  })

  it('is synced as a segment, read back equal, and not sent again', async ({ skip }) => {
    skip(missing !== undefined, missing)
    const wanted = champions('19980701')
    expect(Object.keys(wanted).length).toBeGreaterThan(1000)
    expect((await cdp('sync')).rows).toMatchObject([{ status: 'done', delivered: Object.keys(wanted).length }])
    expect(await receiver.audience('champions')).toEqual(wanted)
    const requests = await receiver.requests()
    expect((await cdp('sync')).rows).toMatchObject([{ status: 'unchanged' }])
    expect(await receiver.requests()).toBe(requests)
  })

  it('loses from the audience who has not bought for sixty days a month later', async ({ skip }) => {
    skip(missing !== undefined, missing)
    const [before, after] = [champions('19980701'), champions('19980801')]
    const left = Object.keys(before).length - Object.keys(after).length
    expect(left).toBeGreaterThan(100)
    const ran = await cdp('run', '--now', '1998-08-01T12:00:00-04:00')
    expect(ran.rows.filter((row) => row['status'] !== 'unchanged')).toMatchObject([
      { step: 'champions', detail: `0 entered, ${left} left` },
    ])
    expect((await cdp('sync')).rows).toMatchObject([{ sent: { upsert: 0, remove: left }, removed: left }])
    expect(await receiver.audience('champions')).toEqual(after)
  })
})
