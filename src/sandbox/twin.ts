// The twin seam: a stand-in for one vendor, written beside its connector as `connectors/<name>.sandbox.ts`.
// The server finds twins by listing folders, gives each the requests below `/<name>`, and shows what it holds.
import { branded } from '../core/brand.ts'
import type { Clock } from '../core/clock.ts'
import type { JsonObject } from '../core/json.ts'
import type { Fault } from './fault.ts'

export interface TwinRequest {
  readonly method: string
  /** Below `/<name>`, decoded, starting with `/`. */
  readonly path: string
  readonly query: URLSearchParams
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
  /** The parsed JSON; undefined when it is none. */
  readonly body: unknown
  /** Rows to refuse, when the fault `rows` is on: see `strikes`. */
  readonly fault: Fault | undefined
}

export interface TwinResponse {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** A string is sent as it is, anything else as JSON; undefined sends nothing. */
  readonly body?: unknown
}

export interface TwinLife {
  /** Answers as the vendor would; what breaks the vendor's contract is refused as the vendor would. */
  handle(request: TwinRequest): TwinResponse | Promise<TwinResponse>
  /** All it holds. Arrays of objects, and objects of objects, are shown as tables. */
  snapshot(): JsonObject
  /** Takes a snapshot back. */
  restore(state: JsonObject): void
  reset(): void
  /** The vendor's own words for a failure that was asked for: `status` (401, 429, 500, …) or `silent` (a success that did nothing). */
  fail?(fault: Fault, request: TwinRequest): TwinResponse | undefined
}

export interface Twin {
  /** Its path on the server: `hubspot` is served below `/hubspot`. */
  readonly name: string
  /** For people. */
  readonly title: string
  create(context: { readonly clock: Clock }): TwinLife
}

/**
 * Declares a twin: the default export of `connectors/<name>.sandbox.ts`.
 *
 * @example
 * export default defineTwin({
 *   name: 'echo',
 *   title: 'Echo',
 *   create: () => {
 *     let last = ''
 *     return {
 *       handle: (request) => ({ status: 200, body: { said: (last = request.text) } }),
 *       snapshot: () => ({ last }),
 *       restore: (state) => void (last = String(state['last'])),
 *       reset: () => void (last = ''),
 *     }
 *   },
 * })
 */
export const defineTwin = (twin: Twin): Twin => branded('twin', twin)
