// The version of every relation: the run in which its content last changed. From these alone a run knows what it need not do.
// Plain SQL and no imports beyond core: this is on the path of a run that has nothing to do.
import { fingerprint } from '../core/hash.ts'
import type { CompiledModel } from '../models/model.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'

export interface Version {
  readonly relation: string
  readonly version: string
  readonly fingerprint: string
  readonly content: string | null
  readonly rows: number | null
  readonly status: 'good' | 'failed'
  readonly instant: string | null
}

export type Versions = Map<string, Version>

export const readVersions = async (warehouse: Pick<Warehouse, 'all' | 'quote' | 'landing'>): Promise<Versions> => {
  const from = (relation: string): string =>
    `select relation, version, fingerprint, content, ${warehouse.quote('rows')}, status, instant from ${relation}`
  const rows = await warehouse.all<Version>(
    warehouse.landing
      ? `${from('cdp.versions')} where relation not like 'raw.%' union all ${from(warehouse.landing('versions'))} where relation like 'raw.%'`
      : from('cdp.versions'),
  )
  return new Map(rows.map((row) => [row.relation, row]))
}

/** The version of a raw relation whose content a load changed. */
export const landedVersion = (relation: string, runId: string, rows: number): Version => ({
  relation: `raw.${relation}`,
  version: runId,
  fingerprint: 'landed',
  content: null,
  rows,
  status: 'good',
  instant: null,
})

/**
 * What a model's relation would be made from now: its definition, what it reads at which version, and the clock's hour or day if it
 * reads it; and its tests, since a new test is to be run on what is there.
 */
export const inputFingerprint = (
  model: CompiledModel,
  versions: ReadonlyMap<string, Version>,
  facts: { readonly instant: string; readonly timeZone: string; readonly engine: string },
): string =>
  fingerprint([
    facts.engine,
    model.fingerprint,
    ...(model.tests.length > 0 ? [model.tests.map(({ name, severity, sql }) => [name, severity, sql])] : []),
    model.reads.map((name) => [name, versions.get(name)?.version ?? null]),
    model.readsClock ? clockBucket(model.refresh, facts.instant, facts.timeZone) : null,
  ])

/** The instant, or the hour or day it is in, in the project's zone. */
export const clockBucket = (refresh: CompiledModel['refresh'], instant: string, timeZone: string): string => {
  if (refresh === 'run') return instant
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    // The offset tells apart the two hours that a clock shows twice when it is put back.
    ...(refresh === 'hour' ? { hour: '2-digit', hourCycle: 'h23', timeZoneName: 'longOffset' } : {}),
  })
  return parts.format(new Date(instant))
}
