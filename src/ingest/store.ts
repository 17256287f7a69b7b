// The second half of a load: from staging into the warehouse. Types are decided, rows checked and guards asked first; then one
// transaction brings the raw relation, its schema, the quarantine, the cursor and the records of the load to their new state.
import { CdpError } from '../core/errors.ts'
import { quote } from '../warehouse/duckdb/text.ts'
import { checkRows, valueOf, type Checked } from './check.ts'
import { findColumn, planColumns, type ColumnPlan } from './columns.ts'
import { refuseQuarantined, refuseShrunk } from './guards.ts'
import type { FoundFile } from './glob.ts'
import type { LandContext } from './land.ts'
import { forgetFiles, recordLoad, rememberFiles, saveCursor, touchFiles } from './ledger.ts'
import { appendRows, matchRows, removeVanished, upsertRows, type MergeColumn, type MergeInput } from './merge.ts'
import { addQuarantined, closeQuarantined, quarantineSelect } from './quarantine.ts'
import { shapeRelation } from './relation.ts'
import type { Counts, LoadResult } from './result.ts'
import { writeSchema } from './schema.ts'
import type { Stage } from './stage.ts'
import { cursorReached } from './cursor.ts'

export interface Incoming {
  readonly stage: Stage
  readonly bytes: number
  /** Undefined for pages. */
  readonly files: readonly (FoundFile & { readonly sha256: string })[] | undefined
  /** Files landed before: what they held is replaced. */
  readonly replaced: readonly string[]
  readonly gone: readonly string[]
  readonly touched: readonly FoundFile[]
  /** The cursor the read started from, inclusive. */
  readonly since: string | undefined
  /** The cursor the source says it has reached; else the highest in the rows. */
  readonly cursor: string | undefined
}
