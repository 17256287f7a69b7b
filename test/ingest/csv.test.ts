import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openProject, quarantined, rowsOf, scan, typesOf, type TestProject } from './project.ts'

let project: TestProject
beforeEach(async () => {
  project = await openProject()
})
afterEach(() => project.close())

describe('CSV', () => {
  it('keeps null and empty text apart', async () => {
    project.write('a.csv', 'id,a,b\n1,,""\n2,x,y\n')
    await project.land(scan('a.csv', { key: ['id'] }))
    expect(await rowsOf(project)).toEqual([
      { id: '1', a: null, b: '' },
      { id: '2', a: 'x', b: 'y' },
    ])
  })

  it('quarantines a record with the wrong number of fields and keeps the others', async () => {
    project.write('a.csv', 'id,a,b\n1,x,y\n2,x\n3,x,y,z\n4,x,y\n')
    const result = await project.land(scan('a.csv', { key: ['id'] }))
    expect(result).toMatchObject({ rowsRead: 4, rowsNew: 2, rowsQuarantined: 2 })
    expect(await rowsOf(project)).toEqual([
      { id: '1', a: 'x', b: 'y' },
      { id: '4', a: 'x', b: 'y' },
    ])
    expect(await quarantined(project)).toEqual([
      { file: 'a.csv', record: 2, line: 3, column_name: null, reason: 'the record has 2 fields, not 3', raw: '2,x' },
      {
        file: 'a.csv',
        record: 3,
        line: 4,
        column_name: null,
        reason: 'the record has 4 fields, not 3',
        raw: '3,x,y,z',
      },
    ])
  })

  it('quarantines a torn last line', async () => {
    project.write('a.csv', 'id,a,b\n1,x,y\n2,x')
    await project.land(scan('a.csv', { key: ['id'] }))
    expect(await rowsOf(project)).toEqual([{ id: '1', a: 'x', b: 'y' }])
    expect(await quarantined(project)).toMatchObject([{ line: 3, raw: '2,x' }])
  })

  it('loses one line, not the rest of the file, to a quote that is never closed', async () => {
    project.write('a.csv', 'id,a,b\n1,x,y\n2,"x,y\n3,x,y\n4,x,y\n')
    await project.land(scan('a.csv', { key: ['id'] }))
    expect((await rowsOf(project)).map((row) => row['id'])).toEqual(['1', '3', '4'])
    expect(await quarantined(project)).toMatchObject([
      { record: 2, line: 3, reason: 'a quote is never closed', raw: '2,"x,y' },
    ])
  })

  it('quarantines text after a closing quote', async () => {
    project.write('a.csv', 'id,a,b\n1,"x"z,y\n2,x,y\n')
    await project.land(scan('a.csv', { key: ['id'] }))
    expect(await quarantined(project)).toMatchObject([
      { line: 2, reason: 'text follows a closing quote', raw: '1,"x"z,y' },
    ])
    expect(await rowsOf(project)).toHaveLength(1)
  })

  it('counts physical lines through quoted newlines and blank lines', async () => {
    project.write('a.csv', 'id,a,n\n1,"one\ntwo\nthree",1\n\n2,x,wrong\n3,"a\nb",2\n4,x,also wrong\n')
    await project.land(scan('a.csv', { key: ['id'], types: { n: 'integer' }, lines: true }))
    expect(
      await project.all('select id, a, n, _cdp_source_file as f, _cdp_source_line as l from raw.s_t order by id'),
    ).toEqual([
      { id: '1', a: 'one\ntwo\nthree', n: 1, f: 'a.csv', l: 2 },
      { id: '3', a: 'a\nb', n: 2, f: 'a.csv', l: 7 },
    ])
    expect(await quarantined(project)).toEqual([
      { file: 'a.csv', record: 2, line: 6, column_name: 'n', reason: '"wrong" is not an integer', raw: '2,x,wrong' },
      {
        file: 'a.csv',
        record: 4,
        line: 9,
        column_name: 'n',
        reason: '"also wrong" is not an integer',
        raw: '4,x,also wrong',
      },
    ])
  })

  it('gives lines and raw text from a damaged file too', async () => {
    project.write('a.csv', 'id,a,n\n1,"one\ntwo",1\nbroken\n2,"x, ""y""",wrong\n3,z,3\n')
    await project.land(scan('a.csv', { key: ['id'], types: { n: 'integer' }, lines: true }))
    expect(await project.all('select id, _cdp_source_line as l from raw.s_t order by id')).toEqual([
      { id: '1', l: 2 },
      { id: '3', l: 6 },
    ])
    expect(await quarantined(project)).toMatchObject([
      { record: 2, line: 4, raw: 'broken' },
      { record: 3, line: 5, raw: '2,"x, ""y""",wrong', column_name: 'n' },
    ])
  })

  it('quarantines a record that is not UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from('id,a\n1,x\n2,'), Buffer.from([0xe9, 0x74, 0xe9]), Buffer.from('\n3,é\n')])
    project.write('a.csv', bytes)
    await project.land(scan('a.csv', { key: ['id'] }))
    expect(await rowsOf(project)).toEqual([
      { id: '1', a: 'x' },
      { id: '3', a: 'é' },
    ])
    expect(await quarantined(project)).toMatchObject([
      { line: 3, reason: 'the record is not UTF-8', raw: '2,\uFFFDt\uFFFD' },
    ])
  })

  it('says so when a file is UTF-16', async () => {
    project.write('a.csv', Buffer.from('\uFEFFid,a\n1,x\n', 'utf16le'))
    await expect(project.land(scan('a.csv', { key: ['id'] }))).rejects.toMatchObject({ code: 'STREAM_ENCODING' })
  })

  it('takes a byte-order mark for what it is', async () => {
    project.write('a.csv', '\uFEFFid,a\n1,x\n')
    await project.land(scan('a.csv', { key: ['id'] }))
    expect(await rowsOf(project)).toEqual([{ id: '1', a: 'x' }])
  })

  it('makes names SQL-safe by one rule and keeps the originals', async () => {
    project.write('a.csv', ' Full  Name ,amount (VND),,Tên khách,amount (VND),2024,_cdp_load_id\na,1,b,c,2,d,e\n')
    await project.land(scan('a.csv'))
    expect(await project.all(`select column_name, original_name from cdp.schemas order by position`)).toEqual([
      { column_name: 'Full_Name', original_name: ' Full  Name ' },
      { column_name: 'amount_VND_', original_name: 'amount (VND)' },
      { column_name: 'column_3', original_name: '' },
      { column_name: 'T_n_kh_ch', original_name: 'Tên khách' },
      { column_name: 'amount_VND__2', original_name: 'amount (VND)' },
      { column_name: '_2024', original_name: '2024' },
      { column_name: '_cdp_load_id_2', original_name: '_cdp_load_id' },
    ])
    const [row] = await project.all('select * from raw.s_t')
    expect(row).toMatchObject({ amount_VND_: 1, amount_VND__2: 2, _cdp_load_id: 'load-1', _cdp_load_id_2: 'e' })
  })

  it('finds a column under its original name in key, cursor and types', async () => {
    project.write('a.csv', 'Mã số,Tiền,Lúc\nA1,5,2026-01-01T00:00:00Z\n')
    await project.land(scan('a.csv', { key: ['Mã số'], cursor: 'Lúc', types: { Tiền: 'decimal(18,2)' } }))
    expect(await rowsOf(project)).toEqual([{ M_s_: 'A1', Ti_n: '5.00', L_c: '2026-01-01T00:00:00Z' }])
  })

  it('takes the same name in another spelling for the same column, across files', async () => {
    project.write('a.csv', 'id,Full Name\n1,x\n')
    project.write('b.csv', 'full_name,ID\ny,2\n')
    await project.land(scan('*.csv', { key: ['id'] }))
    expect(await rowsOf(project)).toEqual([
      { id: '1', Full_Name: 'x' },
      { id: '2', Full_Name: 'y' },
    ])
  })

  it('reads files of one pattern with different columns', async () => {
    project.write('a.csv', 'id,a\n1,x\n')
    project.write('b.csv', 'id,b,a\n2,y,z\n')
    await project.land(scan('*.csv', { key: ['id'] }))
    expect(await rowsOf(project)).toEqual([
      { id: '1', a: 'x', b: null },
      { id: '2', a: 'z', b: 'y' },
    ])
  })

  it('keeps a field of ten megabytes', async () => {
    project.write('a.csv', `id,a\n1,${'x'.repeat(10_000_000)}\n2,y\n`)
    await project.land(scan('a.csv', { key: ['id'] }))
    expect(await project.all('select id, length(a) as n from raw.s_t order by id')).toEqual([
      { id: '1', n: 10_000_000 },
      { id: '2', n: 1 },
    ])
    expect(await quarantined(project)).toEqual([])
  })

  it('reads an empty file, and one that is only a header, as no rows', async () => {
    project.write('a.csv', '')
    project.write('b.csv', 'id,a\n')
    expect(await project.land(scan('*.csv', { key: ['id'] }))).toMatchObject({ files: 2, rowsRead: 0 })
    expect(await rowsOf(project)).toEqual([])
    project.write('c.csv', 'id,a\n1,x\n')
    await project.land(scan('*.csv', { key: ['id'] }))
    expect(await rowsOf(project)).toEqual([{ id: '1', a: 'x' }])
  })

  it('reads line ends of every kind, mixed ones too', async () => {
    project.write('a.csv', 'id,a\r\n1,x\r\n2,"y\r\nz"\r\n')
    project.write('b.csv', 'id,a\n3,x\r\n4,y\n')
    project.write('c.csv', 'id,a\r5,x\r6,y\r')
    project.write('d.csv', 'id,a\n7,x\ry\n')
    await project.land(scan('*.csv', { key: ['id'] }))
    expect(await quarantined(project)).toEqual([])
    expect(await rowsOf(project)).toEqual([
      { id: '1', a: 'x' },
      { id: '2', a: 'y\r\nz' },
      { id: '3', a: 'x' },
      { id: '4', a: 'y' },
      { id: '5', a: 'x' },
      { id: '6', a: 'y' },
      { id: '7', a: 'x\ry' },
    ])
  })

  it('finds the delimiter from the header, unless it is told', async () => {
    project.write('a.csv', 'id;a;"b,c,d,e"\n1;x,y;z\n')
    project.write('b.tsv', 'id\ta\n2\tx;y\n')
    await project.land(scan('{a.csv,b.tsv}', { key: ['id'] }))
    expect(await rowsOf(project)).toEqual([
      { id: '1', a: 'x,y', b_c_d_e: 'z' },
      { id: '2', a: 'x;y', b_c_d_e: null },
    ])
  })

  it('obeys the options delimiter, quote, header and columns', async () => {
    project.write('a.csv', "1|'x|y'\n2|z\n")
    await project.land(
      scan('a.csv', { key: ['id'], csv: { delimiter: '|', quote: "'", header: false, columns: ['id', 'name'] } }),
    )
    expect(await rowsOf(project)).toEqual([
      { id: '1', name: 'x|y' },
      { id: '2', name: 'z' },
    ])
  })

  it('refuses a delimiter of several characters', async () => {
    project.write('a.csv', 'id\n1\n')
    await expect(project.land(scan('a.csv', { csv: { delimiter: '||' } }))).rejects.toMatchObject({
      code: 'STREAM_OPTION',
    })
  })

  it('reads gzip, damaged records and lines included', async () => {
    project.write('a.csv.gz', gzipSync('id,n\n1,1\nbroken,2,3\n2,wrong\n'))
    await project.land(scan('a.csv.gz', { key: ['id'], types: { n: 'integer' } }))
    expect(await rowsOf(project)).toEqual([{ id: '1', n: 1 }])
    expect(await quarantined(project)).toMatchObject([
      { line: 3, raw: 'broken,2,3' },
      { line: 4, raw: '2,wrong', column_name: 'n' },
    ])
  })

  it('keeps the rows of a large file in order, so that lines are right', async () => {
    const lines = Array.from({ length: 200_000 }, (_, i) => `${i},${'x'.repeat(i % 50)}`)
    project.write('a.csv', `id,a\n${lines.join('\n')}\n`)
    await project.land(scan('a.csv', { key: ['id'], lines: true }))
    expect(
      await project.all('select count(*) as n from raw.s_t where _cdp_source_line = cast(id as bigint) + 2'),
    ).toEqual([{ n: 200_000 }])
  })

  it('refuses a compressed file that was cut off, or is none', async () => {
    const whole = gzipSync(Array.from({ length: 50_000 }, (_, i) => `${i},${i * 7919}\n`).join(''))
    project.write('a.csv.gz', whole.subarray(0, whole.length - 1000))
    const refused = { code: 'STREAM_UNREADABLE', message: expect.stringContaining('cut off') as unknown }
    await expect(project.land(scan('a.csv.gz'))).rejects.toMatchObject(refused)
    project.write('b.ndjson.gz', gzipSync('{"id":1}\n'.repeat(10_000)).subarray(0, -8))
    await expect(project.land(scan('b.ndjson.gz'))).rejects.toMatchObject(refused)
    project.write('a.csv.gz', 'id,a\n1,2\n')
    await expect(project.land(scan('a.csv.gz'))).rejects.toMatchObject({ code: 'STREAM_UNREADABLE' })
    expect(await project.warehouse.relations('raw')).toEqual([])
  })

  it('skips blank lines before the header', async () => {
    project.write('a.csv', '\n\nid,a\n1,x\n')
    await project.land(scan('a.csv', { key: ['id'], lines: true }))
    expect(await project.all('select id, a, _cdp_source_line as l from raw.s_t')).toEqual([{ id: '1', a: 'x', l: 4 }])
    expect(await typesOf(project)).toEqual({ id: 'VARCHAR', a: 'VARCHAR' })
  })
})
