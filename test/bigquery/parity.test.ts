// The promise of two engines: the same project gives the same rows, in every relation, after every day.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exceptions } from './exceptions.ts'
import {
  columnsOf,
  describeBigQuery,
  differenceOf,
  freshProject,
  patience,
  relationsOf,
  rowsOf,
  type Judged,
} from './harness.ts'
import { demo, example, openProject, type ProjectOn, type Story } from './project.ts'
import { timesRun } from './proxy.ts'

const timeout = patience

/** What differs between a project on DuckDB and on BigQuery, by relation; nothing else is said of what is the same. */
const differences = async (duck: ProjectOn, bigquery: ProjectOn): Promise<Readonly<Record<string, unknown>>> => {
  const [left, right] = [await duck.open(), await bigquery.open()]
  const found: Record<string, unknown> = {}
  try {
    const relations = await relationsOf(left)
    const others = await relationsOf(right)
    const onlyOne = differenceOf(relations, others)
    if (onlyOne.length > 0) found['relations'] = onlyOne
    for (const relation of relations.filter((one) => others.includes(one))) {
      const except = exceptions[relation]?.columns ?? []
      const columns = differenceOf(await columnsOf(left, relation), await columnsOf(right, relation))
      const rows = differenceOf(await rowsOf(left, relation, { except }), await rowsOf(right, relation, { except }))
      if (columns.length + rows.length > 0) found[relation] = [...columns, ...rows]
    }
  } finally {
    await left.close()
    await right.close()
  }
  const [here, there] = [await duck.delivered(), await bigquery.delivered()]
  if (JSON.stringify(here) !== JSON.stringify(there)) found['delivered'] = { here, there }
  return found
}

await describeBigQuery('a project on BigQuery and on DuckDB', (emulator) => {
  describe.each<Story>([example, demo])('$name', (story) => {
    let judged: Judged
    let duck: ProjectOn
    let bigquery: ProjectOn
    // Each day stands on the one before.
    let reached = 0
    beforeAll(async () => {
      // `lenient` shows all that the analyzer refuses in one go, at the end.
      const how = process.env['CDP_BIGQUERY_JUDGE'] === 'lenient' ? 'lenient' : 'strict'
      judged = await freshProject(emulator, { how })
      duck = await openProject(story)
      bigquery = await openProject(story, judged.settings)
    }, timeout)
    afterAll(async () => {
      await duck.close()
      await bigquery.close()
      await judged.close()
    })

    it('lands and builds the same on day 1', { timeout }, async () => {
      await duck.run(1)
      await bigquery.run(1)
      reached = 1
      expect(await differences(duck, bigquery)).toEqual({})
    })

    it('delivers the same on day 1', { timeout }, async ({ skip }) => {
      if (reached < 1) skip('the run before it failed')
      await duck.sync(1)
      await bigquery.sync(1)
      reached = 2
      expect(await differences(duck, bigquery)).toEqual({})
    })

    it('lands and builds the same on day 2', { timeout }, async ({ skip }) => {
      if (reached < 1) skip('the run before it failed')
      await duck.secondDay()
      await bigquery.secondDay()
      await duck.run(2)
      await bigquery.run(2)
      reached = Math.max(reached, 1) + 1
      expect(await differences(duck, bigquery)).toEqual({})
    })

    it('delivers the same on day 2', { timeout }, async ({ skip }) => {
      if (reached < 3) skip('what came before it failed')
      await duck.sync(2)
      await bigquery.sync(2)
      reached = 4
      expect(await differences(duck, bigquery)).toEqual({})
    })

    it('only asks when there is nothing to do', { timeout }, async ({ skip }) => {
      if (reached < 4) skip('what came before it failed')
      const before = judged.proxy.seen.length
      const { steps } = await bigquery.run(2)
      const { summaries } = await bigquery.sync(2)
      expect([...new Set([...steps, ...summaries].map(({ status }) => status))]).toEqual(['unchanged'])
      const sent = judged.proxy.seen.slice(before).flatMap(({ job }) => (job ? [job.query ?? 'a load'] : []))
      expect(sent.filter((text) => !/^(?:select|with)\b/i.test(text))).toEqual([])
    })

    it('sends nothing that is not GoogleSQL, and nothing twice', () => {
      expect(judged.judge.refused()).toEqual([])
      expect(judged.judge.accepted()).toBeGreaterThan(100)
      expect([...timesRun(judged.proxy.seen)].filter(([, times]) => times > 1)).toEqual([])
    })
  })
})
