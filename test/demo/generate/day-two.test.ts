import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { DAY_2_NOW, generateDay1, generateDay2, type Summary } from '../../../demo/generate/index.ts'
import { csv, digests, emailOf, entriesOf, linesOf, resolve, rows, truthOf, type Value } from './lotus.ts'

const dir = mkdtempSync(join(tmpdir(), 'lotus-day-two-'))
const added = '2026-11-01'
const contact = (id = '') => csv(dir, 'data/crm/contacts.csv').find(({ contact_id }) => contact_id === id)

describe('day 2 of the generated company', () => {
  let one: Summary
  let two: Summary
  let truthBefore: Map<string, string>
  let truth: Map<string, string>
  let before: Map<string, string>
  let after: Map<string, string>

  beforeAll(async () => {
    one = await generateDay1(dir)
    copyFileSync(join(dir, 'data/crm/contacts.csv'), join(dir, 'contacts-before.csv'))
    truthBefore = truthOf(dir)
    before = resolve(entriesOf(dir), 50)
    two = await generateDay2(dir)
    truth = truthOf(dir)
    after = resolve(entriesOf(dir), 50)
  })
  afterAll(() => rmSync(dir, { recursive: true }))

  it('brings about one percent', () => {
    const { receipts, customers, signups, events } = two.rows
    const lines = new Set(linesOf(dir, 'contacts-before.csv'))
    const changed = linesOf(dir, 'data/crm/contacts.csv').filter((line) => !lines.has(line)).length
    expect(changed).toBeGreaterThan(15)
    const share = (receipts + customers + signups + changed) / one.records.total
    expect(share).toBeGreaterThan(0.008)
    expect(share).toBeLessThan(0.013)
    expect(events).toBe(1500)
    expect(linesOf(dir, `data/web/events-${added}.ndjson`)).toHaveLength(1500)
  })

  it('is the same to the byte for the same seed', async () => {
    const again = join(dir, 'again')
    await generateDay2(again)
    const first = digests(dir)
    const files = Object.entries(digests(again))
    expect(files).toHaveLength(two.files.length + 2)
    expect(files.filter(([path, digest]) => first[path] !== digest)).toEqual([])
    rmSync(again, { recursive: true })
  })

  it('keeps what the truth said on day 1 and covers the new records', () => {
    expect([...truthBefore].filter(([key, person]) => truth.get(key) !== person)).toEqual([])
    expect([...truth.keys()].toSorted()).toEqual(
      entriesOf(dir)
        .map(({ key }) => key)
        .toSorted(),
    )
    expect(new Set(truth.values()).size).toBe(two.people.total)
    expect(two.people.total - one.people.total).toBe(two.story.dayTwo?.newPeople)
  })

  it('joins exactly two people who were known apart on day 1', () => {
    const joined = new Map<string, Set<string>>()
    for (const [key, component] of before) {
      const now = after.get(key) ?? ''
      joined.set(now, (joined.get(now) ?? new Set()).add(component))
    }
    const merged = [...joined].filter(([, components]) => components.size > 1)
    expect(merged).toHaveLength(1)
    const { double } = two.story
    const records = [...after].filter(([, component]) => component === merged[0]?.[0]).map(([key]) => key)
    expect(records).toContain(`crm/${double.joining}`)
    expect(records).toContain(`shop/${double.first.customerId}`)
    expect(new Set(records.map((key) => truth.get(key)))).toEqual(new Set([double.person]))
    expect(emailOf(contact(double.joining ?? undefined)?.['email'])).toBe(double.first.email)
    expect(one.story.double).toEqual({ ...double, joining: null })
  })

  it('takes nobody apart', () => {
    const parts = new Map<string, Set<string>>()
    for (const [key, component] of before) {
      parts.set(component, (parts.get(component) ?? new Set()).add(after.get(key) ?? ''))
    }
    expect([...parts.values()].filter(({ size }) => size > 1)).toEqual([])
  })

  it('corrects one line of the CRM and leaves two wrong', () => {
    const corrected = two.story.dayTwo?.correctedContact ?? ''
    expect(one.story.wrongContacts).toContainEqual({ contact: corrected, wrong: 'points' })
    expect(two.story.wrongContacts).toEqual(one.story.wrongContacts.filter(({ wrong }) => wrong !== 'points'))
    expect(Number(contact(corrected)?.['points'])).toBeGreaterThanOrEqual(0)
    expect(truthBefore.has(`crm/${corrected}`)).toBe(false)
    expect(truth.has(`crm/${corrected}`)).toBe(true)
  })

  it('lets VIPs at risk buy, carts be paid, and anonymous visitors open an account', () => {
    const story = two.story.dayTwo
    const orders = new Set(rows(dir, 'shop', `orders-${added}`).map(({ customer_id }) => customer_id))
    const buyers = new Set([
      ...[...orders].map((id) => truth.get(`shop/${String(id)}`)),
      ...rows(dir, 'pos', `receipts-${added}`).map(({ receipt_id }) => truth.get(`pos/${String(receipt_id)}`)),
    ])
    expect(story?.returning).toHaveLength(6)
    expect(story?.returning.filter((person) => !buyers.has(person))).toEqual([])
    expect(story?.finishing.filter((id) => !orders.has(id))).toEqual([])
    const paid = rows(dir, 'web', `events-${added}`).filter(({ event }) => event === 'purchase')
    const payers = new Set(paid.map(({ customer_id }) => customer_id))
    expect(story?.finishing.filter((id) => !payers.has(id))).toEqual([])
    expect(story?.converts).toHaveLength(5)
    for (const id of story?.converts ?? []) {
      const browsers = [...truthBefore].filter(([, person]) => person === truth.get(`shop/${id}`)).map(([key]) => key)
      expect(browsers).toEqual([expect.stringMatching(/^web\//)])
      expect(after.get(browsers[0] ?? '')).toBe(after.get(`shop/${id}`))
    }
  })

  it('withdraws consent by a newer word for an address that had it', () => {
    const words = rows(dir, 'newsletter', 'signups').filter(({ purpose }) => purpose === 'marketing.email')
    const said = (email: string): Value[] =>
      words
        .filter((row) => emailOf(row['email']) === email)
        .toSorted((left, right) => String(left['at']).localeCompare(String(right['at'])))
        .map(({ granted }) => granted)
    const withdrawing = two.story.dayTwo?.withdrawing ?? []
    expect(withdrawing).toHaveLength(12)
    expect(withdrawing.filter((email) => said(email).at(-1) !== false || !said(email).includes(true))).toEqual([])
  })

  it('changes accounts and orders that are there, and writes nothing after its evening', () => {
    const known = new Set(linesOf(dir, 'data/shop/customers.ndjson').map((line) => JSON.parse(line).id))
    const customers = rows(dir, 'shop', `customers-${added}`)
    expect(customers.filter(({ id }) => known.has(id))).toHaveLength(22)
    expect(customers.filter(({ id }) => !known.has(id))).toHaveLength(10)
    const placed = new Set(linesOf(dir, 'data/shop/orders.ndjson').map((line) => JSON.parse(line).order_id))
    expect(rows(dir, 'shop', `orders-${added}`).filter(({ order_id }) => placed.has(order_id))).toHaveLength(20)
    const late = rows(dir, 'web', `events-${added}`).filter(
      ({ occurred_at }) => Date.parse(String(occurred_at)) > Date.parse(DAY_2_NOW),
    )
    expect(late).toEqual([])
  })
})
