// `kill -9` in every stage of a run: the next run gets to the state that the run alone would have reached.
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CompiledProject } from '../../src/project/compiled.ts'
import { loadProject } from '../../src/project/load.ts'
import { planRun } from '../../src/run/plan.ts'
import type { Crash } from './crash.ts'
import { cleanUp, patience, projectOf, type Project } from './project.ts'
import { shop } from './shop.ts'
import { stateOf } from './state.ts'

// The second day: customer 3 turns out to be 4, 5 has a new name, 13 is new, 9 gave nearly all back and 6 spent more.
const secondDay = {
  'data/customers-2.csv': `id,email,phone,full_name,city
3,person4@example.com,0912345612,Nguyễn Văn 3,Huế
5,person5@example.com,0912345614,Nguyễn Thị 5,
13,person13@example.com,0912345690,Võ Giang,Cần Thơ
`,
  'data/orders-2.csv': `order_no,customer_id,amount
A9,9,1
B1,6,900000
B2,13,700000
B3,13,some
`,
}

// Versions are saved with each of the two streams, then those of the models together.
const saving = (when: Crash['when']): Crash => ({ effect: 'sql', match: /^delete from cdp\.versions/, when, nth: 3 })
// The last thing that is asked of a model's relation is what it holds.
const built = (relation: string): Crash => ({
  effect: 'sql',
  match: new RegExp(`hash\\(_cdp_row\\).*"main"\\."${relation}"`),
  when: 'after',
})
const between: readonly (readonly [string, Crash])[] = [
  ['when a stream has landed, before anything else', { effect: 'sql', match: /^commit/, when: 'after' }],
  ['when the identity is built, before its version is saved', built('people')],
  ['when a table is built, before its version is saved', built('spending')],
  ['when the segment is built, before its version is saved', built('spenders')],
  ['when all models are built, before their versions are saved', saving('before')],
  ['while the versions of the models are saved', saving('after')],
]
const within: readonly Crash[] = [
  { effect: 'sql', match: /^insert into cdp\.runs/, when: 'after' },
  { effect: 'sql', match: /^insert into temp\."_cdp_stage/, when: 'after' },
  { effect: 'sql', match: /"cdp"\."load_files"/, when: 'after', nth: 2 },
  { effect: 'sql', match: /_cdp_identity_assigned"/, when: 'after' },
  { effect: 'sql', match: /into "cdp"\."person_records"/, when: 'after' },
  { effect: 'sql', match: /into "cdp"\."trait_origins"/, when: 'after' },
  { effect: 'sql', match: /"main"\."spending" as /, when: 'before' },
  { effect: 'sql', match: /update "cdp"\."segment_members"/, when: 'after' },
  { effect: 'sql', match: /^update cdp\.runs set status = \$1/, when: 'before' },
]

describe('a run that is killed', { timeout: patience }, () => {
  let project: Project
  let compiled: CompiledProject
  let expected: Record<string, readonly string[]>
  const at = (file: string): string => join(project.folder, file)
  const secondRun = ['run', '--quiet', '--now', '2026-11-02T00:00:00Z']

  beforeAll(async () => {
    project = projectOf(shop)
    await project.must(['run', '--quiet', '--now', '2026-11-01T00:00:00Z'])
    copyFileSync(at('.cdp/test.duckdb'), at('day-1.duckdb'))
    for (const [file, text] of Object.entries(secondDay)) project.write(file, text)
    await project.must(secondRun)
    expected = await stateOf(project)
    compiled = (await loadProject(project.folder)).compiled
  }, patience)
  afterAll(cleanUp)

  it('is compared with one that went through, in which all of this happened', () => {
    expect(expected['main.spenders']).toHaveLength(8)
    expect(expected['cdp.person_redirects']).toHaveLength(1)
    expect(expected['cdp.quarantine']).toHaveLength(2)
  })

  const yesterday = (): void => {
    rmSync(at('.cdp/test.duckdb.wal'), { force: true })
    copyFileSync(at('day-1.duckdb'), at('.cdp/test.duckdb'))
  }
  const asExpected = async (): Promise<void> => {
    await project.must(secondRun)
    expect(await stateOf(project)).toEqual(expected)
    const third = { instant: '2026-11-03T00:00:00Z', selected: undefined, fullRefresh: false }
    expect((await project.read((warehouse) => planRun(warehouse, compiled, third))).quiet).toBe(true)
  }

  it.for(between)('%s, loses nothing', async ([, crash]) => {
    yesterday()
    expect((await project.cdp(secondRun, { crash })).signal).toBe('SIGKILL')
    await asExpected()
  })

  it('in the middle of every stage, one after the other, loses nothing', async () => {
    yesterday()
    for (const crash of within) {
      expect((await project.cdp(secondRun, { crash })).signal, String(crash.match)).toBe('SIGKILL')
    }
    await asExpected()
  })
})
