// Stable hashes of plain data, for fingerprints of models, syncs and files.
import { createHash } from 'node:crypto'

export const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex')

/** JSON with sorted keys: equal data gives equal text. */
export const stableJson = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner) && !('toJSON' in inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  )

/** Sixteen hex digits that change when the data does. */
export const fingerprint = (value: unknown): string => sha256(stableJson(value)).slice(0, 16)
