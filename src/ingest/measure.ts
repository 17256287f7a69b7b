// Facts about the values of staged columns, many in one pass.
import { quote } from '../warehouse/duckdb/text.ts'
import type { Stage, Work } from './stage.ts'

/** Values of aggregate expressions over the staged rows, by the names given. Rows can be limited to a sample from the start. */
export const measure = async (
  work: Work,
  stage: Stage,
  measures: ReadonlyMap<string, string>,
  sample?: number,
): Promise<ReadonlyMap<string, unknown>> => {
  if (measures.size === 0) return new Map()
  const parts = [...measures].map(([name, sql]) => `${sql} as ${quote(name)}`)
  const from = sample === undefined ? `${stage.table} s` : `(select * from ${stage.table} limit ${sample}) s`
  const [row] = await work.reader.all<Record<string, unknown>>(`select ${parts.join(', ')} from ${from}`)
  return new Map(Object.entries(row ?? {}))
}

/** True where the condition holds for every value that is not null. */
export const always = (value: string, condition: string): string =>
  `coalesce(bool_and(${value} is null or coalesce(${condition}, false)), true)`
