// In which order a load changes columns and rows. Where DDL is part of a transaction all of it is one. Elsewhere the new schema is written
// down first, then the columns are changed, then the transaction lands the rows: a load that dies in between leaves columns without values
// or wider than they need be, and the next one finds in cdp.schemas what was on the way, finishes it and lands the rows once.
import type { Warehouse } from '../warehouse/warehouse.ts'
import type { LandContext } from './context.ts'
import type { Decision } from './decide.ts'
import { reshape, shapeOf } from './relation.ts'
import { finishSchema, writeSchema } from './schema.ts'

export interface Settling {
  /** Changes the relation, and tells whether it is another than it was. */
  readonly change: () => Promise<boolean>
  /** Within the transaction. */
  readonly finish: () => Promise<void>
}

/** Looks at the relation. Throws STREAM_PROMISE. */
export const prepareShape = async (context: LandContext, decision: Decision): Promise<Settling> => {
  const { warehouse, stream, relation, exists, read, runId } = context
  const shape = await shapeOf(warehouse, relation, exists, decision, { id: stream.id, timeZone: read.timeZone })
  const columns = decision.plans.filter((plan) => plan.isNew || plan.before)
  const unfinished = decision.plans.some((plan) => plan.unfinished)
  const retyped = columns.some(({ before, type }) => before !== undefined && before.type !== type)
  return {
    change: async () => {
      await writeSchema(warehouse, stream.id, columns, { id: runId, at: context.instant })
      const changed = await reshape(warehouse, shape)
      return changed || retyped || unfinished
    },
    finish: async () => {
      if (columns.length > 0 || unfinished) await finishSchema(warehouse, stream.id, { id: runId, at: context.instant })
    },
  }
}

/** Runs the load's transaction, with the relation in its shape. */
export const reshaped = async <T>(
  warehouse: Warehouse,
  { change, finish }: Settling,
  work: (changed: boolean) => Promise<T>,
): Promise<T> => {
  const within = async (changed: boolean): Promise<T> => {
    await finish()
    return work(changed)
  }
  if (warehouse.supports.transactionalDdl) return warehouse.transaction(async () => within(await change()))
  const changed = await change()
  return warehouse.transaction(() => within(changed))
}
