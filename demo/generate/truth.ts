// Who is who, kept apart from the data: nothing of the project reads it but the comparison at the demo's end.

import type { ContactLine } from './crm.ts'
import type { Kept } from './rows.ts'
import { writeCsv } from './write.ts'
import type { Records } from './world.ts'

export type TruthSource = 'pos' | 'shop' | 'crm' | 'newsletter' | 'web'

export interface TruthRow {
  readonly source: TruthSource
  readonly record_id: string
  readonly person: string
}

const rowsOf = <Row>(source: TruthSource, kept: readonly Kept<Row>[], id: (row: Row) => string): TruthRow[] =>
  kept.flatMap(({ row, person }) => (person === null ? [] : [{ source, record_id: id(row), person }]))

const readable = (contacts: readonly ContactLine[]): ContactLine[] =>
  contacts.filter(({ wrong }) => wrong === undefined)

/**
 * One row for every record that stands for a person: `web` is a browser that was seen, walk-ins are nobody, and a line
 * of the CRM that cannot be read is no record until it is corrected.
 */
export const truthOf = (records: Records): TruthRow[] => {
  const seen = new Set(records.traffic.map(({ anonymous_id }) => anonymous_id))
  return [
    ...rowsOf('pos', records.receipts, ({ receipt_id }) => receipt_id),
    ...rowsOf('shop', records.customers, ({ id }) => id),
    ...rowsOf('crm', readable(records.contacts), ({ contact_id }) => contact_id),
    ...rowsOf('newsletter', records.signups, ({ signup_id }) => signup_id),
    ...records.devices
      .filter(({ anonymousId }) => seen.has(anonymousId))
      .map(({ anonymousId, person }) => ({ source: 'web' as const, record_id: anonymousId, person })),
  ]
}

/** Day by day: a later day's rows are added, a record that was there before (a changed one) is not repeated. */
export const mergeTruth = (...days: readonly (readonly TruthRow[])[]): TruthRow[] => {
  const rows = new Map<string, TruthRow>()
  for (const row of days.flat()) rows.set(`${row.source}/${row.record_id}`, row)
  return [...rows.values()]
}

export const writeTruth = async (dir: string, rows: readonly TruthRow[]): Promise<void> => {
  const header = ['source', 'record_id', 'person'] as const
  await writeCsv(
    dir,
    'truth/records.csv',
    header,
    rows.map((row) => header.map((name) => row[name])),
  )
}
