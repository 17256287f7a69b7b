// The warehouse seam: the little that an engine must do. Everything above speaks SQL through it; what differs between engines is data.
import type { Clock } from '../core/clock.ts'
import type { Dialect } from './dialect.ts'
import type { EngineRelationName } from './relations.ts'

/** A value as JavaScript sees it. INTEGER is a number up to 2^53-1 and a bigint beyond; DECIMAL is its text; DATE is `2026-10-01`;
 * TIMESTAMP is `2026-10-01T08:00:00Z`, with as many fraction digits as it has (to the microsecond); JSON is its text. */
export type Value =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly Value[]
  | { readonly [key: string]: Value }
export type Row = Readonly<Record<string, Value>>

/** SQL with its parameters (`$1`, `$2`, … on DuckDB). A compiled Kysely query is one. */
export type Statement = string | { readonly sql: string; readonly parameters: readonly unknown[] }

/** Where a relation lives: landed data, the analysts' models, or the engine's own state. */
export type Schema = 'raw' | 'models' | 'cdp'
/** `scratch`: work tables of one opening of a warehouse, which nobody else sees and which are gone after it. */
export interface RelationName {
  readonly schema: Schema | 'scratch'
  readonly name: string
}

/** Portable column types; each engine says its own word for them (`typeName`). */
export type ColumnType =
  | 'text'
  | 'integer'
  | 'double'
  | 'boolean'
  | 'date'
  | 'timestamp'
  | 'json'
  | 'bytes'
  | `decimal(${number},${number})`

export interface Column {
  readonly name: string
  /** The engine's own type, in its own words (`DECIMAL(18,2)`). */
  readonly type: string
}

/** Some rows of a result, column by column. */
export interface Batch {
  readonly columns: readonly Column[]
  readonly rowCount: number
  /** `values[column][row]`. */
  readonly values: readonly (readonly Value[])[]
}

/** What an engine can do; the contract suite and the stages ask these, never an engine's name. */
export interface Supports {
  /** DDL and DML in one transaction, rolled back together. */
  readonly transactionalDdl: boolean
  /** Several processes may write at once. */
  readonly concurrentWriters: boolean
  /** The state lives in a file on this machine that is locked while open. */
  readonly fileLock: boolean
  /** Relations and columns may have quotes in their names. */
  readonly quotesInNames: boolean
  /** Journals of syncs are appended to it as they are written, because this machine's disk may not outlive the process. Default: no. */
  readonly journals?: boolean
  /** `cost` knows the bytes of a statement before it runs. */
  readonly dryRun: boolean
}

/** Something that executes SQL. */
export interface Session {
  /** Executes a statement; `changed` is the number of rows it inserted, updated or deleted (0 for DDL, but the rows of a CREATE TABLE
   * AS where the engine tells). */
  run(statement: Statement): Promise<{ readonly changed: number }>
  /** A small result, whole. */
  all<T = Row>(statement: Statement): Promise<T[]>
  /** A result of any size in columnar batches; the next batch is fetched only when it is asked for. Other statements may run while
   * it is consumed: it sees what is committed, and no temporary relations. Within a transaction it sees all of that, and any other
   * statement before its end is refused. A row that cannot be computed throws, however late. */
  stream(statement: Statement): AsyncIterable<Batch>
  /** The columns a SELECT would give; executes nothing. Throws the engine's own refusal as QUERY_FAILED. */
  describe(select: string): Promise<readonly Column[]>
}

/** The embedded DuckDB, with how it spells what it reads: another engine's literal or type is not its own. */
export interface Reader extends Session {
  quote(identifier: string): string
  literal(text: string): string
  typeName(type: ColumnType): string
}

