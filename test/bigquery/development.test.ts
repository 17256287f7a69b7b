// Developing against production: a copy that reads its landed data and writes to datasets of its own, and a slice of it on this machine.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { loadProject } from '../../src/project/load.ts'
import { performPull } from '../../src/run/pull.ts'
import { performRun, type RunResult } from '../../src/run/run.ts'
import { developedWarehouse, openWarehouse, type Warehouse } from '../../src/warehouse/warehouse.ts'
import { describeBigQuery, freshProject, patience, rowsOf, type Judged } from './harness.ts'
import { example, openProject, type ProjectOn } from './project.ts'

const timeout = patience
const shared = { clock: systemClock, signal: new AbortController().signal, emit: () => undefined }

await describeBigQuery('developing against production', (emulator) => {
  let judged: Judged
  let project: ProjectOn
  beforeAll(async () => {
    judged = await freshProject(emulator, { copy: ['models_dev_lan', 'cdp_dev_lan'] })
    project = await openProject(example, judged.settings)
    await project.run(1)
  }, timeout)
  afterAll(async () => {
    await project.close()
    await judged.close()
  })

  const copy = async (mode: 'read' | 'write'): Promise<Warehouse> => {
    const { compiled } = await loadProject(project.folder, 'production')
    const warehouse = await developedWarehouse(compiled.warehouse, 'lan')
    if (!warehouse) throw new Error('BigQuery has copies for developers')
    return openWarehouse(warehouse, { root: project.folder, mode, waitMs: 0, clock: systemClock })
  }
  const runCopy = async (day: 1 | 2, number: number): Promise<RunResult> => {
    const { compiled } = await loadProject(project.folder, 'production')
    const result = await performRun({
      ...shared,
      project: { ...compiled, developer: 'lan' },
      openWarehouse: copy,
      live: () => Promise.reject(new Error('nothing is landed')),
      runId: `dev-${number}`,
      instant: example.days[day - 1] ?? '',
      allow: new Set(),
      selected: undefined,
      fullRefresh: false,
      strict: false,
      tempDir: `${project.folder}/.cdp/tmp`,
    })
    expect(result.failed).toBeUndefined()
    return result
  }
  const sameModels = async (): Promise<void> => {
    const [theirs, mine] = [await project.open(), await copy('read')]
    try {
      const names = (await theirs.relations('models')).map(({ name }) => name)
      expect((await mine.relations('models')).map(({ name }) => name)).toEqual(names)
      for (const name of names) {
        const relation = { schema: 'models', name } as const
        expect(mine.name(relation)).toMatch(/\.`models_dev_lan`\./)
        expect(await rowsOf(mine, relation), name).toEqual(await rowsOf(theirs, relation))
      }
    } finally {
      await theirs.close()
      await mine.close()
    }
  }

  it(
    'builds in datasets of its own from landed data as it is, and again only when that changed',
    { timeout },
    async () => {
      const first = await runCopy(1, 1)
      expect(first.steps.filter(({ kind }) => kind === 'land').map(({ status }) => status)).not.toContain('done')
      await sameModels()
      expect((await runCopy(1, 2)).steps.every(({ status }) => status === 'unchanged')).toBe(true)
      await project.secondDay()
      await project.run(2)
      expect((await runCopy(2, 3)).steps.some(({ status }) => status === 'done')).toBe(true)
      await sameModels()
    },
  )

  it('never writes landed data', { timeout }, async () => {
    const mine = await copy('write')
    try {
      const [raw] = await mine.relations('raw')
      const name = mine.name({ schema: 'raw', name: raw?.name ?? '' })
      const writes = [
        `delete from ${name} where true`,
        `drop table ${name}`,
        `create or replace table raw.x as select 1 as n`,
        `insert into raw.${raw?.name ?? ''} select * from ${name}`,
        `alter table ${name} drop column id`,
      ]
      for (const sql of writes) await expect(mine.run(sql), sql).rejects.toMatchObject({ code: 'DEV_RAW' })
      await expect(mine.load({ schema: 'raw', name: 'x' }, ['n'], 'select 1')).rejects.toMatchObject({
        code: 'DEV_RAW',
      })
    } finally {
      await mine.close()
    }
  })

  it('has a slice of it here, row for row, by the same hash', { timeout }, async () => {
    const local = await loadProject(project.folder, 'local')
    const { compiled } = await loadProject(project.folder, 'production')
    const into = await openWarehouse(local.compiled.warehouse, {
      root: project.folder,
      mode: 'write',
      waitMs: 0,
      clock: systemClock,
    })
    const from = await project.open()
    try {
      const selected = new Set([...compiled.streams.map(({ id }) => id), ...compiled.models.map(({ name }) => name)])
      const base = { ...shared, project: compiled, from, into, selected, instant: example.days[1] }
      const tempDir = `${project.folder}/.cdp/tmp`
      const whole = await performPull({ ...base, sample: 1, runId: 'pull-1', tempDir })
      expect(whole.map(({ relation }) => relation).toSorted()).toEqual([...selected].toSorted())
      for (const { relation, rows } of whole) {
        const stream = compiled.streams.find(({ id }) => id === relation)
        const name = stream
          ? ({ schema: 'raw', name: stream.relation } as const)
          : ({ schema: 'models', name: relation } as const)
        const here = await rowsOf(into, name)
        expect(here.length).toBe(rows)
        expect(here, relation).toEqual(await rowsOf(from, name))
      }
      const lowest = `select person_id from profiles where person_id <> 'x' order by cdp.hash_bucket(person_id, 1000000) limit 5`
      const expected = (await into.all<{ person_id: string }>(lowest)).map(({ person_id }) => person_id)
      const few = await performPull({
        ...base,
        sample: 1,
        where: `person_id <> 'x' -- of which there is none`,
        rows: 5,
        runId: 'pull-3',
        tempDir,
        selected: new Set(['profiles']),
      })
      expect(few).toMatchObject([{ rows: 5, by: 'person_id' }])
      const lowestOfThem = await into.all<{ person_id: string }>('select person_id from profiles')
      expect(lowestOfThem.map(({ person_id }) => person_id).toSorted()).toEqual(expected.toSorted())
      const part = await performPull({
        ...base,
        sample: 0.5,
        by: 'person_id',
        runId: 'pull-2',
        tempDir,
        selected: new Set(['profiles']),
      })
      const persons = await into.all<{ person_id: string }>('select person_id from profiles')
      expect(persons.length).toBe(part[0]?.rows)
      const everyone = await from.all<{ person_id: string }>(
        `select person_id from ${from.name({ schema: 'models', name: 'profiles' })}`,
      )
      const buckets = await into.all<{ b: number }>({
        sql: 'select cdp.hash_bucket(p, 1000000) as b from unnest($1) as t(p)',
        parameters: [everyone.map(({ person_id }) => person_id)],
      })
      expect(persons.length).toBe(buckets.filter(({ b }) => b < 500_000).length)
      expect(persons.length).toBeLessThan(everyone.length)
    } finally {
      await from.close()
      await into.close()
    }
  })

  it('has a slice of a copy here: its models, and production’s landed data', { timeout }, async () => {
    const local = await loadProject(project.folder, 'local')
    const { compiled } = await loadProject(project.folder, 'production')
    const options = { root: project.folder, mode: 'write', waitMs: 0, clock: systemClock } as const
    const into = await openWarehouse(local.compiled.warehouse, options)
    const [from, theirs] = [await copy('read'), await project.open()]
    try {
      const [stream] = compiled.streams
      const selected = new Set(['profiles', stream?.id ?? ''])
      const pulled = await performPull({
        ...shared,
        project: { ...compiled, developer: 'lan' },
        from,
        into,
        selected,
        sample: 1,
        runId: 'pull-5',
        instant: example.days[1],
        tempDir: `${project.folder}/.cdp/tmp`,
      })
      expect(pulled.map(({ relation }) => relation)).toEqual([stream?.id, 'profiles'])
      const raw = { schema: 'raw', name: stream?.relation ?? '' } as const
      expect(await rowsOf(into, raw)).toEqual(await rowsOf(theirs, raw))
      const profiles = { schema: 'models', name: 'profiles' } as const
      expect(await rowsOf(into, profiles)).toEqual(await rowsOf(from, profiles))
      const recorded = await into.all(`select * from cdp.schemas where stream = ${into.literal(stream?.id ?? '')}`)
      expect(recorded.length).toBeGreaterThan(0)
    } finally {
      await Promise.all([from.close(), theirs.close(), into.close()])
    }
  })

  it('says nothing that is not GoogleSQL', () => {
    expect(judged.judge.refused()).toEqual([])
  })
})
