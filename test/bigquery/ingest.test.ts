// Landing on both engines: what the one embedded reader has read is the same rows, the same types and the same records of it in either.
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Clock } from '../../src/core/clock.ts'
import { changedFiles } from '../../src/ingest/changed-files.ts'
import { land, type LandStream } from '../../src/ingest/land.ts'
import { replay } from '../../src/ingest/replay.ts'
import type { LoadResult } from '../../src/ingest/result.ts'
import type { Page, PagesRead, ScanRead, StreamSettings } from '../../src/ingest/source.ts'
import type { Statement, Warehouse } from '../../src/warehouse/warehouse.ts'
import {
  describeBigQuery,
  differenceOf,
  openBoth,
  patience,
  relationsOf,
  rowsOf,
  sameRows,
  storyOf,
  type Both,
} from './harness.ts'

const timeout = patience
const start = Date.UTC(2026, 10, 1)
const clock: Clock = { now: () => start, sleep: async () => undefined }
const records = ['cdp.schemas', 'cdp.quarantine', 'cdp.loads', 'cdp.load_files', 'cdp.cursors'] as const

interface Landing {
  readonly pages?: PagesRead
  readonly allow?: readonly string[]
  readonly runId?: string
}

await describeBigQuery('landing on both engines', (emulator) => {
  let both: Both
  let [loads, written, streams] = [0, 0, 0]
  const landed: LandStream[] = []
  beforeAll(async () => {
    both = await openBoth(emulator)
    mkdirSync(join(both.folder, 'tmp'))
  }, timeout)
  afterEach(async () => {
    if (landed.length > 0) await sameRecords()
  }, timeout)
  afterAll(() => both.close())

  const write = (file: string, content: string): void => {
    const path = join(both.folder, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    written += 1
    utimesSync(path, start / 1000 + written, start / 1000 + written)
  }

  /** A stream of its own, read from files in a folder of its own. */
  const scan = (
    path: string,
    { format, csv, ...settings }: StreamSettings & Omit<ScanRead, 'kind' | 'path'> = {},
  ): { readonly stream: LandStream; readonly folder: string } => {
    const folder = `s${++streams}`
    const from = { kind: 'scan', path: `${folder}/${path}`, ...(format && { format }), ...(csv && { csv }) } as const
    return { folder, stream: { id: `s.${folder}`, relation: `s_${folder}`, ...settings, from } }
  }

  const optionsOf = (
    warehouse: Warehouse,
    stream: LandStream,
    number: number,
    { pages, allow = [], runId }: Landing,
  ) => ({
    warehouse,
    stream,
    ...(pages === undefined ? {} : { pages }),
    root: both.folder,
    timeZone: 'Asia/Ho_Chi_Minh',
    runId: runId ?? `load-${number}`,
    instant: new Date(start + number * 3_600_000).toISOString(),
    allow: new Set(allow),
    emit: () => undefined,
    clock,
    signal: new AbortController().signal,
    tempDir: join(both.folder, 'tmp'),
  })

  const outcome = async <T>(work: Promise<T>): Promise<T | string> =>
    work.catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code !== 'QUERY_FAILED') return error.message
      throw new Error(storyOf(error), { cause: error })
    })

  const same = async (stream: LandStream): Promise<void> => {
    if (!landed.some(({ id }) => id === stream.id)) landed.push(stream)
    const raw = `raw.${stream.relation}`
    if ((await both.duck.relations('raw')).some(({ name }) => name === stream.relation)) {
      await sameRows(both.duck, both.bigquery, raw)
    }
  }

  /** What was written down about the streams of one test. */
  const sameRecords = async (): Promise<void> => {
    const own = landed.splice(0).map(({ id }) => ` stream=${JSON.stringify(id)} `)
    const ofTest = (rows: readonly string[]): string[] =>
      rows.filter((row) => own.some((one) => ` ${row} `.includes(one)))
    for (const relation of records) {
      const [here, there] = await Promise.all([rowsOf(both.duck, relation), rowsOf(both.bigquery, relation)])
      if (relation === 'cdp.loads') expect(ofTest(here).length).toBeGreaterThan(0)
      expect(differenceOf(ofTest(here), ofTest(there)), `rows of ${relation}`).toEqual([])
    }
  }

  /** Lands on both; what they say and what they hold is the same. */
  const landBoth = async (stream: LandStream, landing: Landing = {}): Promise<LoadResult> => {
    loads += 1
    const here = await outcome(land(optionsOf(both.duck, stream, loads, landing)))
    const there = await outcome(land(optionsOf(both.bigquery, stream, loads, landing)))
    expect(there).toEqual(here)
    await same(stream)
    return here as LoadResult
  }

  const replayBoth = async (stream: LandStream): Promise<{ readonly closed: number; readonly open: number }> => {
    loads += 1
    const here = await outcome(replay(optionsOf(both.duck, stream, loads, {})))
    expect(await outcome(replay(optionsOf(both.bigquery, stream, loads, {})))).toEqual(here)
    await same(stream)
    return here as { closed: number; open: number }
  }

  it('types a CSV, puts aside what is broken, and reads what has changed', { timeout }, async () => {
    const { stream, folder } = scan('*.csv', {
      key: ['id'],
      cursor: 'updated_at',
      types: { paid: 'decimal(18,2)', note: 'text' },
      lines: true,
    })
    write(
      `${folder}/a.csv`,
      `id,name,paid,n,big,rate,vip,born,updated_at,note\n` +
        `1,"Nguyễn Thị Ánh",12.5,7,9007199254740993,1.25,true,1990-10-21,2026-10-01T08:00:00Z,a\\b\n` +
        `2,"Đặng ""Tí"" O'Neil",x,8,-9223372036854775808,0.50,false,2001-02-28,2026-10-01T08:00:01Z,\n` +
        `3,"two\nlines",7,9,0,33.10,true,,2026-10-02T00:00:00Z,🙂\n,nobody,1,1,1,1.00,true,,2026-10-02T00:00:00Z,\n`,
    )
    expect(await landBoth(stream)).toMatchObject({ rowsNew: 2, rowsQuarantined: 2 })
    expect(await landBoth(stream)).toMatchObject({ changed: false })
    write(
      `${folder}/b.csv`,
      `id,name,paid,n,big,rate,vip,born,updated_at,note,extra\n` +
        `1,older,1,7,1,1.25,true,1990-10-21,2026-09-01T08:00:00Z,,\n` +
        `3,newer,7,9,0,33.10,true,,2026-10-03T00:00:00Z,🙂,x\n4,new,8.00,9,0,33.10,true,,2026-10-03T00:00:00Z,,y\nbroken\n`,
    )
    expect(await landBoth(stream)).toMatchObject({ rowsNew: 1, rowsChanged: 1, rowsUnchanged: 1, rowsQuarantined: 1 })
    write(
      `${folder}/a.csv`,
      `id,name,paid,n,big,rate,vip,born,updated_at,note\n2,good,1.00,8,-9,0.50,false,2001-02-28,2026-10-05T08:00:01Z,\n`,
    )
    expect(await landBoth(stream)).toMatchObject({ rowsNew: 1, rowsQuarantined: 0 })
  })

  it('lands nested JSON, numbers of any length and keys that come later', { timeout }, async () => {
    const { stream, folder } = scan('*.ndjson', { key: ['id'], types: { tags: 'json', at: 'timestamp' } })
    write(
      `${folder}/1.ndjson`,
      `{"id": "a", "who": {"name": "Trần", "b": [1, 2.5, null]}, "tags": ["vip"], "n": 12345678901234567890, "d": 1.5, "at": "2026-10-01 08:00"}\n` +
        `{"id": "b", "who": {}, "tags": null, "n": 1, "d": 1e3, "at": "2026-10-01T08:00:00.123456+09:00", "ok": true}\nnot json\n`,
    )
    expect(await landBoth(stream)).toMatchObject({ rowsNew: 2, rowsQuarantined: 1 })
    write(
      `${folder}/2.ndjson`,
      `{"id": "a", "who": {"name": "Trần", "b": [1, 2.5, null]}, "tags": ["vip"], "n": 12345678901234567890, "d": 1.5, "at": "2026-10-01 08:00"}\n` +
        `{"id": "b", "who": {"c": 1}, "tags": [], "n": 1, "d": 2.25, "at": "2026-10-02", "later": {"x": "y"}}\n{"id": "c", "n": 3}\n`,
    )
    expect(await landBoth(stream)).toMatchObject({ rowsNew: 1, rowsChanged: 1, rowsUnchanged: 1 })
  })

  it('takes what is not there any more from a full load with a key', { timeout }, async () => {
    const { stream, folder } = scan('all.csv', { key: ['a', 'b'], full: true })
    write(`${folder}/all.csv`, 'a,b,v\n1,x,one\n1,y,two\n2,x,three\n3,x,four\n')
    await landBoth(stream)
    write(`${folder}/all.csv`, 'a,b,v\n1,x,one\n2,x,changed\n4,x,new\n')
    expect(await landBoth(stream)).toMatchObject({ rowsNew: 1, rowsChanged: 1, rowsUnchanged: 1, rowsVanished: 2 })
    write(`${folder}/all.csv`, 'a,b,v\n1,x,one\n')
    expect(await landBoth(stream)).toContain('less than half')
    expect(await landBoth(stream, { allow: ['shrink'] })).toMatchObject({ rowsVanished: 2, rowsTotal: 1 })
  })

  it('does not take for vanished what is in quarantine', { timeout }, async () => {
    const { stream, folder } = scan('all.csv', { key: ['a'], full: true, types: { n: 'integer' } })
    write(`${folder}/all.csv`, 'a,n\n1,1\n2,2\n3,3\n')
    await landBoth(stream)
    write(`${folder}/all.csv`, 'a,n\n1,1\n2,zwei\n')
    expect(await landBoth(stream)).toMatchObject({ rowsVanished: 1, rowsQuarantined: 1, rowsTotal: 2 })
  })

  it('replaces the rows of changed files without a key, equal ones counted', { timeout }, async () => {
    const { stream, folder } = scan('*.csv', { types: { ratio: 'double', doc: 'json' } })
    write(`${folder}/a.csv`, `v,ratio,doc\nx,0.5,"{""a"":1}"\nx,0.5,"{""a"":1}"\ny,,\n`)
    write(`${folder}/b.csv`, `v,ratio,doc\nx,0.5,"{""a"":1}"\n`)
    expect(await landBoth(stream)).toMatchObject({ rowsNew: 4 })
    write(`${folder}/a.csv`, `v,ratio,doc\nx,0.5,"{""a"":1}"\ny,,\nz,1.25,[]\nz,1.25,[]\n`)
    expect(await landBoth(stream)).toMatchObject({ rowsNew: 2, rowsUnchanged: 2, rowsVanished: 1 })
    const whole = scan('*.csv', { full: true })
    write(`${whole.folder}/a.csv`, 'v\n1\n1\n2\n')
    await landBoth(whole.stream)
    write(`${whole.folder}/a.csv`, 'v\n1\n3\n')
    expect(await landBoth(whole.stream)).toMatchObject({ rowsNew: 1, rowsUnchanged: 1, rowsVanished: 2 })
  })

  it('reads pages from a cursor on, with a key and without', { timeout }, async () => {
    const rows = [1, 2, 3, 4, 5].map((n) => ({
      n,
      at: `2026-10-0${n}T00:00:00Z`,
      name: `số ${n}`,
      big: 2n ** 60n + BigInt(n),
    }))
    let until = 3
    const seen: (string | undefined)[] = []
    const pages: PagesRead = {
      kind: 'pages',
      async *read({ cursor }): AsyncGenerator<Page> {
        seen.push(cursor)
        yield { rows: rows.filter(({ n, at }) => n <= until && (cursor === undefined || at >= cursor)) }
      },
    }
    for (const key of [['n'], []]) {
      const id = `p${++streams}`
      const stream: LandStream = { id: `s.${id}`, relation: `s_${id}`, key, cursor: 'at', from: { kind: 'pages' } }
      until = 3
      expect(await landBoth(stream, { pages })).toMatchObject({ rowsNew: 3 })
      until = 5
      expect(await landBoth(stream, { pages })).toMatchObject({ rowsNew: 2, rowsUnchanged: 1 })
      expect(await landBoth(stream, { pages })).toMatchObject({ rowsNew: 0, changed: false })
    }
    expect(new Set(seen)).toEqual(new Set([undefined, '2026-10-03T00:00:00Z', '2026-10-05T00:00:00Z']))
  })

  describe('a column that does not hold what comes', () => {
    const first = [
      ['i', '1', '-20'],
      ['wide', '99', '12345678901234567'],
      ['money', '12.50', '0.05'],
      ['trimmed', '12.5', '-3.25'],
      ['dbl', '1.0', '2.25'],
      ['exp', '1e+20', '-1.5'],
      ['bool', 'true', 'false'],
      ['day', '2026-10-01', '0001-01-01'],
      ['sec', '2026-10-01T08:00:00Z', '1999-12-31T23:59:59Z'],
      ['ms', '2026-10-01T08:00:00.120Z', '2026-10-01T08:00:00.000Z'],
      ['us', '2026-10-01T08:00:00.5Z', '2026-10-01T08:00:00Z'],
    ] as const
    const csv = (rows: readonly (readonly string[])[]): string =>
      [first.map(([name]) => name).join(','), ...rows.map((row) => row.join(','))].join('\n').concat('\n')

    it('gives back the text it landed from', { timeout }, async () => {
      const { stream, folder } = scan('*.csv')
      write(`${folder}/a.csv`, csv([first.map((c) => c[1]), first.map((c) => c[2]), first.map(() => '')]))
      await landBoth(stream)
      write(
        `${folder}/b.csv`,
        csv([
          first.map(({ 0: name }) =>
            name === 'i' ? '2.5' : name === 'wide' ? '1.25' : name === 'money' ? '1234567890123456789.25' : 'text',
          ),
        ]),
      )
      expect(await landBoth(stream)).toMatchObject({ changed: true, rowsNew: 1 })
      write(`${folder}/c.csv`, csv([first.map(() => 'text')]))
      expect(await landBoth(stream)).toMatchObject({ changed: true, rowsNew: 1 })
      const texts = await both.bigquery.all(
        `select t.wide, t.money, t.dbl, t.ms from ${both.bigquery.name({ schema: 'raw', name: stream.relation })} as t where t.wide is not null order by t.wide`,
      )
      expect(texts).toContainEqual({ wide: '99', money: '12.50', dbl: '1.0', ms: '2026-10-01T08:00:00.120Z' })
    })

    it('takes the type that is promised later, if all of it does', { timeout }, async () => {
      const { stream, folder } = scan('*.csv')
      const head = 'i,d,f,b,day,at,local,j,x\n'
      write(
        `${folder}/a.csv`,
        `${head}+7,0012.50,1.50,Yes,2026-10-01,2026-10-01 08:00+0700,2026-10-01 08:00:00.25,"{""a"": 1}",\\x00ff\n12.0,+1,2,n,,2026-10-01T00:00:00.5Z,2026-10-01,[],\n`,
      )
      await landBoth(stream)
      const types = {
        i: 'integer',
        d: 'decimal(18,2)',
        f: 'double',
        b: 'boolean',
        day: 'date',
        at: 'timestamp',
        local: 'timestamp',
        j: 'json',
        x: 'bytes',
      }
      expect(await landBoth({ ...stream, types })).toMatchObject({ changed: true, rowsNew: 0 })
      expect(await landBoth({ ...stream, types: { ...types, d: 'decimal(18,1)' } })).toMatchObject({ changed: true })
      expect(await landBoth({ ...stream, types: { ...types, d: 'decimal(38,0)' } })).toContain('12.5')
      expect(await landBoth({ ...stream, types: { i: 'text', b: 'text', at: 'text' } })).toMatchObject({
        changed: true,
      })
    })
  })

  it('tries quarantined rows again under other types', { timeout }, async () => {
    for (const key of [['id'], []]) {
      const { stream, folder } = scan('*.csv', { key, types: { n: 'integer' }, lines: true })
      write(`${folder}/a.csv`, 'id,n,name\n1,1,một\n2,zwei,hai\n3,3.5,"ba, bốn"\n4\n')
      expect(await landBoth(stream)).toMatchObject({ rowsQuarantined: 3 })
      expect(await replayBoth(stream)).toMatchObject({ closed: 0, open: 3 })
      expect(await replayBoth({ ...stream, types: { n: 'text' } })).toMatchObject({ closed: 2, open: 1 })
    }
    const { stream, folder } = scan('*.ndjson', { key: ['id'], types: { n: 'integer' } })
    write(`${folder}/a.ndjson`, '{"id": "1", "n": 1}\n{"id": "2", "n": "x"}\n{"id": "3", "n": {"a": 1}}\n')
    await landBoth(stream)
    expect(await replayBoth({ ...stream, types: { n: 'text' } })).toMatchObject({ closed: 2, open: 0 })
  })

  it('knows which streams have files to land', { timeout }, async () => {
    const { stream, folder } = scan('*.csv', { types: { n: 'integer' } })
    write(`${folder}/a.csv`, 'n\n1\n')
    await landBoth(stream)
    write(`${folder}/b.csv`, 'n\n2\n')
    for (const w of [both.duck, both.bigquery]) {
      const changed = (one: LandStream): Promise<unknown> => changedFiles(w, [one], both.folder)
      expect(await changed(stream)).toEqual(new Map([[stream.id, { changed: [`${folder}/b.csv`] }]]))
    }
    await landBoth(stream)
    write(`${folder}/a.csv`, 'n\n1\n')
    write(`${folder}/b.csv`, 'n\n2\n')
    expect(await landBoth(stream)).toMatchObject({ changed: false })
    expect(await changedFiles(both.bigquery, [stream], both.folder)).toEqual(new Map([[stream.id, { changed: [] }]]))
    const retyped = { ...stream, types: { n: 'text' } }
    expect(await changedFiles(both.bigquery, [retyped], both.folder)).toEqual(
      new Map([[stream.id, { changed: ['types'] }]]),
    )
  })

  it('loads once from files, and never into a relation that stays', { timeout }, async () => {
    const { stream, folder } = scan('*.csv', { key: ['id'] })
    const jobs: { loads: number; statements: number }[] = []
    for (const text of ['id,n\n1,1\n2,2\n', 'id,n\n2,3\n3,3\n', 'id,n\n3,3\n']) {
      write(`${folder}/${written}.csv`, text)
      loads += 1
      await land(optionsOf(both.duck, stream, loads, {}))
      both.proxy.clear()
      await land(optionsOf(both.bigquery, stream, loads, {}))
      const sent = both.proxy.seen.flatMap(({ job, path }) => (job && path === '/jobs' ? [job] : []))
      const targets = sent.flatMap(({ load }) =>
        load ? [load['destinationTable'] as { readonly tableId: string }] : [],
      )
      for (const { tableId } of targets) expect(tableId).toMatch(/^_scratch_/)
      jobs.push({ loads: targets.length, statements: sent.length - targets.length })
    }
    expect(jobs.map((one) => one.loads)).toEqual([1, 1, 1])
    // Some twenty, of whatever size.
    for (const { statements } of jobs) expect(statements).toBeLessThan(30)
    await same(stream)
  })

  describe('a load that dies', () => {
    const keyed: StreamSettings = { key: ['id'], types: { n: 'integer' } }
    const keyless: StreamSettings = { types: { n: 'integer' } }
    const points = [
      ['with a key', keyed, 'load into scratch'],
      ['without a key', keyless, 'insert into .*schemas'],
      ['with a key', keyed, 'create table .*raw|create or replace table .*raw|alter table'],
      ['without a key', keyless, 'insert into .*raw'],
      ['with a key', keyed, 'insert into .*loads'],
    ] as const
    const days = [
      ['id,n,w,at\n1,1,1.50,2026-10-01T08:00:00.5Z\n2,x,2.25,\n'],
      ['id,n,w,at,extra\n1,1,none,2026-10-01T08:00:00.5Z,\n3,3,3.00,later,new\n'],
    ] as const

    it.for(points.map(([kind, settings, point]) => [kind, point, settings] as const))(
      '%s, after: %s, is landed once by the next',
      { timeout },
      async ([, point, settings]) => {
        const { stream, folder } = scan('*.csv', settings)
        for (const [at, [text]] of days.entries()) {
          write(`${folder}/${at}.csv`, text)
          const dying = deadAfter(both.bigquery, new RegExp(point, 'is'))
          await expect(land(optionsOf(dying.warehouse, stream, 900, { runId: 'killed' }))).rejects.toThrow('dead')
          expect(dying.died()).toBe(true)
          expect(await landBoth(stream)).toMatchObject({ changed: true })
        }
        expect(await landBoth(stream)).toMatchObject({ changed: false })
      },
    )

    it('before its rows were to land has not changed columns in vain', { timeout }, async () => {
      const { stream, folder } = scan('*.csv')
      write(`${folder}/a.csv`, 'n,m\n1,2\n')
      await landBoth(stream)
      const promised = { ...stream, types: { n: 'text', m: 'decimal(38,12)' } }
      const dying = deadAfter(both.bigquery, /create or replace table/i)
      await expect(land(optionsOf(dying.warehouse, promised, 900, { runId: 'killed' }))).rejects.toThrow('dead')
      const found = await changedFiles(both.bigquery, [promised], both.folder)
      expect(found.get(stream.id)?.changed).toHaveLength(1)
      expect(await landBoth(promised)).toMatchObject({ changed: true, rowsNew: 0 })
      expect(await landBoth(promised)).toMatchObject({ changed: false })
    })
  })

  it('leaves no work tables, and has said nothing that BigQuery would refuse', { timeout }, async () => {
    expect((await relationsOf(both.bigquery)).filter((name) => name.startsWith('cdp._'))).toEqual([])
    expect(await relationsOf(both.bigquery)).toEqual(await relationsOf(both.duck))
    expect(both.judge.refused()).toEqual([])
  })
})

/** Executes the first statement that matches, and nothing after it. */
const deadAfter = (
  warehouse: Warehouse,
  point: RegExp,
): { readonly warehouse: Warehouse; readonly died: () => boolean } => {
  let dead = false
  const live = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    if (dead) throw new Error('dead')
    const result = await work()
    dead = point.test(what)
    if (dead) throw new Error('dead')
    return result
  }
  const textOf = (statement: Statement): string => (typeof statement === 'string' ? statement : statement.sql)
  return {
    died: () => dead,
    warehouse: {
      ...warehouse,
      run: (statement) => live(textOf(statement), () => warehouse.run(statement)),
      all: (statement) => live('', () => warehouse.all(statement)),
      describe: (select) => live('', () => warehouse.describe(select)),
      makeScratch: (name, definition) => live('', () => warehouse.makeScratch(name, definition)),
      load: (target, columns, select) =>
        live(`load into ${target.schema}`, () => warehouse.load(target, columns, select)),
    },
  }
}
