// Everyone with an address, as contacts of the CRM. Contacts are never removed there by this sync, but for lost consent.
import { defineSync, env } from 'composable-cdp'
import { hubspot } from '../connectors/hubspot.ts'

export default defineSync({
  from: 'profiles',
  to: hubspot.contacts({
    token: env('HUBSPOT_TOKEN', 'sandbox-token'),
    baseUrl: env('HUBSPOT_URL', 'http://127.0.0.1:8474/hubspot'),
  }),
  key: { email: 'email' },
  map: { firstname: 'full_name', phone: 'phone', city: 'city' },
  mode: 'upsert',
  purpose: 'marketing.email',
  tags: ['daily'],
})
