// What the adapter sends to BigQuery, and what it makes of answers that only the service gives.
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { inStep } from '../../../src/warehouse/step.ts'
import type { Warehouse } from '../../../src/warehouse/warehouse.ts'
import { openAt, recordingClock, refusalOf, startService, type Sent, type Service } from './service.ts'

let service: Service
let opened: Warehouse | undefined
beforeEach(async () => {
  service = await startService()
})
afterEach(async () => {
  await opened?.close()
  opened = undefined
  await service.close()
})

const open = async (
  ...args: Parameters<typeof openAt> extends [Service, ...infer Rest] ? Rest : never
): Promise<Warehouse> => (opened = await openAt(service, ...args))

/** The jobs that were sent for a statement, whether or not they came to be. */
const inserted = (statement: string): Sent[] =>
  service.sent.filter(
    (one) => one.body.configuration?.query?.query === statement && one.body.configuration.dryRun !== true,
  )

const ran = (statement: string): number =>
  [...service.jobs.values()].filter((job) => job.configuration.query?.query === statement).length

const busy = { status: 403, error: { reason: 'rateLimitExceeded', message: 'Exceeded rate limits' } } as const
const unavailable = { status: 503, error: { reason: 'backendError', message: 'Service Unavailable' } } as const

describe('a job of BigQuery', () => {
  it('has an id of our own, the location, the cap on billed bytes and labels', async () => {
    const w = await open({}, { maximumBytesBilled: '50 GB', labels: { team: 'crm' } })
    await inStep({ run: '20261101T160000.123Z-4f2a', step: 'model people' }, () => w.run('select 1 as a'))
    const [job] = inserted('select 1 as a')
    expect(job?.body.jobReference).toMatchObject({ location: 'asia-southeast1' })
    expect(job?.body.jobReference?.jobId).toMatch(
      /^cdp-20261101T160000_123Z_4f2a-model_people-[0-9a-f]{10}-\d+-[0-9a-f]{12}$/,
    )
    expect(job?.body.configuration).toEqual({
      query: {
        query: 'select 1 as a',
        useLegacySql: false,
        maximumBytesBilled: '50000000000',
        defaultDataset: { projectId: 'lotus', datasetId: 'models' },
      },
      labels: { team: 'crm', cdp_run: '20261101t160000_123z-4f2a', cdp_step: 'model_people' },
    })
    expect(
      service.sent.filter((one) => one.method === 'GET').every((one) => one.query['location'] === 'asia-southeast1'),
    ).toBe(true)
  })

  it('is another one each time, though the statement is the same', async () => {
    const w = await open()
    await w.run('select 1 as a')
    await w.run('select 1 as a')
    expect(new Set(inserted('select 1 as a').map((one) => one.body.jobReference?.jobId)).size).toBe(2)
  })

  it('is found, not run twice, when the answer to it was lost', async () => {
    const w = await open()
    service.refuse(/^POST \/jobs$/, 'lost')
    service.when(/as lost/, { fields: [{ name: 'lost', type: 'INTEGER' }], pages: [[['7']]] })
    expect(await w.all('select 7 as lost')).toEqual([{ lost: 7 }])
    expect([inserted('select 7 as lost').length, ran('select 7 as lost')]).toEqual([2, 1])
  })

  it('is sent again when the connection was cut before it arrived', async () => {
    const w = await open()
    service.refuse(/^POST \/jobs$/, 'cut', 'cut')
    await w.run('select 1 as a')
    expect([inserted('select 1 as a').length, ran('select 1 as a')]).toEqual([1, 1])
  })

  it('is not taken for ours when another job has its id', async () => {
    const w = await open()
    const duplicate = { status: 409, error: { reason: 'duplicate', message: 'Already Exists' } } as const
    service.refuse(/^POST \/jobs$/, duplicate)
    service.refuse(/^GET \/jobs\//, { status: 404, error: { reason: 'notFound', message: 'Not found: Job' } })
    expect((await refusalOf(w.run('select 1 as a'))).code).toBe('QUERY_FAILED')
    expect(ran('select 1 as a')).toBe(0)
  })

  it('is waited for while it is pending and running', async () => {
    const w = await open()
    service.when(/as slow/, { running: 3, fields: [{ name: 'slow', type: 'BOOLEAN' }], pages: [[['true']]] })
    expect(await w.all('select true as slow')).toEqual([{ slow: true }])
  })

  it('that is done with an error has failed, at a place of the statement as it was written', async () => {
    const w = await open()
    const message = 'Unrecognized name: no_such at [2:29]'
    service.when(/no_such/, { running: 1, error: { reason: 'invalidQuery', message } })
    const sql = "select '漢🎉' as a, $1 as b,\n\t'🎉' as c, $2 as d, no_such"
    const error = await refusalOf(w.all({ sql, parameters: [null, 'x'] }))
    expect(error.code).toBe('QUERY_FAILED')
    expect(error.args).toMatchObject({ sql, line: 2, column: 21 })
    expect(error.message).toMatch(/Unrecognized name: no_such \(invalidQuery, job lotus:asia-southeast1\.cdp-/)
  })

  it('that failed for a reason that passes is sent anew under another id, unless it is a script', async () => {
    const w = await open()
    const error = {
      reason: 'backendError',
      message: 'Error encountered during execution. Retrying may solve the problem.',
    }
    service.when(/fails once/, { error, once: true })
    await w.run('select 1 as a -- fails once')
    const ids = inserted('select 1 as a -- fails once').map((one) => one.body.jobReference?.jobId ?? '')
    expect(ids).toEqual([expect.any(String), `${ids[0]}-2`])
    service.when(/fails once/, { error, once: true })
    const script = 'insert into t select 1; insert into t select 2 -- fails once'
    expect((await refusalOf(w.run(script))).code).toBe('WAREHOUSE_BUSY')
    expect(ran(script)).toBe(1)
  })

  it('is cancelled when the run is interrupted', async () => {
    const stop = new AbortController()
    const w = await open({ signal: stop.signal })
    service.when(/as endless/, { running: Number.POSITIVE_INFINITY })
    const endless = w.run('select 1 as endless')
    await expect
      .poll(() => service.sent.some((one) => one.path.startsWith('/queries/') && ran('select 1 as endless') > 0))
      .toBe(true)
    stop.abort(new RangeError('enough'))
    await expect(endless).rejects.toThrow(RangeError)
    expect([...service.jobs.values()].filter((job) => job.cancelled)).toHaveLength(1)
  })
})

describe('a refusal of BigQuery', () => {
  it('that passes is waited out, longer each time', async () => {
    const clock = recordingClock()
    const w = await open({ clock })
    service.refuse(/^POST \/jobs$/, busy, unavailable, busy)
    await w.run('select 1 as a')
    expect(ran('select 1 as a')).toBe(1)
    const [first = 0, second = 0, third = 0] = clock.slept
    expect(clock.slept).toHaveLength(3)
    for (const [wait, longest] of [
      [first, 500],
      [second, 1000],
      [third, 2000],
    ] as const) {
      expect(wait).toBeGreaterThanOrEqual(longest / 2)
      expect(wait).toBeLessThanOrEqual(longest)
    }
  })

  it('that does not pass is reported after some tries, as worth another run', async () => {
    const w = await open()
    service.refuse(/^POST \/jobs$/, ...Array.from({ length: 20 }, () => busy))
    const error = await refusalOf(w.run('select 1 as a'))
    expect([error.code, error.kind, inserted('select 1 as a').length]).toEqual(['WAREHOUSE_BUSY', 'transient', 7])
  })

  it('for a used-up quota is not tried again', async () => {
    const w = await open()
    service.refuse(/^POST \/jobs$/, { status: 403, error: { reason: 'quotaExceeded', message: 'Quota exceeded' } })
    const error = await refusalOf(w.run('select 1 as a'))
    expect([error.code, inserted('select 1 as a').length]).toEqual(['QUERY_FAILED', 1])
  })

  it('of the credential is a matter of credentials, and not tried again', async () => {
    const w = await open()
    for (const [status, reason] of [
      [401, 'authError'],
      [403, 'accessDenied'],
    ] as const) {
      service.refuse(/^POST \/jobs$/, { status, error: { reason, message: 'Access Denied: Project lotus' } })
      const error = await refusalOf(w.run(`select ${status} as a`))
      expect([error.code, error.kind, inserted(`select ${status} as a`).length]).toEqual(['WAREHOUSE_AUTH', 'auth', 1])
    }
  })

  it('to bill more than is allowed says how much it would be', async () => {
    const w = await open({}, { maximumBytesBilled: '1 MB' })
    const message = 'Query exceeded limit for bytes billed: 1000000. 10485760 or higher required.'
    service.when(/dear/, { error: { reason: 'bytesBilledLimitExceeded', message } })
    const error = await refusalOf(w.run('select 1 as dear'))
    expect([error.code, error.kind]).toEqual(['QUERY_COST', 'data'])
    expect(error.message).toContain('more than the 1,000,000 bytes that are allowed: 10,485,760 bytes')
  })

  it('of a dataset in another location names the location', async () => {
    const w = await open()
    const message = 'Not found: Dataset lotus:raw was not found in location asia-southeast1'
    service.refuse(/^POST \/jobs$/, { status: 404, error: { reason: 'notFound', message } })
    const error = await refusalOf(w.all('select 1 as a from raw.t'))
    expect(error.code).toBe('QUERY_FAILED')
    expect(error.message).toContain(message)
  })
})

describe('a result of BigQuery', () => {
  it('is fetched page by page, and the next page only when it is asked for', async () => {
    const w = await open()
    service.when(/paged/, {
      fields: [{ name: 'paged', type: 'INTEGER' }],
      pages: [[['1'], ['2']], [['3']], [['4']]],
    })
    const fetched = (): number => service.sent.filter((one) => one.query['pageToken'] !== undefined).length
    const seen: unknown[] = []
    const before: number[] = []
    for await (const batch of w.stream('select n as paged from t')) {
      seen.push(...(batch.values[0] ?? []))
      before.push(fetched())
      if (seen.length === 3) break
    }
    expect([seen, before]).toEqual([
      [1, 2, 3],
      [0, 1],
    ])
  })

  it('has values as the seam says, nested ones too', async () => {
    const w = await open()
    service.when(/as every/, {
      fields: [
        { name: 'big', type: 'INTEGER' },
        { name: 'f', type: 'FLOAT' },
        { name: 'ts', type: 'TIMESTAMP' },
        { name: 'dt', type: 'DATETIME' },
        { name: 'n', type: 'NUMERIC' },
        { name: 'by', type: 'BYTES' },
        { name: 'list', type: 'INTEGER', mode: 'REPEATED' },
        { name: 'row', type: 'RECORD', mode: 'NULLABLE', fields: [{ name: 'a', type: 'BOOLEAN' }] },
      ] as never,
      pages: [
        [
          [
            '9007199254740993',
            'NaN',
            '-1',
            '2026-10-01T08:00:00.500000',
            '1.10',
            'AP8=',
            [{ v: '1' }, { v: '2' }],
            { f: [{ v: 'false' }] },
          ],
          [null, null, null, null, null, null, [], null],
        ],
      ],
    })
    expect(await w.all('select 1 as every')).toEqual([
      {
        big: 9_007_199_254_740_993n,
        f: Number.NaN,
        ts: '1969-12-31T23:59:59.999999Z',
        dt: '2026-10-01T08:00:00.5Z',
        n: '1.1',
        by: Uint8Array.of(0, 255),
        list: [1, 2],
        row: { a: false },
      },
      { big: null, f: null, ts: null, dt: null, n: null, by: null, list: [], row: null },
    ])
  })

  it('is described by a dry run, which makes no job', async () => {
    const w = await open()
    service.when(/described/, {
      fields: [
        { name: 'a b', type: 'FLOAT' },
        { name: 'l', type: 'STRING', mode: 'REPEATED' },
      ],
    })
    const jobs = service.jobs.size
    expect(await w.describe('select 1.5 as described')).toEqual([
      { name: 'a b', type: 'FLOAT64' },
      { name: 'l', type: 'ARRAY<STRING>' },
    ])
    expect(service.jobs.size).toBe(jobs)
  })
})

describe('a load into BigQuery', () => {
  it('is one job that appends Parquet, sent again when the upload was torn', async () => {
    const w = await open({ root: tmpdir() })
    service.refuse(/^POST \/jobs$/, 'lost')
    expect(await w.load({ schema: 'raw', name: 't' }, ['n', 'v'], `select range, 'x' from range(2)`)).toBe(2)
    const loads = service.sent.filter((one) => one.body.configuration?.load)
    expect(loads.map((one) => one.bytes > 200)).toEqual([true, true])
    expect([...service.jobs.values()].filter((job) => job.configuration.load)).toHaveLength(1)
    expect(loads[0]?.body.configuration?.load).toEqual({
      destinationTable: { projectId: 'lotus', datasetId: 'raw', tableId: 't' },
      sourceFormat: 'PARQUET',
      createDisposition: 'CREATE_NEVER',
      writeDisposition: 'WRITE_APPEND',
      parquetOptions: { enableListInference: true },
    })
  })
})

describe('a warehouse opened to read', () => {
  it('sends nothing but queries', async () => {
    const w = await open({ mode: 'read' })
    const sent = service.sent.length
    for (const sql of [
      'delete from t where true',
      'select 1 as a; drop table t',
      '-- x\ncreate table t (a INT64)',
      'begin select 1; end',
    ]) {
      expect((await refusalOf(w.run(sql))).code).toBe('QUERY_FAILED')
    }
    expect(service.sent.length).toBe(sent)
    await w.all(`(select ';' as a) -- ; drop table t`)
  })
})
