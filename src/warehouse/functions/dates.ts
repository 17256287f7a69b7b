// Dates and instants. The engines disagree on what a difference is (whole units or boundaries crossed), on the first
// day of a week, on adding months to an instant and on the zone of a truncation; here each question has one answer.
// Instants are counted in microseconds, so no function depends on the session's time zone.
import { parameters, type FunctionTheme, type PortableFunction } from './function.ts'

const micros = (value: string): string => `epoch_us(cdp.safe_timestamp(${value}))`
const date = (value: string): string => `cdp.safe_date(${value})`
const local = (value: string): string => `timezone(zone, cdp.safe_timestamp(${value}))`

const instant = (value: string): string => `cdp.safe_timestamp(${value})`
const unixMicros = (value: string): string => `unix_micros(${instant(value)})`

// Code by code, with the per cent sign of %% set aside in a character that nobody uses: not every engine takes a format that is no
// literal.
const spelledOut = (codes: string, part: (code: string) => string): string => {
  const aside = '\uE000'
  const start = `replace(format, '%%', '${aside}')`
  const parts = [...codes].reduce((sql, code) => `replace(${sql}, '%${code}', ${part(code)})`, start)
  return `replace(${parts}, '${aside}', '%')`
}

const startOf = (unit: 'day' | 'week' | 'month', what: string, result: string): PortableFunction => ({
  name: `start_of_${unit}`,
  params: parameters({ value: 'any', zone: 'text' }),
  returns: 'timestamp',
  description: `The instant at which ${what} of an instant began in a time zone.`,
  example: { sql: `cdp.start_of_${unit}('2026-10-01T18:30:00Z', 'Asia/Ho_Chi_Minh')`, result },
  duckdb: `timezone(zone, date_trunc('${unit}', ${local('value')}))`,
  bigquery: `timestamp_trunc(${instant('value')}, ${unit === 'week' ? 'isoweek' : unit}, zone)`,
})

const partOf = (unit: string, field: string, what: string, result: string): PortableFunction => ({
  name: `${unit}_of`,
  params: parameters({ value: 'any' }),
  returns: 'integer',
  description: `The ${what} of a date, read by \`safe_date\`.`,
  example: { sql: `cdp.${unit}_of('1990-10-21')`, result },
  duckdb: `extract(${field} from ${date('value')})`,
  // There Sunday is day 1.
  bigquery:
    field === 'isodow'
      ? `mod(extract(dayofweek from ${date('value')}) + 5, 7) + 1`
      : `extract(${field} from ${date('value')})`,
})

