// A run of models on BigQuery: what it records, what it may cost, and that it does nothing twice. State goes from one engine to the other.
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { CdpError } from '../../src/core/errors.ts'
import { sha256 } from '../../src/core/hash.ts'
import type { CompiledModel } from '../../src/models/model.ts'
import type { CompiledProject, CompiledSync } from '../../src/project/compiled.ts'
import { planCosts } from '../../src/run/cost.ts'
import { explainSyncRow } from '../../src/run/explain-row.ts'
import { planRun } from '../../src/run/plan.ts'
import { performRun, type PerformOptions, type RunResult } from '../../src/run/run.ts'
import { exportState, importState } from '../../src/run/state.ts'
import { lastRuns, wrongNow } from '../../src/run/status.ts'
import { keptRelations, type EngineRelationName } from '../../src/warehouse/relations.ts'
import { insertRows } from '../../src/warehouse/statements.ts'
import type { Warehouse } from '../../src/warehouse/warehouse.ts'
import { compiled, contextOf } from '../models/project.ts'
import { describeBigQuery, openBoth, patience, sameRows, type Both } from './harness.ts'

const timeout = patience

const aSync: CompiledSync = {
  id: 'a-sync',
  file: 'syncs/a-sync.ts',
  description: '',
  tags: [],
  from: 'base',
  key: { id: 'id' },
  map: {},
  mode: 'mirror',
  remove: undefined,
  purpose: undefined,
  clear: [],
  guard: {},
  destination: {} as CompiledSync['destination'],
  secrets: [],
  fingerprint: '',
}

const projectOf = (both: Both, models: readonly CompiledModel[]): CompiledProject => ({
  madeBy: '',
  root: both.folder,
  name: 'p',
  region: 'VN',
  timeZone: 'UTC',
  target: 'production',
  warehouse: { module: '', engine: 'bigquery', settings: {} },
  streams: [],
  models,
  syncs: [],
  consent: undefined,
  requirePurpose: false,
  schedule: {},
  inputs: [],
  warnings: [],
})

const runOptions = (
  both: Both,
  models: readonly CompiledModel[],
): Omit<PerformOptions, 'runId' | 'instant' | 'selected' | 'emit' | 'allow' | 'fullRefresh'> => ({
  project: projectOf(both, models),
  openWarehouse: async () => ({ ...both.bigquery, close: () => Promise.resolve() }),
  live: () => Promise.reject(new Error('there is no code')),
  clock: systemClock,
  signal: new AbortController().signal,
  strict: false,
  tempDir: join(both.folder, 'tmp'),
})

// One row of each of some relations that a state has.
const at = new Date('2026-01-02T03:04:05.678Z')
const kept: Readonly<Partial<Record<EngineRelationName, Readonly<Record<string, unknown>>>>> = {
  segment_members: { segment: 's', person_id: 'p', entered_at: at, left_at: null },
  person_redirects: { graph: 'g', old_id: 'o', person_id: "p'\\ é", run_id: 'r' },
  sync_log: {
    sync: 'a-sync',
    epoch: 1,
    seq: 2,
    event: 'outcome',
    happened_at: at,
    key_hash: sha256('{"id":"7"}').slice(0, 32),
    operation: 'upsert',
    change_id: 'c',
    row_hash: 'h',
    status: 'delivered',
    reason: 'added',
    attempt: 'a',
    detail: '{"reference":"r1"}',
  },
}

