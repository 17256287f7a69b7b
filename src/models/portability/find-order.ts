// Where the order of rows decides what comes out: nulls, limits, lists, row numbers.
import { at, type Finder, type Finding } from './finding.ts'
import { closeOf, isReserved, listBetween, openAround, type Piece } from './pieces.ts'
import { orderRules as rules } from './special.ts'

const ends = new Set(
  'limit offset rows range groups fetch union intersect except window qualify for select from where'.split(' '),
)
const ranked = new Set(
  'row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value'.split(' '),
)

const inAggregates = [
  ['ignore', rules.nullsIgnored],
  ['respect', rules.nullsIgnored],
  ['limit', rules.limitInAggregate],
] as const

export const findOrder: Finder = (pieces) =>
  pieces.flatMap((piece, index) => {
    if (piece.kind !== 'word' || pieces[index - 1]?.word === '.') return []
    if (piece.word === 'order' && pieces[index + 1]?.word === 'by') return inKeys(pieces, index)
    if (piece.word === 'limit') return inLimit(pieces, index)
    if (piece.word === 'offset') return inOffset(pieces, index)
    if (pieces[index + 1]?.word !== '(') return []
    const close = closeOf(pieces, index + 1)
    if (piece.word === 'string_agg' || piece.word === 'array_agg') {
      for (const [word, rule] of inAggregates) if (has(pieces, index + 2, close, word)) return [at(piece, rule)]
      return has(pieces, index + 2, close, 'order') ? [] : [at(piece, rules.aggregate)]
    }
    const over = pieces[close + 1]?.word === 'over' && pieces[close + 2]?.word === '(' ? close + 2 : undefined
    if (!ranked.has(piece.word) || over === undefined || has(pieces, over + 1, closeOf(pieces, over), 'order'))
      return []
    return [at(piece, rules.window)]
  })

/** Whether a word stands between two indexes, at the depth of the first piece there. */
const has = (pieces: readonly Piece[], from: number, to: number, word: string): boolean => {
  const depth = pieces[from]?.depth
  return pieces.slice(from, to).some((piece) => piece.word === word && piece.depth === depth)
}

/** The pieces of the same query around an index: between its brackets, or the whole text. */
const around = (pieces: readonly Piece[], index: number): readonly [from: number, to: number] => {
  const open = openAround(pieces, index)
  return [open + 1, open < 0 ? pieces.length : closeOf(pieces, open)]
}

const inKeys = (pieces: readonly Piece[], index: number): Finding[] => {
  const depth = pieces[index]?.depth
  const [from, to] = around(pieces, index)
  const end = pieces.findIndex((piece, place) => place > index + 1 && piece.depth === depth && ends.has(piece.word))
  const stop = end < 0 || end > to ? to : end
  const caller = pieces[from - 2]
  const isQuery = has(pieces, from, to, 'select')
  const isWindow = caller?.word === 'over' || (caller?.word === 'as' && !isQuery)
  const isAggregate = caller?.kind === 'word' && !isReserved(caller.word) && !isQuery
  const decides = isWindow || isAggregate || caller?.word === 'array' || has(pieces, index, to, 'limit')
  if (!decides) return []
  return listBetween(pieces, index + 2, stop).flatMap((key) => {
    const [first] = key
    if (first === undefined) return []
    const places = key.some((piece) => piece.word === 'nulls' && piece.depth === depth)
    if (places) return isAggregate || isFramed(pieces, from, to) ? [at(first, rules.nullsInAggregate)] : []
    return key.at(-1)?.word === 'desc' || isNeverNull(key) ? [] : [at(first, rules.nulls)]
  })
}

// `sum(x) over (order by …)`: its frame is a range of values, which has no place for nulls.
const isFramed = (pieces: readonly Piece[], from: number, to: number): boolean => {
  if (pieces[from - 2]?.word !== 'over' || has(pieces, from, to, 'rows')) return false
  const close = pieces[from - 3]
  const open = pieces.findLastIndex(
    (piece, place) => place < from - 3 && piece.depth === close?.depth && piece.word === '(',
  )
  return !ranked.has(pieces[open - 1]?.word ?? '')
}

// `x is null`, `count(…)`, `coalesce(x, 'none')`.
const isNeverNull = (key: readonly Piece[]): boolean => {
  const depth = key[0]?.depth
  if (key.some((piece) => piece.word === 'is' && piece.depth === depth)) return true
  const last = key.at(-1)?.word === 'asc' ? key.at(-2) : key.at(-1)
  const end = last === undefined ? -1 : key.indexOf(last)
  if (last?.word !== ')' || key.findIndex((piece) => piece.word === ')' && piece.depth === depth) !== end) return false
  if (key[0]?.word === 'count' || key[0]?.word === 'countif') return true
  const fallback = key[0]?.word === 'coalesce' ? key[end - 1] : undefined
  return (fallback?.kind === 'string' || fallback?.kind === 'number') && key[end - 2]?.word === ','
}

const inLimit = (pieces: readonly Piece[], index: number): Finding[] => {
  const piece = pieces[index]
  const [from, to] = around(pieces, index)
  const inExists = pieces[from - 2]?.word === 'exists'
  if (piece === undefined || inExists || pieces[index + 1]?.text === '0' || !has(pieces, from, to, 'select')) return []
  const start = pieces.findLastIndex(
    (other, place) => place < index && place >= from && other.word === 'order' && other.depth === piece.depth,
  )
  return start < 0 ? [at(piece, rules.limit)] : []
}

const inOffset = (pieces: readonly Piece[], index: number): Finding[] => {
  const piece = pieces[index]
  const [from, to] = around(pieces, index)
  if (piece === undefined || pieces[index - 1]?.word === 'with' || pieces[index + 1]?.word === '(') return []
  return has(pieces, from, to, 'limit') ? [] : [at(piece, rules.offset)]
}
