// What the demo shows of each command's data, and the closing table.
import type { Audience } from './audiences.ts'
import type { PersonsScore } from './persons.ts'
import { aside, say, type Ran, type Row } from './shell.ts'

const number = (value: unknown): string => Number(value ?? 0).toLocaleString('en-US')
const seconds = (ran: Ran): string => `${ran.seconds.toFixed(1)} s`

const table = (rows: readonly Readonly<Record<string, unknown>>[]): void => {
  const names = Object.keys(rows[0] ?? {})
  const text = (row: Readonly<Record<string, unknown>>, name: string): string => {
    const value = row[name]
    return typeof value === 'number' ? value.toLocaleString('en-US') : typeof value === 'string' ? value : ''
  }
  const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => text(row, name).length)))
  const line = (cells: readonly string[], left: readonly boolean[]): string =>
    `  ${cells.map((cell, i) => (left[i] ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')}`.trimEnd()
  const left = names.map((name) => rows.some((row) => typeof row[name] === 'string'))
  say(line(names, left))
  for (const row of rows)
    say(
      line(
        names.map((name) => text(row, name)),
        left,
      ),
    )
}

export const showRun = (ran: Ran): void => {
  const worked = ran.rows.filter((row) => row['status'] !== 'unchanged')
  const unchanged = ran.rows.length - worked.length
  aside(`  ${worked.length} steps worked, ${unchanged} had nothing to do, ${seconds(ran)}`)
}

export const showPlan = (ran: Ran): void => {
  const syncs = ran.rows.filter((row) => row['type'] === 'sync')
  table(
    syncs.map((row) => ({
      sync: row['sync'],
      add: Number(row['added'] ?? 0),
      change: Number(row['changed'] ?? 0),
      remove: Number(row['removed'] ?? 0),
      withheld: Number(row['withheld'] ?? 0),
      skipped: Number(row['skipped'] ?? 0),
      calls: Number(row['calls'] ?? 0),
    })),
  )
  const sample = syncs.flatMap((row) => (row['samples'] as readonly unknown[] | undefined) ?? [])[0]
  if (sample !== undefined) aside(`  one payload as it would go out: ${JSON.stringify(sample)}`)
}

const sent = (row: Row): { upsert: number; remove: number } => ({
  upsert: 0,
  remove: 0,
  ...(row['sent'] as object | undefined),
})

export const showSyncs = (ran: Ran): void => {
  table(
    ran.rows.map((row) => ({
      sync: row['sync'],
      status: row['status'],
      upserts: sent(row).upsert,
      removes: sent(row).remove,
      rejected: Number(row['rejected'] ?? 0),
      withheld: Number(row['withheld'] ?? 0),
      skipped: Number(row['skipped'] ?? 0),
      requests: Number(row['requests'] ?? 0),
    })),
  )
  aside(`  ${seconds(ran)}`)
}

export interface Story {
  readonly loads: Ran
  readonly sizes: Ran
  readonly runs: readonly Ran[]
  readonly syncs: readonly Ran[]
  readonly persons: readonly PersonsScore[]
  readonly audiences: readonly (readonly Audience[])[]
  readonly seconds: number
}

/** Prints the closing tables; true when every audience is what its segment says and the third day sent nothing. */
export const closing = (story: Story): boolean => {
  say('\nLanded and rejected')
  table(
    story.loads.rows.map((row) => ({
      stream: row['stream'],
      landed: Number(row['landed']),
      changed: Number(row['changed']),
      rejected: Number(row['rejected']),
    })),
  )
  say('\nPersons against the truth (pairs of records; the customer with 500 receipts left out)')
  table(
    story.persons.map((score, day) => ({
      day: `day ${day + 1}`,
      found: score.found,
      truth: score.truth,
      precision: score.precision.toFixed(4),
      recall: score.recall.toFixed(4),
    })),
  )
  say('\nSegments')
  table(
    story.sizes.rows.map((row) => ({
      segment: row['segment'],
      members: Number(row['members']),
      entered: Number(row['entered']),
      left: Number(row['left']),
    })),
  )
  say('\nDelivered')
  table(
    story.syncs.flatMap((ran, day) =>
      ran.rows.map((row) => ({
        day: ['day 1', 'day 2', 'again'][day] ?? '',
        sync: row['sync'],
        upserts: sent(row).upsert,
        removed: sent(row).remove,
        rejected: Number(row['rejected'] ?? 0),
      })),
    ),
  )
  say('\nWhat the vendors hold against the segments')
  table(
    story.audiences.flatMap((audiences, day) =>
      audiences.map((audience) => ({
        day: `day ${day + 1}`,
        sync: audience.sync,
        wanted: audience.wanted,
        held: audience.held,
        equal:
          audience.missing.length + audience.surplus.length === 0
            ? 'yes'
            : `NO: ${audience.missing.length} missing, ${audience.surplus.length} too many (${[...audience.missing, ...audience.surplus].slice(0, 3).join(', ')})`,
      })),
    ),
  )
  const equal = story.audiences.flat().every((audience) => audience.missing.length + audience.surplus.length === 0)
  const quiet = (story.syncs[2]?.rows ?? []).every((row) => Number(row['requests'] ?? 0) === 0)
  if (!quiet) say('\nThe third sync sent something although nothing was new.')
  say(
    `\nSeconds: day 1 ${number(story.runs[0]?.seconds.toFixed(1))} run + ${number(story.syncs[0]?.seconds.toFixed(1))} sync, day 2 ${number(story.runs[1]?.seconds.toFixed(1))} + ${number(story.syncs[1]?.seconds.toFixed(1))}, again ${number(story.runs[2]?.seconds.toFixed(1))} + ${number(story.syncs[2]?.seconds.toFixed(1))}; in all ${number(story.seconds.toFixed(0))}`,
  )
  return equal && quiet
}
