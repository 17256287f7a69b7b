// `cdp replay`: quarantined rows get another try from their own text, under the types in force now. What fits is landed and closed;
// the rest stays open.
import { rmSync } from 'node:fs'
import type { RelationName } from '../warehouse/warehouse.ts'
import { openCarrier, type Carrier, type MergeColumn } from './carry.ts'
import { checkRows, type Checked } from './check.ts'
import { findColumn } from './columns.ts'
import type { LandContext, LandOptions } from './context.ts'
import { stageCsv } from './csv/stage.ts'
import { decide, type Decision } from './decide.ts'
import { stageJson } from './json/stage.ts'
import { recordLoad } from './ledger.ts'
import { appendRows, upsertRows, type Merge, type MergeInput } from './merge.ts'
import { jsonOptions, type ReadStream } from './read.ts'
import { readSchema } from './schema.ts'
import { prepareShape, reshaped } from './settle.ts'
import { instantOf, stateTable } from '../warehouse/state-sql.ts'
import { openWork, type Stage } from './stage.ts'
import { makeTempFolder } from './temp-folder.ts'
import { openTexts } from './replay-texts.ts'
import { typedColumns } from './strategy.ts'

export type ReplayOptions = Omit<LandOptions, 'pages' | 'allow'>

export interface ReplayResult {
  readonly stream: string
  /** Open rows before. */
  readonly tried: number
  /** Closed now: landed, or older than what has been landed since. */
  readonly closed: number
  readonly open: number
  /** The raw relation is not what it was. */
  readonly changed: boolean
  readonly rowsTotal: number
}

/**
 * Tries the open rows of one stream again. A row that was landed later than the quarantined one was read stays, unless the stream's
 * cursor says otherwise. One transaction: all that fit or, on an error, none.
 */
export const replay = async (options: ReplayOptions): Promise<ReplayResult> => {
  const { warehouse, stream, clock } = options
  const folder = makeTempFolder(options.tempDir, 'replay')
  const work = openWork({ reader: warehouse.reader, signal: options.signal, folder, progress: () => undefined })
  try {
    const relation: RelationName = { schema: 'raw', name: stream.relation }
    const read: ReadStream = {
      id: stream.id,
      settings: stream,
      recorded: await readSchema(warehouse, stream.id),
      timeZone: stream.timeZone ?? options.timeZone,
    }
    const exists = (await warehouse.relations('raw')).some(({ name }) => name === stream.relation)
    const startedAt = new Date(clock.now()).toISOString()
    const context: LandContext = { ...options, allow: new Set(), relation, exists, work, read, startedAt }
    const { from } = stream
    const texts = await openTexts(work, warehouse, {
      id: stream.id,
      csv: from.kind === 'scan' ? (from.csv ?? {}) : {},
      // What a source told the type of is taken as that type: its spelling was never looked at.
      evidence: (field) =>
        from.kind === 'scan'
          ? { kind: 'spelled' }
          : { kind: 'told', type: findColumn(read.recorded, field)?.type ?? 'text' },
    })
    let [closed, changed] = [0, false]
    const retry = async (stage: Stage, ids: string): Promise<void> => {
      const done = await landAgain(
        { ...context, read: { ...read, recorded: await readSchema(warehouse, stream.id) } },
        stage,
        ids,
      )
      closed += done.closed
      changed ||= done.changed
    }
    const { csv, json } = texts
    if (csv.inputs.length > 0) await retry(await stageCsv(work, csv.inputs, {}, read.recorded, new Set()), csv.ids)
    if (json.inputs.length > 0) await retry(await stageJson(work, json.inputs, jsonOptions(read, 'ndjson')), json.ids)
    return {
      stream: stream.id,
      tried: texts.tried,
      closed,
      open: texts.tried - closed,
      changed,
      rowsTotal: exists ? await countOf(context) : 0,
    }
  } finally {
    await work.drop().catch(() => undefined)
    rmSync(folder, { recursive: true, force: true })
  }
}

const countOf = async ({ warehouse, relation }: LandContext): Promise<number> => {
  const [counted] = await warehouse.all<{ n: number }>(`select count(*) as n from ${warehouse.name(relation)}`)
  return counted?.n ?? 0
}

interface LandedAgain {
  readonly closed: number
  readonly changed: boolean
}

