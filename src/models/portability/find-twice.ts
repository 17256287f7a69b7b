// Two columns of one name. In the result of a model BigQuery refuses them; inside a statement it refuses only to read them, by such a name or
// by a star, where DuckDB gives the second another name.
import type { Session } from '../model.ts'
import { isNode, listAt, nodesIn, textAt } from '../references/tree.ts'
import { describeTree, type Scope, type Site } from './scopes.ts'

/** The item that gives a name a second time, of the statement's result, or of a relation that is read by such a name or by a star. */
export const twiceIn = async (
  scope: Scope,
  { scopes, sites }: { readonly scopes: readonly Scope[]; readonly sites: readonly Site[] },
  session: Session,
): Promise<unknown> => {
  const { select, ctes, makes } = scope
  if (makes === undefined) return undefined
  const columns = await describeTree({ ...select, cte_map: { map: ctes } }, session)
  const names = (columns ?? []).map(({ name }) => name.toLowerCase())
  const twice = new Set(names.filter((name, at) => names.indexOf(name) !== at))
  if (twice.size === 0) return undefined
  if (makes !== 'result') {
    const readers = new Set(scopes.filter((other) => reads(other, scope, makes.name)))
    const isRead = sites.some(({ node, scope: reader }) => {
      if (!readers.has(reader)) return false
      if (node['class'] === 'STAR') return (listAt(reader.select, 'select_list') ?? []).includes(node)
      const last = node['class'] === 'COLUMN_REF' ? listAt(node, 'column_names')?.at(-1) : undefined
      return typeof last === 'string' && twice.has(last.toLowerCase().replace(/_\d+$/, ''))
    })
    if (!isRead) return undefined
  }
  const items = nodesIn(listAt(select, 'select_list') ?? [])
  return (
    items.findLast((item) =>
      twice.has((textAt(item, 'alias') || String(listAt(item, 'column_names')?.at(-1))).toLowerCase()),
    ) ?? items.findLast((item) => item['class'] === 'STAR')
  )
}

// Whether a query has another's relation in its FROM: by its node, or by its name.
const reads = (reader: Scope, { select }: Scope, name: string): boolean => {
  const look = (value: unknown): boolean => {
    if (Array.isArray(value)) return value.some(look)
    if (!isNode(value)) return false
    if (value['type'] === 'BASE_TABLE')
      return value['schema_name'] === '' && isSame(textAt(value, 'table_name') ?? '', name)
    return value === select || Object.values(value).some(look)
  }
  return reader.select !== select && look(reader.select['from_table'])
}

const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()
