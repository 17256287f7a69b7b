// What may differ between the engines when the same project ran on both, each with its reason. Everything else is compared.

interface Exception {
  readonly columns: readonly string[]
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
    reason: 'each engine has a fast hash of its own, and an order of its own in which rows of one kind go out',
  },
  'cdp.sync_log': { columns: ['seq'], reason: 'in which order rows of one kind go out is for each engine to say' },
  'cdp.syncs': { columns: ['hashing'], reason: 'what the fast hash of the engine gives' },
}
