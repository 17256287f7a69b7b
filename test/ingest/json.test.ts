import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openProject, quarantined, rowsOf, scan, typesOf, type TestProject } from './project.ts'

let project: TestProject
beforeEach(async () => {
  project = await openProject()
})
afterEach(() => project.close())

describe('NDJSON', () => {
  it('quarantines a torn line and keeps the good one after it', async () => {
    project.write('a.ndjson', '{"id":"1","a":"x"}\n{"id":"2","a":\n{"id":"3","a":"z"}\n{"id":"4"')
    expect(await project.land(scan('a.ndjson', { key: ['id'] }))).toMatchObject({
      rowsRead: 4,
      rowsNew: 2,
      rowsQuarantined: 2,
    })
    expect(await rowsOf(project)).toEqual([
      { id: '1', a: 'x' },
      { id: '3', a: 'z' },
    ])
    expect(await quarantined(project)).toEqual([
      {
        file: 'a.ndjson',
        record: 2,
        line: 2,
        column_name: null,
        reason: 'it is not valid JSON',
        raw: '{"id":"2","a":',
      },
      { file: 'a.ndjson', record: 4, line: 4, column_name: null, reason: 'it is not valid JSON', raw: '{"id":"4"' },
    ])
  })

  it('quarantines JSON that is no object, and two objects on a line', async () => {
    project.write('a.ndjson', '{"id":"1"}\n[1]\n{"id":"2"}{"id":"3"}\nnull\n')
    await project.land(scan('a.ndjson', { key: ['id'] }))
    expect(await quarantined(project)).toMatchObject([
      { line: 2, reason: 'it is JSON, but not an object' },
      { line: 3, reason: 'it is not valid JSON' },
      { line: 4, reason: 'it is JSON, but not an object' },
    ])
  })

  it('skips blank lines and counts them as lines, not as records', async () => {
    project.write('a.ndjson', '{"id":"1"}\n\n   \n{"id":2,"n":"x"}\n{"id":"3"}\n')
    await project.land(scan('a.ndjson', { key: ['id'], types: { n: 'integer' }, lines: true }))
    expect(await project.all('select id, _cdp_source_line as l from raw.s_t order by id')).toEqual([
      { id: '1', l: 1 },
      { id: '3', l: 5 },
    ])
    expect(await quarantined(project)).toMatchObject([
      { record: 2, line: 4, column_name: 'n', raw: '{"id":2,"n":"x"}' },
    ])
  })

  it('keeps lines right in a file that holds bytes which are no UTF-8, mixed line ends and control characters', async () => {
    project.write(
      'a.ndjson',
      Buffer.concat([
        Buffer.from('\uFEFF{"id":"1","a":"x"}\r\n{"id":"2","a":"'),
        Buffer.from([0xff]),
        Buffer.from('"}\n{"id":"3","a":"\u0001"}\n\n{"id":"4","a":"z\\u0001\\n"}\n'),
      ]),
    )
    await project.land(scan('a.ndjson', { key: ['id'], lines: true }))
    expect(await project.all('select id, a, _cdp_source_line as l from raw.s_t order by id')).toEqual([
      { id: '1', a: 'x', l: 1 },
      { id: '4', a: 'z\u0001\n', l: 5 },
    ])
    expect(await quarantined(project)).toMatchObject([
      { record: 2, line: 2, reason: 'the line is not UTF-8' },
      { record: 3, line: 3, reason: 'it is not valid JSON' },
    ])
  })

  it('gives types by the kinds of values, and keeps the value of numbers', async () => {
    project.write(
      'a.ndjson',
      [
        '{"s":"0912","i":1,"d":12.50,"b":true,"o":{"a":[1, 2]},"l":[1],"at":"2026-10-01T08:00:00Z","day":"2026-10-01","mix":1,"big":9007199254740993,"e":1e3,"n":null}',
        '{"s":"1","i":-2,"d":3,"b":false,"o":{},"l":["x"],"at":"2026-10-01T09:00:00Z","day":"2026-10-02","mix":"x","big":2,"e":0.5}',
      ].join('\n'),
    )
    await project.land(scan('a.ndjson'))
    expect(await typesOf(project)).toEqual({
      s: 'VARCHAR',
      i: 'BIGINT',
      d: 'DECIMAL(18,1)',
      b: 'BOOLEAN',
      o: 'JSON',
      l: 'JSON',
      at: 'TIMESTAMP WITH TIME ZONE',
      day: 'DATE',
      mix: 'VARCHAR',
      big: 'BIGINT',
      e: 'DECIMAL(18,1)',
      n: 'VARCHAR',
    })
    const [first] = await rowsOf(project, 'i desc')
    expect(first).toMatchObject({
      s: '0912',
      d: '12.5',
      o: '{"a":[1,2]}',
      big: 9007199254740993n,
      mix: '1',
      e: '1000.0',
      n: null,
    })
  })

  it('takes an integral number key as it is, and text where the kinds are mixed later', async () => {
    project.write('a.ndjson', '{"id":1,"a":"x"}\n')
    await project.land(scan('*.ndjson', { key: ['id'] }))
    expect((await typesOf(project))['id']).toBe('BIGINT')
    project.write('b.ndjson', '{"id":"A2","a":"y"}\n{"id":1,"a":"z"}\n')
    expect(await project.land(scan('*.ndjson', { key: ['id'] }))).toMatchObject({ rowsNew: 1, rowsChanged: 1 })
    expect(await rowsOf(project)).toEqual([
      { id: '1', a: 'z' },
      { id: 'A2', a: 'y' },
    ])
  })

  it('widens a column of numbers when a text comes, and of objects when a scalar comes', async () => {
    project.write('a.ndjson', '{"id":"1","n":1,"o":{"a":1}}\n')
    await project.land(scan('*.ndjson', { key: ['id'] }))
    project.write('b.ndjson', '{"id":"2","n":"007","o":"x"}\n{"id":"3","n":2,"o":5}\n')
    await project.land(scan('*.ndjson', { key: ['id'] }))
    expect(await rowsOf(project)).toEqual([
      { id: '1', n: '1', o: '{"a":1}' },
      { id: '2', n: '007', o: '"x"' },
      { id: '3', n: '2', o: '5' },
    ])
  })

  it('makes a new column of a new key, SQL-safe and apart from others', async () => {
    project.write('a.ndjson', '{"id":"1","first name":"x","first-name":"y","Id":"z","":"e","a/b~c":"p"}\n')
    await project.land(scan('*.ndjson', { key: ['id'] }))
    expect(await rowsOf(project)).toEqual([
      { id: '1', first_name: 'x', first_name_2: 'y', Id_2: 'z', column_5: 'e', a_b_c: 'p' },
    ])
    project.write('b.ndjson', '{"id":"2","new":1.5}\n')
    await project.land(scan('*.ndjson', { key: ['id'] }))
    expect((await rowsOf(project))[1]).toMatchObject({ id: '2', first_name: null, new: '1.5' })
  })

  it('holds promises to JSON values', async () => {
    project.write('a.ndjson', '{"id":"1","n":5,"j":"text"}\n{"id":"2","n":"x","j":{"a":1}}\n{"id":"3","n":"7"}\n')
    await project.land(scan('a.ndjson', { key: ['id'], types: { n: 'integer', j: 'json' } }))
    expect(await rowsOf(project)).toEqual([
      { id: '1', n: 5, j: '"text"' },
      { id: '3', n: 7, j: null },
    ])
    expect(await quarantined(project)).toMatchObject([{ line: 2, column_name: 'n', reason: '"x" is not an integer' }])
  })

  it('reads gzip and lines of megabytes', async () => {
    project.write('a.ndjson.gz', gzipSync(`{"id":"1","a":"${'x'.repeat(5_000_000)}"}\n{"id":"2","a":"y"}\n`))
    await project.land(scan('a.ndjson.gz', { key: ['id'] }))
    expect(await project.all('select id, length(a) as n from raw.s_t order by id')).toEqual([
      { id: '1', n: 5_000_000 },
      { id: '2', n: 1 },
    ])
  })

  it('reads an empty file as no rows', async () => {
    project.write('a.ndjson', '')
    expect(await project.land(scan('a.ndjson', { key: ['id'] }))).toMatchObject({ rowsRead: 0, files: 1 })
  })
})

