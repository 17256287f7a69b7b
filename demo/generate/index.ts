// Writes the demo company "Lotus", a Vietnamese chain of coffee and goods, as its systems would export it: the same
// seed gives the same bytes. Who is who goes to `truth/`, which no source reads.

import { month } from './clock.ts'
import { contactCells } from './crm.ts'
import { makeDayTwo } from './day-two.ts'
import { summarize, type Summary } from './summary.ts'
import { mergeTruth, truthOf, writeTruth } from './truth.ts'
import { numbered } from './web.ts'
import { makeWorld, type Records } from './world.ts'
import { writeCsv, writeJson, writeNdjson, type Written } from './write.ts'

export { DAY_1_NOW, DAY_2_NOW } from './clock.ts'
export type { Summary } from './summary.ts'

export interface GenerateOptions {
  /** Default `lotus`. Another seed is another company of the same size and shape. */
  readonly seed?: string
}

const receiptHeader = ['receipt_id', 'store', 'cashier', 'phone', 'name', 'items', 'amount', 'paid_at'] as const
const contactHeader =
  'contact_id,given_name,family_name,email,phone,city,birth_date,loyalty_tier,points,updated_at'.split(',')

const byMonth = <T>(items: readonly T[], at: (item: T) => string): [string, T[]][] => {
  const months = new Map<string, T[]>()
  for (const item of items) {
    const key = at(item)
    const list = months.get(key)
    if (list) list.push(item)
    else months.set(key, [item])
  }
  return [...months]
}

const writeReceipts = (dir: string, label: string, receipts: Records['receipts']): Promise<Written> =>
  writeCsv(
    dir,
    `data/pos/receipts-${label}.csv`,
    receiptHeader,
    receipts.map(({ row }) => receiptHeader.map((name) => row[name])),
  )

/** Files of the day that are written in the same way on both days; `suffix` is `''` or `-2026-11-01`. */
const writeDay = async (dir: string, day: Records, suffix: string): Promise<Written[]> => [
  await writeNdjson(
    dir,
    `data/shop/customers${suffix}.ndjson`,
    day.customers.map(({ row }) => row),
  ),
  await writeNdjson(dir, `data/shop/orders${suffix}.ndjson`, day.orders),
  await writeCsv(dir, 'data/crm/contacts.csv', contactHeader, day.contacts.map(contactCells)),
  await writeNdjson(
    dir,
    `data/newsletter/signups${suffix}.ndjson`,
    day.signups.map(({ row }) => row),
  ),
]

/** Writes day 1 into `dir`, which should hold no earlier data, and returns what `truth/summary.json` says. */
export const generateDay1 = async (dir: string, { seed = 'lotus' }: GenerateOptions = {}): Promise<Summary> => {
  const world = makeWorld(seed)
  const files = await writeDay(dir, world, '')
  for (const [label, receipts] of byMonth(world.receipts, ({ row }) => row.paid_at.slice(0, 7))) {
    files.push(await writeReceipts(dir, label, receipts))
  }
  const events = numbered(world.traffic, 1)
  for (const [label, rows] of byMonth(events, ({ occurred_at }) => month(Date.parse(occurred_at)))) {
    files.push(await writeNdjson(dir, `data/web/events-${label}.ndjson`, rows))
  }
  const truth = truthOf(world)
  const summary = summarize(seed, world, undefined, truth, files)
  await writeTruth(dir, truth)
  await writeJson(dir, 'truth/summary.json', summary)
  return summary
}

/**
 * Adds day 2 to a folder that holds day 1 of the same seed: new files beside the old ones, `data/crm/contacts.csv`
 * written anew with one wrong line corrected, and the truth of both days together.
 */
export const generateDay2 = async (dir: string, { seed = 'lotus' }: GenerateOptions = {}): Promise<Summary> => {
  const world = makeWorld(seed)
  const before = world.population.people.length
  const first = truthOf(world)
  const two = makeDayTwo(world)
  const files = await writeDay(dir, two, '-2026-11-01')
  files.push(await writeReceipts(dir, '2026-11-01', two.receipts))
  const events = numbered(two.traffic, world.traffic.length + 1)
  files.push(await writeNdjson(dir, 'data/web/events-2026-11-01.ndjson', events))
  const truth = mergeTruth(first, truthOf(two))
  const summary = summarize(seed, world, two, truth, files, before)
  await writeTruth(dir, truth)
  await writeJson(dir, 'truth/summary.json', summary)
  return summary
}
