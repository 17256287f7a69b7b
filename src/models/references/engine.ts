// References by DuckDB's own parser, asked where the SQL parser gives up (`asof join`, `using sample`, list comprehensions, …).
// Its tree counts bytes of UTF-8, its refusals code points; of a name it says only the start, so the tokens there say the rest.
import type { Session } from '../model.ts'
import { indexOfByte } from '../text-position.ts'
import { tokenize, unquoted, type Token } from '../tokens.ts'
import { folded, type Hidden, type Reading, type Reference } from './reference.ts'
import { isNode, listAt, nodeAt, textAt, type Node } from './tree.ts'

interface Serialized {
  readonly error: boolean
  readonly error_type?: string
  readonly error_message?: string
  readonly position?: string
  readonly statements?: readonly { readonly node: Node }[]
}

/** Reads a SELECT by the engine; undefined when it can be executed but not told apart (PIVOT). */
export const readByEngine = async (sql: string, session: Session): Promise<Reading | undefined> => {
  const [row] = await session.all<{ tree: string }>({
    sql: 'select cast(json_serialize_sql(cast($1 as varchar)) as varchar) as tree',
    parameters: [sql],
  })
  const tree: Serialized = JSON.parse(row?.tree ?? '{"error":true}')
  if (tree.error) {
    if (tree.error_type === 'not implemented') return undefined
    const point = Number(tree.position)
    const index = Number.isSafeInteger(point) ? Array.from(sql).slice(0, point).join('').length : undefined
    return { problem: { message: tree.error_message ?? 'it cannot be read', index } }
  }
  if (tree.statements?.length !== 1) return { problem: { message: 'a model is one SELECT', index: 0 } }
  const references = collect(sql, tree.statements[0]?.node)
  return references && { references }
}

// Undefined when a relation's place is not known, as in what PIVOT is turned into.
const collect = (sql: string, statement: unknown): Reference[] | undefined => {
  const bytes = Buffer.byteLength(sql)
  const byStart = new Map<number, number>()
  const tokens = tokenize(sql, { backslashes: false }).filter((token) => token.kind !== 'comment')
  for (const [at, token] of tokens.entries()) byStart.set(token.start, at)
  const out: Reference[] = []
  let lost = false

  // The name that starts where the engine says, when its last part is the one that it says.
  const nameAt = (location: unknown, last: string): Pick<Reference, 'parts' | 'start' | 'end'> | undefined => {
    if (typeof location !== 'number' || location >= bytes) return undefined
    const first = byStart.get(indexOfByte(sql, location))
    if (first === undefined) return undefined
    const parts: Token[] = []
    for (let at = first; ; at += 2) {
      const token = tokens[at]
      if (token === undefined || !['word', 'quoted', 'string'].includes(token.kind)) return undefined
      parts.push(token)
      if (tokens[at + 1]?.text !== '.') break
    }
    const names = parts.map((token) => (token.kind === 'string' ? token.text.slice(1, -1) : unquoted(token)))
    if (folded(names.at(-1) ?? '') !== folded(last)) return undefined
    return { parts: names, start: parts[0]?.start ?? 0, end: parts.at(-1)?.end ?? 0 }
  }

  const walk = (value: unknown, hidden: Hidden): void => {
    if (Array.isArray(value)) {
      for (const inner of value) walk(inner, hidden)
      return
    }
    if (!isNode(value)) return
    let inside = hidden
    for (const entry of listAt(nodeAt(value, 'cte_map') ?? {}, 'map') ?? []) {
      if (!isNode(entry)) continue
      const cte = nodeAt(entry, 'value') ?? {}
      const after = new Set([...inside, folded(textAt(entry, 'key') ?? '')])
      const body = nodeAt(nodeAt(cte, 'query') ?? {}, 'node')
      walk(cte, body?.['type'] === 'RECURSIVE_CTE_NODE' ? after : inside)
      inside = after
    }
    mention(value, hidden)
    for (const [key, inner] of Object.entries(value)) if (key !== 'cte_map') walk(inner, inside)
  }

  const mention = (node: Node, hidden: Hidden): void => {
    if (node['type'] === 'BASE_TABLE') {
      const name = textAt(node, 'table_name') ?? ''
      if (node['schema_name'] === '' && hidden.has(folded(name))) return
      const found = nameAt(node['query_location'], name)
      if (found) out.push({ kind: 'relation', ...found })
      else lost = true
    } else if (node['class'] === 'FUNCTION' && node['is_operator'] !== true) {
      const found = nameAt(node['query_location'], textAt(node, 'function_name') ?? '')
      if (found) out.push({ kind: 'call', args: listAt(node, 'children')?.length ?? 0, ...found })
    } else if (node['class'] === 'COLUMN_REF') {
      const [name, ...more] = listAt(node, 'column_names') ?? []
      const found = typeof name === 'string' && more.length === 0 ? nameAt(node['query_location'], name) : undefined
      if (found && sql[found.start] !== '"') out.push({ kind: 'call', args: undefined, ...found })
    }
  }

  walk(statement, new Set())
  return lost ? undefined : out
}
