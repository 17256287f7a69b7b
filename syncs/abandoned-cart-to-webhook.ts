// People with an abandoned cart, to the campaign service.
import { defineSync, env } from 'composable-cdp'
import { webhook } from '../connectors/webhook.ts'

export default defineSync({
  from: 'abandoned_cart',
  to: webhook({
    url: env('CAMPAIGN_URL', 'http://127.0.0.1:8474/webhook'),
    secret: env('CAMPAIGN_SECRET', 'sandbox-secret'),
  }),
  key: { email: 'email' },
  map: { name: 'full_name', carted_at: 'carted_at' },
  mode: 'mirror',
  purpose: 'marketing.email',
  guard: { maxRemovals: '80%' },
  tags: ['daily'],
})
