// GoogleSQL as text: what is in quotes is nobody's parameter, a value goes where it belongs, and nothing pasted can leave its quotes.
import { describe, expect, it } from 'vitest'
import { labelled } from '../../../src/warehouse/bigquery/labels.ts'
import { isQuery, isScript, tokensOf } from '../../../src/warehouse/bigquery/lexer.ts'
import { qualified } from '../../../src/warehouse/bigquery/qualify.ts'
import { bind } from '../../../src/warehouse/bigquery/parameters.ts'
import { targetOf } from '../../../src/warehouse/bigquery/settings.ts'
import { literal, quote, typeName } from '../../../src/warehouse/bigquery/text.ts'

const columns = new Map([
  ['id', 'INT64'],
  ['j', 'JSON'],
  ['d', 'NUMERIC'],
  ['t', 'TIMESTAMP'],
  ['s', 'STRING'],
])
const bound = (sql: string, values: readonly unknown[]): ReturnType<typeof bind> =>
  bind(sql, values, tokensOf(sql), () => Promise.resolve(columns))

describe('a parameter', () => {
  it('is found outside of quotes, raw strings, backticks and comments only', async () => {
    const sql = `select '$1', r'\\d', "$1", r"\\"$1", '''it's $1''', \`$1\`, $1 -- $1
      # $1 '
      /* $1 */, "\\"$1", b'$1', """ " $1 """`
    const { sql: sent, parameters } = await bound(sql, ['x'])
    expect(sent).toBe(sql.replace(', $1 --', ', @p1 --'))
    expect(parameters).toEqual([{ name: 'p1', parameterType: { type: 'STRING' }, parameterValue: { value: 'x' } }])
  })

  it('has the type of its value, and null and the empty list have none', async () => {
    const values = [1, 1.5, -0, 2n ** 60n, 2n ** 70n, true, new Date(0), Uint8Array.of(255), [1, 2.5, null], null, []]
    const { sql, parameters } = await bound(`select ${values.map((_, at) => `$${at + 1}`).join(', ')}`, values)
    expect(sql).toBe('select @p1, @p2, @p3, @p4, @p5, @p6, @p7, @p8, @p9, null, []')
    expect(
      parameters.map(({ parameterType, parameterValue }) => [
        parameterType.arrayType?.type ?? parameterType.type,
        parameterValue.value,
      ]),
    ).toEqual([
      ['INT64', '1'],
      ['FLOAT64', '1.5'],
      ['FLOAT64', '-0.0'],
      ['INT64', String(2n ** 60n)],
      ['BIGNUMERIC', String(2n ** 70n)],
      ['BOOL', 'true'],
      ['TIMESTAMP', '1970-01-01 00:00:00.000+00:00'],
      ['BYTES', '/w=='],
      ['FLOAT64', undefined],
    ])
  })

  it('is cast to the type of the column that it is inserted into', async () => {
    const insert = async (sql: string, values: readonly unknown[]): Promise<string> => (await bound(sql, values)).sql
    expect(
      await insert('insert into `p`.`raw`.`t` (`s`, d, j) values ($1, $2, $3), (upper($4), $5, $6)', [
        'a',
        '1.5',
        '{}',
        'b',
        null,
        '[]',
      ]),
    ).toBe(
      "insert into `p`.`raw`.`t` (`s`, d, j) values (@p1, cast(@p2 as NUMERIC), parse_json(@p3, wide_number_mode => 'round')), (upper(@p4), null, parse_json(@p6, wide_number_mode => 'round'))",
    )
    expect(await insert('INSERT raw.t VALUES ($1, $2)', ['7', '{}'])).toBe(
      "INSERT raw.t VALUES (cast(@p1 as INT64), parse_json(@p2, wide_number_mode => 'round'))",
    )
    expect(await insert('insert into raw.t (d) select $1', ['7'])).toBe('insert into raw.t (d) select @p1')
  })

  it('moves no place that an error names', async () => {
    const sql = 'select $1, $2, here'
    const { sql: sent, place } = await bound(sql, [null, 'x'])
    expect(place(sent.indexOf('here'))).toBe(sql.indexOf('here'))
    expect(place(sent.indexOf('select'))).toBe(0)
  })
})

