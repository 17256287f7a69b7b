// Loads that are refused: too many rows that cannot be read, or a whole stream that has shrunk.
import { CdpError } from '../core/errors.ts'
import type { Checked } from './check.ts'
import type { LandContext } from './context.ts'
import { quarantineSelect } from './quarantine.ts'
import type { Stage } from './stage.ts'

const share = 0.05
/** Shares of fewer rows say nothing. */
const actsAbove = 20

/** Throws LOAD_QUARANTINED, with the first three of them. */
export const refuseQuarantined = async (context: LandContext, stage: Stage, checked: Checked): Promise<void> => {
  const most = context.stream.maxQuarantined ?? share
  const bad = stage.rejectedRows + checked.badRows
  const rows = stage.rows + stage.rejectedRows
  if (rows <= actsAbove || bad / rows <= most) return
  const { work } = context
  const few = { ...checked, bad: checked.bad === undefined ? undefined : work.temp('few') }
  if (few.bad !== undefined) {
    await work.reader.run(`create temp table ${few.bad} as select * from ${checked.bad} order by _cdp_row limit 3`)
  }
  const select = await quarantineSelect(stage, few)
  const examples = await work.reader.all<{
    file: string | null
    line: number | null
    record: number
    name: string | null
    reason: string
  }>(`select file, line, record, column_name as name, reason from (${select}) order by _cdp_file, record limit 3`)
  throw new CdpError('LOAD_QUARANTINED', {
    stream: context.stream.id,
    bad,
    rows,
    most: `${most * 100} %`,
    examples: examples
      .map(
        (e) =>
          `${e.file ?? 'record'}${e.line === null ? ` ${e.record}` : `:${e.line}`} ${e.name === null ? '' : `${e.name}: `}${e.reason}`,
      )
      .join('; '),
  })
}

/** Throws LOAD_SHRUNK for a stream that is landed whole. Rows that are there but unreadable count: they have not vanished. */
export const refuseShrunk = (context: LandContext, stage: Stage, checked: Checked, before: number): void => {
  const { stream, allow } = context
  if (!stream.full || allow.has('shrink')) return
  const rows = stage.rows + stage.rejectedRows - checked.superseded
  if (before > 0 && (rows === 0 || rows < before / 2))
    throw new CdpError('LOAD_SHRUNK', { stream: stream.id, rows, before })
}
