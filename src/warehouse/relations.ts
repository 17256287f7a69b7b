// Every relation the engine owns in schema `cdp`, with its columns: the one place that says what state there is.
// Migrations create exactly this; `docs/state.md` is made from it; every one can be read with a SELECT.
import type { ColumnType } from './warehouse.ts'

export interface EngineRelation {
  readonly about: string
  /** Columns in order. A trailing `?` on the type means it may be null. */
  readonly columns: Readonly<Record<string, ColumnType | `${ColumnType}?`>>
  /** Columns that name a row once. Not enforced by every engine; the engine's statements keep it true. */
  readonly key: readonly string[]
}

const relation = <const C extends EngineRelation['columns']>(
  about: string,
  key: readonly (keyof C & string)[],
  columns: C,
): { readonly about: string; readonly key: readonly (keyof C & string)[]; readonly columns: C } => ({
  about,
  key,
  columns,
})

export const engineRelations = {
  migrations: relation('Which migrations were applied', ['version'], {
    version: 'integer',
    name: 'text',
    applied_at: 'timestamp',
  }),
  settings: relation('What the engine keeps about the database itself', ['name'], {
    name: 'text', // functions: the fingerprint of the installed cdp.* functions · run:<id>: a run at work, where several may write
    value: 'text',
  }),

  // runs
  runs: relation('One row a command that worked on the warehouse', ['run_id'], {
    run_id: 'text', // sorts by time: 20261101T160000.123Z-4f2a
    command: 'text',
    instant: 'timestamp', // replaces current_timestamp in every model of the run
    started_at: 'timestamp',
    finished_at: 'timestamp?',
    status: 'text', // running · done · failed · interrupted
    exit_code: 'integer?',
    version: 'text',
    host: 'text',
    pid: 'integer',
  }),
  run_steps: relation('One row a step of a run', ['run_id', 'step'], {
    run_id: 'text',
    step: 'text',
    kind: 'text',
    status: 'text', // done · unchanged · skipped · failed · warned
    rows: 'integer?',
    detail: 'text?',
    seconds: 'double',
    statements: 'integer?', // how many it took, where they are billed
    bytes_billed: 'integer?', // for all of them
    finished_at: 'timestamp',
  }),
  versions: relation('The version of every relation: the run in which its content last changed', ['relation'], {
    relation: 'text', // raw.shop_customers · people
    version: 'text',
    fingerprint: 'text', // of its definition, engine and the versions of what it reads
    content: 'text?', // hash over its rows, in no order
    rows: 'integer?',
    status: 'text', // good · failed: its last build or one of its tests failed, so nothing is sent from it
    instant: 'timestamp?', // of the run it was last built for, when it reads the clock
    built_at: 'timestamp',
  }),

  // landing
  loads: relation('One row a load of a stream', ['load_id', 'stream'], {
    load_id: 'text',
    run_id: 'text',
    stream: 'text', // shop.customers
    status: 'text', // done · failed · unchanged
    files: 'integer',
    bytes: 'integer',
    rows_read: 'integer',
    rows_new: 'integer',
    rows_changed: 'integer',
    rows_unchanged: 'integer',
    rows_vanished: 'integer',
    rows_quarantined: 'integer',
    error: 'text?',
    started_at: 'timestamp',
    finished_at: 'timestamp',
  }),
  load_files: relation('Files a stream has landed, to know new and changed ones', ['stream', 'file'], {
    stream: 'text',
    file: 'text',
    bytes: 'integer',
    modified_ms: 'integer',
    sha256: 'text?',
    load_id: 'text',
    rows: 'integer',
  }),
  cursors: relation('How far a stream was read; never ahead of its rows', ['stream'], {
    stream: 'text',
    cursor: 'text',
    load_id: 'text',
    updated_at: 'timestamp',
  }),
  schemas: relation(
    'The type of every landed column, decided once and only widened',
    ['stream', 'column_name', 'version'],
    {
      stream: 'text',
      column_name: 'text',
      original_name: 'text',
      position: 'integer',
      type: 'text',
      format: 'text?', // how the landed text spelled it, to print it back: `trimmed`, or the fraction digits of timestamps
      declared: 'boolean',
      version: 'integer', // 1 at birth, +1 at each widening; the highest is in force
      load_id: 'text',
      changed_at: 'timestamp',
    },
  ),
  quarantine: relation('Rows that could not be landed, with their text and the reason', ['quarantine_id'], {
    quarantine_id: 'text',
    load_id: 'text',
    stream: 'text',
    file: 'text?',
    record: 'integer?', // counted from 1, header not counted
    line: 'integer?', // physical line, counted from 1
    column_name: 'text?',
    reason: 'text',
    raw: 'text',
    fields: 'json?', // names of the fields in `raw`, where its own text does not say (CSV)
    quarantined_at: 'timestamp',
    status: 'text', // open · closed
    closed_at: 'timestamp?',
    closed_by: 'text?', // the load that closed it
  }),

  // models
  test_failures: relation(
    'Rows that failed a test of a model, the newest run of each test',
    ['run_id', 'test', 'row_number'],
    {
      run_id: 'text',
      model: 'text',
      test: 'text',
      severity: 'text', // warn · error
      row_number: 'integer',
      failing_row: 'json',
    },
  ),

  // identity
  person: relation('Every person id ever issued', ['graph', 'person_id'], {
    graph: 'text', // name of the identity model
    person_id: 'text',
    anchor: 'text', // key of the record it was born from
    ordinal: 'integer', // which id of that anchor, from 0
    born_run: 'text',
    born_seen_at: 'timestamp?', // the earliest of its records at birth; with born_run and anchor its age, fixed
    status: 'text', // active · merged · retired
    merged_into: 'text?', // the id that took its place at the time; person_redirects says where it leads now
  }),
  person_records: relation('Which person each record belongs to now', ['graph', 'record_key'], {
    graph: 'text',
    record_key: 'text', // shop/1
    person_id: 'text',
  }),
  person_former_records: relation(
    'Records an id had when it was merged away: its redirect follows them',
    ['graph', 'person_id', 'record_key'],
    {
      graph: 'text',
      person_id: 'text',
      record_key: 'text',
    },
  ),
  person_links: relation(
    'Why records are together, or are not: every identifier value that several records carry, a record a row',
    ['graph', 'record_key', 'identifier'],
    {
      graph: 'text',
      record_key: 'text',
      identifier: 'text',
      value: 'text',
      status: 'text', // used · blocked · refused
      reason: 'text?', // of a refusal
    },
  ),
  person_blocks: relation(
    'Identifier values that join nobody: decisions, recorded once with their evidence',
    ['graph', 'identifier', 'value'],
    {
      graph: 'text',
      identifier: 'text',
      value: 'text',
      reason: 'text', // junk · shared
      shared_by: 'integer?', // distinct people it seemed to belong to
      allowed: 'integer?', // max_shared_by at the time
      records: 'integer',
      examples: 'text?', // some of the records
      decided_run: 'text',
      decided_at: 'timestamp',
    },
  ),
  person_history: relation(
    'What happened to ids: created, merged, split, retired',
    ['graph', 'run_id', 'event', 'old_id', 'person_id'],
    {
      graph: 'text',
      run_id: 'text',
      event: 'text',
      old_id: 'text?', // null at a creation
      person_id: 'text?', // the id created, merged into or split off; null at a retirement
      records: 'integer', // that were concerned
      cause: 'text?',
      at: 'timestamp',
    },
  ),
  person_redirects: relation('Where an id that is no more leads, flattened', ['graph', 'old_id'], {
    graph: 'text',
    old_id: 'text',
    person_id: 'text',
    run_id: 'text', // the run that pointed it there
  }),
  trait_origins: relation(
    'The record each winning value of a profile came from; none for a trait computed over several',
    ['profile', 'person_id', 'trait'],
    {
      profile: 'text',
      person_id: 'text',
      trait: 'text',
      record_key: 'text',
      rule: 'text',
    },
  ),

  // segments
  segment_members: relation('Who is and was in a segment', ['segment', 'person_id', 'entered_at'], {
    segment: 'text',
    person_id: 'text',
    entered_at: 'timestamp',
    left_at: 'timestamp?',
  }),
  segment_sizes: relation('The size of a segment at each run that built it', ['segment', 'run_id'], {
    segment: 'text',
    run_id: 'text',
    at: 'timestamp',
    members: 'integer',
    entered: 'integer',
    left: 'integer',
  }),

  // syncs
  syncs: relation('What the engine knows of a sync between runs', ['sync'], {
    sync: 'text',
    epoch: 'integer', // of its last run; log keys are (sync, epoch, seq)
    definition: 'text', // fingerprint of the sync's definition
    map: 'json', // as of the last plan, to tell a changed map from changed data
    inputs: 'json', // versions of from and consent at the last plan
    hashing: 'text', // what the engine's fast hash gave when `match` and `seen` were made: another one makes them anew
    due_at: 'timestamp?', // the earliest retry or poll; null when nothing is due
    folded_seq: 'integer', // journal entries of `epoch` up to here are in sync_log and sync_rows
    updated_at: 'timestamp',
  }),
  sync_runs: relation('One row a run of a sync', ['sync', 'epoch'], {
    sync: 'text',
    epoch: 'integer',
    run_id: 'text',
    started_at: 'timestamp',
    finished_at: 'timestamp?',
    status: 'text', // running · done · stopped · guarded · failed · interrupted
    reason: 'text?',
    source_rows: 'integer', // = withheld + skipped + eligible
    withheld: 'integer',
    skipped: 'integer',
    eligible: 'integer',
    frozen: 'integer', // keys at the destination whose rows were skipped: neither updated nor removed
    planned_upserts: 'integer',
    planned_removes: 'integer',
    delivered_upserts: 'integer',
    delivered_removes: 'integer',
    rejected: 'integer',
    retrying: 'integer', // tried without an end; the next run tries again
    unknown: 'integer',
    pending: 'integer',
    waiting: 'integer', // planned, never tried
    calls: 'integer',
  }),
  sync_rows: relation(
    'One row a match key: what the destination holds and what is owed. A fold of sync_log',
    ['sync', 'key_hash'],
    {
      sync: 'text',
      key_hash: 'text', // of SHA-256 of `key`, 32 hex digits
      key: 'text', // the match keys as delivered, JSON
      match: 'integer', // fast hash of the key's text, which the diff joins on
      wanted: 'text', // upsert · insert · update · remove: the operation last tried
      status: 'text', // delivered · rejected · retry · unknown · pending
      held: 'boolean', // the destination holds, or possibly holds, this key
      row_hash: 'text?', // of the row as last confirmed; null: nobody knows what is there
      seen: 'integer?', // fast hash of the columns as last compared: a hint that nothing changed, never a proof of change
      fields: 'text?', // JSON: field -> hash of its value as last confirmed; an absent field was never sent
      planned_hash: 'text?', // of the row in the open attempt
      planned_fields: 'text?',
      change_id: 'text?', // of the open attempt: the same when it is sent again
      reference: 'text?', // the vendor's record id, where it gives one
      attempts: 'integer', // since the last success or change
      next_attempt_at: 'timestamp?',
      reason: 'text?',
      job: 'text?',
      epoch: 'integer',
      seq: 'integer', // the newest log entry folded in
      first_delivered_at: 'timestamp?',
      last_delivered_at: 'timestamp?',
      updated_at: 'timestamp',
    },
  ),
  sync_log: relation('Append-only: every attempt and how it ended. The truth', ['sync', 'epoch', 'seq'], {
    sync: 'text',
    epoch: 'integer',
    seq: 'integer',
    event: 'text', // outcome · intent (of messages: written before the call) · plan (decided without a call)
    happened_at: 'timestamp',
    key_hash: 'text',
    operation: 'text', // upsert · insert · update · remove
    change_id: 'text?',
    row_hash: 'text?',
    status: 'text?', // of an outcome: delivered · rejected · retry · unknown · pending
    reason: 'text?', // of an outcome; for delivered rows why they were sent
    attempt: 'text?', // the call it belongs to
    detail: 'json?', // what the vendor gave: reference, job, wait
  }),
  sync_skipped: relation(
    'Rows of `from` that were kept aside at the last plan, with the reason',
    ['sync', 'row_number'],
    {
      sync: 'text',
      epoch: 'integer',
      row_number: 'integer',
      reason: 'text', // null key · empty key · duplicate key · …
      key: 'json?',
      person_id: 'text?',
    },
  ),
  sync_plan: relation('Changes being delivered, until their outcomes are folded', ['sync', 'seq'], {
    sync: 'text',
    epoch: 'integer',
    seq: 'integer', // counts in order of delivery, with gaps
    action: 'text', // send · poll
    operation: 'text',
    why: 'text', // added · changed · map · retry · unknown · left · consent · pending
    key_hash: 'text',
    key: 'text',
    match: 'integer',
    row_hash: 'text?',
    seen: 'integer?',
    fields: 'text?', // what the destination holds once it is delivered
    change_id: 'text',
  }),
  sync_journal: relation(
    'Journals of runs whose disk may not outlive them, as they are written; read back by the next run',
    ['sync', 'run_id', 'part'],
    {
      sync: 'text',
      run_id: 'text',
      part: 'integer', // counts what was written at once, from 1
      written_at: 'timestamp',
      lines: 'text',
    },
  ),
} as const satisfies Record<string, EngineRelation>

export type EngineRelationName = keyof typeof engineRelations

/** What only the warehouse knows and no source can give back: `cdp state export` saves exactly these. */
export const keptRelations: readonly EngineRelationName[] = [
  'cursors',
  'schemas',
  'person',
  'person_records',
  'person_former_records',
  'person_blocks',
  'person_history',
  'person_redirects',
  'segment_members',
  'segment_sizes',
  'syncs',
  'sync_runs',
  'sync_rows',
  'sync_log',
]
