import { defineSync, env } from 'composable-cdp'
import { webhook } from 'composable-cdp/connectors/webhook'

export default defineSync({
  from: 'champions',
  to: webhook({ url: env('WEBHOOK_URL'), batch: 500 }),
  key: { customer: 'customer_id' },
  map: { purchases: 'purchases', spent: 'spent' },
  mode: 'mirror',
})
