// Hashes of a value's canonical text, and buckets made of them. Each engine has faster hashes of its own; they are not
// the same hashes.
import { parameters, type FunctionTheme } from './function.ts'

export const hashing: FunctionTheme = {
  title: 'Hashing',
  functions: [
    {
      name: 'md5_hex',
      params: parameters({ value: 'any' }),
      returns: 'text',
      description: 'MD5 of the canonical text in UTF-8, lower-case hex. Not for secrets.',
      example: { sql: "cdp.md5_hex('a')", result: '0cc175b9c0f1b6a831c399e269772661' },
      duckdb: 'md5(cdp.canonical_text(value))',
      bigquery: 'to_hex(md5(cdp.canonical_text(value)))',
    },
    {
      name: 'sha256_hex',
      params: parameters({ value: 'any' }),
      returns: 'text',
      description:
        'SHA-256 of the canonical text in UTF-8, lower-case hex. An empty text has a hash too (`e3b0c442…`), which means nobody: make it null first (`trim_text`).',
      example: {
        sql: "cdp.sha256_hex(cdp.normalize_email('Jane.Doe@example.com'))",
        result: '86e0b9e56c17cc4d12387e1949b85053fbe73bc3ce5a1188713a9d300cc6133d',
      },
      duckdb: 'sha256(cdp.canonical_text(value))',
      bigquery: 'to_hex(sha256(cdp.canonical_text(value)))',
    },
    {
      name: 'hash_bucket',
      params: parameters({ value: 'any', buckets: 'integer' }),
      returns: 'integer',
      description:
        'A bucket from 0 to `buckets` - 1 that is always the same for a value: the last 8 hex digits of its MD5, modulo `buckets`. Null if `buckets` is not positive.',
      example: { sql: "cdp.hash_bucket('a', 100)", result: '89' },
      duckdb: `case when buckets > 0 then cast('0x' || right(cdp.md5_hex(value), 8) as bigint) % cast(buckets as bigint) end`,
      bigquery:
        "case when buckets > 0 then mod(cast(concat('0x', right(cdp.md5_hex(value), 8)) as int64), buckets) end",
    },
  ],
}
