// `kind: incremental`: a table that takes only what is new. A run reads the rows of the SELECT whose cursor is at or after the highest
// one seen (less `lookback`; `boundary: exclusive`: after it), and replaces by key. It is built whole the first time, when its definition or columns changed, and under
// --full-refresh. What vanishes from the SELECT stays; a row whose cursor is null is seen only when the table is built whole.
import { parseDuration } from '../../core/clock.ts'
import { CdpError } from '../../core/errors.ts'
import { contentOf, sumsOf, wholeRow, type Sums } from '../content.ts'
import {
  render,
  type BuildContext,
  type BuildResult,
  type CompiledModel,
  type Kind,
  type RelationName,
} from '../model.ts'
import type { Column, Value, Warehouse } from '../../warehouse/warehouse.ts'
import { layoutColumns, layoutKeys, layoutOf, type LayoutHeader } from './layout.ts'
import { isTable, modelName, replaceExamined } from './replace.ts'

interface IncrementalHeader extends LayoutHeader {
  readonly key: string | readonly string[]
  readonly cursor: string
  /** `3d`, or a number where the cursor is one. */
  readonly lookback?: string | number | undefined
  /** `exclusive`: rows at the highest cursor seen are not read again. Right where all rows of one cursor come together, as those of
   * `_cdp_loaded_at` do: a load is all or nothing. */
  readonly boundary?: 'inclusive' | 'exclusive' | undefined
}

/** As `cdp.versions` keeps it: the model's fingerprint, then rows, xor and sum of hashes, columns. A trailing `?`: rows changed since. */
interface Known {
  readonly fingerprint: string
  readonly rows: number
  readonly xor: bigint
  readonly sum: bigint
  readonly columns: string
}

export const incremental: Kind<IncrementalHeader> = {
  kind: 'incremental',
  header: (z) =>
    z.object({
      key: z.union([z.string(), z.array(z.string()).min(1)]),
      cursor: z.string(),
      lookback: z
        .union([z.number().nonnegative(), z.string()])
        .refine((value) => typeof value === 'number' || parseDuration(value) !== undefined, {
          message: 'must be a length of time such as 36h or 3d, or a number where the cursor is one',
        })
        .optional(),
      boundary: z.enum(['inclusive', 'exclusive']).optional(),
      ...layoutKeys(z),
    }),
  requires: (header) => [...[header.key].flat(), header.cursor, ...layoutColumns(header)],
  build: async (model, context) => {
    const { warehouse } = context
    const select = render(model.sql, warehouse, context.instant)
    const known = await knownContent(warehouse, model)
    if (context.fullRefresh || known === undefined || !(await isTable(warehouse, model.name))) {
      return buildWhole(model, context, select)
    }
    const columns = await warehouse.describe(select)
    const different = differenceOf(await columnsOf(warehouse, modelName(model.name)), columns)
    if (different !== undefined)
      return { ...(await buildWhole(model, context, select)), detail: `built whole: ${different}` }
    const from = await lowerBound(model, warehouse, columns)
    return from === undefined
      ? buildWhole(model, context, select)
      : takeNew(model, context, select, { known, columns, from })
  },
}

const buildWhole = async (
  model: CompiledModel<IncrementalHeader>,
  { warehouse }: BuildContext,
  select: string,
): Promise<BuildResult> => {
  const layout = await layoutOf(model, warehouse, select)
  await replaceExamined(warehouse, model.name, { select, layout }, async (stage) => {
    await checkKey(model, warehouse, stage)
    // Before the rows change, where that cannot be one transaction: at worst the next run builds it whole again.
    await markUnsaved(warehouse, model.name)
  })
  const content = await contentOf(warehouse, modelName(model.name))
  return { rows: content.rows, content: `${model.fingerprint}:${content.text}` }
}

interface Fresh {
  readonly known: Known
  readonly columns: readonly Column[]
  /** The cursor to read from, as SQL. */
  readonly from: string
}

const takeNew = async (
  model: CompiledModel<IncrementalHeader>,
  { warehouse }: BuildContext,
  select: string,
  fresh: Fresh,
): Promise<BuildResult> => {
  const stage: RelationName = { schema: 'scratch', name: `new_${model.name}` }
  const after = model.header.boundary === 'exclusive' ? '>' : '>='
  const cursor = warehouse.quote(model.header.cursor)
  await warehouse.makeScratch(
    stage.name,
    `as select * from (${select}\n) as fresh where ${cursor} ${after} ${fresh.from}`,
  )
  try {
    return await takeStage(model, warehouse, stage, fresh)
  } finally {
    await warehouse.dropScratch(stage.name)
  }
}

