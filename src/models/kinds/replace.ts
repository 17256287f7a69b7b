// Putting a new relation in the place of an old one, so that a step that fails leaves the last good relation.
import { hasCode } from '../../core/errors.ts'
import type { RelationName, Warehouse } from '../model.ts'

// Asked once an opened warehouse, then kept up to date here: nothing else changes what kind of thing a model's name is.
const known = new WeakMap<Warehouse, Map<string, boolean>>()

const views = async (warehouse: Warehouse): Promise<Map<string, boolean>> => {
  let map = known.get(warehouse)
  if (map === undefined) {
    map = new Map((await warehouse.relations('models')).map((relation) => [relation.name, relation.isView]))
    known.set(warehouse, map)
  }
  return map
}

// What was rolled back is not what was noted.
const forgetting = async <T>(warehouse: Warehouse, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    known.delete(warehouse)
    throw error
  }
}

// All or nothing where the engine can; elsewhere the steps are in an order that leaves something good after each.
const together = <T>(warehouse: Warehouse, work: () => Promise<T>): Promise<T> =>
  warehouse.supports.transactionalDdl ? warehouse.transaction(work) : work()

export const modelName = (name: string): RelationName => ({ schema: 'models', name })

/** Whether a model's relation is there, as a table. */
export const isTable = async (warehouse: Warehouse, name: string): Promise<boolean> =>
  (await views(warehouse)).get(name) === false

const dropIfThere = async (warehouse: Warehouse, name: string): Promise<void> => {
  const isView = (await views(warehouse)).get(name)
  if (isView === undefined) return
  await warehouse.run(`drop ${isView ? 'view' : 'table'} ${warehouse.name(modelName(name))}`)
}

/**
 * Creates or replaces a model's relation by what a SELECT gives. `create or replace` is atomic; only a view in the way of a table, the
 * reverse, or a table with another layout must be dropped first, which is done when the new one is known to be good. `layout`: as
 * `layoutOf` gives it.
 */
export const replaceRelation = (
  warehouse: Warehouse,
  name: string,
  as: 'table' | 'view',
  select: string,
  layout = '',
): Promise<void> =>
  forgetting(warehouse, async () => {
    const kinds = await views(warehouse)
    const found = kinds.get(name)
    const target = modelName(name)
    const create = createSql(warehouse, as, target, select, layout)
    if (found === undefined || found === (as === 'view')) {
      await warehouse.run(create).catch(async (thrown: unknown) => {
        if (!isOtherLayout(warehouse, thrown)) throw thrown
        await replaceByStage(warehouse, name, select, layout)
      })
    } else if (as === 'table' && !warehouse.supports.transactionalDdl) {
      await replaceByStage(warehouse, name, select, layout)
    } else {
      await warehouse.describe(select)
      await together(warehouse, async () => {
        await dropIfThere(warehouse, name)
        await warehouse.run(create)
      })
    }
    kinds.set(name, as === 'view')
  })

const createSql = (
  warehouse: Warehouse,
  as: 'table' | 'view',
  target: RelationName,
  select: string,
  layout: string,
): string => `create or replace ${as} ${warehouse.name(target)} ${layout === '' ? '' : `${layout} `}as ${select}`

const isOtherLayout = (warehouse: Warehouse, thrown: unknown): boolean =>
  hasCode(thrown, 'QUERY_FAILED') && warehouse.dialect.partitions?.isOtherLayout(thrown.args.reason) === true

const replaceByStage = (warehouse: Warehouse, name: string, select: string, layout: string): Promise<void> =>
  replaceExamined(warehouse, name, { select, layout }, () => Promise.resolve())

export interface NewTable {
  readonly select: string
  /** As `layoutOf` gives it. */
  readonly layout?: string
}

/**
 * Creates a table beside the old one, lets it be examined, puts it in the old one's place and does `after`: all or nothing where the
 * engine can. Elsewhere an examination that throws leaves the old relation, and should the process die before `after` has ended, the
 * step's version is not saved and it is done again.
 */
export const replaceExamined = (
  warehouse: Warehouse,
  name: string,
  { select, layout = '' }: NewTable,
  examine: (stage: RelationName) => Promise<void>,
  after: () => Promise<void> = () => Promise.resolve(),
): Promise<void> =>
  forgetting(warehouse, () =>
    together(warehouse, async () => {
      const stage = stageOf(name)
      try {
        await createStage(warehouse, stage, select, layout)
        await examine(stage)
        await putInPlace(warehouse, name, stage)
      } catch (error) {
        await dropLeft(warehouse, stage)
        throw error
      }
      await after()
    }),
  )

const createStage = async (
  warehouse: Warehouse,
  stage: RelationName,
  select: string,
  layout: string,
): Promise<void> => {
  const create = createSql(warehouse, 'table', stage, select, layout)
  await warehouse.run(create).catch(async (thrown: unknown) => {
    // Left by a process that died, and by a definition that has changed since.
    if (!isOtherLayout(warehouse, thrown)) throw thrown
    await warehouse.run(`drop table ${warehouse.name(stage)}`)
    await warehouse.run(create)
  })
}

const putInPlace = async (warehouse: Warehouse, name: string, stage: RelationName): Promise<void> => {
  const kinds = await views(warehouse)
  if (kinds.get(name) === true) await dropIfThere(warehouse, name)
  await warehouse.replaceTable(modelName(name), stage).catch(async (thrown: unknown) => {
    if (!isOtherLayout(warehouse, thrown)) throw thrown
    await dropIfThere(warehouse, name)
    await warehouse.replaceTable(modelName(name), stage)
  })
  kinds.set(name, false)
}

// A transaction that failed takes its tables with it.
const dropLeft = async (warehouse: Warehouse, stage: RelationName): Promise<void> => {
  if (warehouse.supports.transactionalDdl) return
  await warehouse.run(`drop table if exists ${warehouse.name(stage)}`).catch(() => undefined)
}

/** A working table of a model's build, gone when it ends. No model may have such a name. */
export const stageOf = (name: string): RelationName => modelName(`_cdp_new_${name}`)
