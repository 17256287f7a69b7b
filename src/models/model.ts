// A model as plain data: what the compiler makes of `models/**/<name>.sql`, what a kind builds, what a run skips.
import type { RelationName, Session, Warehouse } from '../warehouse/warehouse.ts'
import type { Emit } from '../core/events.ts'
import type { Place } from '../core/errors.ts'

export type ModelKind = 'view' | 'table' | 'incremental' | 'identity' | 'profile' | 'segment'

/** Compiled SQL: every byte of the analyst's text, but relation names and the clock, which are filled in when it is executed. */
export type SqlPart =
  | string
  | { readonly relation: RelationName }
  /** The run's instant in place of `current_timestamp` and its kin. */
  | { readonly instant: 'timestamp' | 'date' }

export type Severity = 'warn' | 'error'

/** A test as a SELECT that must return no rows. */
export interface CompiledTest {
  /** `unique(person_id)`, `not_null(email)`, or the name of a file under models/tests. */
  readonly name: string
  readonly model: string
  readonly severity: Severity
  readonly sql: readonly SqlPart[]
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
  /** The header as its kind's schema parsed it. */
  readonly header: Header
  readonly sql: readonly SqlPart[]
  /** Line of the file at which the SQL starts, from 1, to map an engine's error back. */
  readonly sqlLine: number
  /** What it reads: models (`people`), landed data (`raw.shop_customers`), the engine's (`cdp.person_redirects`). */
  readonly reads: readonly string[]
  /** It mentions the clock itself. */
  readonly readsClock: boolean
  /** How often a model that reads the clock is rebuilt; default `run`. */
  readonly refresh: 'run' | 'hour' | 'day'
  readonly tests: readonly CompiledTest[]
  /** Of SQL, header and kind. */
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
  readonly detail?: string
}

/** As much of another model as a header may build on. */
export type NamedHeader = Pick<CompiledModel, 'name' | 'kind' | 'header'>

/** How a kind turns its model into a relation. One file a kind in `kinds/`. */
export interface Kind<Header = unknown> {
  readonly kind: ModelKind
  /** Models its header names, beside those its SQL reads (`of: people`): they are among `reads`, so they are built before it. */
  needs?(header: Header): readonly string[]
  /** Puts what it must know of other models into its header, once all headers are parsed and before the fingerprint is taken.
   * `place` is where the header stands, for its CdpErrors. */
  resolve?(header: Header, find: (name: string) => NamedHeader | undefined, place: Place): Header
  build(model: CompiledModel<Header>, context: BuildContext): Promise<BuildResult>
}

/** Compiled SQL as text for one engine and one instant. */
export const render = (
  parts: readonly SqlPart[],
  warehouse: Pick<Warehouse, 'name' | 'literal'>,
  instant: string,
): string =>
  parts
    .map((part) => {
      if (typeof part === 'string') return part
      if ('relation' in part) return warehouse.name(part.relation)
      if (part.instant === 'date') return `cast(${warehouse.literal(instant.slice(0, 10))} as date)`
      return `cast(${warehouse.literal(instant)} as timestamptz)`
    })
    .join('')

export type { RelationName, Session, Warehouse }
