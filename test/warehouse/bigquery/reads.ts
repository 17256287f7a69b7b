// What a statement reads, out of the tree that Google's analyzer resolves it to (`ResolvedTableScan` and its kin).

export interface Scan {
  /** By the first of its names. */
  readonly relation: readonly string[]
  readonly columns: readonly string[]
  /** Those that a filter of the statement compares with a constant or a parameter. */
  readonly bounded: readonly string[]
}

export interface Reads {
  readonly scans: readonly Scan[]
  /** What an UPDATE, a DELETE, or a MERGE that does one of them, rewrites. */
  readonly rewrites: readonly string[] | undefined
}

type Node = Readonly<Record<string, unknown>>

interface Found {
  readonly relation: readonly string[]
  readonly columns: readonly { readonly id: number; readonly name: string }[]
}

/** `relationOf` knows relations by the number that the catalog gave them. */
export const readsIn = (tree: unknown, relationOf: (number: number) => readonly string[] | undefined): Reads => {
  const found: Found[] = []
  const bounded = new Set<number>()
  let rewrites: readonly string[] | undefined
  const scanOf = (scan: Node, read: (at: number) => boolean = () => true): Found => ({
    relation: relationOf(numberOf(nodeIn(scan, 'table')['serializationId'])) ?? [],
    columns: listIn(nodeIn(scan, 'parent'), 'columnList').flatMap((column, at) =>
      read(at) ? [{ id: numberOf(column['columnId']), name: String(column['name']) }] : [],
    ),
  })
  walk(tree, (key, node) => {
    if (key === 'resolvedTableScanNode') found.push(scanOf(node))
    if (changing.has(key)) {
      const access = Array.isArray(node['columnAccessList']) ? (node['columnAccessList'] as unknown[]) : []
      const target = scanOf(nodeIn(node, 'tableScan'), (at) => (Number(access[at] ?? 1) & 1) === 1)
      found.push(target)
      const clauses = listIn(node, 'whenClauseList')
      if (clauses.length === 0 || clauses.some((clause) => clause['actionType'] !== 0)) rewrites = target.relation
    }
    if (filters.has(key)) walk(node, (inner, call) => addBounded(inner, call, bounded))
  })
  const scans = found.map(({ relation, columns }) => ({
    relation,
    columns: columns.map(({ name }) => name),
    bounded: columns.filter(({ id }) => bounded.has(id)).map(({ name }) => name),
  }))
  return { scans, rewrites }
}

const changing = new Set(['resolvedUpdateStmtNode', 'resolvedDeleteStmtNode', 'resolvedMergeStmtNode'])
const filters = new Set(['filterExpr', 'whereExpr', 'mergeExpr'])
const comparisons = /^ZetaSQL:\$(?:equal|less|less_or_equal|greater|greater_or_equal|between|in)$/

const addBounded = (key: string, call: Node, bounded: Set<number>): void => {
  if (key !== 'resolvedFunctionCallNode') return
  const base = nodeIn(call, 'parent')
  if (!comparisons.test(String(nodeIn(base, 'function')['name']))) return
  const sides = listIn(base, 'argumentList')
  const columns = sides.flatMap((side) => {
    const reference = side['resolvedColumnRefNode'] as Node | undefined
    return reference ? [numberOf(nodeIn(reference, 'column')['columnId'])] : []
  })
  const constants = sides.filter((side) => isConstant(side))
  if (columns.length === 1 && constants.length === sides.length - 1) bounded.add(columns[0] ?? 0)
}

const isConstant = (tree: unknown): boolean => {
  let constant = true
  walk(tree, (key) => {
    if (key === 'resolvedColumnRefNode' || key === 'resolvedSubqueryExprNode') constant = false
  })
  return constant
}

const walk = (tree: unknown, visit: (key: string, node: Node) => void): void => {
  if (Array.isArray(tree)) for (const item of tree) walk(item, visit)
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) return
  for (const [key, value] of Object.entries(tree as Node)) {
    if (typeof value !== 'object' || value === null) continue
    if (!Array.isArray(value)) visit(key, value as Node)
    walk(value, visit)
  }
}

const nodeIn = (node: Node, key: string): Node => (node[key] ?? {}) as Node
const listIn = (node: Node, key: string): readonly Node[] => (Array.isArray(node[key]) ? (node[key] as Node[]) : [])
const numberOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? Number((value as { low?: unknown }).low) : Number(value)
