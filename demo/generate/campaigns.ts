// Newsletter campaigns of the last ninety days: who opened, and who of those clicked.

import { DAY, dayOne, HOUR } from './clock.ts'
import type { SignupLine } from './newsletter.ts'
import type { Person } from './people.ts'
import type { Random } from './random.ts'
import type { Device, Happening } from './sessions.ts'

/** Campaign -> days before day 1 at which it went out, in the morning. */
const campaigns: readonly (readonly [string, number])[] = [
  ['2026-08-khai-truong', 85],
  ['2026-08-hat-moi', 70],
  ['2026-09-trung-thu', 52],
  ['2026-09-mua-thu', 38],
  ['2026-10-phu-nu-viet-nam', 12],
  ['2026-10-cuoi-thang', 4],
]

/** Addresses that may be written to at that moment, by the newest word of each, and whose they are. */
export const consenting = (signups: readonly SignupLine[], at: number): Map<string, string> => {
  const may = new Map<string, string>()
  for (const { row, address, person } of signups) {
    if (row.purpose !== 'marketing.email' || Date.parse(row.at) > at || address === 'test@test.com') continue
    if (row.granted) may.set(address, person)
    else may.delete(address)
  }
  return may
}

export const mailEvent = (
  event: 'email_open' | 'email_click',
  at: number,
  campaign: string,
  email: string,
  customerId: string | null,
  device: Device | undefined,
): Happening => ({
  at,
  anonymous_id: event === 'email_click' ? (device?.anonymousId ?? null) : null,
  customer_id: customerId,
  event,
  properties: { campaign_id: campaign, email },
})

export const campaignHappenings = (
  random: Random,
  people: readonly Person[],
  devices: readonly Device[],
  signups: readonly SignupLine[],
): Happening[] => {
  const accounts = new Map(people.map(({ id, customerId }) => [id, customerId ?? null]))
  const deviceOf = new Map(devices.filter(({ shy }) => !shy).map((device) => [device.person, device]))
  const happenings: Happening[] = []
  for (const [campaign, daysAgo] of campaigns) {
    const sent = dayOne - daysAgo * DAY - 14 * HOUR
    for (const [email, person] of consenting(signups, sent)) {
      if (!random.chance(0.42)) continue
      const opened = sent + random.int(HOUR / 6, 60 * HOUR)
      const customer = accounts.get(person) ?? null
      happenings.push(mailEvent('email_open', opened, campaign, email, customer, undefined))
      if (!random.chance(0.3)) continue
      const clicked = opened + random.int(3_000, 240_000)
      happenings.push(mailEvent('email_click', clicked, campaign, email, customer, deviceOf.get(person)))
    }
  }
  return happenings
}
