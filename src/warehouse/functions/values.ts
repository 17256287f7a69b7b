// The text of a value of any type, the same on every engine, so that a hash of it says whether two values are equal.
//
// DuckDB: `typeof` is a constant once the argument's type is known, so the optimizer keeps one arm and the dispatch
// costs nothing at run time. TRY_CAST in the arms that do not apply only has to bind.
import { parameters, type FunctionTheme } from './function.ts'
import { re } from './google.ts'

const TEXT = 'cast(value as varchar)'
const instant = (type: string): string =>
  `strftime(make_timestamp(epoch_us(try_cast(value as ${type}))), '%Y-%m-%dT%H:%M:%S.%fZ')`

// BigQuery has no typeof. The literal that FORMAT('%T') writes names the type, except of text and numbers, which their JSON tells
// apart. An instant is also known by its bare text, because a stand-in for the service writes literals without their type.
const AN_INSTANT = re('^(?:(?:TIMESTAMP|DATETIME) "|[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]+[+]00$)')
// A cast writes a double with 15 digits or with 17, where 16 may do, and with an exponent from 1e15 on.
const LONG = re('e[+]15$|^-?(?:0[.]0*)?[0-9.]{17,18}(?:e.*)?$')
const SHORTEST = `if(regexp_contains(plain, ${LONG}) and
    safe_cast(format('%.16g', safe_cast(plain as float64)) as float64) = safe_cast(plain as float64),
    format('%.16g', safe_cast(plain as float64)), plain)`
/** Over a column `plain`, the engine's own text of a number. */
export const NUMBER = `regexp_replace(regexp_replace(${SHORTEST},
    ${re('^(-?[0-9]+)[.]0+$|^(-?[0-9]+[.][0-9]*[1-9])0+$')}, ${re(String.raw`\1\2`)}), ${re('^-0$')}, '0')`

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
      bigquery: `(select case
    when value is null then null
    when regexp_contains(literal, ${AN_INSTANT})
      then format_timestamp('%E4Y-%m-%dT%H:%M:%E6SZ', safe_cast(plain as timestamp), 'UTC')
    when starts_with(literal, 'b"') or starts_with(literal, "b'") then to_hex(safe.from_base64(json_value(form, '$')))
    when starts_with(literal, 'JSON ') or substr(form, 1, 1) in ('[', '{') then form
    when starts_with(form, '"') or regexp_contains(literal, '^(?:BIG)?NUMERIC ') then plain
    else ${NUMBER} end
  from (select format('%T', value) as literal, format('%t', value) as plain, to_json_string(value) as form))`,
    },
    {
      name: 'canonical_text',
      params: parameters({ value: 'any' }),
      returns: 'text',
      description:
        '`to_text` in Unicode form NFC: equal values give equal bytes whatever type and spelling they arrived in. It is what hashes are taken of.',
      example: { sql: "cdp.canonical_text('Nguyễn')", result: 'Nguyễn' },
      duckdb: 'nfc_normalize(cdp.to_text(value))',
      bigquery: 'normalize(cdp.to_text(value), nfc)',
    },
  ],
}
