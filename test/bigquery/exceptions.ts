// What may differ between the engines when the same project ran on both, each with its reason. Everything else is compared.
import type { Value } from '../../src/warehouse/warehouse.ts'

interface Exception {
  readonly columns: readonly string[]
  /** What is compared of a column. `whose`: what an id that a vendor gave out stands for. */
  readonly masks?: Readonly<Record<string, (value: Value, whose: (id: string) => string) => Value>>
  readonly reason: string
}

/** By relation. Nothing else may differ. */
export const exceptions: Readonly<Record<string, Exception>> = {
  'cdp.migrations': { columns: ['applied_at'], reason: 'when the state was made, by the clock on the wall' },
  'cdp.settings': { columns: ['value'], reason: 'the fingerprint of the functions as each engine has them' },
  'cdp.versions': {
    columns: ['fingerprint', 'content'],
    reason: 'each engine has a fast hash of its own, and the fingerprint names the engine',
  },
  'cdp.run_steps': { columns: ['statements', 'bytes_billed'], reason: 'statements are billed on BigQuery only' },
  'cdp.sync_rows': {
    columns: ['match', 'seen', 'seq'],
    masks: { reference: (value, whose) => (typeof value === 'string' ? whose(value) : value) },
    reason:
      'each engine has a fast hash of its own, and an order of its own in which rows of one kind go out; vendors number by it',
  },
  'cdp.sync_log': {
    columns: ['seq'],
    masks: {
      attempt: (value) => (typeof value === 'string' ? value.replace(/-\d+$/, '') : value),
      detail: (value, whose) =>
        typeof value === 'string'
          ? value.replace(/("reference": ?")([^"]*)/, (_, word, id) => word + whose(id))
          : value,
    },
    reason:
      'the order in which rows of one kind go out, and so in which call, is for each engine to say; vendors number by it',
  },
  'cdp.syncs': { columns: ['hashing'], reason: 'what the fast hash of the engine gives' },
}