describe('a name', () => {
  const lotus = { project: 'lo-tus', datasets: { raw: 'crm_raw', models: 'crm', cdp: 'crm_state' } } as const
  const sent = async (sql: string, values: readonly unknown[] = []): Promise<string> => {
    const tokens = tokensOf(sql)
    return (await bind(sql, values, tokens, () => Promise.resolve(columns), qualified(tokens, lotus))).sql
  }
  const runs = '`lo-tus`.`crm_state`.`runs`'
  const t = '`lo-tus`.`crm_raw`.`t`'

  it('of the engine is sent in full, bare and in backticks, wherever it stands', async () => {
    expect(await sent('select r.status from cdp.runs as r')).toBe(`select r.status from ${runs} as r`)
    expect(await sent('select 1 from `cdp`.`runs`, `cdp.runs` as s')).toBe(`select 1 from ${runs}, ${runs} as s`)
    expect(await sent('insert into cdp.runs (run_id) values ($1)', ['r'])).toBe(
      `insert into ${runs} (run_id) values (@p1)`,
    )
    expect(await sent('select cdp.fold(cdp.trim(x)) from people')).toBe(
      'select `lo-tus`.`crm_state`.`fold`(`lo-tus`.`crm_state`.`trim`(x)) from people',
    )
  })

  it('of landed data is sent in full where a relation stands', async () => {
    for (const place of [
      'select 1 from x',
      'select 1 from a as b, x',
      'select (select max(n) from x) from a join x on true',
      'select 1 from (x join a on true)',
      'insert into x (n) select 1',
      'update x set n = 1 where true',
      'delete from x where true',
      'merge into a using x on false when not matched then insert row',
      'create or replace view v as with w as (select 1 from x) select * from w',
      'create table if not exists x (n INT64)',
      'drop table if exists x',
    ]) {
      expect(await sent(place.replaceAll(/\bx\b/g, 'raw.t')), place).toBe(place.replaceAll(/\bx\b/g, () => t))
    }
  })

  it('that is part of a longer one, of an alias, or in quotes stays as it is', async () => {
    for (const sql of [
      'select \'from raw.t\', "cdp.fold(x)" -- from raw.t, cdp.runs',
      'select raw.t, raw.u from people as raw',
      'select x from people as raw, unnest(array_concat(raw.t, raw.u)) as x where raw.t is distinct from raw.u',
      'select extract(day from raw.t) from people as raw where raw.t like raw.u group by raw.t, raw.u',
      'select 1 from other.raw.t, `other.raw.t`, other.cdp.runs',
      'select cdp.other from people as cdp',
      'select 1 from cdp.INFORMATION_SCHEMA.TABLES',
    ]) {
      expect(await sent(sql)).toBe(sql)
    }
  })

  it('moves no place that an error names', async () => {
    const sql = 'select $1, cdp.fold(a), here from raw.t, there'
    const tokens = tokensOf(sql)
    const { sql: text, place } = await bind(
      sql,
      ['x'],
      tokens,
      () => Promise.resolve(columns),
      qualified(tokens, lotus),
    )
    for (const word of ['select', '(a)', 'here', 'there']) expect(place(text.indexOf(word))).toBe(sql.indexOf(word))
    expect(place(text.indexOf('crm_state'))).toBe(sql.indexOf('cdp.fold'))
  })
})

