// One visit to the web shop, step by step. A browser is anonymous until its first log-in; from then on its events
// carry the account.

import { goods, type Product } from './catalogue.ts'
import type { Random } from './random.ts'
import type { EventName, Order, WebEvent } from './rows.ts'

export interface Device {
  readonly anonymousId: string
  readonly person: string
  customerId: string | null
  /** Never logs in although its owner has an account: nothing can tell whose it is. */
  readonly shy: boolean
  loggedIn: boolean
}

/** browse: looks only · cart: leaves something in the cart · checkout: leaves it at the till · purchase: `order` is paid. */
export interface Session {
  readonly device: Device
  /** Of a purchase the moment of the order, else the start. */
  readonly at: number
  readonly kind: 'browse' | 'cart' | 'checkout' | 'purchase'
  readonly views: number
  readonly order?: Order
}

export interface Happening extends Omit<WebEvent, 'event_id' | 'occurred_at'> {
  readonly at: number
}

const paths = ['/', '/', '/ca-phe', '/hat-rang', '/qua-tang', '/cua-hang', '/khuyen-mai', '/tin-tuc/mua-sen']
const referrers = ['google', 'facebook', 'zalo', 'direct', 'newsletter']

/** Steps of a session without a log-in; the log-in is one more. */
export const steps = ({ kind, views }: Session): number =>
  views + { browse: 0, cart: 1, checkout: 2, purchase: 3 }[kind]

type Step = readonly [EventName, WebEvent['properties']]

const shown = ({ sku, price }: Product): WebEvent['properties'] => ({ sku, price })

/** Calls `emit` in order of time and logs the device in where the session does. */
export const play = (random: Random, session: Session, emit: (happening: Happening) => void): void => {
  const { device, kind, order } = session
  const wanted: Product = order?.items[0] ?? random.pick(goods)
  const script: Step[] = []
  for (let view = 0; view < session.views; view += 1) {
    const last = view === session.views - 1
    if (last && kind !== 'browse') script.push(['product_view', shown(wanted)])
    else if (view > 0 && random.chance(0.5)) script.push(['product_view', shown(random.pick(goods))])
    else
      script.push([
        'page_view',
        { path: random.pick(paths), ...(view === 0 ? { referrer: random.pick(referrers) } : {}) },
      ])
  }
  const quantity = order?.items[0]?.quantity ?? 1
  if (kind !== 'browse') script.push(['add_to_cart', { ...shown(wanted), quantity }])
  if (kind === 'checkout' || kind === 'purchase') {
    script.push(['checkout', { cart_value: order?.total ?? wanted.price * quantity }])
  }
  if (order) script.push(['purchase', { order_id: order.order_id, total: order.total }])
  const logsIn =
    device.customerId !== null && !device.loggedIn && !device.shy && (kind === 'purchase' || random.chance(0.45))
  if (logsIn) script.splice(1, 0, ['login', { method: random.pick(['password', 'google', 'zalo']) }])

  const gaps = script.map(() => random.int(4_000, 75_000))
  let at = session.at
  if (order) for (const gap of gaps.slice(1)) at -= gap
  for (const [index, [event, properties]] of script.entries()) {
    if (index > 0) at += gaps[index] ?? 0
    if (event === 'login') device.loggedIn = true
    const customer = device.loggedIn ? device.customerId : null
    emit({ at, anonymous_id: device.anonymousId, customer_id: customer, event, properties })
  }
}
