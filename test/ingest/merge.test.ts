import { unlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { changedFiles } from '../../src/ingest/changed-files.ts'
import type { LandStream } from '../../src/ingest/land.ts'
import { openProject, quarantined, rowsOf, scan, type TestProject } from './project.ts'

let project: TestProject
beforeEach(async () => {
  project = await openProject()
})
afterEach(() => project.close())

const stamps = (): Promise<unknown[]> =>
  project.all('select id, _cdp_loaded_at as at, _cdp_load_id as load from raw.s_t order by id')
const changed = async (stream: LandStream): Promise<readonly string[]> =>
  (await changedFiles(project.warehouse, [stream], project.root)).get('s.t')?.changed ?? []

describe('rows with a key', () => {
  it('replace the row of their key, and leave an equal one as it was', async () => {
    const stream = scan('*.csv', { key: ['id'] })
    project.write('a.csv', 'id,a\n1,x\n2,y\n3,z\n')
    await project.land(stream)
    project.write('a.csv', 'id,a\n1,x\n2,Y\n4,w\n')
    expect(await project.land(stream)).toMatchObject({
      rowsNew: 1,
      rowsChanged: 1,
      rowsUnchanged: 1,
      rowsTotal: 4,
      changed: true,
    })
    expect(await rowsOf(project)).toEqual([
      { id: '1', a: 'x' },
      { id: '2', a: 'Y' },
      { id: '3', a: 'z' },
      { id: '4', a: 'w' },
    ])
    expect(await stamps()).toEqual([
      { id: '1', at: '2026-11-01T01:00:00Z', load: 'load-1' },
      { id: '2', at: '2026-11-01T02:00:00Z', load: 'load-2' },
      { id: '3', at: '2026-11-01T01:00:00Z', load: 'load-1' },
      { id: '4', at: '2026-11-01T02:00:00Z', load: 'load-2' },
    ])
  })

  it('are one row when repeated in a file: the last one, or the one with the highest cursor', async () => {
    project.write('a.csv', 'id,a,v\n1,x,3\n1,y,1\n2,z,1\n1,w,2\n')
    expect(await project.land(scan('a.csv', { key: ['id'] }))).toMatchObject({
      rowsRead: 4,
      rowsNew: 2,
      rowsSuperseded: 2,
    })
    expect(await rowsOf(project)).toMatchObject([{ id: '1', a: 'w' }, { id: '2' }])
    await project.warehouse.run('drop table raw.s_t')
    await project.land(scan('a.csv', { key: ['id'], cursor: 'v' }))
    expect(await rowsOf(project)).toMatchObject([{ id: '1', a: 'x' }, { id: '2' }])
  })

  it('are the one of the later file when repeated in several', async () => {
    project.write('b.csv', 'id,a\n1,from b\n')
    project.write('a.csv', 'a,id\nfrom a,1\n')
    await project.land(scan('*.csv', { key: ['id'] }))
    expect(await rowsOf(project)).toEqual([{ id: '1', a: 'from b' }])
  })

  it('do not replace a row with a higher cursor, whenever they come', async () => {
    const stream = scan('*.csv', { key: ['id'], cursor: 'at' })
    project.write('a.csv', 'id,a,at\n1,new,2026-10-02T00:00:00Z\n2,new,\n')
    await project.land(stream)
    project.write('b.csv', 'id,a,at\n1,old,2026-10-01T00:00:00Z\n2,newer,2026-10-01T00:00:00Z\n')
    expect(await project.land(stream)).toMatchObject({ rowsChanged: 1, rowsUnchanged: 1 })
    expect(await rowsOf(project)).toMatchObject([{ a: 'new' }, { a: 'newer' }])
    project.write('c.csv', 'id,a,at\n1,same time,2026-10-02T00:00:00Z\n2,no time,\n')
    await project.land(stream)
    expect(await rowsOf(project)).toMatchObject([{ a: 'same time' }, { a: 'newer' }])
  })

  it('may have a key of several columns', async () => {
    const stream = scan('*.csv', { key: ['a', 'b'] })
    project.write('a.csv', 'a,b,c\n1,1,x\n1,2,y\n1,1,z\n')
    await project.land(stream)
    project.write('b.csv', 'a,b,c\n1,2,w\n2,1,v\n')
    await project.land(stream)
    expect(await rowsOf(project, '1, 2')).toEqual([
      { a: '1', b: '1', c: 'z' },
      { a: '1', b: '2', c: 'w' },
      { a: '2', b: '1', c: 'v' },
    ])
  })

  it('go to quarantine when the key is empty', async () => {
    project.write('a.csv', 'id,a\n,x\n2,y\n')
    expect(await project.land(scan('a.csv', { key: ['id'] }))).toMatchObject({ rowsNew: 1, rowsQuarantined: 1 })
    expect(await quarantined(project)).toEqual([
      { file: 'a.csv', record: 1, line: 2, column_name: 'id', reason: 'the key is empty', raw: ',x' },
    ])
  })

  it('need the columns of key and cursor', async () => {
    project.write('a.csv', 'id,a\n1,x\n')
    await expect(project.land(scan('a.csv', { key: ['ID_no'] }))).rejects.toMatchObject({ code: 'STREAM_COLUMN' })
    await expect(project.land(scan('a.csv', { key: ['id'], cursor: 'at' }))).rejects.toMatchObject({
      code: 'STREAM_COLUMN',
    })
  })
})

describe('rows without a key', () => {
  it('are all kept, twins too', async () => {
    project.write('a.csv', 'a,b\nx,1\nx,1\n')
    await project.land(scan('*.csv'))
    project.write('b.csv', 'a,b\nx,1\n')
    expect(await project.land(scan('*.csv'))).toMatchObject({ rowsNew: 1, rowsTotal: 3 })
  })

  it('of a changed file are replaced; those that are the same keep their stamp', async () => {
    project.write('a.csv', 'id,b\nx,1\nx,1\ny,2\nz,3\n')
    project.write('b.csv', 'id,b\nx,1\n')
    await project.land(scan('*.csv'))
    project.write('a.csv', 'id,b\nx,1\ny,2\nw,4\n')
    expect(await project.land(scan('*.csv'))).toMatchObject({
      rowsNew: 1,
      rowsUnchanged: 2,
      rowsVanished: 2,
      rowsTotal: 4,
    })
    expect(
      await project.all('select id, _cdp_source_file as f, _cdp_load_id as load from raw.s_t order by 1, 2'),
    ).toEqual([
      { id: 'w', f: 'a.csv', load: 'load-2' },
      { id: 'x', f: 'a.csv', load: 'load-1' },
      { id: 'x', f: 'b.csv', load: 'load-1' },
      { id: 'y', f: 'a.csv', load: 'load-1' },
    ])
  })

  it('of a file that grew are only added to', async () => {
    project.write('a.csv', 'id,b\nx,1\ny,\n')
    await project.land(scan('*.csv'))
    project.write('a.csv', 'id,b\nx,1\ny,\nz,3\n')
    expect(await project.land(scan('*.csv'))).toMatchObject({ rowsNew: 1, rowsUnchanged: 2, rowsVanished: 0 })
    expect(await stamps()).toMatchObject([{ load: 'load-1' }, { load: 'load-1' }, { load: 'load-2' }])
  })
})

describe('files', () => {
  it('are read when they are new or changed, and not otherwise', async () => {
    const stream = scan('*.csv', { key: ['id'] })
    project.write('a.csv', 'id,a\n1,x\n')
    expect(await changed(stream)).toEqual(['a.csv'])
    await project.land(stream)
    expect(await changed(stream)).toEqual([])
    expect(await project.land(stream)).toMatchObject({ rowsRead: 0, files: 0, changed: false, rowsTotal: 1 })
    project.write('b.csv', 'id,a\n2,y\n')
    expect(await changed(stream)).toEqual(['b.csv'])
    expect(await project.land(stream)).toMatchObject({ rowsRead: 1, files: 1 })
  })

  it('that were only touched are known by their content', async () => {
    const stream = scan('a.csv', { key: ['id'] })
    const path = project.write('a.csv', 'id,a\n1,x\n')
    await project.land(stream)
    utimesSync(path, 1_900_000_000, 1_900_000_000)
    expect(await changed(stream)).toEqual(['a.csv'])
    expect(await project.land(stream)).toMatchObject({ rowsRead: 0, changed: false })
    expect(await changed(stream)).toEqual([])
    project.write('a.csv', 'id,a\n1,y\n')
    expect(await project.land(stream)).toMatchObject({ rowsChanged: 1 })
  })

  it('that must be there and are not are an error; a pattern may match nothing', async () => {
    await expect(project.land(scan('a.csv'))).rejects.toMatchObject({ code: 'STREAM_FILE_MISSING' })
    expect(await changed(scan('a.csv'))).toEqual(['a.csv'])
    expect(await project.land(scan('*.csv', { types: { n: 'integer' } }))).toMatchObject({ rowsTotal: 0 })
    expect(project.events).toContainEqual(
      expect.objectContaining({ type: 'warning', message: 's.t: no file matches *.csv' }),
    )
    expect(await changed(scan('*.csv', { types: { n: 'integer' } }))).toEqual([])
    expect(await project.all('select n from raw.s_t')).toEqual([])
  })

  it('that change while they are read are read again, and refused when they never stop', async () => {
    project.write('a.csv', 'id,a\n1,x\n')
    let writes = 0
    const disturbed = { ...project.warehouse, reader: { ...project.warehouse.reader } }
    disturbed.reader.run = async (statement) => {
      const result = await project.warehouse.reader.run(statement)
      if (typeof statement === 'string' && statement.includes('read_csv') && writes > 0) {
        writes -= 1
        project.write('a.csv', `id,a\n1,x\n2,${'y'.repeat(writes)}\n`)
      }
      return result
    }
    const land = { ...project, warehouse: disturbed }
    const { land: landOnce } = await import('../../src/ingest/land.ts')
    const options = {
      warehouse: disturbed,
      stream: scan('a.csv', { key: ['id'] }),
      root: project.root,
      timeZone: 'UTC',
      runId: 'r1',
      instant: '2026-11-01T00:00:00.000Z',
      allow: new Set<string>(),
      emit: () => undefined,
      clock: { now: () => 0, sleep: async () => undefined },
      signal: new AbortController().signal,
      tempDir: join(project.root, 'tmp'),
    }
    writes = 10
    await expect(landOnce(options)).rejects.toMatchObject({ code: 'STREAM_FILE_CHANGING' })
    expect(await land.all('select status from cdp.loads')).toEqual([{ status: 'failed' }])
    writes = 2
    expect(await landOnce({ ...options, runId: 'r2' })).toMatchObject({ rowsRead: 2 })
  })

  it('land anew when somebody dropped the raw relation', async () => {
    const stream = scan('*.csv', { key: ['id'] })
    project.write('a.csv', 'id,a\n1,x\n')
    await project.land(stream)
    await project.warehouse.run('drop table raw.s_t')
    expect(await project.land(stream)).toMatchObject({ rowsNew: 1 })
  })
})

describe('a stream that is landed whole', () => {
  const stream = scan('*.csv', { key: ['id'], full: true })

  it('loses the rows that vanished, and counts them', async () => {
    project.write('a.csv', 'id,a\n1,x\n2,y\n3,z\n')
    await project.land(stream)
    project.write('a.csv', 'id,a\n1,x\n3,Z\n')
    expect(await project.land(stream)).toMatchObject({
      rowsVanished: 1,
      rowsChanged: 1,
      rowsUnchanged: 1,
      rowsTotal: 2,
    })
    expect(await project.all('select rows_vanished from cdp.loads order by load_id')).toEqual([
      { rows_vanished: 0 },
      { rows_vanished: 1 },
    ])
  })

  it('is read whole when one of its files changed or went', async () => {
    project.write('a.csv', 'id,a\n1,x\n2,y\n')
    project.write('b.csv', 'id,a\n3,z\n')
    await project.land(stream)
    project.write('b.csv', 'id,a\n3,Z\n')
    expect(await project.land(stream)).toMatchObject({ rowsRead: 3, rowsChanged: 1, rowsVanished: 0 })
    unlinkSync(join(project.root, 'b.csv'))
    expect(await changed(stream)).toEqual(['b.csv'])
    expect(await project.land(stream)).toMatchObject({ rowsRead: 2, rowsVanished: 1 })
    expect(await changed(stream)).toEqual([])
  })

  it('is refused when it is empty or less than half, unless that is allowed', async () => {
    project.write('a.csv', 'id,a\n1,x\n2,y\n3,z\n')
    await project.land(stream)
    project.write('a.csv', 'id,a\n1,x\n')
    await expect(project.land(stream)).rejects.toMatchObject({ code: 'LOAD_SHRUNK' })
    project.write('a.csv', 'id,a\n')
    await expect(project.land(stream)).rejects.toMatchObject({ code: 'LOAD_SHRUNK' })
    expect(await rowsOf(project)).toHaveLength(3)
    expect(await project.land(stream, { allow: ['shrink'] })).toMatchObject({ rowsVanished: 3 })
  })

  it('keeps a row whose new version cannot be landed', async () => {
    const promised = { ...stream, types: { n: 'integer' } }
    project.write('a.csv', 'id,n\n1,1\n2,2\n3,3\n')
    await project.land(promised)
    project.write('a.csv', 'id,n\n1,1\n2,wrong\n')
    expect(await project.land(promised)).toMatchObject({ rowsVanished: 1, rowsQuarantined: 1 })
    expect(await rowsOf(project)).toEqual([
      { id: '1', n: 1 },
      { id: '2', n: 2 },
    ])
    project.write('a.csv', 'id,n\n2,2\nbroken\n')
    expect(await project.land(promised)).toMatchObject({ rowsVanished: 0 })
    expect(project.events).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('nothing was taken as vanished') as unknown }),
    )
  })

  it('works without a key', async () => {
    const keyless = scan('*.csv', { full: true })
    project.write('a.csv', 'id,b\nx,1\nx,1\ny,2\n')
    await project.land(keyless)
    project.write('a.csv', 'id,b\nx,1\ny,2\nz,3\n')
    expect(await project.land(keyless)).toMatchObject({ rowsNew: 1, rowsVanished: 1, rowsUnchanged: 2, rowsTotal: 3 })
  })
})