const takeStage = async (
  model: CompiledModel<IncrementalHeader>,
  warehouse: Warehouse,
  stageName: RelationName,
  { known, columns }: Fresh,
): Promise<BuildResult> => {
  const [stage, target] = [warehouse.name(stageName), warehouse.name(modelName(model.name))]
  const quoted = (name: string): string => warehouse.quote(name)
  await checkKey(model, warehouse, stageName)
  const matches = [model.header.key].flat().map((key) => `fresh.${quoted(key)} = ${wholeRow}.${quoted(key)}`)
  const isRead = `exists (select 1 from ${stage} as fresh where ${matches.join(' and ')})`
  const replaced = `${await inPartitions(model, warehouse, { columns, target, stage, isRead })}${isRead}`
  const before = await sumsOf(warehouse, `${target} as ${wholeRow} where ${replaced}`)
  const after = await sumsOf(warehouse, `${stage} as ${wholeRow}`)
  const same = before.rows === after.rows && before.xor === after.xor && before.sum === after.sum
  if (!same) {
    const list = columns.map((column) => quoted(column.name)).join(', ')
    await warehouse.transaction(async () => {
      await warehouse.run(`delete from ${target} as ${wholeRow} where ${replaced}`)
      await warehouse.run(`insert into ${target} (${list}) select ${list} from ${stage}`)
      await markUnsaved(warehouse, model.name)
    })
  }
  return {
    rows: known.rows - before.rows + after.rows,
    content: contentAfter(model, known, before, after),
    detail: same ? 'nothing new' : `${after.rows - before.rows} new, ${before.rows} read again`,
  }
}

const contentAfter = (model: CompiledModel, known: Known, before: Sums, after: Sums): string =>
  [
    model.fingerprint,
    known.rows - before.rows + after.rows,
    known.xor ^ BigInt(before.xor) ^ BigInt(after.xor),
    known.sum - BigInt(before.sum) + BigInt(after.sum),
    known.columns,
  ].join(':')

// Beyond some hundred parts the list costs more than it saves.
const mostPartitions = 200

/**
 * `part in (…) and `: the parts in which rows of the stage are already, as literals, because by others no part is left out. Where the
 * column is of the key they are those of the stage itself; else a row may have moved, and the key and the column are looked through.
 */
const inPartitions = async (
  model: CompiledModel<IncrementalHeader>,
  warehouse: Warehouse,
  found: {
    readonly columns: readonly Column[]
    readonly target: string
    readonly stage: string
    readonly isRead: string
  },
): Promise<string> => {
  const { partitions } = warehouse.dialect
  const by = model.header.partition_by?.toLowerCase()
  const column = found.columns.find(({ name }) => name.toLowerCase() === by)
  if (partitions === undefined || column === undefined) return ''
  const part = partitions.of({ sql: `${wholeRow}.${warehouse.quote(column.name)}`, type: column.type })
  const isOfKey = [model.header.key].flat().some((key) => key.toLowerCase() === by)
  const from = isOfKey ? `${found.stage} as ${wholeRow}` : `${found.target} as ${wholeRow} where ${found.isRead}`
  const rows = await warehouse.all<{ part: Value }>(
    `select distinct ${part} as part from ${from} limit ${mostPartitions + 1}`,
  )
  if (rows.length > mostPartitions) return ''
  const literals = rows.flatMap((row) => (row.part === null ? [] : [cursorLiteral(warehouse, row.part, column.type)]))
  const parts = [
    ...(literals.length === 0 ? [] : [`${part} in (${literals.join(', ')})`]),
    ...(rows.some((row) => row.part === null) ? [`${part} is null`] : []),
  ]
  return `(${parts.length === 0 ? 'false' : parts.join(' or ')}) and `
}

