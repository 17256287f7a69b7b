// Reading text as a number, an instant, a date or a boolean, or null. A pattern goes before every cast, because the
// casts of both engines accept and round what nobody meant: '12.7' becomes 13, '1_000', '0x1F' and '1e3' pass.
import { BLANK } from './characters.ts'
import { parameters, type FunctionTheme } from './function.ts'
import { re, shapedText, STRING } from './google.ts'

const TEXT = 'cast(value as varchar)'
const TRIMMED = `regexp_replace(${TEXT}, '[${BLANK}]+$|^[${BLANK}]+', '', 'g')`
// The text if all of it has the shape, else '', which no cast accepts.
const shaped = (text: string, shape: string): string => `regexp_extract(${text}, '^(?:${shape})$')`

const YEAR = '(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])'
const DATE = `${YEAR}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])`
const MINUTES = '[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]'
const SECONDS = String.raw`:[0-5][0-9](?:\.[0-9]{1,9})?`
const OFFSET = '[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?'

const INSTANT = `${DATE}(?:${MINUTES}(?:${SECONDS})?(?: ?(?:Z|z|UTC|${OFFSET}))?)?`

// Loose spellings made strict one by one: a zone's name is an offset, no space stands before an offset, a time is there,
// seconds are there, and a text without an offset is UTC.
const STRICT = [
  [' ?(?:Z|z|UTC)$', '+00'],
  [' ([+-][0-9:]+)$', String.raw`\1`],
  ['^(.{10})$', String.raw`\1T00:00:00`],
  ['^(.{16})([+-].*)?$', String.raw`\1:00\2`],
  ['^([^+]{11}[0-9:.]+)$', String.raw`\1+00`],
].reduce((sql, [pattern, by]) => `regexp_replace(${sql}, '${pattern}', '${by}')`, shaped(TRIMMED, INSTANT))

const DECIMAL = '[+-]?[0-9]+(?:[.][0-9]{1,9}0*)?'
const DOUBLE = '[+-]?[0-9]+(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?'

// On BigQuery a text is known by the quotes of its JSON; what has none is a number, a boolean, or made of others.
const IS_TEXT = `starts_with(to_json_string(value), '"')`
const TRIMMED_STRING = `regexp_replace(${STRING}, ${re(`[${BLANK}]+$|^[${BLANK}]+`)}, '')`
const NUMBER_TEXT = `if(${IS_TEXT}, ${TRIMMED_STRING}, cdp.to_text(value))`
// As STRICT, but offsets have a colon, a second no more than six decimals, and a text without an offset is UTC by itself.
const STRICT_STRING = [
  [' ?(?:Z|z|UTC)$', '+00'],
  [' ([+-][0-9:]+)$', String.raw`\1`],
  ['^(.{10})$', String.raw`\1T00:00:00`],
  ['^(.{16})([+-].*)?$', String.raw`\1:00\2`],
  ['([+-][0-9]{2})([0-9]{2})$', String.raw`\1:\2`],
  ['([.][0-9]{6})[0-9]+', String.raw`\1`],
].reduce(
  (sql, [pattern = '', by = '']) => `regexp_replace(${sql}, ${re(pattern)}, ${re(by)})`,
  shapedText(TRIMMED_STRING, INSTANT),
)

const isInteger = "regexp_full_match(typeof(value), 'U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?')"
const isNumber = `regexp_full_match(typeof(value), 'U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|DOUBLE|FLOAT|DECIMAL.*')`
const fitsDecimal = `regexp_full_match(typeof(value), 'U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|DOUBLE|FLOAT|DECIMAL.[0-9]+,[0-9].')`

