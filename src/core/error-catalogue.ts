// Every error a user can meet, in one place: names are permanent, the reference in docs/errors.md is made from this file.
// An entry's function takes the facts and says what happened and why; `hint` says what to do next.

/** What an error means for retry and for the exit code. Only `transient` is ever retried. */
export type ErrorKind = 'usage' | 'config' | 'data' | 'auth' | 'transient' | 'interrupted' | 'bug'

interface Entry<A> {
  readonly kind: ErrorKind
  readonly message: (args: A) => string
  readonly hint?: (args: A) => string
}

const entry = <A>(kind: ErrorKind, message: (args: A) => string, hint?: (args: A) => string): Entry<A> =>
  hint ? { kind, message, hint } : { kind, message }

// The line of a statement that is meant, with a mark under the place; of a long line the part around it.
const pointed = (sql: string, line: number, column: number): string => {
  const all = Array.from(sql.split('\n')[line - 1] ?? sql)
  const from = column > 81 ? column - 81 : 0
  const part = all.slice(from, from + 160).join('')
  return `${String(line).padStart(4)} | ${part}\n     | ${' '.repeat(Math.max(0, column - 1 - from))}^`
}

const grouped = (digits: string): string => digits.replaceAll(/\B(?=(?:\d{3})+$)/g, ',')

const shortened = (sql: string): string => (sql.length > 2000 ? `${sql.slice(0, 2000)}…` : sql)

