// A small shop as a project: every kind of stage, three syncs to one vendor, data that a test can reckon with.
export const config = (more = ''): string => `import { defineProject, duckdb } from 'composable-cdp'
import { files } from 'composable-cdp/connectors/files'

export default defineProject({
  name: 'shop',
  region: 'VN',
  timeZone: 'Asia/Ho_Chi_Minh',
  warehouses: { local: duckdb({ path: '.cdp/test.duckdb' }) },
  sources: {
    shop: files({
      streams: {
        customers: { path: 'data/customers*.csv', key: ['id'] },
        orders: { path: 'data/orders*.csv', key: ['order_no'], types: { amount: 'decimal(18,2)' } },
      },
    }),
  },${more}
})
`

/** Twelve customers; 11 is 1 under another spelling, 12 has no e-mail. */
export const customers = `id,email,phone,full_name
${Array.from({ length: 10 }, (_, at) => `${at + 1},person${at + 1}@example.com,09123456${10 + at},Nguyễn Văn ${at + 1}`).join('\n')}
11,PERSON1@example.com,,Nguyen Van 1
12,,0912345699,Phạm Dũng
`

/** Customer n spent n × 100,000 by one order; customers 1 to 12. One amount cannot be read. */
export const orders = `order_no,customer_id,amount
${Array.from({ length: 12 }, (_, at) => `A${at + 1},${at + 1},${(at + 1) * 100_000}`).join('\n')}
A13,1,a lot
`

export const hook = (options: {
  readonly from: string
  readonly to?: string
  readonly mode?: string
  readonly map?: string
  readonly more?: string
}): string => `import { defineSync, env } from 'composable-cdp'
import { webhook } from 'composable-cdp/connectors/webhook'

export default defineSync({
  from: '${options.from}',
  to: webhook({ url: env('VENDOR_URL')${options.to ?? ''} }),
  key: { email: 'email' },
  map: { ${options.map ?? "name: 'full_name', spend: 'spend'"} },
  mode: '${options.mode ?? 'mirror'}',${options.more ?? ''}
})
`

export const models = {
  'models/records.sql': `/*
kind: view
*/
select cast(id as string) as record_id, 'shop' as source, cdp.normalize_email(email) as email,
       cdp.normalize_phone(phone, 'VN') as phone, cdp.normalize_name(full_name) as full_name
from raw.shop_customers
`,
  'models/people.sql': `/*
kind: identity
record: [source, record_id]
names: [full_name]
identifiers:
  email: { max_shared_by: 50 }
  phone: { max_shared_by: 50 }
*/
select source, record_id, email, phone, full_name from records
`,
  'models/profiles.sql': `/*
kind: profile
of: people
traits:
  full_name: most_frequent
  email: most_frequent
  phone: most_frequent
tests: [{ unique: person_id }, { not_null: person_id }]
*/
select * from people
`,
  'models/spending.sql': `/*
kind: table
tests: [{ unique: person_id }]
*/
select p.person_id, sum(o.amount) as spend
from raw.shop_orders o
join people p on p.record_id = cast(o.customer_id as string)
group by p.person_id
`,
  'models/spenders.sql': `/*
kind: segment
*/
select p.person_id, p.email, p.full_name, s.spend
from profiles p join spending s on s.person_id = p.person_id
where p.email is not null and s.spend >= 500000
`,
}

/** Landing, identity, profile, table, segment; no sync. */
export const shop: Readonly<Record<string, string>> = {
  'cdp.config.ts': config(),
  'data/customers.csv': customers,
  'data/orders.csv': orders,
  ...models,
}

/** The spenders as an audience, two in a call. */
export const shopWithSync: Readonly<Record<string, string>> = {
  ...shop,
  'syncs/spenders.ts': hook({ from: 'spenders', to: ', batch: 2, inFlight: 1' }),
}
