// A model as plain data: what the compiler makes of `models/**/<name>.sql`, what a kind builds, what a run skips.
import type { z, ZodObject } from 'zod'
import type { Column, RelationName, Session, Warehouse } from '../warehouse/warehouse.ts'
import type { Emit } from '../core/events.ts'
import type { Place } from '../core/errors.ts'

export type ModelKind = 'view' | 'table' | 'incremental' | 'identity' | 'profile' | 'segment'

/** Compiled SQL: every byte of the analyst's text, but relation names and the clock, which are filled in when it is executed. */
export type SqlPart =
  | string
  /** `written`: the text it stands for, from which an engine's error is placed in the file. */
  | { readonly relation: RelationName; readonly written?: string }
  /** The run's instant in place of `current_timestamp` and its kin; `datetime` and `time` are without a zone, in UTC. */
  | { readonly instant: 'timestamp' | 'date' | 'datetime' | 'time'; readonly written?: string }
  /** A name or a text of a header, spelled as the engine spells it. */
  | { readonly identifier: string }
  | { readonly literal: string }

export type Severity = 'warn' | 'error'

/** A test as a SELECT that must return no rows. */
export interface CompiledTest {
  /** `unique(person_id)`, `not_null(email)`, or the name of a file under models/tests. */
  readonly name: string
  readonly model: string
  readonly severity: Severity
  readonly sql: readonly SqlPart[]
  /** What it reads besides its own model: it is due again when one of these changed. */
  readonly reads: readonly string[]
  readonly file: string
  readonly line: number
}

export interface CompiledModel<Header = unknown> {
  readonly name: string
  /** Relative to the project, with `/`. */
  readonly file: string
  readonly kind: ModelKind
  readonly description: string
  readonly owner: string | undefined
  readonly tags: readonly string[]
  /** The header's keys of this kind alone, as the kind's schema parsed them. */
  readonly header: Header
  readonly sql: readonly SqlPart[]
  /** Line of the file at which the SQL starts, from 1, to map an engine's error back. */
  readonly sqlLine: number
  /** Column in that line at which the SQL starts, from 1, in code points. */
  readonly sqlColumn: number
  /** What it reads: models (`people`), landed data (`raw.shop_customers`), the engine's (`cdp.person_redirects`). */
  readonly reads: readonly string[]
  /** It mentions the clock itself. */
  readonly readsClock: boolean
  /** How often a model that reads the clock is rebuilt; default `run`. */
  readonly refresh: 'run' | 'hour' | 'day'
  readonly tests: readonly CompiledTest[]
  /** Milliseconds after which its content counts as too old to send from; undefined: never. */
  readonly freshnessMs: number | undefined
  /** Bytes that a statement of its build may be billed for, where statements are billed. */
  readonly maximumBytesBilled?: number
  /** Of SQL, header and kind; not of tests, description, owner and tags. */
  readonly fingerprint: string
}

export interface BuildContext {
  readonly warehouse: Warehouse
  readonly runId: string
  /** ISO, UTC. */
  readonly instant: string
  readonly timeZone: string
  readonly region: string
  readonly emit: Emit
  readonly fullRefresh: boolean
  /** Guards let through once, by name: `--allow jitter`. */
  readonly allow: ReadonlySet<string>
}

export interface BuildResult {
  readonly rows: number | undefined
  /** A hash over the rows in no order; undefined where the relation has no content of its own (a view). */
  readonly content: string | undefined
  /** The content is that of the build before, which the version did not know yet. */
  readonly unchanged?: boolean
  readonly detail?: string
}

/** As much of another model as a header may build on. */
export type NamedHeader = Pick<CompiledModel, 'name' | 'kind' | 'header'>

/** How a kind turns its model into a relation. One file a kind in `kinds/`, named by its word and exporting a constant of that name. */
export interface Kind<Header = unknown> {
  readonly kind: ModelKind
  /** Keys of the header that only this kind knows. `zod` is handed in, so that building never loads it. Unknown keys are refused by the
   * compiler, with near names. Keys common to all kinds (kind, description, owner, tags, tests, refresh, reads, freshness, maximum_bytes_billed) are not listed. */
  header(zod: typeof z): ZodObject
  /** Columns the SELECT must give, named by the header: `cdp check` says which are not there. */
  requires?(header: Header): readonly string[]
  /** Columns of the relation, given those of the SELECT; default: the same. `cdp check` prepares what reads it against these. */
  columns?(header: Header, select: readonly Column[]): readonly Column[]
  /** Models its header names, beside those its SQL reads (`of: people`): they are among `reads`, so they are built before it. */
  needs?(header: Header): readonly string[]
  /** Puts what it must know of other models into its header, once all headers are parsed and before the fingerprint is taken.
   * `place` is where the header stands, for its CdpErrors. */
  resolve?(header: Header, find: (name: string) => NamedHeader | undefined, place: Place): Header
  build(model: CompiledModel<Header>, context: BuildContext): Promise<BuildResult>
}

/** What spells compiled SQL: an engine's names and literals. */
export type Speller = Pick<Warehouse, 'name' | 'literal' | 'quote' | 'typeName'>

/** Compiled SQL as text for one engine and one instant. */
export const render = (parts: readonly SqlPart[], speller: Speller, instant: string): string =>
  parts.map((part) => renderPart(part, speller, instant)).join('')

export const renderPart = (part: SqlPart, speller: Speller, instant: string): string => {
  if (typeof part === 'string') return part
  if ('relation' in part) return speller.name(part.relation)
  if ('identifier' in part) return speller.quote(part.identifier)
  if ('literal' in part) return speller.literal(part.literal)
  const type = part.instant === 'timestamp' ? speller.typeName('timestamp') : part.instant
  return `cast(${speller.literal(textOf[part.instant](instant))} as ${type})`
}

const textOf: Record<'timestamp' | 'date' | 'datetime' | 'time', (instant: string) => string> = {
  timestamp: (instant) => instant,
  date: (instant) => instant.slice(0, 10),
  datetime: (instant) => instant.slice(0, 23).replace('T', ' '),
  time: (instant) => instant.slice(11, 23),
}

export type { RelationName, Session, Warehouse }