export interface Warehouse extends Session {
  /** Which `<name>.<engine>.sql` overrides apply. Nothing else may branch on it. */
  readonly engine: string
  readonly supports: Supports
  /** What has no spelling common to all engines. */
  readonly dialect: Dialect
  /** The embedded DuckDB that reads files and pages on every target. On DuckDB it is the warehouse's own session. */
  readonly reader: Reader
  /** The quoted, fully qualified name of a relation. */
  name(relation: RelationName): string
  /** An identifier, quoted. The only way a name becomes SQL. */
  quote(identifier: string): string
  /** A text as a literal, escaped. For the few places that take no parameter. */
  literal(text: string): string
  /** A portable type in the engine's words. */
  typeName(type: ColumnType): string
  /** What the reader calls a column's type, to read what `unload` writes. Without a counterpart it is text. */
  readerType(type: string): string
  /**
   * Only in one developer's copy of a warehouse (`develop`): the quoted name of the engine relation that tells of landed data, which is the
   * shared warehouse's, as landed data is. Neither is ever written.
   */
  landing?(relation: EngineRelationName): string
  /** `create schema if not exists …`, with what the engine must be told. */
  createSchema(schema: Schema): string
  /** What follows the columns in the CREATE TABLE of an engine relation: partitions and clusters, where the engine has them. */
  layout(relation: EngineRelationName): string
  /**
   * Makes scratch relation `name`, in place of one of that name: `as select …` or `(column TYPE, …)`. Also in a warehouse opened to read.
   * Where DDL is not transactional it is made outside of any transaction, so before one.
   */
  makeScratch(name: string, definition: string): Promise<void>
  dropScratch(name: string): Promise<void>
  /** Puts table `stage` in the place of table `target`, in one step; `stage` is then gone. */
  replaceTable(target: RelationName, stage: RelationName): Promise<void>
  /** Appends what a SELECT over the *reader* gives to a relation of the warehouse by the engine's fastest way. Returns the rows. */
  load(target: RelationName, columns: readonly string[], readerSelect: string): Promise<number>
  /**
   * Appends a few rows that must outlive this process: they are durable when it resolves. When it throws, some of them may be there. Values
   * as parameters take them; a column that is missing is null. Where DDL is not transactional it is no part of any transaction.
   */
  append(relation: RelationName, rows: readonly Readonly<Record<string, unknown>>[]): Promise<void>
  /** Writes a result as NDJSON to a file on this machine (one object a row, values as `stream` gives them: decimals as text; JSON is
   * embedded, bytes are base64, integers have all their digits, NaN and infinity are null), flushed, then put in place. Returns the rows. */
  unload(statement: Statement, path: string): Promise<number>
  /**
   * All or nothing; nested calls join the outer one. Where `transactionalDdl`, statements of other tasks wait until it ends; elsewhere
   * only SELECT, INSERT, UPDATE, DELETE and MERGE may be in it, and anything else is refused as INTERNAL.
   */
  transaction<T>(work: () => Promise<T>): Promise<T>
  /** Which relations exist in a schema. */
  relations(schema: Schema): Promise<readonly { readonly name: string; readonly isView: boolean }[]>
  /**
   * The bytes that a statement would read, asked of the engine without executing it. `accuracy` is the engine's word for how near that
   * is (PRECISE, UPPER_BOUND, …). Undefined where `dryRun` is not supported.
   */
  cost(statement: Statement): Promise<{ readonly bytes: number; readonly accuracy: string } | undefined>
  close(): Promise<void>
}

export interface OpenOptions {
  /** The project's folder, which relative paths start from. */
  readonly root: string
  readonly mode: 'read' | 'write'
  /** How long to wait for a lock held by another program. */
  readonly waitMs: number
  readonly clock: Clock
  readonly signal?: AbortSignal
  /** Called once when waiting starts, with who holds it. */
  readonly onWait?: (holder: string) => void
}

/** A warehouse as a project names it: plain data, so that a compiled project can be kept in a file, and the module that opens it.
 * `module` is relative to this file and exports `open(settings, options): Promise<Warehouse>`. */
export interface WarehouseDefinition {
  readonly module: string
  readonly engine: string
  readonly settings: Readonly<Record<string, unknown>>
}

export interface WarehouseModule {
  open(settings: Readonly<Record<string, unknown>>, options: OpenOptions): Promise<Warehouse>
  /** The file or address in words, credentials redacted; resolves settings, opens nothing. */
  describeTarget(settings: Readonly<Record<string, unknown>>, root: string): string
  /** Settings of a copy for one developer, who reads the landed data of this one and writes to places of their own. Absent where there is
   * no such thing. */
  develop?(settings: Readonly<Record<string, unknown>>, developer: string): Readonly<Record<string, unknown>>
}

const moduleOf = async (definition: WarehouseDefinition): Promise<WarehouseModule> =>
  (await import(new URL(definition.module, import.meta.url).href)) as WarehouseModule

/** Opens a warehouse; in `write` mode its state is migrated to this version first. */
export const openWarehouse = async (definition: WarehouseDefinition, options: OpenOptions): Promise<Warehouse> =>
  (await moduleOf(definition)).open(definition.settings, options)

/** A warehouse's copy for one developer; undefined where the engine has none. */
export const developedWarehouse = async (
  definition: WarehouseDefinition,
  developer: string,
): Promise<WarehouseDefinition | undefined> => {
  const settings = (await moduleOf(definition)).develop?.(definition.settings, developer)
  return settings && { ...definition, settings }
}

export const describeWarehouse = async (definition: WarehouseDefinition, root: string): Promise<string> =>
  (await moduleOf(definition)).describeTarget(definition.settings, root)