describe('JSON documents', () => {
  it('reads an array, one object, and several objects', async () => {
    project.write('a.json', '[{"id":"1","a":{"b":1.50}},\n {"id":"2"}]')
    project.write('b.json', '{\n "id": "3",\n "a": 1\n}\n{ "id": "4" }')
    project.write('c.json', '\uFEFF[{"id":"5"}]')
    project.write('d.json', '[]')
    await project.land(scan('*.json', { key: ['id'] }))
    expect((await rowsOf(project)).map((row) => row['id'])).toEqual(['1', '2', '3', '4', '5'])
  })

  it('quarantines what in an array is no object', async () => {
    project.write('a.json', '[{"id":"1"}, 5, {"id":"2"}]')
    await project.land(scan('a.json', { key: ['id'] }))
    expect(await quarantined(project)).toMatchObject([{ record: 2, line: null, raw: '5' }])
  })

  it('refuses a broken document, names the file and lands nothing', async () => {
    project.write('a.json', '[{"id":"1"},{"id":"2"')
    await expect(project.land(scan('a.json', { key: ['id'] }))).rejects.toMatchObject({
      code: 'STREAM_UNREADABLE',
      message: expect.stringContaining('a.json') as unknown,
    })
    expect(await project.all(`select status, rows_new from cdp.loads`)).toEqual([{ status: 'failed', rows_new: 0 }])
  })
})

