// `partition_by` and `cluster_by` of a header: how the table lies in storage, where the engine has that. Its rows are the same.
import type { z, ZodType } from 'zod'
import { CdpError } from '../../core/errors.ts'
import type { CompiledModel, Warehouse } from '../model.ts'
import type { TypedSql } from '../../warehouse/value-words.ts'

export interface LayoutHeader {
  /** A date or timestamp: a part a day of it. */
  readonly partition_by?: string | undefined
  readonly cluster_by?: string | readonly string[] | undefined
}

const mostClusters = 4

export const layoutKeys = (
  zod: typeof z,
): {
  readonly partition_by: ZodType<string | undefined>
  readonly cluster_by: ZodType<string | string[] | undefined>
} => ({
  partition_by: zod.string().optional(),
  cluster_by: zod.union([zod.string(), zod.array(zod.string()).min(1).max(mostClusters)]).optional(),
})

export const layoutColumns = ({ partition_by, cluster_by }: LayoutHeader): readonly string[] => [
  ...(partition_by === undefined ? [] : [partition_by]),
  ...[cluster_by ?? []].flat(),
]

/** The column of the partitions, as the SELECT gives it; undefined where there are none. */
export const partitionOf = async (
  { header }: CompiledModel<LayoutHeader>,
  warehouse: Warehouse,
  select: string,
): Promise<TypedSql | undefined> => {
  const by = header.partition_by
  if (by === undefined || warehouse.dialect.partitions === undefined) return undefined
  const column = (await warehouse.describe(select)).find(({ name }) => name.toLowerCase() === by.toLowerCase())
  return { sql: warehouse.quote(column?.name ?? by), type: column?.type ?? '' }
}

/** What stands between the name of the new table and AS. Throws MODEL_HEADER for a column that cannot be partitioned by. */
export const layoutOf = async (
  model: CompiledModel<LayoutHeader>,
  warehouse: Warehouse,
  select: string,
): Promise<string> => {
  const { partitions } = warehouse.dialect
  if (partitions === undefined) return ''
  const by = await partitionOf(model, warehouse, select)
  const layout = partitions.layout(
    by,
    [model.header.cluster_by ?? []].flat().map((name) => warehouse.quote(name)),
  )
  if (layout !== undefined) return layout
  const reason = `partition_by names ${by?.sql ?? ''}, which is ${by?.type ?? 'unknown'}; it must be a date or a timestamp.`
  throw new CdpError('MODEL_HEADER', { model: model.name, reason }, { place: { file: model.file } })
}
