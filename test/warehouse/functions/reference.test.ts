import { expect, test } from 'vitest'
import { functionReference } from '../../../src/warehouse/functions/reference.ts'

test('docs/functions.md is what the library says (written anew with -u)', async () => {
  await expect(functionReference()).toMatchFileSnapshot('../../../docs/functions.md')
})
