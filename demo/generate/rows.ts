// The rows of every file as they are written, and the truth that travels beside a row but never into it.

import type { Line } from './catalogue.ts'

/** A row and the person it stands for; `null` where it stands for nobody (a walk-in). */
export interface Kept<Row> {
  readonly row: Row
  readonly person: string | null
}

/** `data/pos/receipts-*.csv` */
export interface Receipt {
  readonly receipt_id: string
  readonly store: string
  readonly cashier: string
  readonly phone: string
  readonly name: string
  /** `Cà phê sữa đá x2, Bánh mì que x1` */
  readonly items: string
  /** VND, whole. */
  readonly amount: number
  /** Vietnamese time without a zone: `2026-10-31 09:15:00`. */
  readonly paid_at: string
}

/** `data/shop/customers*.ndjson` */
export interface Customer {
  readonly id: string
  readonly email: string | null
  readonly phone: string | null
  readonly full_name: string
  readonly city: string | null
  readonly birth_date: string | null
  readonly created_at: string
  readonly updated_at: string
}

/** `data/shop/orders*.ndjson` */
export interface Order {
  readonly order_id: string
  readonly customer_id: string
  readonly items: readonly Line[]
  readonly total: number
  readonly status: 'pending' | 'shipped' | 'completed' | 'cancelled' | 'returned'
  readonly ordered_at: string
  readonly updated_at: string
}

/** `data/crm/contacts.csv` */
export interface Contact {
  readonly contact_id: string
  readonly given_name: string
  readonly family_name: string
  readonly email: string
  readonly phone: string
  readonly city: string
  readonly birth_date: string
  readonly loyalty_tier: 'bronze' | 'silver' | 'gold' | 'platinum'
  readonly points: number
  readonly updated_at: string
}

export type Purpose = 'marketing.email' | 'marketing.sms' | 'marketing.zalo'

/** `data/newsletter/signups*.ndjson`: one row a word about consent; the newest of an address and purpose counts. */
export interface Signup {
  readonly signup_id: string
  readonly email: string
  readonly name: string | null
  readonly purpose: Purpose
  readonly granted: boolean
  readonly place: string
  readonly method: 'checkbox' | 'double_opt_in' | 'paper' | 'unsubscribe_link'
  readonly at: string
}

export type EventName =
  | 'page_view'
  | 'product_view'
  | 'add_to_cart'
  | 'checkout'
  | 'purchase'
  | 'login'
  | 'email_open'
  | 'email_click'

/** `data/web/events-*.ndjson` */
export interface WebEvent {
  readonly event_id: string
  /** A browser; null for `email_open`. */
  readonly anonymous_id: string | null
  /** Null before the browser's first `login`; of e-mail events the recipient's account, if they have one. */
  readonly customer_id: string | null
  readonly event: EventName
  readonly properties: Readonly<Record<string, string | number>>
  readonly occurred_at: string
}
