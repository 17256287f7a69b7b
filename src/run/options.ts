// What every run needs to know, gathered by the command line once.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { CdpError } from '../core/errors.ts'
import type { Clock } from '../core/clock.ts'
import type { Emit } from '../core/events.ts'
import type { PagesRead } from '../ingest/source.ts'
import type { CompiledProject } from '../project/compiled.ts'
import type { Destination } from '../sync/destination.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'

/** The parts of a project that are code. Loaded only when a step needs them. */
export interface LiveParts {
  pages(streamId: string): PagesRead
  destination(syncId: string): Destination
}

export interface RunOptions {
  readonly project: CompiledProject
  readonly openWarehouse: (mode: 'read' | 'write') => Promise<Warehouse>
  readonly live: () => Promise<LiveParts>
  readonly runId: string
  /** ISO, UTC: replaces the clock in every model and sync of this run. */
  readonly instant: string
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly emit: Emit
  /** Guards let through once, by name. */
  readonly allow: ReadonlySet<string>
  /** Names of streams, models and syncs to work on; undefined means all. */
  readonly selected: ReadonlySet<string> | undefined
}

/** Sorts by time and is unique: `20261101T160000.123Z-4f2a`. */
export const newRunId = (clock: Clock): string =>
  `${new Date(clock.now()).toISOString().replaceAll(/[-:]/g, '')}-${randomBytes(2).toString('hex')}`

/** An instant given by a person, as ISO in UTC; without one, now. Throws INSTANT_INVALID for a text without a zone. */
export const instantOf = (text: string | undefined, clock: Clock): string => {
  if (text === undefined) return new Date(clock.now()).toISOString()
  const ms = Date.parse(text)
  if (Number.isNaN(ms) || !/(z|[+-]\d\d:?\d\d)$/i.test(text)) throw new CdpError('INSTANT_INVALID', { text })
  return new Date(ms).toISOString()
}

export const thisProcess = (): { host: string; pid: number } => ({ host: hostname(), pid: process.pid })
