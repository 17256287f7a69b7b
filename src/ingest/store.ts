// The second half of a load: from staging into the warehouse. Types are decided, rows checked and guards asked first; then one
// transaction brings the raw relation, its schema, the quarantine, the cursor and the records of the load to their new state.
import { openCarrier, type Carrier } from './carry.ts'
import { checkRows, type Checked } from './check.ts'
import type { LandContext } from './context.ts'
import { cursorReached } from './cursor.ts'
import { decide, type Decision } from './decide.ts'
import type { FoundFile } from './glob.ts'
import { refuseQuarantined, refuseShrunk } from './guards.ts'
import { forgetFiles, recordLoad, rememberFiles, saveCursor, touchFiles } from './ledger.ts'
import { closeQuarantined, prepareQuarantined, quarantineSelect } from './quarantine.ts'
import { prepareShape, reshaped } from './settle.ts'
import type { LoadResult } from './result.ts'
import type { Stage } from './stage.ts'
import { mergeInput, prepareMerge, rowsOfFiles, type Arrival } from './strategy.ts'

export interface Incoming extends Arrival {
  readonly stage: Stage
  readonly bytes: number
  /** Undefined for pages. */
  readonly files: readonly (FoundFile & { readonly sha256: string })[] | undefined
  readonly gone: readonly string[]
  readonly touched: readonly FoundFile[]
  /** The cursor the source says it has reached; else it is the highest in the rows. */
  readonly cursor: string | undefined
}

export const store = async (context: LandContext, incoming: Incoming): Promise<LoadResult> => {
  const carrier = openCarrier(context.warehouse, context.relation.name)
  try {
    return await storeBy(carrier, context, incoming)
  } finally {
    await carrier.drop()
  }
}

const storeBy = async (carrier: Carrier, context: LandContext, incoming: Incoming): Promise<LoadResult> => {
  const { warehouse, stream, relation, work, read, runId } = context
  const { stage, files = [] } = incoming
  const decision = await decide(context, stage)
  const checked = await checkRows(work, stage, decision.plans, { ...decision, timeZone: read.timeZone })
  await refuseQuarantined(context, stage, checked)
  refuseShrunk(context, stage, checked, decision.before)

  // What reads files again or brings rows to the warehouse comes before the transaction.
  const load = { id: runId, stream: stream.id, at: context.instant }
  const quarantined = stage.rejectedRows + checked.badRows
  const aside =
    quarantined > 0
      ? await prepareQuarantined(warehouse, carrier, load, await quarantineSelect(stage, checked))
      : undefined
  const input = await mergeInput(context, relation, stage, checked, decision, files, carrier)
  const merge = await prepareMerge(context, stage, checked, decision, input, incoming)
  const reached = await reachedBy(context, incoming, decision)
  const rows = await rowsOfFiles(context, stage)
  const landed = files.map((file, index) => ({ ...file, rows: rows.get(index) ?? 0 }))
  const shape = await prepareShape(context, decision)
  context.signal.throwIfAborted()

  const result = await reshaped(warehouse, shape, async (shaped): Promise<LoadResult> => {
    const counts = await merge()
    await closeQuarantined(warehouse, load, stream.full ? 'all' : files.map(({ file }) => file))
    await aside?.()
    if (reached !== undefined) await saveCursor(warehouse, stream.id, reached, load)
    await rememberFiles(warehouse, stream.id, runId, landed)
    await forgetFiles(warehouse, stream.id, incoming.gone)
    await touchFiles(warehouse, stream.id, incoming.touched)
    const [after] = await warehouse.all<{ n: number }>(`select count(*) as n from ${warehouse.name(relation)}`)
    const done: LoadResult = {
      loadId: runId,
      changed: shaped || counts.fresh + counts.changed + counts.vanished > 0,
      files: files.length,
      bytes: incoming.bytes,
      rowsRead: stage.rows + stage.rejectedRows,
      rowsNew: counts.fresh,
      rowsChanged: counts.changed,
      rowsUnchanged: counts.unchanged,
      rowsVanished: counts.vanished,
      rowsQuarantined: quarantined,
      rowsSuperseded: checked.superseded,
      rowsTotal: after?.n ?? 0,
    }
    const finishedAt = new Date(context.clock.now()).toISOString()
    const record = { runId, stream: stream.id, status: 'done' as const, startedAt: context.startedAt, finishedAt }
    await recordLoad(warehouse, record, done)
    await context.stored?.(done)
    return done
  })
  warn(context, stage, checked, decision)
  return result
}

/** Only pages have a cursor to go on from. */
const reachedBy = async (
  context: LandContext,
  incoming: Incoming,
  { cursor }: Decision,
): Promise<string | undefined> => {
  if (incoming.files !== undefined || !cursor) return undefined
  if (incoming.cursor !== undefined) return incoming.cursor
  return cursorReached(context.work, incoming.stage, cursor, incoming.since, context.read.timeZone)
}

const warn = ({ stream, emit }: LandContext, stage: Stage, checked: Checked, { plans }: Decision): void => {
  for (const plan of plans) {
    if (!plan.before || plan.declared) continue
    const message = `${stream.id}: ${plan.name} is ${plan.type} now; it was ${plan.before.type}, which does not hold what came`
    emit({ type: 'warning', step: stream.id, message, hint: 'Models that calculate with it may need a look.' })
  }
  const bad = stage.rejectedRows + checked.badRows
  if (bad === 0) return
  emit({
    type: 'warning',
    step: stream.id,
    message: `${stream.id}: ${bad} ${bad === 1 ? 'row' : 'rows'} of ${stage.rows + stage.rejectedRows} went to quarantine`,
    hint: `cdp query "select file, line, column_name, reason, raw from cdp.quarantine where stream = '${stream.id}' and status = 'open'"`,
  })
}
