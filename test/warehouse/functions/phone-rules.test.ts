import { expect, test } from 'vitest'
import { phoneRulesSource } from './phone-metadata.ts'

test('the phone rules are those of the installed libphonenumber-js', async () => {
  await expect(phoneRulesSource()).toMatchFileSnapshot('../../../src/warehouse/functions/phone-rules.ts')
})
