// What a load does to its stream: columns and their types, the key, the cursor, which columns of its own the raw relation has.
import { CdpError } from '../core/errors.ts'
import { findColumn, planColumns, type ColumnPlan } from './columns.ts'
import type { LandContext } from './context.ts'
import type { NamedColumn } from './names.ts'
import type { OwnColumns } from './relation.ts'
import type { Stage } from './stage.ts'

export interface Decision {
  readonly plans: readonly ColumnPlan[]
  readonly keys: readonly ColumnPlan[]
  readonly cursor: ColumnPlan | undefined
  readonly own: OwnColumns
  /** Rows in the raw relation before the load. */
  readonly before: number
}

/** Throws STREAM_COLUMN where the key or the cursor is not among the columns, STREAM_TYPE. */
export const decide = async (context: LandContext, stage: Stage): Promise<Decision> => {
  const { warehouse, stream, relation, work, read, exists } = context
  const table = warehouse.name(relation)
  const columns = [...read.recorded, ...stage.columns]
  const keyNames = (stream.key ?? []).map((name) => findColumn(columns, name)?.name ?? name)
  const digits = async (column: string): Promise<number> => {
    const written = `replace(cast(t.${warehouse.quote(column)} as ${warehouse.typeName('text')}), '-', '')`
    const whole = `case when strpos(${written}, '.') > 0 then strpos(${written}, '.') - 1 else length(${written}) end`
    const [row] = await warehouse.all<{ n: number | null }>(`select max(${whole}) as n from ${table} as t`)
    return row?.n ?? 0
  }
  const plans = await planColumns(
    work,
    stage,
    read.recorded,
    { id: stream.id, settings: stream, keys: new Set(keyNames) },
    digits,
  )
  // A load without any column (an empty file) says nothing of a column that is missing.
  const known = stage.columns.length > 0 || read.recorded.length > 0
  const find = (name: string, role: string): ColumnPlan[] => {
    const plan = findColumn(plans, name)
    if (plan || !known) return plan ? [plan] : []
    throw new CdpError('STREAM_COLUMN', { stream: stream.id, column: name, role, columns: list(plans) })
  }
  const isFile = stream.from.kind === 'scan'
  const counted = exists ? await warehouse.all<{ n: number }>(`select count(*) as n from ${table}`) : []
  return {
    plans,
    keys: (stream.key ?? []).flatMap((name) => find(name, 'key')),
    cursor: stream.cursor === undefined ? undefined : find(stream.cursor, 'cursor')[0],
    own: {
      file: isFile && (stream.lines === true || (stream.key ?? []).length === 0),
      line: isFile && stream.lines === true,
    },
    before: counted[0]?.n ?? 0,
  }
}

const list = (columns: readonly NamedColumn[]): string => columns.map(({ name }) => name).join(', ')
