// One statement of a project, from text to compiled SQL: read by the first parser that can, its names resolved, its problems placed.
import { CdpError, type Place } from '../core/errors.ts'
import type { Session } from './model.ts'
import { readByEngine } from './references/engine.ts'
import { readByName } from './references/named.ts'
import type { Reading } from './references/reference.ts'
import { readBySqlParser } from './references/sqlparser.ts'
import { resolveReferences, type Names, type Resolved } from './resolve.ts'
import { excerpt, positionAt, type Position } from './text-position.ts'
import { tokenize } from './tokens.ts'

export interface StatementFacts extends Names {
  /** An embedded DuckDB whose parser is asked where the SQL parser gives up; opened only then. */
  readonly session?: (() => Promise<Session>) | undefined
}

/** A SELECT and where it stands. */
export interface StatementText {
  readonly model: string
  readonly sql: string
  readonly file: string
  readonly at: Position
  /** Of SQL inside a header: every problem is placed there, because YAML's quotes and folds leave no columns to count. */
  readonly line?: number
  /** The header's `reads`. */
  readonly reads: readonly string[]
}

const templated = /\{\{|\{%/

export const spellingOf = (engine: string): { readonly backslashes: boolean } => ({
  backslashes: engine === 'bigquery',
})

export const compileStatement = async (text: StatementText, facts: StatementFacts): Promise<Resolved> => {
  const { model, sql } = text
  const placeOf = (index: number | undefined): Place => {
    if (text.line !== undefined) return { file: text.file, line: text.line }
    return index === undefined ? { file: text.file } : placeIn(text, positionAt(sql, index))
  }
  if (sql.trim() === '') {
    const args = { model, reason: 'there is no SELECT', excerpt: '', hint: 'Write one below the header.' }
    return failed(new CdpError('MODEL_SYNTAX', args, { place: { file: text.file } }))
  }
  const reading = await read(text, facts)
  if ('references' in reading) {
    return resolveReferences(model, sql, reading.references, facts, spellingOf(facts.engine), placeOf)
  }
  const { message, index } = reading.problem
  const at = index === undefined ? undefined : positionAt(sql, index)
  const args = {
    model,
    reason: message,
    excerpt: at === undefined ? '' : excerpt(sql, at),
    hint: templated.test(sql)
      ? 'There are no templates here: name a model as you would name a table, and it is found in the SQL.'
      : 'If the engine accepts it, list what it reads in the header: reads: [a_model, raw.source_stream]',
  }
  return failed(new CdpError('MODEL_SYNTAX', args, { place: placeOf(index) }))
}

const failed = (problem: CdpError): Resolved => ({ sql: [], reads: new Map(), readsClock: false, problems: [problem] })

/** A position in a model's SQL as a place in its file. */
export const placeIn = (
  text: { readonly file: string; readonly at: Position },
  { line, column }: Position,
): Required<Place> => ({
  file: text.file,
  line: text.at.line + line - 1,
  column: line === 1 ? text.at.column + column - 1 : column,
})

const read = async ({ sql, reads }: StatementText, facts: StatementFacts): Promise<Reading> => {
  const second = tokenize(sql, spellingOf(facts.engine)).find((token) => token.text === ';')
  if (second)
    return { problem: { message: 'a model is one SELECT; here it ends and more follows', index: second.start } }
  const first = await readBySqlParser(sql, facts.engine)
  if ('references' in first) return first
  if (facts.engine === 'duckdb' && facts.session !== undefined) {
    const engine = await readByEngine(sql, await facts.session())
    if (engine !== undefined) return engine
  }
  return reads.length > 0 ? { references: readByName(sql, reads, spellingOf(facts.engine)) } : first
}
