// Shapes of a query that need more than a sequence of words to be seen.
import { portableFunctions } from '../../warehouse/functions/index.ts'
import { at, type Finder, type Finding } from './finding.ts'
import { endsOperand } from './find-literals.ts'
import { closeOf, isName, isReserved, listBetween, openAround, type Piece } from './pieces.ts'
import { shapeRules as rules } from './special.ts'

export const findShapes: Finder = (pieces) =>
  pieces.flatMap((piece, index) => {
    const next = pieces[index + 1]
    if (piece.word === '[') return isSubscript(pieces, index) ? [at(piece, rules.subscript)] : []
    if (piece.word === ',') return next && isEnd.has(next.word) ? [at(piece, rules.trailingComma)] : []
    if (piece.word === '-')
      return isDate(pieces, index + 1) && endsOperand(pieces[index - 1]) ? [at(piece, rules.dates)] : []
    if (piece.kind !== 'word' || pieces[index - 1]?.word === '.') return []
    if (piece.word === 'union' || piece.word === 'intersect' || piece.word === 'except') {
      const plain = next?.word === 'distinct' || (piece.word === 'union' && next?.word === 'all')
      return plain || pieces[index - 1]?.word === '*' ? [] : [at(piece, rules.setOperation)]
    }
    if (piece.word === 'from') return index === 0 || pieces[index - 1]?.word === '(' ? [at(piece, rules.fromFirst)] : []
    if (piece.word === 'in') return isTupleIn(pieces, index) ? [at(piece, rules.tupleIn)] : []
    return piece.word === 'group' && next?.word === 'by' ? hiddenColumns(pieces, index) : []
  })

const isEnd = new Set(') ] } where group having order limit qualify union'.split(' '))

const isSubscript = (pieces: readonly Piece[], index: number): boolean => {
  const before = pieces[index - 1]
  if (before === undefined || before.word === 'array') return false
  return isName(before) || before.kind === 'string' || before.word === ')' || before.word === ']'
}

const dates = new Set(portableFunctions.filter(({ returns }) => returns === 'date').map(({ name }) => name))

// `date '…'`, `current_date`, `cast(… as date)` and functions of dates.
const isDate = (pieces: readonly Piece[], index: number): boolean => {
  const [first, second, third] = pieces.slice(index, index + 3)
  if (first?.word === 'date') return second?.kind === 'string' || second?.word === '('
  if (first?.word === 'cast') return pieces[closeOf(pieces, index + 1) - 1]?.word === 'date'
  if (first?.word === 'cdp' && second?.word === '.') return dates.has(third?.word ?? '')
  return first?.word === 'current_date' || first?.word === 'today'
}

const isTupleIn = (pieces: readonly Piece[], index: number): boolean => {
  const close = pieces[index - 1]?.word === 'not' ? index - 2 : index - 1
  const open =
    pieces[close]?.word === ')'
      ? pieces.findLastIndex((p, i) => i < close && p.depth === pieces[close]?.depth && p.word === '(')
      : -1
  if (open < 0 || isName(pieces[open - 1]) || pieces[index + 2]?.word !== 'select') return false
  return listBetween(pieces, open + 1, close).length > 1 && selected(pieces, index + 2).length > 1
}

/** The items of the SELECT at an index. */
const selected = (pieces: readonly Piece[], index: number): (readonly Piece[])[] => {
  const depth = pieces[index]?.depth
  const first = pieces[index + 1]?.word === 'distinct' || pieces[index + 1]?.word === 'all' ? index + 2 : index + 1
  return listBetween(pieces, first, endOfList(pieces, first, depth ?? 0))
}
/** Where a list ends that starts at `from`, at a depth: at the next clause, or where its query ends. */
const endOfList = (pieces: readonly Piece[], from: number, depth: number): number => {
  const found = pieces.findIndex(
    (piece, place) =>
      place >= from &&
      (piece.depth < depth || (piece.depth === depth && listEnds.has(piece.word) && !isDistinctFrom(pieces, place))),
  )
  return found < 0 ? pieces.length : found
}
const isDistinctFrom = (pieces: readonly Piece[], index: number): boolean =>
  pieces[index]?.word === 'from' && pieces[index - 1]?.word === 'distinct'
const listEnds = new Set('from where group having order limit qualify union intersect except window'.split(' '))

// `select lower(a) as a … group by a`: seen when the alias has a part of that name in its expression.
const hiddenColumns = (pieces: readonly Piece[], index: number): Finding[] => {
  const depth = pieces[index]?.depth
  const open = openAround(pieces, index)
  const select = pieces.findLastIndex(
    (piece, place) => place > open && place < index && piece.word === 'select' && piece.depth === depth,
  )
  if (select < 0) return []
  const hiding = new Set(selected(pieces, select).flatMap((item) => hidingAlias(item) ?? []))
  return listBetween(pieces, index + 2, endOfList(pieces, index + 2, depth ?? 0)).flatMap((key) => {
    const [only, ...more] = key
    return only && more.length === 0 && hiding.has(only.word) ? [at(only, rules.hiddenColumn)] : []
  })
}

const hidingAlias = (item: readonly Piece[]): string | undefined => {
  const alias = item.at(-1)
  const as = item.at(-2)
  const expression = item.slice(0, -2)
  if (alias?.kind !== 'word' || as?.word !== 'as' || isPath(expression)) return undefined
  return expression.some((piece, place) => piece.word === alias.word && expression[place + 1]?.word !== '(')
    ? alias.word
    : undefined
}

const isPath = (pieces: readonly Piece[]): boolean =>
  pieces.every((piece, place) => (place % 2 === 0 ? isName(piece) || piece.kind === 'word' : piece.word === '.'))

/** Columns of a model's own SELECT that have no name. */
export const findUnnamed: Finder = (pieces) => {
  const select = pieces.findIndex((piece) => piece.word === 'select' && piece.depth === 0)
  if (select < 0) return []
  return selected(pieces, select).flatMap((item) => {
    const [first] = item
    return first === undefined || isNamed(item) ? [] : [at(first, rules.unnamedColumn)]
  })
}

const isNamed = (item: readonly Piece[]): boolean => {
  const depth = item[0]?.depth
  if (
    item.some(
      (piece) => (piece.word === 'as' || piece.text === '*') && piece.depth === depth && isNameOrStar(item, piece),
    )
  )
    return true
  if (isPath(item)) return true
  const [before, last] = item.slice(-2)
  if (last === undefined || !isName(last) || before === undefined) return false
  return before.kind === 'mark'
    ? before.word === ')' || before.word === ']'
    : before.word === 'end' || !isReserved(before.word)
}

// `select *`, `t.*`, `* replace (…)`; not `a * b`.
const isNameOrStar = (item: readonly Piece[], piece: Piece): boolean => {
  if (piece.word === 'as') return true
  const place = item.indexOf(piece)
  return place === 0 || item[place - 1]?.word === '.'
}