export const catalogue = {
  // core
  INTERNAL: entry<{ detail: string }>(
    'bug',
    (a) => `Something happened that should be impossible: ${a.detail}.`,
    () => 'This is a fault of ours. Please report it with the lines above.',
  ),
  DISK_FULL: entry<{ reason: string }>(
    'transient',
    (a) => `The disk is full: ${a.reason}. What was written down before counts; nothing else does.`,
    () => 'Free disk space and run the same command again.',
  ),
  FILE_REFUSED: entry<{ reason: string }>(
    'config',
    (a) => `The system refuses a file: ${a.reason}.`,
    () => 'Mend its permissions (or those of .cdp in the project) and run the same command again.',
  ),
  INTERRUPTED: entry<{ what: string }>('interrupted', (a) => `Interrupted: ${a.what}.`),
  SECRETS_MISSING: entry<{ names: readonly string[] }>(
    'config',
    (a) =>
      `${a.names.length === 1 ? 'An environment variable is' : 'Environment variables are'} not set: ${a.names.join(', ')}.`,
    (a) =>
      `Set ${a.names.length === 1 ? 'it' : 'them'} in the environment, for example: export ${a.names[0] ?? 'NAME'}=…`,
  ),
  GRAPH_CYCLE: entry<{ path: readonly string[] }>(
    'config',
    (a) => `These depend on each other in a circle: ${a.path.join(' -> ')}.`,
    () => 'Remove one of the references.',
  ),

  // run
  SELECTOR_UNKNOWN: entry<{ selector: string; near: string }>(
    'usage',
    (a) => `Nothing in the project is called "${a.selector}".${a.near}`,
    () => 'Selectors are names of streams, models or syncs, `+name`, `name+`, `tag:x`, `kind:x` or `*`.',
  ),
  PROJECT_NOT_FOUND: entry<{ folder: string }>(
    'usage',
    (a) => `There is no cdp.config.ts in ${a.folder}.`,
    () => 'Go to the project, name it with --project, or write a new one with: cdp init my-project',
  ),
  DURATION_INVALID: entry<{ text: string; option: string }>(
    'usage',
    (a) => `${a.option} "${a.text}" is not a length of time.`,
    () => 'Write for example 250ms, 10s, 5m, 2h or 1d.',
  ),
  BYTES_INVALID: entry<{ text: string; option: string }>(
    'usage',
    (a) => `${a.option} "${a.text}" is not an amount of data.`,
    () => 'Write for example 500 MB, 20 GB or 2 TiB.',
  ),
  INSTANT_INVALID: entry<{ text: string }>(
    'usage',
    (a) => `"${a.text}" is not an instant.`,
    () => 'Write it with its zone, for example 2026-11-01T23:00:00+07:00.',
  ),
  SCHEDULE_INVALID: entry<{ expression: string }>(
    'config',
    (a) => `"${a.expression}" is not a cron expression.`,
    () => "Write five fields: minute hour day month weekday, for example '*/15 * * * *'.",
  ),
  STATE_NOT_EMPTY: entry<{ relations: readonly string[] }>(
    'usage',
    (a) =>
      `The warehouse has state of its own in ${a.relations.map((name) => `cdp.${name}`).join(', ')}. Nothing was imported.`,
    () => 'Import into a new database file, before the first cdp run.',
  ),
  STATE_NOT_FOUND: entry<{ folder: string }>(
    'usage',
    (a) => `There is no manifest.json in ${a.folder}: it is no state export.`,
  ),
  STATE_FORMAT: entry<{ folder: string; madeBy: string }>(
    'usage',
    (a) => `The export in ${a.folder} was made by composable-cdp ${a.madeBy}, in a format this version does not know.`,
  ),
  STATE_UNREADABLE: entry<{ file: string; reason: string }>(
    'usage',
    (a) => `${a.file} cannot be read: ${a.reason}. Nothing was imported.`,
    () => 'Take another export, or copy this one anew.',
  ),
  INIT_EXISTS: entry<{ folder: string; files: readonly string[] }>(
    'usage',
    (a) => `${a.folder} already has ${a.files.join(', ')}. Nothing was written.`,
    () => 'Name another folder: cdp init my-project',
  ),
  TARGET_UNKNOWN: entry<{ target: string; known: readonly string[] }>(
    'usage',
    (a) => `The project has no warehouse called "${a.target}"; it has ${a.known.join(', ')}.`,
  ),

  // development
  DEV_NAME: entry<{ text: string }>(
    'usage',
    (a) => `--dev takes the name of a developer, and "${a.text}" is none.`,
    () => 'Lower-case letters, digits and _, up to 30, a letter first: --dev lan',
  ),
  DEV_UNSUPPORTED: entry<{ target: string; engine: string }>(
    'usage',
    (a) =>
      `--dev is for warehouses that several people work on, and ${a.target} is a file of one (${a.engine}). Nothing was done.`,
    () => 'Name the shared warehouse with --target, or copy a slice of it: cdp pull --help',
  ),
  DEV_RAW: entry<{ relation: string }>(
    'usage',
    (a) =>
      `Under --dev landed data is read and never written, and this would write ${a.relation}. Nothing was changed.`,
    () => 'Leave --dev out to land, replay or repair what is landed.',
  ),
  DEV_DELIVERS: entry<{ command: string }>(
    'usage',
    (a) => `Under --dev nothing is delivered, so \`cdp ${a.command}\` does nothing. Nothing was sent.`,
    () => 'cdp plan --dev … shows what a sync would send.',
  ),

  // pull
  PULL_TARGETS: entry<{ from: string; into: string; why: string }>(
    'usage',
    (a) => `${a.from} cannot be pulled into ${a.into}: ${a.why}. Nothing was read.`,
    () =>
      'Name where to read with --target and where to write with --into: cdp pull profiles --target production --into local',
  ),
  PULL_SAMPLE: entry<{ text: string }>(
    'usage',
    (a) => `--sample takes a part of the rows, and "${a.text}" is none.`,
    () => 'Write it as a percentage above 0 and up to 100: --sample 1%, --sample 0.05%',
  ),
  PULL_MISSING: entry<{ relation: string; from: string }>(
    'usage',
    (a) => `${a.relation} is not in ${a.from}: it was never landed or built there. Nothing was pulled.`,
    (a) => `Run it there first, or leave it out. \`cdp status --target …\` says what ${a.from} has.`,
  ),
  PULL_COLUMN: entry<{ relation: string; column: string; near: string }>(
    'usage',
    (a) => `${a.relation} has no column ${a.column} to sample by.${a.near} Nothing was pulled.`,
    () => 'Leave --by out, and each relation is sampled by its key, by person_id, or by whole rows.',
  ),
  PULL_ROWS: entry<{ text: string }>(
    'usage',
    (a) => `--rows takes a number of rows, and "${a.text}" is none.`,
    () => 'Write a whole number above 0: --rows 10000',
  ),
  PULL_WHERE: entry<{ relation: string; where: string; reason: string }>(
    'usage',
    (a) => `The condition of --where cannot be asked of ${a.relation}: ${a.reason}. Nothing was pulled.\n${a.where}`,
    () =>
      'Write it in the SQL of the warehouse that is read, with columns that every relation of the pull has; pull the others without it.',
  ),
  PULL_COST: entry<{ needed: string; limit: string; most: string; mostNeeded: string }>(
    'data',
    (a) =>
      `Reading it is estimated at ${a.needed}, more than the ${a.limit} of --maximum-bytes; ${a.most} alone is ${a.mostNeeded}. Nothing was read and it cost nothing.`,
    () =>
      'Pull fewer relations, or raise the limit. A smaller sample is billed the same: BigQuery bills the columns it looks through.',
  ),

  // models
  MODEL_NAME: entry<{ file: string; why: string }>(
    'config',
    (a) => `${a.file} is no name for a model: ${a.why}.`,
    () =>
      'A model is <name>.sql, its name letters, digits and underscores; <name>.duckdb.sql or <name>.bigquery.sql overrides it for one engine.',
  ),
  MODEL_DUPLICATE: entry<{ name: string; files: readonly string[] }>(
    'config',
    (a) => `Two models are called ${a.name}: ${a.files.join(' and ')}.`,
    () => 'A file name is the name of its relation, whatever folder it is in. Rename one of them.',
  ),
  MODEL_HEADER: entry<{ model: string; reason: string }>(
    'config',
    (a) => `The header of ${a.model} is wrong: ${a.reason}`,
  ),
  MODEL_SYNTAX: entry<{ model: string; reason: string; excerpt: string; hint: string }>(
    'config',
    (a) => `The SQL of ${a.model} cannot be read: ${a.reason}.${a.excerpt === '' ? '' : `\n${a.excerpt}`}`,
    (a) => a.hint,
  ),
  MODEL_ENGINE: entry<{ model: string; engine: string; found: readonly string[] }>(
    'config',
    (a) => `${a.model} has no SQL for ${a.engine}, only ${a.found.join(' and ')}.`,
    (a) => `Write ${a.model}.sql for every engine, or ${a.model}.${a.engine}.sql.`,
  ),
  MODEL_CYCLE: entry<{ path: readonly string[]; places: readonly string[] }>(
    'config',
    (a) => `These models read each other in a circle: ${a.path.join(' -> ')} (${a.places.join(', ')}).`,
    () => 'Remove one of these references.',
  ),
  MODEL_RANDOM: entry<{ model: string; name: string }>(
    'config',
    (a) =>
      `${a.model} uses ${a.name}, which gives another result every time: what depends on it would change in every run.`,
    () => 'Derive the value from a key, for example with cdp.hash_bucket(key, 100).',
  ),
  MODEL_CLOCK: entry<{ model: string; name: string }>(
    'config',
    (a) => `${a.model} reads the clock by ${a.name}, which the run's instant cannot replace.`,
    () =>
      "Use current_timestamp or current_date without arguments; for a date in a zone cdp.date_in_zone(current_timestamp, 'Asia/Ho_Chi_Minh').",
  ),
  MODEL_FILE: entry<{ model: string; name: string }>(
    'config',
    (a) => `${a.model} reads a file by itself (${a.name}); a change of that file would go unnoticed.`,
    () => 'Declare the file as a source in cdp.config.ts and read raw.<source>_<stream>.',
  ),
  UNKNOWN_MODEL: entry<{ model: string; name: string; near: string }>(
    'config',
    (a) => `${a.model} reads ${a.name}, which is no model.${a.near}`,
    () => 'A plain name is a model, raw.<source>_<stream> is landed data, cdp.<name> is a relation of the engine.',
  ),
  UNKNOWN_STREAM: entry<{ model: string; name: string; near: string }>(
    'config',
    (a) => `${a.model} reads raw.${a.name}, which no source of the project lands.${a.near}`,
    () => 'Landed data is raw.<source>_<stream>, as cdp.config.ts names them.',
  ),
  UNKNOWN_RELATION: entry<{ model: string; name: string; near: string }>(
    'config',
    (a) => `${a.model} reads ${a.name}, which is not a relation of the engine.${a.near}`,
  ),
  UNKNOWN_FUNCTION: entry<{ model: string; name: string; near: string }>(
    'config',
    (a) => `${a.model} calls ${a.name}, which is not a portable function.${a.near}`,
  ),
  MODEL_REFUSED: entry<{ model: string; engine: string; reason: string; excerpt: string }>(
    'config',
    (a) => `${a.engine} refuses ${a.model}: ${a.reason}.${a.excerpt === '' ? '' : `\n${a.excerpt}`}`,
  ),
  MODEL_FAILED: entry<{ model: string; reason: string }>(
    'data',
    (a) => `${a.model} could not be built: ${a.reason}. It was left as it was.`,
    () =>
      'The SQL is right but for some rows: cdp.safe_int, cdp.safe_decimal and their kin give null instead of an error.',
  ),
  MODEL_COLUMN: entry<{ model: string; column: string; why: string; near: string }>(
    'config',
    (a) => `${a.model} gives no column ${a.column}, which ${a.why}.${a.near}`,
  ),
  MODEL_OVERRIDE: entry<{
    model: string
    file: string
    /** The file it is held against. */
    of: string
    columns: readonly string[]
    other: readonly string[]
  }>(
    'config',
    (a) => `${a.file} gives other columns than ${a.of}: ${a.columns.join(', ')} instead of ${a.other.join(', ')}.`,
    () => 'What reads the model must find the same columns on every engine, in the same order.',
  ),
  /** `reason` follows "which"; `say` is the portable spelling. */
  MODEL_PORTABILITY: entry<{ model: string; found: string; reason: string; say: string; excerpt: string }>(
    'config',
    (a) => `${a.model} uses ${a.found}, which ${a.reason}.\n${a.excerpt}`,
    (a) => `Write for both: ${a.say}.`,
  ),
  TEST_READS_NOTHING: entry<{ test: string }>(
    'config',
    (a) => `The test ${a.test} reads no model, so no build would ever run it.`,
    () => 'Name a model in it; for landed data write a view over it.',
  ),
  INCREMENTAL_KEY: entry<{ model: string; key: readonly string[]; duplicates: number; nulls: number }>(
    'data',
    (a) =>
      `The key of ${a.model} (${a.key.join(', ')}) does not name a row once: ${a.duplicates} keys occur more than once and ${a.nulls} rows have a null in it. The model was left as it was.`,
    () => 'Take only one row a key, for example with qualify row_number() over (partition by … order by … desc) = 1.',
  ),
  SEGMENT_MEMBERS: entry<{ segment: string; duplicates: number; nulls: number }>(
    'data',
    (a) =>
      `Segment ${a.segment} does not give each person once: ${a.duplicates} person ids occur more than once and ${a.nulls} rows have none. Its members were left as they were.`,
    () => 'Return one row a person: group by person_id, or read from a profile.',
  ),
  TEST_BROKEN: entry<{ test: string; model: string; reason: string }>(
    'config',
    (a) => `The test ${a.test} of ${a.model} could not be run: ${a.reason}`,
  ),

  // project
  CONFIG_LOAD: entry<{ file: string; reason: string }>('config', (a) => `${a.file} could not be loaded: ${a.reason}`),
  CONFIG_INVALID: entry<{ where: string; reason: string }>('config', (a) => `${a.where}: ${a.reason}`),
  SYNC_INVALID: entry<{ sync: string; reason: string }>('config', (a) => `Sync ${a.sync}: ${a.reason}`),
  SYNC_DUPLICATE: entry<{ id: string; files: readonly string[] }>(
    'config',
    (a) => `Two syncs have the id ${a.id}: ${a.files.join(' and ')}.`,
    () => 'The ledger of what was delivered is kept by id. Give one of them another `id`.',
  ),

  // warehouse
  WAREHOUSE_LOCKED: entry<{ path: string; holder: string; waited: string; mode: string }>(
    'transient',
    (a) => `${a.path} is in use by ${a.holder}; waited ${a.waited} to open it for ${a.mode}. Nothing was changed.`,
    () =>
      'Close that program or wait longer with --wait 60s. A program that only reads the file also keeps writers out.',
  ),
  WAREHOUSE_OPEN: entry<{ path: string; reason: string }>(
    'config',
    (a) => `${a.path} could not be opened: ${a.reason}.`,
  ),
  WAREHOUSE_NEWER: entry<{ found: number; known: number }>(
    'config',
    (a) =>
      `The warehouse's state is at version ${a.found}; this version of cdp knows only up to ${a.known}. Nothing was changed.`,
    () => 'Upgrade composable-cdp, or use another database file.',
  ),
  WAREHOUSE_FULL: entry<{ reason: string }>(
    'transient',
    (a) => `The disk is full: ${a.reason}. The step was rolled back; the last good state is in place.`,
    () => 'Free disk space and run the same command again.',
  ),
  /** `line` and `column` (from 1, in code points) are where in `sql` the engine points, when it says so. */
  QUERY_FAILED: entry<{ reason: string; sql: string; line?: number; column?: number }>(
    'data',
    (a) =>
      `A statement failed: ${a.reason}\n${a.line === undefined ? shortened(a.sql) : pointed(a.sql, a.line, a.column ?? 1)}`,
  ),

  /** `limit` and `needed` are bytes; `needed` is empty when the engine does not say. */
  QUERY_COST: entry<{ limit: string; needed: string; sql: string }>(
    'data',
    (a) =>
      `A statement would be billed for more than the ${grouped(a.limit)} bytes that are allowed${a.needed === '' ? '' : `: ${grouped(a.needed)} bytes`}. It was not executed and cost nothing.\n${shortened(a.sql)}`,
    () =>
      'Let it read less (a filter on the partition, fewer columns), or raise the limit: `maximumBytesBilled` in cdp.config.ts, `maximum_bytes_billed` in the header of the model, or --maximum-bytes of the run.',
  ),
  WAREHOUSE_AUTH: entry<{ target: string; reason: string }>(
    'auth',
    (a) => `${a.target} refuses the credential: ${a.reason}`,
    () =>
      'Check that the credential exists, has not expired and may use these datasets. For your own: gcloud auth application-default login.',
  ),
  WAREHOUSE_BUSY: entry<{ target: string; reason: string }>(
    'transient',
    (a) => `${a.target} does not answer, or refuses for now, after several tries: ${a.reason}`,
    () => 'Run the same command again later; what had been done is kept.',
  ),
  RUN_BUSY: entry<{ run: string; holder: string }>(
    'transient',
    (a) => `Another run is at work on this warehouse: ${a.run}, by ${a.holder}. This one did nothing.`,
    () =>
      'Wait until it has finished: cdp status shows it. One that died on another machine counts as dead after ten minutes.',
  ),

  // sync
  SYNC_FROM_MISSING: entry<{ sync: string; from: string }>(
    'config',
    (a) => `Sync ${a.sync} sends rows of ${a.from}, which is not built yet. Nothing was sent.`,
    (a) => `Build it first: cdp run --select +${a.from}`,
  ),
  SYNC_COLUMN: entry<{ sync: string; from: string; column: string; near: string }>(
    'config',
    (a) => `Sync ${a.sync} reads a column ${a.column}, which ${a.from} does not have.${a.near} Nothing was sent.`,
  ),
  SYNC_PERSON: entry<{ sync: string; from: string }>(
    'config',
    (a) =>
      `Sync ${a.sync} has a purpose, so that consent is asked for each person, but ${a.from} has no column person_id. Nothing was sent.`,
    (a) => `Add person_id to ${a.from}.`,
  ),
  SYNC_CONSENT: entry<{ sync: string; purpose: string }>(
    'config',
    (a) =>
      `Sync ${a.sync} has the purpose ${a.purpose}, but the project names no consent model, so nobody can have agreed. Nothing was sent.`,
    () => "Name the model in cdp.config.ts: consent: 'consent_current' (person_id, purpose, granted).",
  ),
  SYNC_BUSY: entry<{ sync: string; holder: string }>(
    'transient',
    (a) => `Sync ${a.sync} is being delivered by ${a.holder}. This run left it alone.`,
    () => 'Wait until it has finished: cdp status shows how far it is.',
  ),
  SYNC_GUARDED: entry<{ sync: string; reasons: readonly string[]; allow: readonly string[] }>(
    'data',
    (a) =>
      `Sync ${a.sync} was held back: ${a.reasons.join('; ')}. Nothing was sent but removals for consent, where consent itself is certain.`,
    (a) => `If this is meant, let it through once: cdp sync --select ${a.sync} --allow ${a.allow.join(',')}`,
  ),
  SYNC_DOWN: entry<{ sync: string; target: string; reason: string }>(
    'transient',
    (a) =>
      `Sync ${a.sync} stopped: ${a.target} takes nothing at the moment (${a.reason}). What is left goes out with the next run.`,
  ),
  SYNC_JOURNAL: entry<{ sync: string; path: string; reason: string }>(
    'transient',
    (a) =>
      `Sync ${a.sync} stopped: its journal ${a.path} could not be written (${a.reason}), and nothing is sent that is not written down. What may have arrived is sent again by the next run, or listed as unknown where it must not be.`,
    () => 'Free disk space or mend the permissions of .cdp, then run the sync again.',
  ),
  SYNC_CONNECTOR: entry<{ sync: string; destination: string; detail: string }>(
    'bug',
    (a) =>
      `The connector ${a.destination} of sync ${a.sync} did something it must not: ${a.detail}. The rows it had in hand count as unknown.`,
    () => 'This is a fault of the connector, not of your data. Please report it with the lines above.',
  ),

  // landing
  STREAM_FILE_MISSING: entry<{ stream: string; file: string }>(
    'data',
    (a) => `${a.stream}: there is no file ${a.file}. Nothing was landed.`,
    () => 'Bring the file, mend the path, or use a pattern such as data/*.csv, which may match nothing.',
  ),
  STREAM_FILE_CHANGING: entry<{ stream: string; file: string }>(
    'transient',
    (a) => `${a.stream}: ${a.file} changed each time it was read. Nothing was landed.`,
    () => 'Run again when it is complete. Who writes it should write a temporary name and rename it at the end.',
  ),
  STREAM_UNREADABLE: entry<{ file: string; reason: string }>(
    'data',
    (a) => `${a.file} cannot be read: ${a.reason}. Nothing was landed.`,
  ),
  STREAM_ENCODING: entry<{ file: string; encoding: string }>(
    'data',
    (a) => `${a.file} is ${a.encoding}, not UTF-8. Nothing was landed.`,
    (a) => `Convert it, for example: iconv -f ${a.encoding} -t UTF-8 ${a.file} > new-file`,
  ),
  STREAM_FORMAT: entry<{ stream: string; file: string; problem: string }>(
    'config',
    (a) => `${a.stream}: the format of ${a.file} is not known: ${a.problem}. Nothing was landed.`,
    () => 'Say it: format: csv, ndjson, json, parquet or lines; files of different formats are different streams.',
  ),
  STREAM_OPTION: entry<{ option: string; problem: string }>('config', (a) => `\`${a.option}\` ${a.problem}.`),
  STREAM_TYPE: entry<{ stream: string; column: string; type: string }>(
    'config',
    (a) => `${a.stream}: "${a.type}", the type of ${a.column}, is not known.`,
    () => 'Types are text, integer, decimal(18,2), double, boolean, date, timestamp, json and bytes.',
  ),
  STREAM_COLUMN: entry<{ stream: string; column: string; role: string; columns: string }>(
    'config',
    (a) =>
      `${a.stream}: there is no column ${a.column}, which is its ${a.role}. Nothing was landed. There are: ${a.columns}.`,
  ),
  STREAM_PROMISE: entry<{ stream: string; column: string; type: string; was: string; rows: number; example: string }>(
    'data',
    (a) =>
      `${a.stream}: ${a.column} is now promised to be ${a.type}, but ${a.rows} landed values (it was ${a.was}) are not, for example "${a.example}". Nothing was landed.`,
    () => 'Take the promise back, or correct the source and land the stream anew.',
  ),
  SOURCE_AUTH: entry<{ source: string; target: string; reason: string }>(
    'auth',
    (a) => `${a.source} (${a.target}) refuses the credential: ${a.reason}. Nothing was landed.`,
    () => 'Check the credential, what it is allowed to read and whether it has expired.',
  ),
  SOURCE_UNREACHABLE: entry<{ source: string; target: string; reason: string }>(
    'transient',
    (a) =>
      `${a.source} (${a.target}) could not be read: ${a.reason}. Nothing was landed; the next run starts where the last load ended.`,
  ),
  SOURCE_REFUSED: entry<{ source: string; target: string; reason: string }>(
    'config',
    (a) => `${a.source} (${a.target}) refuses what is asked: ${a.reason}. Nothing was landed.`,
  ),
  SOURCE_ANSWER: entry<{ source: string; target: string; reason: string }>(
    'data',
    (a) => `${a.source} (${a.target}) gave an answer that cannot be used: ${a.reason}. Nothing was landed.`,
  ),
  LOAD_QUARANTINED: entry<{ stream: string; bad: number; rows: number; most: string; examples: string }>(
    'data',
    (a) =>
      `${a.stream}: ${a.bad} of ${a.rows} rows cannot be landed, more than ${a.most}. Nothing was landed. The first: ${a.examples}`,
    () => 'Correct the source or the promised types; `maxQuarantined: 0.2` of the stream would let a fifth pass.',
  ),
  LOAD_SHRUNK: entry<{ stream: string; rows: number; before: number }>(
    'data',
    (a) =>
      `${a.stream} is landed whole, and this time has ${a.rows} rows where there are ${a.before}: ${a.rows === 0 ? 'it is empty' : 'less than half'}. Nothing was landed.`,
    () => 'If it is right so: cdp run --allow shrink',
  ),

  // http, destinations and the sandbox
  HTTP_SETTING: entry<{ setting: string; problem: string }>(
    'config',
    (a) => `No request can be made with ${a.setting}: ${a.problem}. Nothing was sent.`,
  ),
  DESTINATION_OPTION: entry<{ destination: string; option: string; problem: string }>(
    'config',
    (a) => `${a.destination}: \`${a.option}\` ${a.problem}. Nothing was sent.`,
  ),
  DESTINATION_AUTH: entry<{ destination: string; target: string; reason: string }>(
    'auth',
    (a) =>
      `${a.destination} (${a.target}) refuses the credential: ${a.reason}. This sync stopped; what it had delivered is recorded.`,
    () => 'Check the token, what it is allowed to do and whether it has expired; then run the sync again.',
  ),
  DESTINATION_FIELD: entry<{ destination: string; reason: string }>(
    'config',
    (a) =>
      `${a.destination} does not know a field that this sync maps: ${a.reason}. This sync stopped; what it had delivered is recorded.`,
    () => 'Create the field there, or take it out of `map`.',
  ),
  DESTINATION_PLACE: entry<{ destination: string; place: string; problem: string; hint: string }>(
    'config',
    (a) => `${a.destination}: ${a.place} ${a.problem}. Nothing was sent.`,
    (a) => a.hint,
  ),
  DESTINATION_FILE: entry<{ path: string; reason: string }>(
    'transient',
    (a) => `${a.path} could not be written: ${a.reason}. What was there before is still there, whole.`,
    () => 'Free the disk or mend the permissions, then run the sync again.',
  ),
  SANDBOX_PORT: entry<{ host: string; port: number; reason: string }>(
    'usage',
    (a) => `The sandbox cannot listen on ${a.host}:${a.port}: ${a.reason}.`,
    () => 'Stop the program that uses the port, or choose another with --port.',
  ),
  SANDBOX_STATE: entry<{ path: string; reason: string }>(
    'config',
    (a) => `What the sandbox kept in ${a.path} cannot be read: ${a.reason}.`,
    () => 'Delete the file to start empty.',
  ),
  SANDBOX_TWIN: entry<{ file: string; problem: string }>(
    'config',
    (a) => `${a.file} is not a sandbox twin: ${a.problem}.`,
    () => 'Its default export must be what defineTwin({ name, title, create }) returns.',
  ),

  // identity and profiles
  IDENTITY_COLUMN: entry<{ model: string; column: string; problem: string }>(
    'config',
    (a) => `The column \`${a.column}\` of ${a.model} ${a.problem}.`,
  ),
  IDENTITY_RECORD_NULL: entry<{ model: string; columns: readonly string[]; records: number }>(
    'data',
    (a) =>
      `${a.records === 1 ? 'A record' : `${a.records} records`} of ${a.model} ${a.records === 1 ? 'has' : 'have'} no key: ${a.columns.join(', ')} must not be null. Persons are as they were.`,
    () => 'Leave such rows out of the SELECT, or give them a key.',
  ),
  IDENTITY_RECORD_TWICE: entry<{
    model: string
    columns: readonly string[]
    keys: number
    examples: readonly string[]
  }>(
    'data',
    (a) =>
      `${a.model} has ${a.keys === 1 ? 'a record key' : `${a.keys} record keys`} more than once (${a.columns.join(', ')} must be unique): ${a.examples.join(', ')}${a.keys > a.examples.length ? ', …' : ''}. Persons are as they were.`,
    () => 'Make the SELECT give each record once, or add the column that tells them apart to `record`.',
  ),
  PROFILE_OF: entry<{ of: string; why: string }>(
    'config',
    (a) => `A profile is \`of\` an identity model, and ${a.of} ${a.why}.`,
    () => 'Name the model with `kind: identity` whose persons these are.',
  ),
  PROFILE_RULE: entry<{ trait: string; problem: string }>('config', (a) => `The trait ${a.trait} ${a.problem}.`),
} as const

export type ErrorCode = keyof typeof catalogue
export type ErrorArgs<C extends ErrorCode> = Parameters<(typeof catalogue)[C]['message']>[0]
