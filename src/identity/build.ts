// Builds one identity graph: records in, persons out, ids kept. The order of the steps is the order of the guards: normalised values,
// junk and blocks, then components, then limits, then ids. Everything is worked out in work tables first; what is kept is then written in
// one transaction, or as near to one as the engine gets. (Inside one an engine does not know the sizes of tables made in it, and joins them the slow way.)
import type { Place } from '../core/errors.ts'
import type { Column, Warehouse } from '../warehouse/warehouse.ts'
import { judgeValues } from './blocks.ts'
import { findChanges, findMergeCauses, findSplitCauses, movedCounts, stageMoved } from './changes.ts'
import { components, memoryEdges } from './components.ts'
import { assignIds, registryOf } from './ids.ts'
import { applyLimits } from './limits.ts'
import { findLinkChanges, linkCounts, writeLinks } from './links.ts'
import { findRedirects, writeRedirects } from './redirects.ts'
import { writeBlocks, writePersons } from './registry.ts'
import type { IdentitySettings } from './settings.ts'
import { checkColumns, rowColumn, stageRecords } from './stage.ts'
import { stageEdges, stagePairs, stageSharedValues } from './values.ts'
import { settle, withWork, type Work } from './work.ts'

export interface IdentityInput {
  readonly warehouse: Warehouse
  /** Name of the model, and of the graph. */
  readonly graph: string
  /** Its SELECT. */
  readonly select: string
  readonly settings: IdentitySettings
  readonly runId: string
  /** ISO, UTC. */
  readonly instant: string
  /** Of the model, for errors. */
  readonly place: Place
  /** Makes the relation from a SELECT that gives the model's columns and `person_id`; called once, last, in the transaction if it can be. */
  readonly publish: (select: string) => Promise<void>
  /** Edges up to which components are finished in memory. */
  readonly inMemoryUpTo?: number
}

export interface IdentityOutcome {
  readonly records: number
  readonly persons: number
  /** Ids that were issued. */
  readonly created: number
  readonly merged: number
  /** Pairs of an id and the id that some of its records have now. */
  readonly split: number
  readonly retired: number
  /** Records that are new, belong to another id than before, or vanished. */
  readonly changedRecords: number
  /** Values blocked for the first time. */
  readonly newlyBlocked: number
  readonly refusedLinks: number
}

/** Throws MODEL_COLUMN, IDENTITY_COLUMN, IDENTITY_RECORD_NULL, IDENTITY_RECORD_TWICE; then nothing was changed. */
export const buildIdentity = (input: IdentityInput): Promise<IdentityOutcome> =>
  withWork(input.warehouse, 'identity', async (work) => {
    const { warehouse, graph, select, settings, place } = input
    const columns = await checkColumns(warehouse, graph, select, settings, place)
    const records = await stageRecords(work, graph, select, settings, place)
    const found = await findPersons(work, input, records)
    const registry = registryOf(work, graph)
    const assigned = await assignIds(work, registry)
    await stageMoved(work)
    await findLinkChanges(work, registry, settings, found.refused)
    const counts = await work.numbers({ ...movedCounts(work), ...linkCounts(work) })
    const changes = await findChanges(work, assigned, counts)
    if (changes.merged > 0) await findMergeCauses(work, settings)
    if (changes.split > 0) await findSplitCauses(work, settings, found)
    const redirects = await findRedirects(work, registry, changes)

    await settle(
      warehouse,
      async () => {
        await writePersons(work, registry, changes, input)
        if (redirects > 0) await writeRedirects(work, registry, input.runId)
        if (found.newlyBlocked > 0) await writeBlocks(work, registry, input)
        await writeLinks(work, registry, counts)
      },
      () => input.publish(relationOf(work, columns)),
    )
    return {
      records,
      persons: assigned.persons,
      created: changes.created,
      merged: changes.merged,
      split: changes.split,
      retired: changes.retired,
      changedRecords: changes.records,
      newlyBlocked: found.newlyBlocked,
      refusedLinks: found.refused,
    }
  })

// From work table `records` to `component`: how many values were blocked for the first time, and links refused.
const findPersons = async (
  work: Work,
  input: IdentityInput,
  records: number,
): Promise<{ readonly newlyBlocked: number; readonly refused: number }> => {
  const { settings } = input
  await stageSharedValues(work, settings)
  const { values, newlyBlocked } = await judgeValues(work, input.graph, settings)
  await stageEdges(work, settings)
  await stagePairs(work)
  await components(work, 'pairs', 'component', records, input.inMemoryUpTo ?? memoryEdges)
  return { newlyBlocked, refused: await applyLimits(work, settings, { rows: records, values }) }
}

const relationOf = (work: Work, columns: readonly Column[]): string =>
  `select ${columns.map((column) => `r.${work.warehouse.quote(column.name)}`).join(', ')}, a.person_id
from ${work.name('records')} r
left join ${work.name('component')} c on c.x = r.${rowColumn}
join ${work.name('assigned')} a on a.root = coalesce(c.p, r.${rowColumn})`
