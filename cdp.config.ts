// The demo project: Lotus, a Vietnamese chain of coffee and goods. `npm run demo` tells its story.
import { bigquery, defineProject, duckdb, env } from 'composable-cdp'
import { files } from './connectors/files.ts'

export default defineProject({
  name: 'lotus',
  region: 'VN', // country of phone numbers written without one
  timeZone: 'Asia/Ho_Chi_Minh',
  warehouses: {
    local: duckdb({ path: env('LOTUS_DB', '.cdp/lotus.duckdb') }),
    // `--target bigquery`: a project of yours, with its datasets raw, models and cdp. The demo names a stand-in here.
    bigquery: bigquery({
      project: env('LOTUS_GCP_PROJECT'),
      location: env('LOTUS_GCP_LOCATION', 'US'),
      maximumBytesBilled: '10 GB',
      apiEndpoint: env('LOTUS_BIGQUERY_API', 'https://bigquery.googleapis.com'),
      storageEndpoint: env('LOTUS_BIGQUERY_STORAGE', 'bigquerystorage.googleapis.com:443'),
    }),
  },
  sources: {
    pos: files({
      streams: {
        receipts: {
          path: '.cdp/lotus/data/pos/receipts-*.csv',
          key: ['receipt_id'],
          types: { amount: 'decimal(18,2)', paid_at: 'timestamp' }, // tills write no zone: the project's
        },
      },
    }),
    shop: files({
      streams: {
        customers: { path: '.cdp/lotus/data/shop/customers*.ndjson', key: ['id'], cursor: 'updated_at' },
        orders: {
          path: '.cdp/lotus/data/shop/orders*.ndjson',
          key: ['order_id'],
          cursor: 'updated_at',
          types: { total: 'decimal(18,2)', ordered_at: 'timestamp' },
        },
      },
    }),
    crm: files({
      streams: {
        contacts: {
          path: '.cdp/lotus/data/crm/contacts.csv',
          key: ['contact_id'],
          cursor: 'updated_at',
          types: { points: 'integer', birth_date: 'date', updated_at: 'timestamp' }, // what does not fit is quarantined
          lines: true,
        },
      },
    }),
    newsletter: files({
      streams: { signups: { path: '.cdp/lotus/data/newsletter/signups*.ndjson', key: ['signup_id'] } },
    }),
    web: files({
      streams: {
        events: {
          path: '.cdp/lotus/data/web/events-*.ndjson',
          key: ['event_id'],
          types: { occurred_at: 'timestamp', properties: 'json' },
        },
      },
    }),
  },
  consent: 'consent_current', // person_id, purpose, granted; no row means no
  schedule: { '*/15 * * * *': { run: '*', sync: '*' } },
})
