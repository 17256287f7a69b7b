// Every kind of model on both engines: the same rows, run after run, also where a step fails or dies.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BuildResult, CompiledModel } from '../../src/models/model.ts'
import { runTests } from '../../src/models/tests.ts'
import type { ColumnType, Warehouse } from '../../src/warehouse/warehouse.ts'
import { build, compiled, contextOf } from '../models/project.ts'
import type { ErrorSaid, Seen } from './proxy.ts'
import { describeBigQuery, openBoth, patience, sameRows, type Both } from './harness.ts'

const timeout = patience
const columns = { id: 'integer', name: 'text', seen: 'timestamp', day: 'date', paid: 'decimal(18,2)' } as const
type RawRow = readonly (string | null)[]

await describeBigQuery('models on both engines', (emulator) => {
  let both: Both
  let runs = 0
  beforeAll(async () => {
    both = await openBoth(emulator)
    for (const w of [both.duck, both.bigquery])
      for (const s of ['raw', 'models'] as const) await w.run(w.createSchema(s))
  }, timeout)
  afterAll(() => both.close())

  const fill = async (rows: readonly RawRow[]): Promise<void> => {
    for (const w of [both.duck, both.bigquery]) {
      const cell = (value: string | null, type: ColumnType, name: string): string =>
        `cast(${value === null ? 'null' : w.literal(value)} as ${w.typeName(type)}) as ${w.quote(name)}`
      const selects = rows.map((row) =>
        Object.entries(columns)
          .map(([name, type], at) => cell(row[at] ?? null, type, name))
          .join(', '),
      )
      const none = Object.entries(columns)
        .map(([name, type]) => cell(null, type, name))
        .join(', ')
      const from =
        rows.length === 0 ? `select ${none} limit 0` : selects.map((list) => `select ${list}`).join(' union all ')
      await w.run(`create or replace table ${w.name({ schema: 'raw', name: 's' })} as ${from}`)
    }
  }

  const modelOf = async (w: Warehouse, name: string, text: string): Promise<CompiledModel> => {
    const files = { [`${name}.sql`]: text }
    const model = (await compiled(files, ['s'], undefined, w.engine)).find((one) => one.name === name)
    if (!model) throw new Error(`no model ${name}`)
    return model
  }

  /** Builds on both, and says what both said. */
  const buildBoth = async (name: string, text: string, more: { fullRefresh?: boolean } = {}): Promise<BuildResult> => {
    runs += 1
    const context = { runId: `run-${runs}`, ...more }
    const [here, there] = [both.duck, both.bigquery]
    const left = await build(await modelOf(here, name, text), contextOf(here, context))
    const right = await build(await modelOf(there, name, text), contextOf(there, context))
    const told = ({ rows, detail, unchanged, content }: BuildResult): object => ({
      rows,
      detail,
      unchanged,
      known: content !== undefined,
    })
    expect(told(right)).toEqual(told(left))
    await sameRows(here, there, { schema: 'models', name })
    return right
  }

  const day1: readonly RawRow[] = [
    ['1', 'An', '2026-01-01T08:00:00.123456Z', '2026-01-01', '1.10'],
    ['2', 'Bình\'s \\ "B"', '2026-01-02T08:00:00Z', '2026-01-02', null],
    ['3', null, null, null, '-3.00'],
  ]

  it('views and tables', { timeout }, async () => {
    await fill(day1)
    await buildBoth('v', 'select id, name, current_timestamp as now, current_date as today from raw.s')
    const table = '/*\nkind: table\npartition_by: day\ncluster_by: [id, name]\n*/\nselect * from raw.s'
    expect(await buildBoth('t', table)).toMatchObject({ rows: 3, content: undefined })
    const second = await buildBoth('t', table)
    expect(second).toMatchObject({ rows: 3, unchanged: true })
    const third = await buildBoth('t', table)
    expect(third.content).toBe(second.content)
    await fill([...day1, ['4', 'D', '2026-01-04T00:00:00Z', '2026-01-04', '9']])
    expect(await buildBoth('t', table)).toMatchObject({ rows: 4, unchanged: false })
    await fill([])
    expect(await buildBoth('t', table)).toMatchObject({ rows: 0, unchanged: false })
  })

  it('a view becomes a table and a table a view', { timeout }, async () => {
    await fill(day1)
    await buildBoth('c', 'select id from raw.s')
    await buildBoth('c', '/*\nkind: table\n*/\nselect id, name from raw.s')
    await buildBoth('c', '/*\nkind: view\n*/\nselect name from raw.s')
    const last = await buildBoth('c', '/*\nkind: incremental\nkey: id\ncursor: id\n*/\nselect id, name from raw.s')
    expect(last).toMatchObject({ rows: 3 })
  })

  describe.each(['', '\npartition_by: seen\ncluster_by: id'])('incremental models%s', (layout) => {
    const name = `i${layout.length}`
    const text = `/*\nkind: incremental\nkey: id\ncursor: seen\nlookback: 1d${layout}\n*/\nselect * from raw.s where id > 0`

    it('take what is new', { timeout }, async () => {
      await fill(day1)
      const first = await buildBoth(name, text)
      expect(await buildBoth(name, text)).toMatchObject({ detail: 'nothing new', content: first.content })
      await fill([
        ['1', 'not seen', '2026-01-01T07:00:00Z', '2026-01-01', '1'],
        ['2', 'moved', '2026-01-05T08:00:00Z', '2026-01-05', '2'],
        ['4', 'new', '2026-01-05T09:00:00.000001Z', null, '4'],
      ])
      expect(await buildBoth(name, text)).toMatchObject({ rows: 4, detail: '1 new, 1 read again' })
      expect(await buildBoth(name, text)).toMatchObject({ detail: 'nothing new' })
      const whole = await buildBoth(name, text, { fullRefresh: true })
      expect(whole).toMatchObject({ rows: 3 })
      expect(await buildBoth(name, text)).toMatchObject({ detail: 'nothing new', content: whole.content })
    })
  })

  it('looks only into the partitions that it needs', { timeout }, async () => {
    const text =
      '/*\nkind: incremental\nkey: [id, day]\ncursor: day\npartition_by: day\n*/\nselect * from raw.s where day is not null'
    await fill(day1)
    await buildBoth('parts', text)
    await fill([...day1, ['2', 'again', null, '2026-01-02', '5'], ['9', 'x', null, '2026-01-03', '5']].slice(2))
    both.proxy.clear()
    await buildBoth('parts', text)
    const deletes = both.proxy.seen.flatMap(({ job }) =>
      /^delete .*parts/s.test(job?.query ?? '') ? [job?.query] : [],
    )
    expect(deletes).toHaveLength(1)
    expect(deletes[0]).toMatch(/`day` in \(cast\('2026-01-0\d' as DATE\), cast\('2026-01-0\d' as DATE\)\)/)
  })

  it('segments with people who come, go and merge', { timeout }, async () => {
    const text = "/*\nkind: segment\n*/\nselect cast(id as string) as person_id, name from raw.s where name <> 'left'"
    const members = async (): Promise<void> => {
      await sameRows(both.duck, both.bigquery, 'cdp.segment_members')
      await sameRows(both.duck, both.bigquery, 'cdp.segment_sizes')
    }
    const row = (id: string, name = 'x'): RawRow => [id, name, null, null, null]
    await fill([row('1'), row('2'), row('3')])
    expect(await buildBoth('seg', text)).toMatchObject({ rows: 3, detail: '3 entered, 0 left' })
    await members()
    await fill([row('1'), row('2', 'left'), row('4')])
    expect(await buildBoth('seg', text)).toMatchObject({ detail: '1 entered, 2 left' })
    await members()
    for (const w of [both.duck, both.bigquery]) {
      await w.run({
        sql: `insert into cdp.person_redirects (old_id, graph, person_id, run_id) values ($1, 'g', $2, 'run-1')`,
        parameters: ['4', '5'],
      })
    }
    await fill([row('1'), row('5')])
    expect(await buildBoth('seg', text)).toMatchObject({ detail: '0 entered, 0 left' })
    await members()
  })

  it('keeps the last good relation when a step fails', { timeout }, async () => {
    await fill(day1)
    const good = 'select cast(id as string) as person_id from raw.s'
    await buildBoth('keeps', `/*\nkind: segment\n*/\n${good}`)
    await buildBoth('kept', '/*\nkind: incremental\nkey: id\ncursor: id\n*/\nselect id from raw.s')
    for (const [name, text, code] of [
      ['keeps', `/*\nkind: segment\n*/\n${good} union all ${good}`, 'SEGMENT_MEMBERS'],
      [
        'kept',
        '/*\nkind: incremental\nkey: id\ncursor: id\n*/\nselect id from raw.s union all select id from raw.s',
        'INCREMENTAL_KEY',
      ],
      ['keeps', '/*\nkind: table\n*/\nselect id / 0 as x,\n  nothing\nfrom raw.s', 'MODEL_REFUSED'],
    ] as const) {
      for (const w of [both.duck, both.bigquery]) {
        await expect(build(await modelOf(w, name, text), contextOf(w))).rejects.toMatchObject({ code })
      }
      await sameRows(both.duck, both.bigquery, { schema: 'models', name })
      expect((await both.bigquery.relations('models')).filter((one) => one.name.startsWith('_cdp'))).toEqual([])
    }
  })

  const refusedByService = (message: string): ErrorSaid => ({ status: 400, reason: 'invalid', message })
  const sends =
    (pattern: RegExp) =>
    ({ job }: Seen): boolean =>
      pattern.test(job?.query ?? '')

  it('drops a table that is cut in another way when the new one is there', { timeout }, async () => {
    await fill(day1)
    const text = (layout: string): string => `/*\nkind: table${layout}\n*/\nselect * from raw.s`
    await buildBoth('cut', text(''))
    both.proxy.clear()
    const other = refusedByService('Cannot replace a table with a different partitioning spec. Instead, DROP the table')
    both.proxy.fail(sends(/^create or replace table \S*`cut` partition by/), other)
    both.proxy.fail(sends(/^create or replace table \S*`cut` copy/), other)
    expect(await buildBoth('cut', text('\npartition_by: day'))).toMatchObject({ rows: 3, unchanged: true })
    expect(both.proxy.unmet()).toBe(0)
    const sent = both.proxy.seen.flatMap(
      ({ job }) => /^(?:create or replace|drop) table .*cut`( partition| copy)?/.exec(job?.query ?? '')?.[0] ?? [],
    )
    expect(sent.map((start) => start.replaceAll(/`[^`]*`\./g, ''))).toEqual([
      'create or replace table `cut` partition',
      'create or replace table `_cdp_new_cut` partition',
      expect.stringContaining('`cut` copy'),
      'drop table `cut`',
      expect.stringContaining('`cut` copy'),
      'drop table `_cdp_new_cut`',
    ])
  })

  it('does a segment again that died before its members were written', { timeout }, async () => {
    const text = '/*\nkind: segment\n*/\nselect cast(id as string) as person_id from raw.s'
    await fill(day1)
    await buildBoth('died', text)
    await fill(day1.slice(1))
    both.proxy.fail(sends(/^insert into .*segment_members/), refusedByService('the process died here'))
    const model = await modelOf(both.bigquery, 'died', text)
    await expect(build(model, contextOf(both.bigquery, { runId: 'dead' }))).rejects.toThrow(/the process died here/)
    await buildBoth('died', text)
    await sameRows(both.duck, both.bigquery, 'cdp.segment_members')
    await sameRows(both.duck, both.bigquery, 'cdp.segment_sizes')
  })

  it('points at the line of the file, and names the job', { timeout }, async () => {
    const text = '/*\nkind: table\n*/\nselect id,\n  nothing\nfrom raw.s'
    const refused = build(await modelOf(both.bigquery, 'wrong', text), contextOf(both.bigquery))
    await expect(refused).rejects.toMatchObject({ place: { file: 'models/wrong.sql', line: 5, column: 3 } })
    await expect(refused).rejects.toThrow(/job both-.*:US\.cdp-/)
  })

  it('tests', { timeout }, async () => {
    await fill([...day1, ['1', 'twice', '2026-01-01T00:00:00.5Z', '2026-01-09', '1e3']])
    const text = `/*
kind: table
tests:
  - { unique: id }
  - { not_null: [name, id] }
  - { accepted_values: { column: name, values: [An, "Bình's \\\\ \\"B\\""] } }
  - { expression: paid > 0, severity: warn }
*/
select * from raw.s`
    await buildBoth('tested', text)
    const [here, there] = [both.duck, both.bigquery]
    const failed = await runTests(await modelOf(here, 'tested', text), contextOf(here))
    expect(failed.map(({ rows }) => rows)).toEqual([1, 1, 1, 1])
    expect(await runTests(await modelOf(there, 'tested', text), contextOf(there))).toEqual(failed)
    await sameRows(here, there, 'cdp.test_failures')
    await fill(day1.slice(0, 1))
    await buildBoth('tested', text)
    expect(await runTests(await modelOf(there, 'tested', text), contextOf(there))).toEqual([])
    expect(await there.all('select test from cdp.test_failures')).toEqual([])
  })

  it('sends nothing that is not GoogleSQL', () => {
    const wrong = both.judge
      .refused()
      .filter(({ said, statement }) => !said.includes('nothing') && !statement.startsWith('call BQ.'))
    expect(wrong).toEqual([])
  })
})