const checkKey = async (
  model: CompiledModel<IncrementalHeader>,
  warehouse: Warehouse,
  relation: RelationName,
): Promise<void> => {
  const key = [model.header.key].flat()
  const names = key.map((name) => warehouse.quote(name))
  const from = warehouse.name(relation)
  const [row] = await warehouse.all<{ duplicates: number; nulls: number }>(
    `select (select count(*) from (select 1 as one from ${from} group by ${names.join(', ')} having count(*) > 1) as d) as duplicates,
      (select count(*) from ${from} where ${names.map((name) => `${name} is null`).join(' or ')}) as ${warehouse.quote('nulls')}`,
  )
  const { duplicates, nulls } = row ?? { duplicates: 0, nulls: 0 }
  if (duplicates + nulls === 0) return
  throw new CdpError('INCREMENTAL_KEY', { model: model.name, key, duplicates, nulls }, { place: { file: model.file } })
}

/** The cursor to read from, as SQL: a literal, so that the engine can leave out what is before it. Undefined for an empty table. */
const lowerBound = async (
  model: CompiledModel<IncrementalHeader>,
  warehouse: Warehouse,
  columns: readonly Column[],
): Promise<string | undefined> => {
  const { cursor, lookback } = model.header
  const type = columns.find((column) => column.name.toLowerCase() === cursor.toLowerCase())?.type
  const [row] = await warehouse.all<{ highest: Value }>(
    `select max(${warehouse.quote(cursor)}) as highest from ${warehouse.name(modelName(model.name))}`,
  )
  const highest = row?.highest ?? null
  if (highest === null || type === undefined) return undefined
  return cursorLiteral(warehouse, stepBack(highest, lookback), type)
}

// A civil time is given as an instant of UTC and takes no zone back.
const cursorLiteral = (warehouse: Warehouse, value: Value, type: string): string => {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return `cast(${warehouse.literal(type === 'DATETIME' ? text.replace(/Z$/, '') : text)} as ${type})`
}

const stepBack = (highest: Value, lookback: string | number | undefined): string => {
  const text = typeof highest === 'object' ? JSON.stringify(highest) : String(highest)
  if (lookback === undefined) return text
  if (typeof lookback === 'number') {
    return typeof highest === 'bigint' ? String(highest - BigInt(Math.ceil(lookback))) : String(Number(text) - lookback)
  }
  const ms = Date.parse(text) - (parseDuration(lookback) ?? 0)
  if (Number.isNaN(ms)) return text
  const iso = new Date(ms).toISOString()
  return /^\d{4}-\d\d-\d\d$/.test(text) ? iso.slice(0, 10) : iso
}

const columnsOf = (warehouse: Warehouse, relation: RelationName): Promise<readonly Column[]> =>
  warehouse.describe(`select * from ${warehouse.name(relation)}`)

const spelled = (column: Column): string => `${column.name} ${column.type}`

const differenceOf = (old: readonly Column[], now: readonly Column[]): string | undefined => {
  const added = now.filter((column) => !old.some((other) => spelled(other) === spelled(column)))
  const gone = old.filter((column) => !now.some((other) => spelled(other) === spelled(column)))
  if (added.length + gone.length > 0) {
    return [
      ...(added.length > 0 ? [`new columns ${added.map(spelled).join(', ')}`] : []),
      ...(gone.length > 0 ? [`without ${gone.map(spelled).join(', ')}`] : []),
    ].join('; ')
  }
  return old.some((column, at) => column.name !== now[at]?.name) ? 'its columns are in another order' : undefined
}

const knownContent = async (warehouse: Warehouse, model: CompiledModel): Promise<Known | undefined> => {
  const [row] = await warehouse.all<{ content: string | null }>(
    `select content from ${versions(warehouse)} where relation = ${warehouse.literal(model.name)}`,
  )
  const [fingerprint = '', rows = '', xor = '', sum = '', columns = ''] = (row?.content ?? '').split(':')
  if (fingerprint !== model.fingerprint || columns === '' || columns.endsWith('?')) return undefined
  return { fingerprint, rows: Number(rows), xor: BigInt(xor), sum: BigInt(sum), columns }
}

// The version is saved after the build. Should the process die in between, the mark says that the content known is not that of the
// table, so that the next run takes it for changed.
const markUnsaved = async (warehouse: Warehouse, name: string): Promise<void> => {
  await warehouse.run(
    `update ${versions(warehouse)} set content = content || '?' where relation = ${warehouse.literal(name)}`,
  )
}

const versions = (warehouse: Warehouse): string => warehouse.name({ schema: 'cdp', name: 'versions' })
