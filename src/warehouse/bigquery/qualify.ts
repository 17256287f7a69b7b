// Names as people and the engine write them, `raw.shop_orders`, `cdp.runs`, `cdp.fold(…)`, as the full names of this project's datasets.
// Bare names are models: each query has their dataset as its own.
import { engineRelations } from '../relations.ts'
import type { Schema } from '../warehouse.ts'
import { nameOf, type Token } from './lexer.ts'
import { quote } from './text.ts'

/** A part of a statement that is sent as another text. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

export interface Datasets {
  readonly project: string
  readonly datasets: Readonly<Record<Schema, string>>
}

const relations: ReadonlySet<string> = new Set(Object.keys(engineRelations))

/**
 * `cdp.` before the name of an engine relation or of something that is called, and `raw.` where a relation stands. Neither is touched
 * where it is a part of a longer path: an alias may be called `raw`, and so may a column.
 */
export const qualified = (tokens: readonly Token[], { project, datasets }: Datasets): Edit[] => {
  const edits: Edit[] = []
  const inTablePlace = tablePlaces(tokens)
  tokens.forEach((token, at) => {
    const path = pathAt(tokens, at)
    if (!path) return
    const { schema, name, end, next } = path
    const stands =
      schema === 'cdp' ? relations.has(name.toLowerCase()) || next?.text === '(' : inTablePlace.has(token.start)
    if (stands) edits.push({ start: token.start, end, text: [project, datasets[schema], name].map(quote).join('.') })
  })
  return edits
}

interface Path {
  readonly schema: 'raw' | 'cdp'
  readonly name: string
  readonly end: number
  readonly next: Token | undefined
}

// `raw.t` as three tokens, or as one in backticks.
const pathAt = (tokens: readonly Token[], at: number): Path | undefined => {
  const [token, dot, last] = tokens.slice(at, at + 3)
  if (!token || (token.kind !== 'other' && token.kind !== 'quoted') || tokens[at - 1]?.text === '.') return undefined
  const [schema = '', ...rest] = nameOf(token).split('.')
  if (schema !== 'raw' && schema !== 'cdp') return undefined
  const whole = token.kind === 'quoted' && rest.length === 1
  const parted = rest.length === 0 && dot?.text === '.' && last !== undefined && isName(last)
  if (!whole && !parted) return undefined
  const end = whole ? token : last
  const next = tokens[at + (whole ? 1 : 3)]
  if (!end || next?.text === '.') return undefined
  return { schema, name: whole ? (rest[0] ?? '') : nameOf(end), end: end.start + end.text.length, next }
}

const isName = (token: Token): boolean =>
  token.kind === 'quoted' || (token.kind === 'other' && /^[\p{L}\p{N}_]/u.test(token.text))

// After these stands a relation; FROM also stands in functions (`extract(day from t)`) and in `is distinct from`.
const before = /^(?:join|into|update|table|view|exists|using|merge|insert|delete|copy|clone)$/i
const ends = /^(?:select|where|on|set|values|group|order|having|qualify|window|limit|union|except|intersect|when)$/i

interface Level {
  selects: boolean
  lists: boolean
}

/** Where a relation may be named: the starts of tokens that follow such a word, or a comma in a FROM clause. */
const tablePlaces = (tokens: readonly Token[]): ReadonlySet<number> => {
  const found = new Set<number>()
  const levels: Level[] = [{ selects: true, lists: false }]
  tokens.forEach((token, at) => {
    const level = levels.at(-1) ?? { selects: true, lists: false }
    const next = tokens[at + 1]
    if (token.kind === 'mark') {
      if (token.text === '(') {
        // Relations joined in parentheses, `from (raw.a join raw.b on …)`, and not the arguments of a function.
        const lists = found.has(token.start)
        levels.push({ selects: false, lists })
        if (lists && next) found.add(next.start)
      } else if (token.text === ')') {
        if (levels.length > 1) levels.pop()
      } else if (token.text === ';') level.lists = false
      else if (level.lists && next) found.add(next.start)
    } else if (token.kind === 'other') {
      const word = token.text.toLowerCase()
      const isFrom = word === 'from' && level.selects && tokens[at - 1]?.text.toLowerCase() !== 'distinct'
      if (word === 'select') level.selects = true
      if (isFrom) level.lists = true
      else if (ends.test(word)) level.lists = false
      if ((isFrom || before.test(word)) && next) found.add(next.start)
    }
  })
  return found
}
