// How far the rows of a load reach, in the words of the source: the text is sent back to it by the next read.
import { literal } from '../warehouse/duckdb/text.ts'
import { valueOf } from './check.ts'
import type { ColumnPlan } from './columns.ts'
import type { Stage, Work } from './stage.ts'
import { cast } from './types.ts'

/** The highest cursor among the rows and `since`; undefined when there is none. */
export const cursorReached = async (
  work: Work,
  stage: Stage,
  plan: ColumnPlan,
  since: string | undefined,
  timeZone: string,
): Promise<string | undefined> => {
  if (!plan.staged) return since
  const written = plan.type === 'text' ? (plan.staged.unquoted ?? plan.staged.text) : plan.staged.text
  const rows = [`select ${written} as written, ${valueOf(plan, timeZone)} as reached from ${stage.table} s`]
  if (since !== undefined) rows.push(`select ${literal(since)}, ${cast(literal(since), plan.type, timeZone)}`)
  const [row] = await work.reader.all<{ written: string | null }>(
    `select arg_max(written, reached) as written from (${rows.join(' union all ')}) where reached is not null`,
  )
  return row?.written ?? since
}
