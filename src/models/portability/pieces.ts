// A statement as pieces: tokens without comments, marks of several characters put together, brackets paired.
import { tokenize, type TokenKind } from '../tokens.ts'
import { longMarks } from './operators.ts'
import { reservedByBigQuery, reservedByDuckDb } from './words.ts'

export interface Piece {
  readonly kind: TokenKind
  readonly text: string
  /** Of a word or a mark, in lower case; empty of texts, numbers and names in quotes. */
  readonly word: string
  readonly start: number
  readonly end: number
  /** How many brackets are open around it; a bracket itself is outside. */
  readonly depth: number
}

const opening = new Set(['(', '[', '{'])
const closing = new Set([')', ']', '}'])

export const piecesOf = (sql: string): Piece[] => {
  const tokens = tokenize(sql, { backslashes: false }).filter((token) => token.kind !== 'comment')
  const pieces: Piece[] = []
  let depth = 0
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]
    if (token === undefined) break
    const { kind, start } = token
    let { text, end } = token
    const long = kind === 'mark' ? longMarks.find((mark) => sql.startsWith(mark, start)) : undefined
    if (long !== undefined) {
      text = long
      end = start + long.length
      while ((tokens[at + 1]?.start ?? end) < end) at++
    }
    if (kind === 'mark' && closing.has(text)) depth--
    const word = kind === 'word' || kind === 'mark' ? text.toLowerCase() : ''
    pieces.push({ kind, text, word, start, end, depth })
    if (kind === 'mark' && opening.has(text)) depth++
  }
  return pieces
}

/** Index of the bracket that closes the one at `open`; of a bracket never closed, the end. */
export const closeOf = (pieces: readonly Piece[], open: number): number => {
  const depth = pieces[open]?.depth ?? 0
  const found = pieces.findIndex((piece, at) => at > open && piece.depth === depth && closing.has(piece.text))
  return found < 0 ? pieces.length : found
}

/** Index of the bracket that opens around the piece at `at`; -1 outside of all. */
export const openAround = (pieces: readonly Piece[], at: number): number => {
  const depth = (pieces[at]?.depth ?? 0) - 1
  return pieces.findLastIndex((piece, index) => index < at && piece.depth === depth && opening.has(piece.text))
}

/** The pieces between two indexes, cut at the commas of their own depth. */
export const listBetween = (pieces: readonly Piece[], from: number, to: number): (readonly Piece[])[] => {
  const inner = pieces.slice(from, to)
  if (inner.length === 0) return []
  const depth = inner[0]?.depth ?? 0
  const items: Piece[][] = [[]]
  for (const piece of inner) {
    if (piece.word === ',' && piece.depth === depth) items.push([])
    else items.at(-1)?.push(piece)
  }
  return items
}

/** A word that is no name: it comes before an expression, or ends one. */
export const isReserved = (word: string): boolean => reservedByBigQuery.has(word) || reservedByDuckDb.has(word)

export const isName = (piece: Piece | undefined): boolean =>
  piece?.kind === 'quoted' || (piece?.kind === 'word' && !isReserved(piece.word))
