// Everyone with an address, as contacts of the CRM. Contacts leave it only when their consent ends.
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
  remove: 'archive', // what happens to a contact whose consent ended
  purpose: 'marketing.email',
  tags: ['daily'],
})
