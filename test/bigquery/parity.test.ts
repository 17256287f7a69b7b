// The promise of two engines: the same project gives the same rows, in every relation, after every day.
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SyncSummary } from '../../src/run/sync.ts'
import { exceptions } from './exceptions.ts'
import {
  type Comparing,
  contentOf,
  describeBigQuery,
  differenceOf,
  freshProject,
  patience,
  relationsOf,
  type Judged,
} from './harness.ts'
import { isLive } from './live.ts'
import { demo, example, openProject, type ProjectOn, type Story } from './project.ts'
import { timesRun } from './proxy.ts'

const timeout = patience

interface Told {
  readonly name: string
  readonly story: Story
  /** Other names than the usual. */
  readonly datasets?: readonly [raw: string, models: string, cdp: string]
  /** Rows come and go by the Storage API where they may. */
  readonly storage: boolean
}

const stories: readonly Told[] = [
  { name: 'the demo', story: demo, storage: false },
  {
    name: 'the example, renamed, by Storage API',
    story: example,
    datasets: ['landed', 'shop_models', 'engine_state'],
    storage: true,
  },
]

const comparingOf = (relation: string, { whose }: ProjectOn): Comparing => {
  const { columns = [], masks = {} } = exceptions[relation] ?? {}
  const entries = Object.entries(masks).map(
    ([name, mask]) => [name, (value: Parameters<typeof mask>[0]) => mask(value, whose)] as const,
  )
  return { except: columns, masks: Object.fromEntries(entries) }
}

/** What differs between a project on DuckDB and on BigQuery, by relation; nothing else is said of what is the same. */
const differences = async (
  duck: ProjectOn,
  bigquery: ProjectOn,
  concerns: (relation: string) => boolean,
): Promise<Readonly<Record<string, unknown>>> => {
  const found: Record<string, unknown> = {}
  const [here, there] = [await duck.delivered(), await bigquery.delivered()]
  if (!isDeepStrictEqual(here, there)) found['delivered'] = differenceOf(linesOf(here), linesOf(there))
  const [left, right] = [await duck.open(), await bigquery.open()]
  try {
    const relations = await relationsOf(left)
    const others = await relationsOf(right)
    const onlyOne = differenceOf(relations, others)
    if (onlyOne.length > 0) found['relations'] = onlyOne
    for (const relation of relations.filter((one) => others.includes(one) && concerns(one))) {
      const ours = await contentOf(left, relation, comparingOf(relation, duck))
      const theirs = await contentOf(right, relation, comparingOf(relation, bigquery))
      const difference = [...differenceOf(ours.columns, theirs.columns), ...differenceOf(ours.rows, theirs.rows)]
      if (difference.length > 0) found[relation] = difference
    }
  } finally {
    await left.close()
    await right.close()
  }
  return found
}

const linesOf = (value: unknown): string[] => JSON.stringify(value, null, 1).split('\n')

// A run writes all but the ledger of syncs, a sync only that and what was run.
const ofRuns = (relation: string): boolean => !relation.startsWith('cdp.sync')
const ofSyncs = (relation: string): boolean => /^cdp\.(?:sync|run)/.test(relation)

/** A summary, with whom the ids that a vendor gave out stand for. */
const told =
  ({ whose }: ProjectOn) =>
  ({ seconds: _, error: __, ...summary }: SyncSummary): unknown =>
    JSON.parse(JSON.stringify(summary), (name, value: unknown) =>
      name === 'reference' && typeof value === 'string' ? whose(value) : value,
    )

await describeBigQuery('a project on BigQuery and on DuckDB', (emulator) => {
  describe.each(stories)('$name', ({ story, datasets, storage }) => {
    let judged: Judged
    let duck: ProjectOn
    let bigquery: ProjectOn
    // Each stage stands on the ones before.
    let reached = 0
    beforeAll(async () => {
      // `lenient` shows all that the analyzer refuses in one go, at the end.
      const how = process.env['CDP_BIGQUERY_JUDGE'] === 'lenient' ? 'lenient' : 'strict'
      judged = await freshProject(emulator, { how, ...(datasets && { datasets }) })
      const more = storage && !isLive ? { storageEndpoint: emulator.grpc } : {}
      duck = await openProject(story)
      bigquery = await openProject(story, { ...judged.settings, ...more }, judged.looking)
    }, timeout)
    afterAll(async () => {
      await duck.close()
      await bigquery.close()
      await judged.close()
    })

    for (const day of [1, 2] as const) {
      const before = (day - 1) * 2
      it(`lands and builds the same on day ${day}`, { timeout }, async ({ skip }) => {
        if (reached < before) skip('what came before it failed')
        for (const project of [duck, bigquery]) {
          if (day === 2) await project.secondDay()
          await project.run(day)
        }
        reached = before + 1
        expect(await differences(duck, bigquery, ofRuns)).toEqual({})
      })

      it(`plans and delivers the same on day ${day}`, { timeout }, async ({ skip }) => {
        if (reached < before + 1) skip('what came before it failed')
        const ours = await duck.sync(day)
        const theirs = await bigquery.sync(day)
        reached = before + 2
        expect(await differences(duck, bigquery, ofSyncs)).toEqual({})
        expect(theirs.summaries.map(told(bigquery))).toEqual(ours.summaries.map(told(duck)))
      })
    }

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
