// The YAML comment on top of a model: what it may say whatever its kind, and where each key stands, so that a problem has a line.
import { LineCounter, isMap, isNode, isScalar, parseDocument, type Document } from 'yaml'
import { z } from 'zod'
import { parseByteSize } from '../core/byte-size.ts'
import { parseDuration } from '../core/clock.ts'
import { positionAt, type Position } from './text-position.ts'
import { tokenize, type Spelling } from './tokens.ts'

/** A file cut in two. */
export interface SplitFile {
  /** The YAML between the comment's marks, and the index at which it starts. */
  readonly yaml: { readonly text: string; readonly start: number } | undefined
  /** The SQL without the header, blanks around it and a closing semicolon. */
  readonly sql: string
  readonly sqlAt: Position
  /** The header's comment has no end. */
  readonly unclosed: boolean
}

/** Only blanks and `--` remarks may stand before the header. */
export const splitFile = (text: string, spelling: Spelling): SplitFile => {
  const before = /^\uFEFF?(?:\s|--[^\n]*(?:\n|$))*/.exec(text)?.[0].length ?? 0
  const opened = text.startsWith('/*', before)
  const close = opened ? text.indexOf('*/', before + 2) : -1
  const yaml = close < 0 ? undefined : { text: text.slice(before + 2, close), start: before + 2 }
  const from = yaml === undefined ? before : close + 2
  const start = from + (/^\s*/.exec(text.slice(from))?.[0].length ?? 0)
  return {
    yaml,
    sql: trimEnd(text.slice(start), spelling),
    sqlAt: positionAt(text, start),
    unclosed: opened && close < 0,
  }
}

// Whatever follows the SQL inside a larger statement must not fall into its last comment.
const trimEnd = (sql: string, spelling: Spelling): string => {
  const tokens = tokenize(sql, spelling)
  let end = tokens.length
  let cut = tokens.at(-1)?.end ?? 0
  for (; end > 0; end--) {
    const token = tokens[end - 1]
    if (token?.text === ';') cut = token.start
    else if (token?.kind !== 'comment') break
  }
  if (end === 0) return ''
  const trimmed = sql.slice(0, cut).trimEnd()
  const last = tokens.findLast((token) => token.start < trimmed.length)
  return last?.kind === 'comment' && !last.text.startsWith('/*') ? `${trimmed}\n` : trimmed
}

const duration = z.string().refine((text) => parseDuration(text) !== undefined, {
  message: 'must be a length of time such as 90m, 36h or 2d',
})

const byteSize = z
  .union([z.string(), z.number()])
  .transform(String)
  .refine((text) => parseByteSize(text) !== undefined, { message: 'must be an amount of data such as 500 MB or 20 GB' })

const severity = z.enum(['warn', 'error']).default('error')
const columns = z.union([z.string(), z.array(z.string()).min(1)])
const constant = z.union([z.string(), z.number(), z.boolean()])

/** A test as written; exactly one of the first five keys is given. */
export const testSchema = z.strictObject({
  unique: columns.optional(),
  not_null: columns.optional(),
  accepted_values: z.strictObject({ column: z.string(), values: z.array(constant).min(1) }).optional(),
  relationships: z.strictObject({ column: z.string(), to: z.string(), field: z.string() }).optional(),
  expression: z.string().optional(),
  severity,
  name: z.string().optional(),
})
export type HeaderTest = z.infer<typeof testSchema>

export const kindNames = ['view', 'table', 'incremental', 'identity', 'profile', 'segment'] as const

/** Keys that every kind knows. */
export const commonKeys = {
  kind: z.enum(kindNames).default('view'),
  description: z.string().default(''),
  owner: z.string().optional(),
  tags: z.array(z.string()).default([]),
  tests: z.array(testSchema).default([]),
  refresh: z.enum(['run', 'hour', 'day']).default('run'),
  reads: z.array(z.string()).default([]),
  freshness: duration.optional(),
  maximum_bytes_billed: byteSize.optional(),
}

/** A parsed header: its data, and the place of any path in it. */
export interface HeaderData {
  readonly data: Readonly<Record<string, unknown>>
  /** Line in the file of the deepest key of a path that is there. */
  readonly lineOf: (path: readonly (string | number)[]) => number
  readonly problems: readonly { readonly message: string; readonly line: number; readonly column?: number }[]
}

/** `line`: of the file at which the YAML starts. */
export const parseHeader = (yaml: string, line: number): HeaderData => {
  const counter = new LineCounter()
  const document = parseDocument(yaml, { lineCounter: counter, prettyErrors: false })
  const lineAt = (offset: number): number => line + counter.linePos(offset).line - 1
  const problems = document.errors.map((error) => ({
    message: `${error.message}.`,
    line: lineAt(error.pos[0]),
    column: counter.linePos(error.pos[0]).col,
  }))
  const data: unknown = problems.length > 0 ? {} : document.toJS()
  if (!isRecord(data) && data !== null) {
    problems.push({
      message: 'it is not a list of `key: value` lines; a remark before a model starts with --.',
      line,
      column: 1,
    })
  }
  return {
    data: isRecord(data) ? data : {},
    lineOf: (path) => lineAt(offsetOf(document, path)),
    problems,
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const offsetOf = (document: Document, path: readonly (string | number)[]): number => {
  for (let length = path.length; length > 0; length--) {
    const parent: unknown = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    const key = path[length - 1]
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key))
      if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0]
    }
    const node: unknown = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return document.contents?.range?.[0] ?? 0
}
