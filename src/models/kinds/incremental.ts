// `kind: incremental`: a table that takes only what is new. A run reads the rows of the SELECT whose cursor is at or after the highest
// one seen (less `lookback`; `boundary: exclusive`: after it), and replaces by key. It is built whole the first time, when its definition or columns changed, and under
// --full-refresh. What vanishes from the SELECT stays; a row whose cursor is null is seen only when the table is built whole.
import { parseDuration } from '../../core/clock.ts'
import { CdpError } from '../../core/errors.ts'
import { contentOf, wholeRow } from '../content.ts'
import {
  render,
  type BuildContext,
  type BuildResult,
  type CompiledModel,
  type Kind,
  type RelationName,
} from '../model.ts'
import type { Column, Value, Warehouse } from '../../warehouse/warehouse.ts'
import { isTable, modelName, replaceExamined, stageOf } from './replace.ts'

interface IncrementalHeader {
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
    }),
  requires: ({ key, cursor }) => [...[key].flat(), cursor],
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
  await replaceExamined(
    warehouse,
    model.name,
    select,
    (stage) => checkKey(model, warehouse, stage),
    () => markUnsaved(warehouse, model.name),
  )
  const content = await contentOf(warehouse, modelName(model.name))
  return { rows: content.rows, content: `${model.fingerprint}:${content.text}` }
}

const takeNew = async (
  model: CompiledModel<IncrementalHeader>,
  { warehouse }: BuildContext,
  select: string,
  { known, columns, from }: { readonly known: Known; readonly columns: readonly Column[]; readonly from: string },
): Promise<BuildResult> => {
  const [stage, target] = [warehouse.name(stageOf(model.name)), warehouse.name(modelName(model.name))]
  const quoted = (name: string): string => warehouse.quote(name)
  const matches = [model.header.key].flat().map((key) => `fresh.${quoted(key)} = ${wholeRow}.${quoted(key)}`)
  const replaced = `exists (select 1 from ${stage} fresh where ${matches.join(' and ')})`
  const sums = async (relation: string): Promise<{ n: number; x: bigint; s: bigint }> => {
    const [row] = await warehouse.all<{ n: number; x: string; s: string }>(
      `select count(*) as n, cast(coalesce(bit_xor(hash(${wholeRow})), 0) as varchar) as x, cast(coalesce(sum(hash(${wholeRow})), 0) as varchar) as s from ${relation}`,
    )
    return { n: row?.n ?? 0, x: BigInt(row?.x ?? 0), s: BigInt(row?.s ?? 0) }
  }
  return warehouse.transaction(async () => {
    await warehouse.run(
      `create or replace table ${stage} as select * from (${select}\n) fresh where ${quoted(model.header.cursor)} ${model.header.boundary === 'exclusive' ? '>' : '>='} ${from}`,
    )
    await checkKey(model, warehouse, stageOf(model.name))
    const before = await sums(`${target} ${wholeRow} where ${replaced}`)
    const after = await sums(`${stage} ${wholeRow}`)
    const same = before.n === after.n && before.x === after.x && before.s === after.s
    if (!same) {
      const list = columns.map((column) => quoted(column.name)).join(', ')
      await warehouse.run(`delete from ${target} as ${wholeRow} where ${replaced}`)
      await warehouse.run(`insert into ${target} (${list}) select ${list} from ${stage}`)
      await markUnsaved(warehouse, model.name)
    }
    await warehouse.run(`drop table ${stage}`)
    const rows = known.rows - before.n + after.n
    const content = [rows, known.xor ^ before.x ^ after.x, known.sum - before.s + after.s, known.columns]
    return {
      rows,
      content: [model.fingerprint, ...content].join(':'),
      detail: same ? 'nothing new' : `${after.n - before.n} new, ${before.n} read again`,
    }
  })
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
    `select (select count(*) from (select 1 from ${from} group by ${names.join(', ')} having count(*) > 1) d) as duplicates,
      (select count(*) from ${from} where ${names.map((name) => `${name} is null`).join(' or ')}) as nulls`,
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
  return `cast(${warehouse.literal(stepBack(highest, lookback))} as ${type})`
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