export const dates: FunctionTheme = {
  title: 'Dates and instants',
  functions: [
    {
      name: 'days_between',
      params: parameters({ earlier: 'any', later: 'any' }),
      returns: 'integer',
      description:
        'Whole days from the first to the second: days of 24 hours between instants, which are calendar days between two dates. ' +
        'Negative if the second is before the first; the other order gives the same number with the other sign.',
      example: { sql: "cdp.days_between('2026-10-01T12:00:00Z', '2026-10-03T11:59:59Z')", result: '1' },
      duckdb: `(${micros('later')} - ${micros('earlier')}) // 86400000000`,
      bigquery: `div((${unixMicros('later')} - ${unixMicros('earlier')}), 86400000000)`,
    },
    {
      name: 'hours_between',
      params: parameters({ earlier: 'any', later: 'any' }),
      returns: 'integer',
      description: 'Whole hours from the first instant to the second, signed as `days_between`.',
      example: { sql: "cdp.hours_between('2026-10-01T12:00:00Z', '2026-10-01T14:59:59Z')", result: '2' },
      duckdb: `(${micros('later')} - ${micros('earlier')}) // 3600000000`,
      bigquery: `div((${unixMicros('later')} - ${unixMicros('earlier')}), 3600000000)`,
    },
    {
      name: 'minutes_between',
      params: parameters({ earlier: 'any', later: 'any' }),
      returns: 'integer',
      description: 'Whole minutes from the first instant to the second, signed as `days_between`.',
      example: { sql: "cdp.minutes_between('2026-10-01T12:00:00Z', '2026-10-01T12:01:59Z')", result: '1' },
      duckdb: `(${micros('later')} - ${micros('earlier')}) // 60000000`,
      bigquery: `div((${unixMicros('later')} - ${unixMicros('earlier')}), 60000000)`,
    },
    {
      name: 'add_days',
      params: parameters({ value: 'any', days: 'integer' }),
      returns: 'date',
      description: 'The date so many days later (earlier if negative); of a timestamp, from its date in UTC.',
      example: { sql: "cdp.add_days('2024-02-28', 2)", result: '2024-03-01' },
      duckdb: `${date('value')} + cast(days as integer)`,
      bigquery: `date_add(${date('value')}, interval days day)`,
    },
    {
      name: 'add_months',
      params: parameters({ value: 'any', months: 'integer' }),
      returns: 'date',
      description:
        'The date so many months later (earlier if negative), or the last day of that month if it is shorter.',
      example: { sql: "cdp.add_months('2024-01-31', 1)", result: '2024-02-29' },
      duckdb: `cast(${date('value')} + to_months(cast(months as integer)) as date)`,
      bigquery: `date_add(${date('value')}, interval months month)`,
    },
    {
      name: 'add_hours',
      params: parameters({ value: 'any', hours: 'integer' }),
      returns: 'timestamp',
      description: 'The instant so many hours later (earlier if negative).',
      example: { sql: "cdp.add_hours('2026-10-01T08:00:00Z', -24)", result: '2026-09-30T08:00:00.000000Z' },
      duckdb: `make_timestamptz(${micros('value')} + hours * 3600000000)`,
      bigquery: `timestamp_add(${instant('value')}, interval hours hour)`,
    },
    {
      name: 'months_between',
      params: parameters({ earlier: 'any', later: 'any' }),
      returns: 'integer',
      description:
        'Whole months from the first date to the second: from a day to the same day of a later month, or to the last day of a month that has no such day. Signed as `days_between`.',
      example: { sql: "cdp.months_between('2026-01-31', '2026-02-28')", result: '1' },
      duckdb: `date_sub('month', ${date('earlier')}, ${date('later')})`,
      bigquery: `(select (if(a <= b, 1, -1)) * (date_diff(greatest(a, b), least(a, b), month)
    - if(date_add(least(a, b), interval date_diff(greatest(a, b), least(a, b), month) month) > greatest(a, b), 1, 0))
  from (select ${date('earlier')} as a, ${date('later')} as b))`,
    },
    {
      name: 'years_between',
      params: parameters({ earlier: 'any', later: 'any' }),
      returns: 'integer',
      description:
        'Whole years from the first date to the second: an age from a birthday. Who was born on 29 February is a year older on 28 February of other years.',
      example: { sql: "cdp.years_between('1990-10-21', '2026-10-20')", result: '35' },
      duckdb: 'cdp.months_between(earlier, later) // 12',
      bigquery: 'div(cdp.months_between(earlier, later), 12)',
    },
    {
      name: 'date_in_zone',
      params: parameters({ value: 'any', zone: 'text' }),
      returns: 'date',
      description:
        'The calendar date of an instant in a time zone (an IANA name; an unknown one is an error). A date without a time is midnight UTC.',
      example: { sql: "cdp.date_in_zone('2026-10-01T18:30:00Z', 'Asia/Ho_Chi_Minh')", result: '2026-10-02' },
      duckdb: `cast(${local('value')} as date)`,
      bigquery: `date(${instant('value')}, zone)`,
    },
    startOf('day', 'the day', '2026-10-01T17:00:00.000000Z'),
    startOf('week', 'the week (Monday)', '2026-09-27T17:00:00.000000Z'),
    startOf('month', 'the month', '2026-09-30T17:00:00.000000Z'),
    {
      name: 'first_of_month',
      params: parameters({ value: 'any' }),
      returns: 'date',
      description: 'The first day of the month of a date.',
      example: { sql: "cdp.first_of_month('2026-10-21')", result: '2026-10-01' },
      duckdb: `cast(date_trunc('month', ${date('value')}) as date)`,
      bigquery: `date_trunc(${date('value')}, month)`,
    },
    {
      name: 'monday_of',
      params: parameters({ value: 'any' }),
      returns: 'date',
      description: 'The Monday of the week of a date.',
      example: { sql: "cdp.monday_of('2026-10-04')", result: '2026-09-28' },
      duckdb: `cast(date_trunc('week', ${date('value')}) as date)`,
      bigquery: `date_trunc(${date('value')}, isoweek)`,
    },
    partOf('year', 'year', 'year', '1990'),
    partOf('month', 'month', 'month (1 to 12)', '10'),
    partOf('day', 'day', 'day of the month (1 to 31)', '21'),
    partOf('weekday', 'isodow', 'day of the week (Monday is 1, Sunday is 7)', '7'),
    {
      name: 'format_date',
      params: parameters({ value: 'any', format: 'text' }),
      returns: 'text',
      description:
        'A date as text. The format is a constant of `%Y %m %d %j %a %A %b %B %%` and other characters (the codes on which the engines agree).',
      example: { sql: "cdp.format_date('2026-10-01', '%d/%m/%Y')", result: '01/10/2026' },
      duckdb: `strftime(${date('value')}, format)`,
      bigquery: `(select ${spelledOut('YmdjaAbB', (code) => `format_date('%${code}', day)`)} from (select ${date('value')} as day))`,
    },
    {
      name: 'format_timestamp',
      params: parameters({ value: 'any', format: 'text', zone: 'text' }),
      returns: 'text',
      description: 'An instant as text in a time zone. The format is that of `format_date` and `%H %M %S`.',
      example: {
        sql: "cdp.format_timestamp('2026-10-01T18:30:00Z', '%d/%m/%Y %H:%M', 'Asia/Ho_Chi_Minh')",
        result: '02/10/2026 01:30',
      },
      duckdb: `strftime(${local('value')}, format)`,
      bigquery: `(select ${spelledOut('YmdjaAbBHMS', (code) => `format_timestamp('%${code}', moment, zone)`)}
  from (select ${instant('value')} as moment))`,
    },
    {
      name: 'unix_seconds',
      params: parameters({ value: 'any' }),
      returns: 'integer',
      description: 'Whole seconds since 1970-01-01 UTC, rounded down.',
      example: { sql: "cdp.unix_seconds('1970-01-02')", result: '86400' },
      duckdb: `cast(floor(${micros('value')} / 1000000) as bigint)`,
      bigquery: `unix_seconds(${instant('value')})`,
    },
    {
      name: 'unix_millis',
      params: parameters({ value: 'any' }),
      returns: 'integer',
      description: 'Whole milliseconds since 1970-01-01 UTC, rounded down.',
      example: { sql: "cdp.unix_millis('1970-01-01T00:00:00.250Z')", result: '250' },
      duckdb: `cast(floor(${micros('value')} / 1000) as bigint)`,
      bigquery: `unix_millis(timestamp_trunc(${instant('value')}, millisecond))`,
    },
    {
      name: 'from_unix_seconds',
      params: parameters({ value: 'any' }),
      returns: 'timestamp',
      description: 'The instant so many seconds after 1970-01-01 UTC, read by `safe_int`.',
      example: { sql: 'cdp.from_unix_seconds(86400)', result: '1970-01-02T00:00:00.000000Z' },
      duckdb: 'try(make_timestamptz(cdp.safe_int(value) * 1000000))',
      bigquery: 'safe.timestamp_seconds(cdp.safe_int(value))',
    },
    {
      name: 'from_unix_millis',
      params: parameters({ value: 'any' }),
      returns: 'timestamp',
      description: 'The instant so many milliseconds after 1970-01-01 UTC, read by `safe_int`.',
      example: { sql: "cdp.from_unix_millis('1500')", result: '1970-01-01T00:00:01.500000Z' },
      duckdb: 'try(make_timestamptz(cdp.safe_int(value) * 1000))',
      bigquery: `(select if(number between -62135596800000 and 253402300799999, timestamp_millis(number), null)
  from (select cdp.safe_int(value) as number))`,
    },
  ],
}
