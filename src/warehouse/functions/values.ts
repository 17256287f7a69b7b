// The text of a value of any type, the same on every engine, so that a hash of it says whether two values are equal.
//
// DuckDB: `typeof` is a constant once the argument's type is known, so the optimizer keeps one arm and the dispatch
// costs nothing at run time. TRY_CAST in the arms that do not apply only has to bind.
import { parameters, type FunctionTheme } from './function.ts'

const TEXT = 'cast(value as varchar)'
const instant = (type: string): string =>
  `strftime(make_timestamp(epoch_us(try_cast(value as ${type}))), '%Y-%m-%dT%H:%M:%S.%fZ')`

export const values: FunctionTheme = {
  title: 'Values',
  functions: [
    {
      name: 'to_text',
      params: parameters({ value: 'any' }),
      returns: 'text',
      description:
        'The text of any value. Text is unchanged; `true` and `false`; numbers without trailing zeros, so that 1, 1.0 and 1.00 are `1` and -0 is `0`; ' +
        'a double is its shortest form, with an exponent below 1e-4 and from 1e16; a date is `2026-10-01`; a timestamp is UTC with microseconds, ' +
        '`2026-10-01T08:00:00.000000Z` (one without a zone is read as UTC, an infinite one is null); bytes are lower-case hex; ' +
        'arrays, structs and JSON are JSON text without spaces, keys in the order they have.',
      example: { sql: 'cdp.to_text(1.50)', result: '1.5' },
      duckdb: `case
  when regexp_full_match(typeof(value), 'DECIMAL.[0-9]+,[1-9][0-9]?.') then rtrim(rtrim(${TEXT}, '0'), '.')
  when typeof(value) in ('DOUBLE', 'FLOAT')
    then regexp_replace(regexp_replace(${TEXT}, '^-0[.]0$', '0'), '[.]0$', '')
  when typeof(value) = 'TIMESTAMP WITH TIME ZONE' then ${instant('timestamptz')}
  when starts_with(typeof(value), 'TIMESTAMP') then ${instant('timestamp')}
  when typeof(value) = 'BLOB' then lower(hex(try_cast(value as blob)))
  when regexp_matches(typeof(value), '^JSON$|\\[[0-9]*\\]$|^(?:STRUCT|MAP|UNION)\\(')
    then cast(json(to_json(value)) as varchar)
  else ${TEXT} end`,
    },
    {
      name: 'canonical_text',
      params: parameters({ value: 'any' }),
      returns: 'text',
      description:
        '`to_text` in Unicode form NFC: equal values give equal bytes whatever type and spelling they arrived in. It is what hashes are taken of.',
      example: { sql: "cdp.canonical_text('Nguyễn')", result: 'Nguyễn' },
      duckdb: 'nfc_normalize(cdp.to_text(value))',
    },
  ],
}