describe('Parquet', () => {
  it('lands the types of the file', async () => {
    await project.warehouse
      .run(`copy (select '1' as id, 12.50::decimal(9,2) as d, 7::smallint as i, timestamp '2026-10-01 08:00:00' as local,
      timestamptz '2026-10-01 08:00:00+00' as at, [1,2] as l, {a: 1} as o, uuid '6ba7b810-9dad-11d1-80b4-00c04fd430c8' as u, date '2026-10-01' as day,
      'x'::blob as b, time '08:00' as t) to '${project.root}/a.parquet' (format parquet)`)
    await project.land(scan('a.parquet', { key: ['id'] }))
    expect(await rowsOf(project)).toEqual([
      {
        id: '1',
        d: '12.50',
        i: 7,
        local: '2026-10-01T01:00:00Z',
        at: '2026-10-01T08:00:00Z',
        l: '[1,2]',
        o: '{"a":1}',
        u: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
        day: '2026-10-01',
        b: Uint8Array.from([120]),
        t: '08:00:00',
      },
    ])
  })

  it('widens when a later file says another type, and holds promises', async () => {
    await project.warehouse.run(
      `copy (select '1' as id, 1 as n, timestamptz '2026-10-01 08:00:00+00' as at, '5' as p) to '${project.root}/a.parquet' (format parquet)`,
    )
    await project.land(scan('*.parquet', { key: ['id'], types: { p: 'integer' } }))
    await project.warehouse.run(
      `copy (select '2' as id, 1.25::decimal(9,2) as n, 'soon' as at, 'x' as p union all select '3', 2, '2026-10-01', '6') to '${project.root}/b.parquet' (format parquet)`,
    )
    await project.land(scan('*.parquet', { key: ['id'], types: { p: 'integer' } }))
    expect(await rowsOf(project)).toEqual([
      { id: '1', n: '1.00', at: '2026-10-01T08:00:00Z', p: 5 },
      { id: '3', n: '2.00', at: '2026-10-01', p: 6 },
    ])
    expect(await quarantined(project)).toMatchObject([
      { file: 'b.parquet', record: 1, column_name: 'p', raw: '{"id":"2","n":1.25,"at":"soon","p":"x"}' },
    ])
  })

  it('refuses a file that is none', async () => {
    project.write('a.parquet', 'hello')
    await expect(project.land(scan('a.parquet'))).rejects.toMatchObject({ code: 'STREAM_UNREADABLE' })
  })
})

describe('lines of text', () => {
  it('are rows with one column, blank ones too', async () => {
    project.write('a.log', 'one, "two"\n\n{"three"\u0001\r\nfour')
    await project.land(scan('a.log', { format: 'lines', lines: true }))
    expect(await project.all('select text, _cdp_source_line as l from raw.s_t order by l')).toEqual([
      { text: 'one, "two"', l: 1 },
      { text: '', l: 2 },
      { text: '{"three"\u0001', l: 3 },
      { text: 'four', l: 4 },
    ])
  })
})

describe('the format of a stream', () => {
  it('is asked for when an ending says nothing, or several things', async () => {
    project.write('a.dat', 'x')
    await expect(project.land(scan('a.dat'))).rejects.toMatchObject({ code: 'STREAM_FORMAT' })
    project.write('b.csv', 'id\n1\n')
    project.write('b.ndjson', '{}')
    await expect(project.land(scan('b.*'))).rejects.toMatchObject({ code: 'STREAM_FORMAT' })
  })
})
