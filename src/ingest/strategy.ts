// Which way the rows of a load go into the raw relation.
import { literal, quote } from '../warehouse/duckdb/text.ts'
import type { RelationName } from '../warehouse/warehouse.ts'
import { valueOf, type Checked } from './check.ts'
import type { ColumnPlan } from './columns.ts'
import type { LandContext } from './context.ts'
import type { Decision } from './decide.ts'
import type { Carrier, MergeColumn } from './carry.ts'
import { appendRows, matchRows, removeVanished, upsertRows, type Merge, type MergeInput } from './merge.ts'
import type { Stage } from './stage.ts'

export interface Arrival {
  /** Files landed before whose rows are replaced. */
  readonly replaced: readonly string[]
  /** The cursor the read started from, inclusive. */
  readonly since: string | undefined
}

const column = ({ name, type }: Decision['plans'][number]): MergeColumn => ({ name, type })

/** The planned columns of the staged rows `s`, typed. */
export const typedColumns = (plans: readonly ColumnPlan[], timeZone: string): string[] =>
  plans.map((plan) => `${valueOf(plan, timeZone)} as ${quote(plan.name)}`)

/** The rows to be landed, typed, as the merge wants them. Finding their lines reads the files once more, so it comes before the transaction. */
export const mergeInput = async (
  context: LandContext,
  relation: RelationName,
  stage: Stage,
  checked: Checked,
  decision: Decision,
  files: readonly { readonly file: string }[],
  carrier: Carrier,
): Promise<MergeInput> => {
  const { plans, own } = decision
  const parts = typedColumns(plans, context.read.timeZone)
  const origin: MergeColumn[] = []
  const only = files.length === 1 ? files[0]?.file : undefined
  let from = `${stage.table} s`
  if (own.file) {
    origin.push({ name: '_cdp_source_file', type: 'text' })
    parts.push(`${only === undefined ? 'n.file' : literal(only)} as _cdp_source_file`)
    if (only === undefined) from += ` join ${stage.files} n on n._cdp_file = s._cdp_file`
  }
  if (own.line) {
    const { join, line } = await stage.lines()
    origin.push({ name: '_cdp_source_line', type: 'integer' })
    parts.push(`${line} as _cdp_source_line`)
    from += ` ${join}`
  }
  return {
    warehouse: context.warehouse,
    carrier,
    relation,
    data: plans.map(column),
    origin,
    select: `select ${parts.join(', ')} from ${from} where ${checked.landed}`,
    loadId: context.runId,
    at: context.instant,
  }
}

/** Brings the rows to the warehouse, before the transaction; what is given is done within it. */
export const prepareMerge = async (
  context: LandContext,
  stage: Stage,
  checked: Checked,
  decision: Decision,
  input: MergeInput,
  { replaced, since }: Arrival,
): Promise<Merge> => {
  const { stream, warehouse, emit } = context
  const { keys, cursor, before } = decision
  // Nothing says what the columns are: an empty file.
  if (input.data.length === 0) return async () => ({ fresh: 0, changed: 0, unchanged: 0, vanished: 0 })
  if (before === 0) return appendRows(input)
  if (keys.length > 0) return prepareUpsert(context, stage, checked, decision, input)
  if (stream.full) return matchRows(input, 'true', true)
  if (replaced.length > 0) {
    const files = replaced.map((file) => warehouse.literal(file)).join(', ')
    return matchRows(input, `t._cdp_source_file in (${files})`, true)
  }
  if (since !== undefined && cursor) {
    const from = `cast(${warehouse.literal(since)} as ${warehouse.typeName(cursor.type)})`
    return matchRows(input, `t.${warehouse.quote(cursor.name)} >= ${from}`, false)
  }
  if (input.origin.length === 0 && cursor === undefined) {
    const message = `${stream.id}: it has no key, no cursor and is not \`full\`, so every load adds all its rows again`
    emit({ type: 'warning', step: stream.id, message })
  }
  return appendRows(input)
}

const prepareUpsert = async (
  context: LandContext,
  stage: Stage,
  checked: Checked,
  { keys, cursor }: Decision,
  input: MergeInput,
): Promise<Merge> => {
  const { stream, warehouse, relation, emit, read } = context
  const names = keys.map(({ name }) => name)
  const { merge, source } = await upsertRows(input, names, cursor && { column: cursor.name })
  if (!stream.full) return merge
  if (checked.withoutKey + stage.rejectedRows > 0) {
    emit({
      type: 'warning',
      step: stream.id,
      message: `${stream.id}: nothing was taken as vanished, because some records could not be read and their keys are not known`,
    })
    return merge
  }
  // Rows in quarantine have not vanished. Where there are none, the keys are those of the rows that are landed.
  const values = keys.map((key) => `${valueOf(key, read.timeZone)} as ${quote(key.name)}`).join(', ')
  const present =
    checked.bad === undefined
      ? source
      : await input.carrier.bring('keys', keys.map(column), `select ${values} from ${stage.table} s`)
  return async () => ({
    ...(await merge()),
    vanished: await removeVanished(warehouse, relation, keys.map(column), present),
  })
}

/** Rows read of every file by its number, unreadable ones among them. */
export const rowsOfFiles = async (context: LandContext, stage: Stage): Promise<ReadonlyMap<number, number>> => {
  const rows = await context.work.reader.all<{ file: number; n: number }>(
    `select _cdp_file as file, sum(n) as n from (
      select _cdp_file, count(*) as n from ${stage.table} group by 1
      union all select _cdp_file, count(*) from ${stage.rejected} group by 1) group by 1`,
  )
  return new Map(rows.map(({ file, n }) => [file, n]))
}
