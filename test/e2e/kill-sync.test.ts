// `kill -9` in every stage of a sync: the next one brings the destination and the ledger where one alone would have brought them, and
// sends no message twice.
import { copyFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import type { CompiledProject } from '../../src/project/compiled.ts'
import { loadProject } from '../../src/project/load.ts'
import { planSyncs } from '../../src/run/sync.ts'
import type { SyncPlan } from '../../src/sync/plan.ts'
import { openWarehouse } from '../../src/warehouse/warehouse.ts'
import type { Crash } from './crash.ts'
import { cleanUp, patience, projectOf, type Project, type Ran } from './project.ts'
import { hook, shop } from './shop.ts'
import { startVendor, type Vendor } from './vendor.ts'

const fileSync = `import { defineSync } from 'composable-cdp'
import { file } from 'composable-cdp/connectors/file'

export default defineSync({
  from: 'spenders',
  to: file({ path: 'out/spenders.csv' }),
  key: { email: 'email' },
  map: { name: 'full_name' },
  mode: 'mirror',
})
`
const files = {
  ...shop,
  'syncs/audience.ts': hook({ from: 'spenders', to: ', batch: 2, inFlight: 1' }),
  'syncs/welcome.ts': hook({ from: 'spenders', to: `, batch: 2, inFlight: 1, semantics: 'message'`, mode: 'append' }),
  'syncs/list.ts': fileSync,
}
// 9 leaves the segment, 13 enters it, 5 has another name and 6 has spent more: two calls of changes after one of removals.
const secondDay = {
  'data/customers-2.csv':
    'id,email,phone,full_name\n5,person5@example.com,,Nguyễn Thị 5\n13,person13@example.com,,Võ Giang\n',
  'data/orders-2.csv': 'order_no,customer_id,amount\nA9,9,1\nB1,6,900000\nB2,13,700000\n',
}

type Point = readonly [title: string, crash: Crash | { readonly call: number; readonly taken: boolean }]

const opened: Point = ['when the run is open and nothing was sent', { effect: 'sql', match: /^detach/, when: 'after' }]
const planning: readonly Point[] = [
  ['in the transaction that opens the run', { effect: 'sql', match: /^insert into "cdp"\."sync_runs"/, when: 'after' }],
  opened,
]
const delivering: readonly Point[] = [
  ['when the vendor has a call and has not taken it', { call: 2, taken: false }],
  ['when the vendor has taken a call and not answered', { call: 2, taken: true }],
]
const folded: Point = [
  'when it is folded and the journal still there',
  { effect: 'disk', match: /^rm .*journal/, when: 'before' },
]
const folding: readonly Point[] = [
  ['in the middle of folding', { effect: 'sql', match: /^insert into "cdp"\."sync_log"/, when: 'after' }],
  folded,
  ['when what went out is deleted and the end not written', { effect: 'disk', match: /^rm .*spool/, when: 'after' }],
]

describe('a sync that is killed', { timeout: patience }, () => {
  let project: Project
  let vendor: Vendor
  let compiled: CompiledProject
  let before: Vendor['holds'] = {}
  const at = (file: string): string => join(project.folder, file)
  const sync = (id: string, crash?: Crash): Promise<Ran> =>
    project.cdp(['sync', '--select', id, '--allow', 'first-run'], {
      env: { VENDOR_URL: vendor.url },
      ...(crash ? { crash } : {}),
    })

  /** Runs it into its end at a point of the second day, then once more; a third time would have nothing to do. */
  const killAndGoOn = async (id: string, point: Point[1]): Promise<void> => {
    for (const name of ['test.duckdb.wal', 'journal', 'spool', 'locks']) {
      rmSync(at(`.cdp/${name}`), { recursive: true, force: true })
    }
    copyFileSync(at('day-2.duckdb'), at('.cdp/test.duckdb'))
    if ('effect' in point) expect((await sync(id, point)).signal).toBe('SIGKILL')
    else {
      const running = project.start(['sync', '--select', id, '--allow', 'first-run'], {
        env: { VENDOR_URL: vendor.url },
      })
      vendor.at(async (_request, nth) => {
        if (nth !== point.call) return undefined
        running.kill('SIGKILL')
        await running.ended
        return point.taken ? undefined : 'break'
      })
      expect((await running.ended).signal).toBe('SIGKILL')
    }
    const again = await sync(id)
    expect(again.code, again.stderr).toBe(0)
    expect(await third(id)).toMatchObject([{ status: 'unchanged', sends: [] }])
    expect(await project.all(`select count(*) as n from cdp.sync_plan`)).toEqual([{ n: 0 }])
    expect(await project.all(`select 1 from cdp.sync_runs where sync = '${id}' and status = 'running'`)).toEqual([])
    for (const left of [`journal/local/${id}`, `spool/local/${id}`]) {
      expect(project.has(`.cdp/${left}`) ? readdirSync(at(`.cdp/${left}`)) : []).toEqual([])
    }
  }
  const third = (id: string): Promise<SyncPlan[]> =>
    planSyncs({
      project: compiled,
      openWarehouse: (mode) =>
        openWarehouse(compiled.warehouse, { root: project.folder, mode, waitMs: 0, clock: systemClock }),
      live: () => Promise.reject(new Error('a plan needs no code')),
      runId: 'third',
      instant: new Date().toISOString(),
      clock: systemClock,
      signal: new AbortController().signal,
      emit: () => undefined,
      allow: new Set(),
      selected: new Set([id]),
    })
  /** key -> ids of the changes that were sent of it, in order. */
  const idsOf = (id: string): Map<string, string[]> => {
    const ids = new Map<string, string[]>()
    for (const change of vendor.requests.flatMap((request) => (request.sync === id ? request.changes : []))) {
      const email = change.key['email'] ?? ''
      ids.set(email, [...(ids.get(email) ?? []), change.id])
    }
    return ids
  }
  const ledger = (id: string, where: string): Promise<{ email: string }[]> =>
    project.all(`select json_extract_string(key, '$.email') as email from cdp.sync_rows
      where sync = '${id}' and ${where} order by all`)

  beforeAll(async () => {
    project = projectOf(files)
    const first = await startVendor()
    await project.must(['run', '--quiet'])
    await project.must(['sync', '--select', 'audience, list'], { env: { VENDOR_URL: first.url } })
    before = structuredClone(first.holds)
    await first.close()
    for (const [file, text] of Object.entries(secondDay)) project.write(file, text)
    await project.must(['run', '--quiet'])
    copyFileSync(at('.cdp/test.duckdb'), at('day-2.duckdb'))
    compiled = (await loadProject(project.folder)).compiled
  }, patience)
  beforeEach(async () => {
    vendor = await startVendor(before)
  })
  afterEach(() => vendor.close())
  afterAll(cleanUp)

  describe('to a destination of state', () => {
    const audience = async (): Promise<void> => {
      const wanted = await project.all<{ email: string; name: string; spend: string }>(
        'select email, full_name as name, spend from spenders order by email',
      )
      expect(wanted.map((row) => row.email)).toContain('person13@example.com')
      expect(vendor.holds['audience']).toEqual(
        Object.fromEntries(wanted.map(({ email, name, spend }) => [email, { name, spend: Number(spend) }])),
      )
      expect(await ledger('audience', `status = 'delivered' and held`)).toEqual(wanted.map(({ email }) => ({ email })))
    }

    it.for([...planning, ...folding])('%s: each change goes out once', async ([, point]) => {
      await killAndGoOn('audience', point)
      await audience()
      expect([...idsOf('audience').values()].map((ids) => ids.length)).toEqual([1, 1, 1, 1])
    })

    it.for(delivering)('%s: what may have arrived goes out again under the same id', async ([, point]) => {
      await killAndGoOn('audience', point)
      await audience()
      const sent = [...idsOf('audience').values()]
      expect(sent).toHaveLength(4)
      for (const ids of sent) expect(new Set(ids).size).toBe(1)
    })
  })

  describe('of messages', () => {
    const everybody = async (): Promise<string[]> =>
      (await project.all<{ email: string }>('select email from spenders order by all')).map((row) => row.email)

    it.for([opened, folded])('%s: each goes out once', async ([, point]) => {
      await killAndGoOn('welcome', point)
      expect([...idsOf('welcome').keys()].toSorted()).toEqual(await everybody())
      expect(new Set([...idsOf('welcome').values()].map((ids) => ids.length))).toEqual(new Set([1]))
      expect(await ledger('welcome', `status <> 'delivered'`)).toEqual([])
    })

    it.for(delivering)('%s: none goes out twice, and what nobody can know is listed', async ([, point]) => {
      await killAndGoOn('welcome', point)
      const sent = idsOf('welcome')
      expect(new Set([...sent.values()].map((ids) => ids.length))).toEqual(new Set([1]))
      const unknown = (await ledger('welcome', `status = 'unknown'`)).map((row) => row.email)
      const delivered = (await ledger('welcome', `status = 'delivered'`)).map((row) => row.email)
      expect(unknown).toHaveLength(2)
      expect([...unknown, ...delivered].toSorted()).toEqual(await everybody())
      // All that is said to be delivered was sent.
      expect(delivered.filter((email) => !sent.has(email))).toEqual([])
    })
  })

  describe('to a file', () => {
    it('when the new one is in place: a reader finds it whole, and the next sync knows', async () => {
      const point: Crash = { effect: 'disk', match: /^rename .*out\//, when: 'after' }
      rmSync(at('out'), { recursive: true })
      project.write('out/spenders.csv', 'email,name\nold@example.com,Old\n')
      await killAndGoOn('list', point)
      const lines = project.text('out/spenders.csv').trimEnd().split('\n')
      const wanted = await project.all<{ line: string }>(
        `select email || ',' || full_name as line from spenders order by email`,
      )
      expect(lines).toEqual(['email,name', ...wanted.map((row) => row.line)])
      expect(readdirSync(at('out'))).toEqual(['spenders.csv'])
    })
  })
})
