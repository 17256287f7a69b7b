// VIPs at risk as a static list of the CRM, so that the team can call them.
import { defineSync, env } from 'composable-cdp'
import { hubspot } from '../connectors/hubspot.ts'

export default defineSync({
  from: 'vip_at_risk',
  to: hubspot.list({
    token: env('HUBSPOT_TOKEN', 'sandbox-token'),
    name: 'VIP at risk',
    baseUrl: env('HUBSPOT_URL', 'http://127.0.0.1:8474/hubspot'), // cdp sandbox; leave out for the vendor
    createIfMissing: true,
    properties: ['lifetime_value'],
  }),
  key: { email: 'email' },
  map: { firstname: 'full_name', phone: 'phone', lifetime_value: 'total_spend' },
  mode: 'mirror',
  purpose: 'marketing.email',
  guard: { maxRemovals: '50%' },
  tags: ['daily'],
})