describe('a load', () => {
  it('fails when more rows than allowed cannot be landed, and then nothing lands', async () => {
    const rows = Array.from({ length: 30 }, (_, i) => `${i},${i < 2 ? 'wrong' : i}`)
    project.write('a.csv', `id,n\n${rows.join('\n')}\n`)
    const stream = scan('a.csv', { key: ['id'], types: { n: 'integer' } })
    await expect(project.land(stream)).rejects.toMatchObject({
      code: 'LOAD_QUARANTINED',
      message: expect.stringContaining('a.csv:2 n: "wrong" is not an integer; a.csv:3') as unknown,
    })
    expect(await project.warehouse.relations('raw')).toEqual([])
    expect(await quarantined(project)).toEqual([])
    expect(await project.all('select status, rows_new from cdp.loads')).toEqual([{ status: 'failed', rows_new: 0 }])
    expect(await project.land({ ...stream, maxQuarantined: 0.1 })).toMatchObject({ rowsQuarantined: 2, rowsNew: 28 })
  })

  it('of few rows is not judged by shares', async () => {
    project.write('a.csv', `id,n\n1,wrong\n2,wrong\n3,3\n`)
    expect(await project.land(scan('a.csv', { key: ['id'], types: { n: 'integer' } }))).toMatchObject({
      rowsQuarantined: 2,
    })
  })

  it('is written down with all its numbers', async () => {
    project.write('a.csv', 'id,n\n1,1\n1,2\n2,x\n')
    await project.land(scan('a.csv', { key: ['id'], types: { n: 'integer' } }))
    const [load] = await project.all('select * from cdp.loads')
    expect(load).toMatchObject({
      load_id: 'load-1',
      run_id: 'load-1',
      stream: 's.t',
      status: 'done',
      files: 1,
      bytes: 17,
      rows_read: 3,
      rows_new: 1,
      rows_changed: 0,
      rows_unchanged: 0,
      rows_vanished: 0,
      rows_quarantined: 1,
      error: null,
    })
    expect(await project.all('select file, rows, bytes from cdp.load_files')).toEqual([
      { file: 'a.csv', rows: 3, bytes: 17 },
    ])
  })

  it('leaves no temporary files or relations behind', async () => {
    project.write('a.csv', 'id,n\n1,1\nbroken\n')
    await project.land(scan('a.csv', { key: ['id'], types: { n: 'integer' } }))
    const { readdirSync } = await import('node:fs')
    expect(readdirSync(join(project.root, 'tmp'))).toEqual([])
    expect(
      await project.all(
        `select table_name from information_schema.tables where table_name like '\\_cdp\\_%' escape '\\'`,
      ),
    ).toEqual([])
  })
})
