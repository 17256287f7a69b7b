// The only writer of stdout. Data goes to stdout: a table on a terminal, NDJSON in a pipe or under --json. Talk goes to stderr.
// Everything passes the redaction of secrets on its way out.
import { formatPlace, isCdpError, isProblems, reasonOf, type CdpError } from '../core/errors.ts'
import { redact } from '../core/secret.ts'
import { fromSystem } from '../core/system-error.ts'
import { formatTable } from './table.ts'

export interface OutputStreams {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
}

export interface OutputOptions {
  /** Forces NDJSON on a terminal. */
  readonly json: boolean
  readonly quiet: boolean
  readonly color: boolean
}

export type DataRow = Readonly<Record<string, unknown>>

export interface Output {
  readonly isTable: boolean
  readonly isTerminal: boolean
  readonly color: boolean
  /** Rows of one shape. `table` may shape them for people; the NDJSON always has the rows themselves. */
  rows(rows: readonly DataRow[], table?: (rows: readonly DataRow[]) => readonly DataRow[]): void
  /** Lines of text for people, or one object in a pipe. */
  story(text: string, data: unknown): void
  /** Talk, on stderr. */
  note(text: string): void
  /** An error with its place, reason and next step. */
  error(thrown: unknown): void
  /** Raw text on stderr, for a progress line. */
  raw(text: string): void
}

export const createOutput = (streams: OutputStreams, options: OutputOptions): Output => {
  const isTerminal = streams.stdout.isTTY === true
  const isTable = isTerminal && !options.json
  const out = (text: string): void => void streams.stdout.write(redact(text))
  const err = (text: string): void => void streams.stderr.write(redact(text))
  const paint = (code: number, text: string): string => (options.color ? `\u001B[${code}m${text}\u001B[0m` : text)

  return {
    isTable,
    isTerminal: streams.stderr.isTTY === true,
    color: options.color,
    rows(rows, table) {
      if (!isTable) {
        for (const row of rows) out(`${toJson(row)}\n`)
        return
      }
      const shaped = table ? table(rows) : rows
      if (shaped.length > 0) out(formatTable(shaped, streams.stdout.columns))
    },
    story(text, data) {
      out(isTable ? `${text}\n` : `${toJson(data)}\n`)
    },
    note(text) {
      if (!options.quiet) err(`${text}\n`)
    },
    error(raised) {
      const thrown = fromSystem(raised)
      if (isProblems(thrown)) {
        for (const problem of thrown.problems) err(`${describe(problem, paint)}\n`)
        err(`${thrown.problems.length} problem${thrown.problems.length === 1 ? '' : 's'} found; nothing was run.\n`)
        return
      }
      err(`${isCdpError(thrown) ? describe(thrown, paint) : describeUnknown(thrown, paint)}\n`)
    },
    raw: err,
  }
}

/** JSON of any value a warehouse gives; integers beyond 2^53 keep their digits as text. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner))

type Paint = (code: number, text: string) => string

const describe = (error: CdpError, paint: Paint): string =>
  [
    ...(error.place ? [paint(1, formatPlace(error.place))] : []),
    `${paint(31, 'error')} ${error.message} ${paint(2, `[${error.code}]`)}`,
    ...(error.hint === undefined ? [] : [`  ${paint(36, 'next')} ${error.hint}`]),
  ].join('\n')

const describeUnknown = (thrown: unknown, paint: Paint): string => {
  const stack = thrown instanceof Error && thrown.stack !== undefined ? `\n${thrown.stack}` : ''
  return `${paint(31, 'bug')} ${reasonOf(thrown)}${stack}\n  ${paint(36, 'next')} This is a fault of ours: please report it with the lines above.`
}
