// The best customers as a file for the stores' tablets.
import { defineSync } from 'composable-cdp'
import { file } from '../connectors/file.ts'

export default defineSync({
  from: 'high_ltv',
  to: file({ path: '.cdp/lotus/out/high-ltv.csv' }),
  key: { phone: 'phone' },
  map: { name: 'full_name', spent: 'total_spend' },
  mode: 'mirror',
  purpose: 'marketing.zalo',
  tags: ['daily'],
})
