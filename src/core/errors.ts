// The one error class of the product: a code from the catalogue, its facts, a place, a cause. Branded, so that two copies of the package agree.
import { catalogue, type ErrorArgs, type ErrorCode, type ErrorKind } from './error-catalogue.ts'

export type { ErrorCode, ErrorKind } from './error-catalogue.ts'

const brand = Symbol.for('composable-cdp.error')

/** Where a problem is: a file, and if known a line and column (both from 1; columns count code points). */
export interface Place {
  readonly file: string
  readonly line?: number
  readonly column?: number
}

export interface ErrorContext {
  readonly place?: Place
  readonly cause?: unknown
}

/**
 * An error a person can act on.
 *
 * @example
 * throw new CdpError('SECRETS_MISSING', { names: ['HUBSPOT_TOKEN'] }, { place: { file: 'cdp.config.ts', line: 12 } })
 */
export class CdpError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C
  readonly kind: ErrorKind
  readonly args: ErrorArgs<C>
  readonly place: Place | undefined
  readonly hint: string | undefined

  constructor(code: C, args: ErrorArgs<C>, context: ErrorContext = {}) {
    const found = catalogue[code] as unknown as {
      kind: ErrorKind
      message: (args: ErrorArgs<C>) => string
      hint?: (args: ErrorArgs<C>) => string
    }
    super(found.message(args), context.cause === undefined ? undefined : { cause: context.cause })
    this.name = 'CdpError'
    this.code = code
    this.kind = found.kind
    this.args = args
    this.place = context.place
    this.hint = found.hint?.(args)
    Object.defineProperty(this, brand, { value: true })
  }
}

/** True for a CdpError of any copy of this package. */
export const isCdpError = (value: unknown): value is CdpError =>
  typeof value === 'object' && value !== null && brand in value

/** True for a CdpError with this code; its facts are then typed. */
export const hasCode = <C extends ErrorCode>(value: unknown, code: C): value is CdpError<C> =>
  isCdpError(value) && value.code === code

/** Several problems found together, so that a user mends them in one go. */
export class Problems extends Error {
  readonly problems: readonly CdpError[]

  constructor(problems: readonly CdpError[]) {
    super(problems.map((p) => p.message).join('\n'))
    this.name = 'Problems'
    this.problems = problems
    Object.defineProperty(this, problemsBrand, { value: true })
  }
}

const problemsBrand = Symbol.for('composable-cdp.problems')

export const isProblems = (value: unknown): value is Problems =>
  typeof value === 'object' && value !== null && problemsBrand in value

/** `models/a.sql:3:7`, as editors and terminals make clickable. */
export const formatPlace = (place: Place): string =>
  [place.file, place.line, place.column].filter((part) => part !== undefined).join(':')

/** The reason of anything thrown, in one line. */
export const reasonOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))

/** Exit codes of the command line: 0 done · 1 bug · 2 usage or config · 3 data · 4 auth · 5 transient · 130 interrupted. */
export const exitCodes: Readonly<Record<ErrorKind, number>> = {
  bug: 1,
  usage: 2,
  config: 2,
  data: 3,
  auth: 4,
  transient: 5,
  interrupted: 130,
}