await describeBigQuery('runs on BigQuery', (emulator) => {
  let both: Both
  beforeAll(async () => {
    both = await openBoth(emulator)
    await both.bigquery.run(both.bigquery.createSchema('models'))
  }, timeout)
  afterAll(() => both.close())

  it(
    'runs a project, records what each step was billed for, and does nothing the second time',
    { timeout },
    async () => {
      const models = await compiled(
        {
          'base.sql': '/*\nkind: table\nmaximum_bytes_billed: 5 GB\n*/\nselect 1 as id union all select 2',
          'broken.sql': '/*\nkind: table\n*/\nselect nothing from base',
          'ids.sql': '/*\nkind: table\ntests: [{ unique: id }]\n*/\nselect id from base',
        },
        [],
        undefined,
        'bigquery',
      )
      const run = (runId: string, selected?: ReadonlySet<string>): Promise<RunResult> =>
        performRun({ ...contextOf(both.bigquery), ...runOptions(both, models), runId, selected, maximumBytes: 20e9 })
      both.proxy.clear()
      const first = await run('r1')
      expect(first.steps.map(({ step, status }) => `${step} ${status}`)).toEqual([
        'base done',
        'broken failed',
        'ids done',
      ])
      const limits = both.proxy.seen.flatMap(({ job, body }) => {
        const limit = /"maximumBytesBilled":"(\d+)"/.exec(JSON.stringify(body))?.[1]
        const step = job?.labels['cdp_step'] ?? 'record'
        return step === 'record' || job?.dryRun === true ? [] : [`${step} ${limit}`]
      })
      expect([...new Set(limits)]).toEqual(['base 5000000000', 'broken 20000000000', 'ids 20000000000'])
      const w = both.bigquery
      const steps = await w.all(
        `select step, status, statements > 0 as counted, bytes_billed from cdp.run_steps where run_id = 'r1' order by step`,
      )
      expect(steps).toEqual([
        { step: 'base', status: 'done', counted: true, bytes_billed: 0 },
        { step: 'broken', status: 'failed', counted: null, bytes_billed: null },
        { step: 'ids', status: 'done', counted: true, bytes_billed: 0 },
      ])
      both.proxy.clear()
      const second = await run('r2', new Set(['base', 'ids']))
      expect(second.steps.map(({ status }) => status)).toEqual(['unchanged', 'unchanged'])
      expect(both.proxy.seen.flatMap(({ job }) => (job ? [/^\w+/.exec(job.query ?? '')?.[0]] : []))).toEqual(['select'])
      expect(await wrongNow(w)).toMatchObject([{ what: 'model', name: 'broken' }])
      expect(await lastRuns(w)).toMatchObject([{ run: 'r1', status: 'failed', exit_code: 2 }])
      const plan = await planRun(w, projectOf(both, models), {
        instant: contextOf(w).instant,
        selected: undefined,
        fullRefresh: true,
      })
      expect(await planCosts(plan, w, { instant: contextOf(w).instant, pricePerTiB: 6.25 })).toMatchObject([
        { step: 'base', bytes: 0, usd: 0 },
        {
          step: 'broken',
          bytes: undefined,
          accuracy: expect.stringMatching(/^not known: Unrecognized name/) as string,
        },
        { step: 'ids', bytes: 0, usd: 0 },
      ])
    },
  )

  it('writes down what an interrupted run did, and goes on with it', { timeout }, async () => {
    const files = {
      'one.sql': '/*\nkind: table\n*/\nselect 1 as n',
      'two.sql': '/*\nkind: table\n*/\nselect n from one',
    }
    const models = await compiled(files, [], undefined, 'bigquery')
    const stop = new AbortController()
    const warehouse = await both.reopen({ signal: stop.signal })
    const unhook = both.proxy.hook(({ job }) => {
      if (/^create or replace table \S*`two`/.test(job?.query ?? ''))
        stop.abort(new CdpError('INTERRUPTED', { what: 'a test' }))
      return undefined
    })
    const options = { ...contextOf(both.bigquery), ...runOptions(both, models), selected: undefined }
    const openInterrupted = async (): Promise<Warehouse> => ({ ...warehouse, close: () => Promise.resolve() })
    const stopped = await performRun({ ...options, runId: 's1', signal: stop.signal, openWarehouse: openInterrupted })
    unhook()
    expect(stopped.failed).toBe('interrupted')
    const w = both.bigquery
    expect(await w.all(`select status, exit_code from cdp.runs where run_id = 's1'`)).toEqual([
      { status: 'interrupted', exit_code: 130 },
    ])
    expect(await w.all(`select relation, status from cdp.versions where relation in ('one', 'two')`)).toEqual([
      { relation: 'one', status: 'good' },
    ])
    const next = await performRun({ ...options, runId: 's2' })
    expect(next.steps.map(({ step, status }) => `${step} ${status}`)).toEqual(['one unchanged', 'two done'])
    expect(await w.all(`select n from ${w.name({ schema: 'models', name: 'two' })}`)).toEqual([{ n: 1 }])
  })

  it('one of two runs that begin together gives way, and what a dead one left is taken away', { timeout }, async () => {
    const w = both.bigquery
    const models = await compiled({ 'slow.sql': '/*\nkind: table\n*/\nselect 3 as n' }, [], undefined, 'bigquery')
    const options = { ...contextOf(w), ...runOptions(both, models), selected: undefined }
    const dead = { host: hostname(), pid: 2 ** 22 + 1, began: '', heartbeat: Date.now() }
    const elsewhere = { host: 'elsewhere', pid: 1, began: '', heartbeat: Date.now() - 11 * 60_000 }
    await insertRows(w, { schema: 'cdp', name: 'settings' }, [
      { name: 'run:dead', value: JSON.stringify(dead) },
      { name: 'run:long-silent', value: JSON.stringify(elsewhere) },
    ])
    // The second begins while the first builds.
    let second: Promise<unknown> | undefined
    const unhook = both.proxy.hook(({ job }) => {
      if (/^create or replace table \S*`slow`/.test(job?.query ?? '')) {
        second ??= performRun({ ...options, runId: 't2' }).catch((error: unknown) => error)
      }
      return undefined
    })
    const first = await performRun({ ...options, runId: 't1' })
    unhook()
    expect(first.steps.map(({ step, status }) => `${step} ${status}`)).toEqual(['slow done'])
    // It may have come to look when the first was through.
    const came = JSON.stringify(await second)
    expect(came).toMatch(/"code":"RUN_BUSY"|"status":"unchanged"/)
    await insertRows(w, { schema: 'cdp', name: 'settings' }, [
      { name: 'run:there', value: JSON.stringify({ ...elsewhere, heartbeat: Date.now() }) },
    ])
    await expect(performRun({ ...options, runId: 't3', fullRefresh: true })).rejects.toMatchObject({
      code: 'RUN_BUSY',
      args: { run: 'there', holder: 'pid 1 on elsewhere' },
    })
    expect(await w.all(`select name from cdp.settings where name like 'run:%'`)).toEqual([{ name: 'run:there' }])
    await w.run(`delete from cdp.settings where name = 'run:there'`)
  })

  it('state goes out of one warehouse and into the other', { timeout }, async () => {
    const [here, there] = [both.duck, both.bigquery]
    const folder = join(both.folder, 'state')
    for (const [name, row] of Object.entries(kept)) {
      for (const w of [here, there]) await insertRows(w, { schema: 'cdp', name }, [row])
    }
    await exportState(here, folder, contextOf(here).instant)
    await expect(importState(there, folder)).rejects.toMatchObject({ code: 'STATE_NOT_EMPTY' })
    for (const name of Object.keys(kept))
      await there.run(`delete from ${there.name({ schema: 'cdp', name })} where true`)
    const summaries = await importState(there, folder)
    expect(summaries.filter(({ rows }) => rows > 0)).toHaveLength(Object.keys(kept).length)
    for (const relation of keptRelations) await sameRows(here, there, `cdp.${relation}`)
    const project = { ...projectOf(both, []), syncs: [aSync] }
    const [event] = await explainSyncRow(project, there, 'a-sync', '7')
    expect(event).toEqual((await explainSyncRow(project, here, 'a-sync', '7'))[0])
    expect(event).toMatchObject({ event: 'outcome', detail: '{"reference":"r1"}' })
  })

  it('sends nothing that is not GoogleSQL', () => {
    const wrong = both.judge
      .refused()
      .filter(({ said, statement }) => !said.includes('nothing') && !statement.startsWith('call BQ.'))
    expect(wrong).toEqual([])
  })
})
