// What a warehouse knows, without the names and times of the runs that brought it there: two ways to one state give equal text.
import type { Project } from './project.ts'

// Columns that tell one way from another, wherever they are.
const ways = new Set([
  '_cdp_load_id',
  'load_id',
  'run_id',
  'born_run',
  'quarantine_id',
  'closed_by',
  'modified_ms',
  'decided_run',
])
const relations = [
  'load_files',
  'cursors',
  'schemas',
  'quarantine',
  'person',
  'person_records',
  'person_former_records',
  'person_links',
  'person_blocks',
  'person_history',
  'person_redirects',
  'trait_origins',
  'segment_members',
  'test_failures',
]

/** Runs that get there must be given the same instants (`--now`). */
export const stateOf = async (project: Project): Promise<Record<string, readonly string[]>> => {
  const columns = await project.all<{ schema: string; relation: string; name: string }>(
    `select table_schema as schema, table_name as relation, column_name as name from information_schema.columns
      where table_catalog = 'warehouse' and (table_schema in ('raw', 'main')
        or table_schema = 'cdp' and table_name in (${relations.map((name) => `'${name}'`).join(', ')})) order by all`,
  )
  const lists = new Map<string, string[]>()
  for (const { schema, relation, name } of columns) {
    const key = `"${schema}"."${relation}"`
    const kept =
      ways.has(name) || (schema === 'cdp' && name.endsWith('_at') && name !== 'entered_at' && name !== 'left_at')
    if (!kept) lists.set(key, [...(lists.get(key) ?? []), `"${name}"`])
  }
  const parts = [...lists].map(
    ([key, names]) =>
      `select '${key.replaceAll('"', '')}' as relation, cast(row(${names.join(', ')}) as varchar) as line from ${key}`,
  )
  parts.push(
    `select 'versions', concat_ws(' ', relation, rows, status) from cdp.versions`,
    `select 'load numbers', concat_ws(' ', stream, sum(rows_new), sum(rows_changed), sum(rows_vanished)) from cdp.loads
      where status = 'done' group by stream`,
  )
  const rows = await project.all<{ relation: string; line: string }>(`${parts.join('\nunion all ')} order by all`)
  const state: Record<string, string[]> = {}
  for (const { relation, line } of rows) (state[relation] ??= []).push(line)
  return state
}
