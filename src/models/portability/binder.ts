// Types of expressions where they stand. Asked of DuckDB over the FROM of their query; of what it cannot prepare there, by their own text.
import type { Session } from '../model.ts'
import { listAt, type Node } from '../references/tree.ts'
import { describeTree, nothing, ofNull, selectOver, type Scope, type Site } from './scopes.ts'

/** In DuckDB's words; undefined when it is not known. */
export type Type = string | undefined

export interface Binder {
  readonly typesOf: (scope: Scope, operands: readonly Node[]) => Promise<readonly Type[]>
  /** Whether a name is a column of its query's FROM, or of one around it; undefined when the FROM is not known. */
  readonly isColumn: (site: Site) => Promise<boolean | undefined>
}

export const createBinder = (session: Session): Binder => {
  const isKnown = new Map<Scope, Promise<boolean>>()
  const ask = async (trees: readonly Node[]): Promise<readonly Type[] | undefined> => {
    for (const tree of trees) {
      const columns = await describeTree(tree, session)
      if (columns) return columns.map(({ type }) => type)
    }
    return undefined
  }
  const known = (scope: Scope): Promise<boolean> => {
    const answer =
      isKnown.get(scope) ?? ask([selectOver(scope, [one], false), selectOver(scope, [one], true)]).then(Boolean)
    isKnown.set(scope, answer)
    return answer
  }
  const over = (scope: Scope, list: readonly Node[]): Node[] => [
    selectOver(scope, list, false),
    ...(scope.outer ? [selectOver(scope, list, true)] : []),
  ]
  return {
    typesOf: async (scope, operands) => {
      const isThere = await known(scope)
      const together = isThere ? await ask(over(scope, operands)) : undefined
      if (together) return together
      const types: Type[] = []
      for (const operand of operands) {
        const bare = ofNull(operand)
        const trees = [
          ...(isThere ? [...over(scope, [operand]), withAliases(scope, operand)] : []),
          ...(bare ? [selectOver({ ...scope, select: { from_table: nothing } }, [bare], false)] : []),
        ]
        types.push((await ask(trees))?.at(-1))
      }
      return types
    },
    isColumn: async ({ node, scope }) =>
      (await known(scope)) ? (await ask(over(scope, [node]))) !== undefined : undefined,
  }
}

const one: Node = {
  class: 'CONSTANT',
  type: 'VALUE_CONSTANT',
  value: { type: { id: 'INTEGER', type_info: null }, is_null: false, value: 1 },
}

// In HAVING and QUALIFY aliases and aggregates are known: the operand as one more column of the query as it is.
const withAliases = ({ select, ctes }: Scope, operand: Node): Node => ({
  ...select,
  modifiers: [],
  cte_map: { map: ctes },
  select_list: [...(listAt(select, 'select_list') ?? []), operand],
})
