// References by the SQL parser: its tree is walked as plain JSON, because a relation can stand anywhere an expression can.
// Scoping is that of SQL: a CTE is known to the CTEs after it and to the query it belongs to, to itself only under RECURSIVE.
import { init, parse, type DialectName } from '@guanmingchiu/sqlparser-ts'
import { indexAt } from '../text-position.ts'
import { folded, type Hidden, type Reading, type Reference } from './reference.ts'
import { isIdent, isNode, listAt, nodeAt, type Ident, type Node } from './tree.ts'

/** Names in scope: CTEs, and aliases of the FROM clauses around (`from t, t.tags` reads no relation `t.tags`). */
interface Scope {
  readonly ctes: Hidden
  readonly aliases: Hidden
}

// Measured on 90 statements: the DuckDB dialect reads most of what both engines know, the generic one adds `* except (…)`, `ignore nulls`
// and structs, the last ones the rest of BigQuery's and `as materialized`.
const dialects: Readonly<Record<string, readonly DialectName[]>> = {
  duckdb: ['duckdb', 'generic', 'bigquery', 'postgresql'],
  bigquery: ['bigquery', 'generic', 'duckdb'],
}

/** Reads a statement in the dialect of an engine, else in its neighbours; the problem is that of the first. */
export const readBySqlParser = async (sql: string, engine: string): Promise<Reading> => {
  await init()
  let first: Reading | undefined
  for (const dialect of dialects[engine] ?? ['generic']) {
    const reading = readIn(sql, dialect)
    if ('references' in reading) return reading
    first ??= reading
  }
  return first ?? { problem: { message: 'it cannot be read', index: undefined } }
}

const readIn = (sql: string, dialect: DialectName): Reading => {
  let statements: readonly unknown[]
  try {
    statements = parse(sql, dialect)
  } catch (thrown) {
    return { problem: problemOf(sql, thrown) }
  }
  if (statements.length !== 1 || !isNode(statements[0]) || !('Query' in statements[0])) {
    return { problem: { message: 'a model is one SELECT', index: 0 } }
  }
  try {
    return { references: collect(sql, statements[0]) }
  } catch (thrown) {
    if (thrown instanceof Unplaced) return { problem: { message: thrown.message, index: undefined } }
    throw thrown
  }
}

const problemOf = (sql: string, thrown: unknown): { message: string; index: number | undefined } => {
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  const found = /^(?:sql parser error: )?([\s\S]*?)(?: at Line: (\d+), Column: (\d+))?$/.exec(text)
  const index =
    found?.[2] === undefined ? sql.length : indexAt(sql, { line: Number(found[2]), column: Number(found[3]) })
  return { message: (found?.[1] ?? text).replace(/\bfound: EOF\b/, 'found: the end of the text'), index }
}

/** A name whose place the parser does not tell rightly. */
class Unplaced extends Error {}

const collect = (sql: string, statement: Node): Reference[] => {
  const out: Reference[] = []

  const walk = (value: unknown, scope: Scope): void => {
    if (Array.isArray(value)) {
      for (const inner of value) walk(inner, scope)
      return
    }
    if (!isNode(value)) return
    if ('body' in value && 'locks' in value) walkQuery(value, scope)
    else if ('projection' in value && Array.isArray(value['from'])) {
      walkChildren(value, { ...scope, aliases: new Set([...scope.aliases, ...aliasesIn(value['from'])]) })
    } else {
      for (const [key, inner] of Object.entries(value)) walkNamed(key, inner, scope)
    }
  }

  const walkChildren = (node: Node, scope: Scope): void => {
    for (const [key, inner] of Object.entries(node)) walkNamed(key, inner, scope)
  }

  const walkNamed = (key: string, inner: unknown, scope: Scope): void => {
    if (key === 'Table' && isNode(inner) && Array.isArray(inner['name'])) {
      const args = argumentsOf(inner['args'])
      if (args === undefined) relation(inner['name'], scope)
      else call(inner['name'], args)
    } else if (key === 'Function' && isNode(inner) && Array.isArray(inner['name'])) {
      call(inner['name'], argumentsOf(inner['args']))
    } else if (key === 'Insert' || key === 'Update' || key === 'Delete' || key === 'Merge') {
      throw new Unplaced('a model only reads; it may not change data')
    }
    walk(inner, scope)
  }

  const walkQuery = (query: Node, scope: Scope): void => {
    const clause = nodeAt(query, 'with') ?? {}
    let { ctes } = scope
    for (const cte of listAt(clause, 'cte_tables') ?? []) {
      const name = isNode(cte) ? nodeAt(cte, 'alias')?.['name'] : undefined
      if (!isNode(cte) || !isIdent(name)) throw new Unplaced('a WITH clause without a name')
      const after = new Set([...ctes, folded(name.value)])
      walk(cte['query'], { ...scope, ctes: clause['recursive'] === true ? after : ctes })
      ctes = after
    }
    for (const [key, inner] of Object.entries(query)) if (key !== 'with') walkNamed(key, inner, { ...scope, ctes })
  }

  const relation = (name: readonly unknown[], scope: Scope): void => {
    const reference = placed(sql, name)
    const [first = '', ...others] = reference.parts.map(folded)
    if (others.length === 0 && scope.ctes.has(first)) return
    if (others.length > 0 && scope.aliases.has(first) && first !== 'raw' && first !== 'cdp') return
    out.push({ kind: 'relation', ...reference })
  }

  const call = (name: readonly unknown[], args: number | undefined): void => {
    out.push({ kind: 'call', args, ...placed(sql, name) })
  }

  walk(statement, { ctes: new Set(), aliases: new Set() })
  return out
}