const landAgain = async (context: LandContext, stage: Stage, ids: string): Promise<LandedAgain> => {
  const carrier = openCarrier(context.warehouse, context.relation.name)
  try {
    return await landBy(carrier, context, stage, ids)
  } finally {
    await carrier.drop()
  }
}

const landBy = async (carrier: Carrier, context: LandContext, stage: Stage, ids: string): Promise<LandedAgain> => {
  const { warehouse, stream, work, read, runId } = context
  const decision = await decide(context, stage)
  const checked = await checkRows(work, stage, decision.plans, { ...decision, timeZone: read.timeZone })
  const merge = await putAgain(carrier, context, stage, checked, decision, ids)
  const close = await closeLanded(carrier, context, stage, checked, ids)
  const shape = await prepareShape(context, decision)
  return reshaped(warehouse, shape, async (shaped) => {
    const counts = await merge()
    const closed = await close()
    const record = {
      runId,
      stream: stream.id,
      status: 'done' as const,
      startedAt: context.startedAt,
      finishedAt: new Date(context.clock.now()).toISOString(),
    }
    await recordLoad(warehouse, record, {
      loadId: runId,
      files: 0,
      bytes: 0,
      rowsRead: stage.rows + stage.rejectedRows,
      rowsNew: counts.fresh,
      rowsChanged: counts.changed,
      rowsUnchanged: counts.unchanged,
      rowsVanished: 0,
      rowsQuarantined: 0,
    })
    const changed = shaped || counts.fresh + counts.changed > 0
    await context.stored?.({ changed, rowsTotal: await countOf(context) })
    return { closed, changed }
  })
}

/** Staged rows with their quarantine entries, called `i`. */
const withIds = (stage: Stage, ids: string): string =>
  `${stage.table} s join ${stage.files} f on f._cdp_file = s._cdp_file
    join ${ids} i on i._cdp_file = s._cdp_file and i.n = ${stage.row} - f.first_row`

const putAgain = async (
  carrier: Carrier,
  context: LandContext,
  stage: Stage,
  checked: Checked,
  { plans, own, keys, cursor, before }: Decision,
  ids: string,
): Promise<Merge> => {
  const origin: MergeColumn[] = [
    ...(own.file ? [{ name: '_cdp_source_file', type: 'text' } as const] : []),
    ...(own.line ? [{ name: '_cdp_source_line', type: 'integer' } as const] : []),
  ]
  const parts = [
    ...typedColumns(plans, context.read.timeZone),
    ...(own.file ? ['i.file as _cdp_source_file'] : []),
    ...(own.line ? ['i.line as _cdp_source_line'] : []),
  ]
  const select = (extra: readonly string[]): string =>
    `select ${[...parts, ...extra].join(', ')} from ${withIds(stage, ids)} where ${checked.landed}`
  const input: MergeInput = {
    warehouse: context.warehouse,
    carrier,
    relation: context.relation,
    data: plans.map(({ name, type }) => ({ name, type })),
    origin,
    select: select([]),
    loadId: context.runId,
    at: context.instant,
  }
  if (keys.length === 0 || before === 0) return appendRows(input)
  const names = keys.map(({ name }) => name)
  const { merge } = cursor
    ? await upsertRows(input, names, { column: cursor.name })
    : await upsertRows({ ...input, select: select(['i.read_at as _cdp_read_at']) }, names, { readAt: '_cdp_read_at' })
  return merge
}

/** Closes the entries whose rows are good; returns how many. */
const closeLanded = async (
  carrier: Carrier,
  { warehouse, runId, instant }: LandContext,
  stage: Stage,
  checked: Checked,
  ids: string,
): Promise<() => Promise<number>> => {
  const good = checked.bad === undefined ? 'true' : `${stage.row} not in (select _cdp_row from ${checked.bad})`
  const source = await carrier.bring(
    'closed',
    [{ name: 'quarantine_id', type: 'text' }],
    `select i.quarantine_id from ${withIds(stage, ids)} where ${good}`,
  )
  return async () => {
    const { changed } = await warehouse.run(
      `update ${stateTable(warehouse, 'quarantine')} set status = 'closed', closed_at = ${instantOf(warehouse, instant)},
        closed_by = ${warehouse.literal(runId)}
        where quarantine_id in (select q.quarantine_id from ${source} as q)`,
    )
    return changed
  }
}
