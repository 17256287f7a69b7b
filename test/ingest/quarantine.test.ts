import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LandStream } from '../../src/ingest/land.ts'
import { replay, type ReplayResult } from '../../src/ingest/replay.ts'
import { openProject, quarantined, rowsOf, scan, typesOf, type TestProject } from './project.ts'

let project: TestProject
beforeEach(async () => {
  project = await openProject()
})
afterEach(() => project.close())

const again = (stream: LandStream, hour = 20): Promise<ReplayResult> =>
  replay({
    warehouse: project.warehouse,
    stream,
    root: project.root,
    timeZone: 'Asia/Ho_Chi_Minh',
    runId: `replay-${hour}`,
    instant: `2026-11-01T${hour}:00:00.000Z`,
    emit: () => undefined,
    clock: { now: () => 0, sleep: async () => undefined },
    signal: new AbortController().signal,
    tempDir: join(project.root, 'tmp'),
  })

describe('quarantine', () => {
  it('is closed by reading the corrected file again', async () => {
    const stream = scan('*.csv', { key: ['id'], types: { n: 'integer' } })
    project.write('a.csv', 'id,n\n1,1\n2,x\nbroken\n')
    project.write('b.csv', 'id,n\n3,y\n')
    await project.land(stream)
    expect(await quarantined(project)).toHaveLength(3)
    project.write('a.csv', 'id,n\n1,1\n2,2\n4,z\n')
    await project.land(stream)
    expect(await quarantined(project)).toMatchObject([
      { file: 'a.csv', line: 4, raw: '4,z' },
      { file: 'b.csv', raw: '3,y' },
    ])
    expect(await project.all(`select raw, closed_by from cdp.quarantine where status = 'closed' order by raw`)).toEqual(
      [
        { raw: '2,x', closed_by: 'load-2' },
        { raw: 'broken', closed_by: 'load-2' },
      ],
    )
  })
})

describe('replay', () => {
  it('lands what fits the types in force now, and closes it', async () => {
    project.write('a.csv', 'id,n,a\n1,12.345,"x, ""y"""\n2,soon,z\n3,1.00,w\n')
    await project.land(scan('a.csv', { key: ['id'], types: { n: 'decimal(18,2)' } }))
    const wider = scan('a.csv', { key: ['id'], types: { n: 'decimal(18,3)' } })
    expect(await again(wider)).toMatchObject({ tried: 2, closed: 1, open: 1, changed: true, rowsTotal: 2 })
    expect(await rowsOf(project)).toEqual([
      { id: '1', n: '12.345', a: 'x, "y"' },
      { id: '3', n: '1.000', a: 'w' },
    ])
    expect(await quarantined(project)).toMatchObject([{ line: 3, raw: '2,soon,z' }])
    expect(await again(scan('a.csv', { key: ['id'], types: { n: 'text' } }), 21)).toMatchObject({
      tried: 1,
      closed: 1,
      open: 0,
    })
    expect((await typesOf(project))['n']).toBe('VARCHAR')
    expect(await again(wider, 22).catch((error: unknown) => error)).toMatchObject({ tried: 0 })
  })

  it('leaves a row that has been landed in a newer version since', async () => {
    const strict = scan('*.csv', { key: ['id'], types: { n: 'integer' } })
    project.write('a.csv', 'id,n\n1,x\n2,y\n')
    await project.land(strict)
    project.write('b.csv', 'id,n\n1,1\n')
    await project.land(strict)
    expect(await again(scan('*.csv', { key: ['id'], types: { n: 'text' } }))).toMatchObject({
      tried: 2,
      closed: 2,
      open: 0,
    })
    expect(await rowsOf(project)).toEqual([
      { id: '1', n: '1' },
      { id: '2', n: 'y' },
    ])
  })

  it('lets the cursor decide where there is one', async () => {
    const strict = scan('*.csv', { key: ['id'], cursor: 'at', types: { n: 'integer' } })
    project.write('a.csv', 'id,n,at\n1,x,2026-10-05\n2,y,2026-10-01\n')
    await project.land(strict)
    project.write('b.csv', 'id,n,at\n1,1,2026-10-04\n2,2,2026-10-04\n')
    await project.land(strict)
    await again(scan('*.csv', { key: ['id'], cursor: 'at', types: { n: 'text' } }))
    expect(await rowsOf(project)).toMatchObject([{ n: 'x' }, { n: '2' }])
  })

  it('keeps file and line of rows it lands, without a key too', async () => {
    project.write('a.csv', 'id;n\n1;1\n2;x\n')
    await project.land(scan('a.csv', { types: { n: 'integer' }, lines: true }))
    expect(await again(scan('a.csv', { types: { n: 'text' }, lines: true }))).toMatchObject({ closed: 1 })
    expect(
      await project.all(
        'select id, n, _cdp_source_file as f, _cdp_source_line as l, _cdp_load_id as load from raw.s_t order by id',
      ),
    ).toEqual([
      { id: 1, n: '1', f: 'a.csv', l: 2, load: 'load-1' },
      { id: 2, n: 'x', f: 'a.csv', l: 3, load: 'replay-20' },
    ])
  })

  it('reads JSON texts again, and leaves those that are none', async () => {
    project.write('a.ndjson', '{"id":"1","n":"x","extra":{"a":1}}\n{"id":"2"\n')
    await project.land(scan('a.ndjson', { key: ['id'], types: { n: 'integer' } }))
    expect(await again(scan('a.ndjson', { key: ['id'], types: { n: 'text' } }))).toMatchObject({
      tried: 2,
      closed: 1,
      open: 1,
    })
    expect(await rowsOf(project)).toEqual([{ id: '1', n: 'x', extra: '{"a":1}' }])
  })

  it('does not take a text for right that was cut or was no UTF-8', async () => {
    project.write(
      'a.csv',
      Buffer.concat([
        Buffer.from('id,a\n1,'),
        Buffer.from([0xff]),
        Buffer.from(`\n2,${'x'.repeat(1_100_000)},z\n3,y\n`),
      ]),
    )
    const stream = scan('a.csv', { key: ['id'] })
    await project.land(stream)
    expect(await again(stream)).toMatchObject({ tried: 2, closed: 0, open: 2 })
    expect(await rowsOf(project)).toHaveLength(1)
  })
})
