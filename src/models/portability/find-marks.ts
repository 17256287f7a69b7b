// Operators, marks and clauses that are found by their tokens alone.
import { clauseRules } from './clauses.ts'
import { at, unknown, type Finder } from './finding.ts'
import { markRules, sameMarks } from './operators.ts'
import type { Piece } from './pieces.ts'

const marks = new Map(markRules.map((rule) => [rule.found, rule]))

// A closing brace belongs to its opening one, a hash is a comment.
const handled = new Set(['}', '#', ';'])

export const findMarks: Finder = (pieces) =>
  pieces.flatMap((piece) => {
    if (piece.kind !== 'mark' || sameMarks.has(piece.word) || handled.has(piece.word)) return []
    return [at(piece, marks.get(piece.word) ?? unknown(piece.text))]
  })

const patterns = clauseRules.flatMap((rule) => rule.patterns.map((pattern) => ({ rule, words: pattern.split(' ') })))

export const findClauses: Finder = (pieces) =>
  pieces.flatMap((_, index) =>
    patterns.flatMap(({ rule, words }) => {
      if (!words.every((word, offset) => fits(word, pieces[index + offset])) || isAfterDot(pieces, index)) return []
      const named = pieces.slice(index, index + words.length).find((piece) => piece.kind === 'word')
      return named ? [at(named, rule)] : []
    }),
  )

const fits = (word: string, piece: Piece | undefined): boolean =>
  piece !== undefined && (word === '?' || (word === '*' ? piece.text === '*' : piece.word === word))

const isAfterDot = (pieces: readonly Piece[], index: number): boolean =>
  pieces[index]?.kind === 'word' && pieces[index - 1]?.word === '.'