// `None`, a list, or `{ List: { args } }`, depending on where the call stands.
const argumentsOf = (args: unknown): number | undefined => {
  if (Array.isArray(args)) return args.length
  if (!isNode(args)) return undefined
  if (isNode(args['List'])) return argumentsOf(args['List']['args'])
  return 'args' in args ? argumentsOf(args['args']) : 1
}

const aliasesIn = (from: readonly unknown[]): string[] =>
  from.filter(isNode).flatMap((item) => {
    const joined = (listAt(item, 'joins') ?? []).filter(isNode).map((join) => join['relation'])
    const factors = [item['relation'], ...joined].filter(isNode)
    return factors.flatMap((factor) => Object.values(factor).filter(isNode).flatMap(aliasesOf))
  })

const aliasesOf = (factor: Node): string[] => {
  const name = nodeAt(factor, 'alias')?.['name']
  if (isIdent(name)) return [folded(name.value)]
  const nested = nodeAt(factor, 'table_with_joins')
  if (nested) return aliasesIn([nested])
  const last = identOf(listAt(factor, 'name')?.at(-1))
  return last ? [folded(last.value)] : []
}

const identOf = (part: unknown): Ident | undefined => {
  const ident = isNode(part) ? part['Identifier'] : undefined
  return isIdent(ident) ? ident : undefined
}

const letters = (text: string): string => text.replaceAll(/["`\s.]|--[^\n]*|\/\*[\s\S]*?\*\//g, '')

/** A name with its place, checked against the text: a span that does not cover the name it claims is never used. */
const placed = (sql: string, name: readonly unknown[]): Pick<Reference, 'parts' | 'start' | 'end'> => {
  const idents = name.map(identOf)
  const [first, last] = [idents[0], idents.at(-1)]
  if (!first || !last || idents.includes(undefined)) throw new Unplaced('a name is made by a function')
  const values = idents.map((ident) => ident?.value ?? '')
  if (first.quote_style === "'") {
    // A file: the parser gives it no place.
    const at = sql.indexOf(`'${first.value}'`)
    return { parts: [first.value], start: Math.max(at, 0), end: Math.max(at, 0) + first.value.length + 2 }
  }
  const start = indexAt(sql, first.span.start)
  const end = indexAt(sql, last.span.end)
  const parts = values.length === 1 && first.quote_style === '`' ? (values[0] ?? '').split('.') : values
  if (letters(sql.slice(start, end)) !== letters(values.join('.'))) {
    throw new Unplaced(`the place of ${values.join('.')} is not known`)
  }
  return { parts, start, end }
}

/** Names of the columns that a SELECT lists; undefined when it cannot be read, has a star or a column without a name. */
export const selectedNames = async (sql: string, engine: string): Promise<readonly string[] | undefined> => {
  await init()
  for (const dialect of dialects[engine] ?? []) {
    try {
      const [statement]: readonly unknown[] = parse(sql, dialect)
      return isNode(statement) ? namesIn(nodeAt(statement, 'Query')) : undefined
    } catch {
      continue
    }
  }
  return undefined
}

const namesIn = (query: Node | undefined): readonly string[] | undefined => {
  const body = nodeAt(query ?? {}, 'body') ?? {}
  const union = nodeAt(body, 'SetOperation')
  if (union) return namesIn({ body: union['left'] })
  if (isNode(body['Query'])) return namesIn(body['Query'])
  const names = listAt(nodeAt(body, 'Select') ?? {}, 'projection')?.map((item) => {
    if (!isNode(item)) return undefined
    const bare = nodeAt(item, 'UnnamedExpr') ?? {}
    const name =
      nodeAt(item, 'ExprWithAlias')?.['alias'] ?? bare['Identifier'] ?? listAt(bare, 'CompoundIdentifier')?.at(-1)
    return isIdent(name) ? name.value : undefined
  })
  return names?.every((name) => name !== undefined) ? names : undefined
}
