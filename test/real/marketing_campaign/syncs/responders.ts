import { defineSync, env } from 'composable-cdp'
import { webhook } from 'composable-cdp/connectors/webhook'

export default defineSync({
  from: 'responders',
  to: webhook({ url: env('WEBHOOK_URL') }),
  key: { id: 'id' },
  map: { education: 'education', income: 'income', since: 'since', spent: 'spent', campaign: { value: 'last' } },
  mode: 'mirror',
})