export const casts: FunctionTheme = {
  title: 'Reading text',
  functions: [
    {
      name: 'safe_int',
      params: parameters({ value: 'any' }),
      returns: 'integer',
      description:
        'A 64-bit integer from text of the shape `[+-]?digits`, blanks around it allowed. Null for anything else (`12.7`, `12.0`, `1e3`, `1,000`) and for what does not fit. ' +
        'A decimal or double that is whole, such as 12.00, is taken; one that is not is null.',
      example: { sql: "cdp.safe_int(' 42 ')", result: '42' },
      duckdb: `case when ${isInteger} then try_cast(value as bigint)
  else try_cast(${shaped(`case when ${isNumber} then regexp_replace(${TEXT}, '[.]0+$', '') else ${TRIMMED} end`, '[+-]?[0-9]+')} as bigint) end`,
      bigquery: `safe_cast(${shapedText(NUMBER_TEXT, '[+-]?[0-9]+')} as int64)`,
    },
    {
      name: 'safe_decimal',
      params: parameters({ value: 'any' }),
      returns: 'decimal',
      description:
        'A decimal(38, 9) from text of the shape `[+-]?digits[.digits]`, blanks around it allowed. Nothing is rounded to fit: null for more than 9 significant decimals or 29 integer digits. ' +
        'Only a double, which is never exact, is rounded to 9 decimals (half away from zero).',
      example: { sql: "cdp.safe_decimal('1250.50')", result: '1250.5' },
      // The engine reads a decimal of more than 18 digits a hundred times slower than a short one.
      duckdb: `case when ${fitsDecimal} then try_cast(value as decimal(38, 9))
  else coalesce(try_cast(${shaped(TRIMMED, DECIMAL)} as decimal(18, 9)),
    try_cast(${shaped(TRIMMED, DECIMAL)} as decimal(38, 9))) end`,
      bigquery: `coalesce(safe_cast(${shapedText(NUMBER_TEXT, DECIMAL)} as numeric),
    if(${IS_TEXT} or starts_with(format('%T', value), 'BIGNUMERIC'), null, safe_cast(safe_cast(${STRING} as float64) as numeric)))`,
    },
    {
      name: 'safe_double',
      params: parameters({ value: 'any' }),
      returns: 'double',
      description:
        'A double from text of the shape `[+-]?digits[.digits][e[+-]digits]`, blanks around it allowed; null for anything else and for what is too great. A number is taken as it is.',
      example: { sql: "cdp.safe_double('1.5e3')", result: '1500' },
      duckdb: `case when ${isNumber} then try_cast(value as double)
  else nullif(nullif(try_cast(${shaped(TRIMMED, DOUBLE)} as double),
    cast('inf' as double)), cast('-inf' as double)) end`,
      bigquery: `if(${IS_TEXT},
    nullif(nullif(safe_cast(${shapedText(TRIMMED_STRING, DOUBLE)} as float64), cast('inf' as float64)), cast('-inf' as float64)),
    safe_cast(${STRING} as float64))`,
    },
    {
      name: 'safe_bool',
      params: parameters({ value: 'any' }),
      returns: 'boolean',
      description:
        'True for `true`, `t`, `yes`, `y`, `on`, `1`; false for `false`, `f`, `no`, `n`, `off`, `0`, in any case, blanks around it allowed; null for anything else.',
      example: { sql: "cdp.safe_bool('Yes')", result: 'true' },
      duckdb: `case
  when regexp_full_match(${TEXT}, '(?i)[${BLANK}]*(?:true|t|yes|y|on|1)[${BLANK}]*') then true
  when regexp_full_match(${TEXT}, '(?i)[${BLANK}]*(?:false|f|no|n|off|0)[${BLANK}]*') then false end`,
      bigquery: `case
  when regexp_contains(${STRING}, ${re(`^(?i)[${BLANK}]*(?:true|t|yes|y|on|1)[${BLANK}]*$`)}) then true
  when regexp_contains(${STRING}, ${re(`^(?i)[${BLANK}]*(?:false|f|no|n|off|0)[${BLANK}]*$`)}) then false end`,
    },
    {
      name: 'safe_timestamp',
      params: parameters({ value: 'any' }),
      returns: 'timestamp',
      description:
        'An instant from a date, a timestamp or text such as `2026-10-01`, `2026-10-01 08:00`, `2026-10-01T08:00:00.123Z`, `2026-10-01T15:00:00+07:00`. ' +
        'Without a zone it is UTC. More than six decimals of a second are cut. Null for other shapes, dates that do not exist, 24:00, leap seconds, offsets beyond 14:59, and numbers ' +
        '(see `from_unix_seconds`).',
      example: { sql: "cdp.safe_timestamp('2026-10-01T15:00:00+07:00')", result: '2026-10-01T08:00:00.000000Z' },
      // A cast to TIMESTAMP drops an offset in silence and one to TIMESTAMPTZ reads its absence in the session's zone.
      duckdb: `case
  when typeof(value) = 'TIMESTAMP WITH TIME ZONE' then try_cast(value as timestamptz)
  when regexp_matches(typeof(value), '^DATE$|^TIMESTAMP')
    then make_timestamptz(epoch_us(try_cast(value as timestamp)))
  when regexp_full_match(${TEXT}, '${DATE}${MINUTES}${SECONDS}(?:Z|${OFFSET})') then try_cast(${TEXT} as timestamptz)
  when regexp_full_match(${TEXT}, '${DATE}(?:${MINUTES}${SECONDS})?')
    then make_timestamptz(epoch_us(try_cast(${TEXT} as timestamp)))
  else try_cast(${STRICT} as timestamptz) end`,
      bigquery: `safe_cast(${STRICT_STRING} as timestamp)`,
    },
    {
      name: 'safe_date',
      params: parameters({ value: 'any' }),
      returns: 'date',
      description:
        'A date from a date or text `2026-10-01`; of a timestamp, or text that is one, the date in UTC. Null for anything else and for dates that do not exist.',
      example: { sql: "cdp.safe_date('1990-10-21')", result: '1990-10-21' },
      duckdb: `case
  when typeof(value) = 'DATE' then try_cast(value as date)
  when regexp_full_match(${TEXT}, '${DATE}') then try_cast(${TEXT} as date)
  else cast(make_timestamp(epoch_us(cdp.safe_timestamp(value))) as date) end`,
      bigquery: `if(regexp_contains(${STRING}, ${re(`^${DATE}$`)}), safe_cast(${STRING} as date), date(cdp.safe_timestamp(value), 'UTC'))`,
    },
  ],
}
