// What no text shows: operands of two types, casts whose spelling depends on the type, aliases where only columns are known, and columns
// of one name. An expression that DuckDB cannot prepare where it stands is judged by its own text, or not at all.
import type { Session } from '../model.ts'
import { isNode, listAt, nodeAt, nodesIn, textAt, type Node } from '../references/tree.ts'
import { createBinder, type Type } from './binder.ts'
import { twiceIn } from './find-twice.ts'
import type { Complaint, Finding } from './finding.ts'
import { readScopes, startOf, valueOf, type Site } from './scopes.ts'
import { shapeRules } from './special.ts'
import { typedRules as rules } from './typed-rules.ts'

/** `sql`: a SELECT as DuckDB gets it, over relations that are there. `isModel`: its columns become those of a relation. */
export const findTyped = async (sql: string, session: Session, isModel: boolean): Promise<Finding[]> => {
  const read = await readScopes(sql, session)
  if (read === undefined) return []
  const binder = createBinder(session)
  const found = new Map<number, Finding>()
  const add = (node: unknown, complaint: Complaint): void => {
    const start = startOf(sql, node)
    if (start !== undefined && !found.has(start)) found.set(start, { complaint, start })
  }
  for (const site of read.sites) {
    for (const { operands, judge } of questionsOf(site)) {
      const types = await binder.typesOf(site.scope, operands)
      const complaint = judge(types)
      if (complaint) add(site.node, complaint)
    }
    const alias = aliasAt(site)
    if (alias && (await binder.isColumn(site)) === (alias === 'hides')) {
      add(site.node, alias === 'hides' ? shapeRules.hiddenColumn : rules.alias)
    }
  }
  for (const scope of isModel ? read.scopes : []) {
    const item = await twiceIn(scope, read, session)
    if (item) add(item, rules.twice)
  }
  return [...found.values()].toSorted((a, b) => a.start - b.start)
}

interface Question {
  readonly operands: readonly Node[]
  readonly judge: (types: readonly Type[]) => Complaint | undefined
}

const questionsOf = ({ node }: Site): Question[] => {
  const children = nodesIn(listAt(node, 'children') ?? [])
  switch (node['class']) {
    case 'CAST':
      return isStringType(nodeAt(node, 'cast_type'))
        ? [
            {
              operands: nodesIn([node['child']]),
              judge: ([type]) => (isSpelledApart(type) ? rules.castText : undefined),
            },
          ]
        : []
    case 'COMPARISON':
      return [compared(nodesIn([node['left'], node['right']]))]
    case 'BETWEEN':
      return [node['lower'], node['upper']].map((bound) => compared(nodesIn([node['input'], bound])))
    case 'SUBQUERY':
      return isNode(node['child']) ? [compared([node['child'], valueOf(node)])] : []
    case 'CASE':
      return [
        chosen(
          nodesIn([...nodesIn(listAt(node, 'case_checks') ?? []).map((one) => one['then_expr']), node['else_expr']]),
        ),
      ]
    case 'OPERATOR':
      if (node['type'] === 'OPERATOR_COALESCE') return [chosen(children)]
      if (node['type'] !== 'COMPARE_IN' && node['type'] !== 'COMPARE_NOT_IN') return []
      return children.slice(1).map((item) => compared([...children.slice(0, 1), item]))
    case 'FUNCTION':
      return children.length === 2 ? ofFunction(node, children) : []
    default:
      return []
  }
}

const ofFunction = (node: Node, operands: readonly Node[]): Question[] => {
  const name = textAt(node, 'function_name')
  if (name === 'nullif') return [compared(operands)]
  if (node['is_operator'] !== true) return []
  if (name === '-') return [{ operands, judge: (types) => (types.every(isTime) ? shapeRules.dates : undefined) }]
  if (name !== '||') return []
  return [
    { operands, judge: (types) => (types.some(isText) && types.some(isSpelledApart) ? rules.castText : undefined) },
  ]
}

const compared = (operands: readonly Node[]): Question => ({
  operands,
  judge: (types) => mixed(rules.comparison, operands, types),
})
const chosen = (operands: readonly Node[]): Question => ({
  operands,
  judge: (types) => mixed(rules.choice, operands, types),
})

const isStringType = (type: Node | undefined): boolean =>
  type?.['id'] === 'VARCHAR' || textAt(nodeAt(type ?? {}, 'type_info') ?? {}, 'name')?.toLowerCase() === 'string'
const isSpelledApart = (type: Type): boolean =>
  type !== undefined && /^(DECIMAL|DOUBLE|FLOAT|TIMESTAMP|BLOB|JSON|STRUCT|MAP)|\[\]$/.test(type)
const isTime = (type: Type): boolean => type !== undefined && /^(DATE|TIMESTAMP)/.test(type)
const isText = (type: Type): boolean => type === 'VARCHAR'

/** Undefined of what takes any place: a null, and what is not known. */
const familyOf = (operand: Node, type: Type): string | undefined => {
  // DuckDB calls a bare null a number.
  if (type === undefined || nodeAt(operand, 'value')?.['is_null'] === true) return undefined
  if (/^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL|DOUBLE|FLOAT)\b/.test(type)) return 'number'
  return families[/^\w+/.exec(type)?.[0] ?? '']
}
const families: Readonly<Record<string, string>> = {
  VARCHAR: 'text',
  BOOLEAN: 'boolean',
  DATE: 'date',
  TIMESTAMP: 'timestamp',
  TIME: 'time',
}

const mixed = (rule: Complaint, operands: readonly Node[], types: readonly Type[]): Complaint | undefined => {
  const found = operands.map((operand, at) => familyOf(operand, types[at]))
  // A text constant becomes a date, an instant or a time on both.
  const becomes = found.filter((family, at) => family !== 'text' || operands[at]?.['class'] !== 'CONSTANT')
  const isTaken = becomes.every((family) => ['date', 'timestamp', 'time', undefined].includes(family))
  const kinds = new Set((isTaken ? becomes : found).filter((family) => family !== undefined))
  return kinds.size > 1 ? { ...rule, why: [...kinds].join(' with ') } : undefined
}

/** Of a bare name that is an alias of its own SELECT: `hides` where GROUP BY would take a column, `used` where only columns are known. */
const aliasAt = ({ node, scope, clause }: Site): 'hides' | 'used' | undefined => {
  const [name, ...more] = node['class'] === 'COLUMN_REF' ? (listAt(node, 'column_names') ?? []) : []
  if (typeof name !== 'string' || more.length > 0) return undefined
  const items = nodesIn(listAt(scope.select, 'select_list') ?? [])
  const named = items.find((item) => isSame(textAt(item, 'alias') ?? '', name))
  if (named === undefined || named === node) return undefined
  if (clause === 'group_expressions') {
    const path = named['class'] === 'COLUMN_REF' ? listAt(named, 'column_names')?.at(-1) : undefined
    return typeof path === 'string' && isSame(path, name) ? undefined : 'hides'
  }
  return clause === 'select_list' || clause === 'where_clause' || clause === 'from_table' ? 'used' : undefined
}

const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()
