// What a run of a sync came to, as a row: whole for a pipe, short for people.
import type { SyncSummary } from '../run/sync.ts'
import type { DataRow } from './output.ts'

export const syncRow = ({ plan, error: _, ...summary }: SyncSummary): DataRow => ({
  ...summary,
  to: `${plan.destination} ${plan.target}`,
  reason: summary.reason ?? null,
  written: summary.written ?? null,
  seconds: Math.round(summary.seconds * 1000) / 1000,
})

/** Columns that are nought in every row say nothing on a terminal. */
export const forPeople = (rows: readonly DataRow[]): readonly DataRow[] => {
  const flat = rows.map(({ sent, sync, status, ...rest }): DataRow => {
    const { upsert, remove } = sent as SyncSummary['sent']
    return { sync, status, upserts: upsert, removes: remove, ...rest }
  })
  const kept = (name: string): boolean =>
    ['sync', 'status', 'upserts', 'removes'].includes(name) ||
    flat.some((row) => row[name] !== 0 && row[name] !== null && row[name] !== undefined)
  return flat.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => kept(name))))
}
