// Putting a new relation in the place of an old one, so that a step that fails leaves the last good relation.
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

export const modelName = (name: string): RelationName => ({ schema: 'models', name })

/** Whether a model's relation is there, as a table. */
export const isTable = async (warehouse: Warehouse, name: string): Promise<boolean> =>
  (await views(warehouse)).get(name) === false

const dropIfThere = async (warehouse: Warehouse, name: string): Promise<void> => {
  const isView = (await views(warehouse)).get(name)
  if (isView === undefined) return
  await warehouse.run(`drop ${isView ? 'view' : 'table'} ${warehouse.name(modelName(name))}`)
}

/** Creates or replaces a model's relation by what a SELECT gives. `create or replace` is atomic; only a view in the way of a table,
 * or the reverse, must be dropped first. */
export const replaceRelation = (
  warehouse: Warehouse,
  name: string,
  as: 'table' | 'view',
  select: string,
): Promise<void> =>
  forgetting(warehouse, async () => {
    const kinds = await views(warehouse)
    const found = kinds.get(name)
    const create = `create or replace ${as} ${warehouse.name(modelName(name))} as ${select}`
    if (found === undefined || found === (as === 'view')) await warehouse.run(create)
    else {
      await warehouse.transaction(async () => {
        await dropIfThere(warehouse, name)
        await warehouse.run(create)
      })
    }
    kinds.set(name, as === 'view')
  })

/** Creates a table beside the old one, lets it be examined, then puts it in its place and does what must happen with it, all or
 * nothing where the engine can. Without transactional DDL an examination that throws still leaves the old relation. */
export const replaceExamined = (
  warehouse: Warehouse,
  name: string,
  select: string,
  examine: (stage: RelationName) => Promise<void>,
  after: () => Promise<void>,
): Promise<void> =>
  forgetting(warehouse, () =>
    warehouse.transaction(async () => {
      const stage = stageOf(name)
      await warehouse.run(`create or replace table ${warehouse.name(stage)} as ${select}`)
      await examine(stage)
      await dropIfThere(warehouse, name)
      await warehouse.run(`alter table ${warehouse.name(stage)} rename to ${warehouse.quote(name)}`)
      await after()
      ;(await views(warehouse)).set(name, false)
    }),
  )

/** A working table of a model's build, gone when it ends. No model may have such a name. */
export const stageOf = (name: string): RelationName => modelName(`_cdp_new_${name}`)
