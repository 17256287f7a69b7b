// Writes what a build found into the engine's tables. Only rows that differ are written, so state grows and changes with the data.
import type { ChangeCounts } from './changes.ts'
import type { Registry } from './ids.ts'
import type { Work } from './work.ts'
import { instantOf } from '../warehouse/state-sql.ts'

export interface Stamp {
  readonly runId: string
  /** ISO, UTC. */
  readonly instant: string
}

const table = (work: Work, name: string): string => work.warehouse.name({ schema: 'cdp', name })

const insert = async (work: Work, name: string, columns: readonly string[], select: string): Promise<void> => {
  await work.warehouse.run(
    `insert into ${table(work, name)} (${columns.map((column) => work.warehouse.quote(column)).join(', ')})\n${select}`,
  )
}

const at = (work: Work, stamp: Stamp): string => instantOf(work.warehouse, stamp.instant)

const noText = (work: Work): string => `cast(null as ${work.warehouse.typeName('text')})`

/** Ids, history and who belongs to whom. */
export const writePersons = async (
  work: Work,
  registry: Registry,
  changes: ChangeCounts,
  stamp: Stamp,
): Promise<void> => {
  const { warehouse } = work
  const run = warehouse.literal(stamp.runId)
  const { literal: graph, person } = registry
  if (changes.created > 0) {
    await insert(
      work,
      'person',
      ['graph', 'person_id', 'anchor', 'ordinal', 'born_run', 'born_seen_at', 'status', 'merged_into'],
      `select ${graph}, i.person_id, i.anchor, i.ordinal, ${run}, i.seen, 'active', ${noText(work)} from ${work.name('issued')} i`,
    )
  }
  if (changes.merged > 0) {
    await insert(
      work,
      'person_former_records',
      ['graph', 'person_id', 'record_key'],
      `select ${graph}, m.was, m.record_key from ${work.name('members')} m join ${work.name('merges')} g on g.was = m.was`,
    )
    await warehouse.run(
      `update ${person} as p set status = 'merged', merged_into = g.person_id from ${work.name('merges')} g where p.graph = ${graph} and p.person_id = g.was`,
    )
  }
  if (changes.retired > 0) {
    await warehouse.run(
      `update ${person} as p set status = 'retired' from ${work.name('retired')} r where p.graph = ${graph} and p.person_id = r.was`,
    )
  }
  await writeHistory(work, registry, changes, stamp)
  if (changes.left > 0) {
    await warehouse.run(
      `delete from ${registry.personRecords} as p where p.graph = ${graph} and exists (select 1 from ${work.name('moved')} m where m.record_key = p.record_key and m.was is not null)`,
    )
  }
  if (changes.records > 0) {
    await insert(
      work,
      'person_records',
      ['graph', 'record_key', 'person_id'],
      `select ${graph}, m.record_key, m.person_id from ${work.name('moved')} m where m.person_id is not null`,
    )
  }
}

const writeHistory = async (work: Work, registry: Registry, changes: ChangeCounts, stamp: Stamp): Promise<void> => {
  const run = work.warehouse.literal(stamp.runId)
  const add = (event: string, rest: string): Promise<void> =>
    insert(
      work,
      'person_history',
      ['graph', 'run_id', 'event', 'at', 'old_id', 'person_id', 'records', 'cause'],
      `select ${registry.literal}, ${run}, '${event}', ${at(work, stamp)}, ${rest}`,
    )
  if (changes.created > 0) {
    await add(
      'created',
      `${noText(work)}, i.person_id, i.records, ${noText(work)} from ${work.name('issued')} i${
        changes.split === 0
          ? ''
          : `
left join (select distinct s.person_id from ${work.name('splits')} s) s on s.person_id = i.person_id where s.person_id is null`
      }`,
    )
  }
  if (changes.merged > 0) {
    await add(
      'merged',
      `g.was, g.person_id, g.records, c.cause from ${work.name('merges')} g left join ${work.name('merge_causes')} c on c.was = g.was`,
    )
  }
  if (changes.split > 0) {
    await add(
      'split',
      `s.was, s.person_id, s.records, c.cause from ${work.name('splits')} s join ${work.name('split_causes')} c on c.was = s.was and c.person_id = s.person_id`,
    )
  }
  if (changes.retired > 0) {
    await add('retired', `r.was, ${noText(work)}, r.records, 'all its records vanished' from ${work.name('retired')} r`)
  }
}

/** Decisions taken in this build. */
export const writeBlocks = (work: Work, registry: Registry, stamp: Stamp): Promise<void> =>
  insert(
    work,
    'person_blocks',
    [
      'graph',
      'identifier',
      'value',
      'reason',
      'shared_by',
      'allowed',
      'records',
      'examples',
      'decided_run',
      'decided_at',
    ],
    `select ${registry.literal}, b.identifier, b.value, b.reason, b.shared_by, b.allowed, b.records, b.examples, ${work.warehouse.literal(stamp.runId)}, ${at(work, stamp)} from ${work.name('new_blocks')} b`,
  )
