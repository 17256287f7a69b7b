// The queries of a statement, as DuckDB's parser tells them, and the types of expressions in each, as DuckDB's binder tells them: what an
// expression is can be asked by a SELECT of it from the FROM that it stands over. Nothing is executed.
import { hasCode } from '../../core/errors.ts'
import type { Session } from '../model.ts'
import { isNode, listAt, nodeAt, textAt, type Node } from '../references/tree.ts'
import { indexOfByte } from '../text-position.ts'

/** One SELECT of a statement. */
export interface Scope {
  readonly select: Node
  /** What WITH defines before it, the outermost first. */
  readonly ctes: readonly Node[]
  /** Of a subquery in an expression: the query whose columns it may name. */
  readonly outer: Scope | undefined
  /** What it makes: the statement's result, or the relation of this name. Undefined: values of an expression. */
  readonly makes: { readonly name: string } | 'result' | undefined
}

/** An expression in its query. */
export interface Site {
  readonly node: Node
  readonly scope: Scope
  /** The part of the query it stands in: `select_list`, `where_clause`, `from_table`, … */
  readonly clause: string
}

/** Every query and every expression of a SELECT; undefined when the parser does not take it or does not tell it (PIVOT). */
export const readScopes = async (
  sql: string,
  session: Session,
): Promise<{ readonly scopes: readonly Scope[]; readonly sites: readonly Site[] } | undefined> => {
  const [row] = await session.all<{ tree: string }>({
    sql: 'select cast(json_serialize_sql(cast($1 as varchar)) as varchar) as tree',
    parameters: [sql],
  })
  const tree: unknown = JSON.parse(row?.tree ?? 'null')
  const [statement, ...more] = isNode(tree) ? (listAt(tree, 'statements') ?? []) : []
  const node = isNode(statement) && more.length === 0 ? nodeAt(statement, 'node') : undefined
  return node && collect(node)
}

const collect = (statement: Node): { scopes: Scope[]; sites: Site[] } => {
  const scopes: Scope[] = []
  const sites: Site[] = []

  const query = (node: Node, known: Pick<Scope, 'ctes' | 'outer' | 'makes'>): void => {
    let ctes = known.ctes
    for (const entry of listAt(nodeAt(node, 'cte_map') ?? {}, 'map') ?? []) {
      if (!isNode(entry)) continue
      const name = textAt(entry, 'key') ?? ''
      const body = nodeAt(nodeAt(nodeAt(entry, 'value') ?? {}, 'query') ?? {}, 'node')
      if (body) query(body, { ...known, ctes, makes: { name } })
      ctes = [...ctes.filter((other) => textAt(other, 'key') !== name), entry]
    }
    if (node['type'] !== 'SELECT_NODE') {
      // The branches of UNION and its kin: the first gives the names.
      const branches = [...(listAt(node, 'children') ?? []), node['left'], node['right']].filter(isNode)
      for (const [at, branch] of branches.entries()) {
        query(branch, { ...known, ctes, makes: at === 0 ? known.makes : undefined })
      }
      return
    }
    const scope = { ...known, ctes, select: node }
    scopes.push(scope)
    for (const [clause, part] of Object.entries(node)) if (clause !== 'cte_map') inside(part, scope, clause)
  }

  const inside = (value: unknown, scope: Scope, clause: string): void => {
    if (Array.isArray(value)) for (const item of value) inside(item, scope, clause)
    if (!isNode(value)) return
    const subquery = nodeAt(nodeAt(value, 'subquery') ?? {}, 'node')
    if (typeof value['class'] === 'string') sites.push({ node: value, scope, clause })
    if (subquery) {
      const isRelation = value['type'] === 'SUBQUERY' && value['class'] === undefined
      const makes = isRelation ? { name: textAt(value, 'alias') ?? '' } : undefined
      query(subquery, { ctes: scope.ctes, outer: isRelation ? scope.outer : scope, makes })
    }
    for (const [key, part] of Object.entries(value)) if (key !== 'subquery') inside(part, scope, clause)
  }

  query(statement, { ctes: [], outer: undefined, makes: 'result' })
  return { scopes, sites }
}

/** Where in the statement a node stands; of one without a place, its first part that has one. */
export const startOf = (sql: string, value: unknown): number | undefined => {
  if (Array.isArray(value)) return firstOf(value, (item) => startOf(sql, item))
  if (!isNode(value)) return undefined
  const byte = value['query_location']
  if (typeof byte === 'number' && byte < Buffer.byteLength(sql)) return indexOfByte(sql, byte)
  return firstOf(Object.values(value), (part) => startOf(sql, part))
}

const firstOf = <T>(list: readonly unknown[], look: (item: unknown) => T | undefined): T | undefined => {
  for (const item of list) {
    const found = look(item)
    if (found !== undefined) return found
  }
  return undefined
}

/** A SELECT of expressions over the FROM of a query, itself over those of the queries around it when `correlated`. */
export const selectOver = (scope: Scope, list: readonly unknown[], correlated: boolean): Node => {
  const { select, ctes, outer } = scope
  const own = { ...emptySelect, cte_map: { map: ctes }, select_list: list, from_table: select['from_table'] }
  if (!correlated || outer === undefined) return own
  const values = list.map((item) => ({
    ...scalar,
    subquery: { node: { ...own, select_list: [item] } },
  }))
  return selectOver(outer, values, true)
}

const emptySelect = { type: 'SELECT_NODE', aggregate_handling: 'STANDARD_HANDLING' }
const scalar = { class: 'SUBQUERY', type: 'SUBQUERY', subquery_type: 'SCALAR', comparison_type: 'INVALID' }

/** The value of `x in (select …)`'s subquery. */
export const valueOf = (node: Node): Node => ({ ...scalar, subquery: node['subquery'] })

export const nothing: Node = { type: 'EMPTY' }

/** A node with nulls in the place of what it is made of: `cast(null as date)`. */
export const ofNull = (node: Node): Node | undefined => {
  if (node['class'] === 'CONSTANT') return node
  if (node['class'] === 'CAST') return { ...node, child: nullNode }
  if (node['class'] !== 'FUNCTION' || node['schema'] !== 'cdp') return undefined
  return { ...node, children: (listAt(node, 'children') ?? []).map(() => nullNode) }
}

const nullNode: Node = {
  class: 'CONSTANT',
  type: 'VALUE_CONSTANT',
  value: { type: { id: 'NULL', type_info: null }, is_null: true },
}

export interface Described {
  readonly name: string
  readonly type: string
}

/** The columns of a SELECT given as a tree; undefined where DuckDB does not take it. */
export const describeTree = async (tree: Node, session: Session): Promise<readonly Described[] | undefined> => {
  // Places are of no use to it, and one that is not known is a number that JSON cannot hold.
  const statement = { error: false, statements: [{ node: tree, named_param_map: [] }] }
  const text = JSON.stringify(statement, (key, value: unknown) => (key === 'query_location' ? undefined : value))
  try {
    const [row] = await session.all<{ sql: string }>({
      sql: 'select json_deserialize_sql(cast($1 as json)) as sql',
      parameters: [text],
    })
    return await session.describe(row?.sql ?? '')
  } catch (thrown) {
    if (hasCode(thrown, 'QUERY_FAILED')) return undefined
    throw thrown
  }
}