describe('a label', () => {
  it('is on every table and view that is created, and moves no place', async () => {
    const sent = async (sql: string): Promise<string> => {
      const tokens = tokensOf(sql)
      return (await bind(sql, [], tokens, () => Promise.resolve(columns), labelled(tokens, { team: 'crm' }))).sql
    }
    const option = `labels = [('team', 'crm')]`
    for (const [sql, expected] of [
      ['create or replace table t as select 1 as a', `create or replace table t options (${option}) as select 1 as a`],
      ['create table if not exists t (a INT64)', `create table if not exists t (a INT64) options (${option})`],
      [
        'create table t (a INT64) cluster by a; drop view v',
        `create table t (a INT64) cluster by a options (${option}); drop view v`,
      ],
      ['create view v (a) as (select 1 as a)', `create view v (a) options (${option}) as (select 1 as a)`],
      [
        'create table t partition by day options (x = 1) as with a as (select 1) select 1',
        `create table t partition by day options (${option}, x = 1) as with a as (select 1) select 1`,
      ],
      ['create or replace table t copy s', 'create or replace table t copy s'],
      ['create schema s', 'create schema s'],
      ['create function f(a any type) as (a)', 'create function f(a any type) as (a)'],
      ['insert into t (a) select 1 as a', 'insert into t (a) select 1 as a'],
    ] as const) {
      expect(await sent(sql)).toBe(expected)
    }
  })
})

describe('a text', () => {
  it('is a script when it holds more than one statement', () => {
    const scripts = ['select 1; select 2', 'begin select 1; end', 'declare x INT64', `select ';'; -- end\n select 2`]
    const single = ['select 1', 'select 1;', `select ';'`, 'select 1 -- ; select 2', 'create table t (`;` INT64)']
    expect(scripts.map((sql) => isScript(tokensOf(sql)))).toEqual(scripts.map(() => true))
    expect(single.map((sql) => isScript(tokensOf(sql)))).toEqual(single.map(() => false))
  })

  it('is a query when it starts as one', () => {
    expect(
      ['(select 1)', 'WITH a as (select 1) select * from a', '/* insert */ select 1'].map((sql) =>
        isQuery(tokensOf(sql)),
      ),
    ).toEqual([true, true, true])
    expect(
      ['insert into t select 1', 'select 1; drop table t', 'merge into t using s on true', ''].map((sql) =>
        isQuery(tokensOf(sql)),
      ),
    ).toEqual([false, false, false, false])
  })

  it('stays within its quotes', () => {
    expect(literal(`it's "a" \\ \`b\`\n\r`)).toBe(`'it\\'s "a" \\\\ \`b\`\\n\\r'`)
    expect(quote('a`b\\c\nd')).toBe('`a\\`b\\\\c\\nd`')
    expect(() => literal('a\0')).toThrow(/NUL/)
  })
})

describe('the settings', () => {
  it('name portable types in words of BigQuery', () => {
    expect(
      (['text', 'integer', 'timestamp', 'json', 'decimal(18,2)', 'decimal(38,9)', 'decimal(38,10)'] as const).map(
        typeName,
      ),
    ).toEqual(['STRING', 'INT64', 'TIMESTAMP', 'JSON', 'NUMERIC', 'NUMERIC', 'BIGNUMERIC'])
  })

  it('say the cap in bytes, and refuse what the service would', () => {
    const settings = { project: 'p', location: 'EU' }
    const cap = (maximumBytesBilled: string): string | undefined =>
      targetOf({ ...settings, maximumBytesBilled }).maximumBytesBilled
    expect(['50 GB', '2 TiB', '1000', '1.5gb'].map(cap)).toEqual(['50000000000', '2199023255552', '1000', '1500000000'])
    for (const wrong of [
      { maximumBytesBilled: 'fifty' },
      { labels: { Team: 'crm' } },
      { labels: { team: 'x'.repeat(64) } },
      { datasets: { cdp: 'my-cdp' } },
      { datasets: { cdp: 'raw' } },
    ]) {
      expect(() => targetOf({ ...settings, ...wrong }), JSON.stringify(wrong)).toThrow(/could not be opened/)
    }
  })
})
