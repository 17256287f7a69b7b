// Texts, numbers, quotes and comments that the engines read differently.
import { tokenize } from '../tokens.ts'
import { at, type Finding, type Finder } from './finding.ts'
import type { Piece } from './pieces.ts'
import { literalRules as rules } from './special.ts'
import { typeRules } from './types.ts'

export const findComments = (sql: string): Finding[] =>
  tokenize(sql, { backslashes: false }).flatMap((token) =>
    token.kind === 'comment' && token.text.startsWith('/*') && token.text.lastIndexOf('/*') > 0
      ? [{ complaint: rules.nestedComment, start: token.start }]
      : [],
  )

export const findLiterals: Finder = (pieces) =>
  pieces.flatMap((piece, index) => {
    if (piece.kind === 'string') return inText(piece, pieces[index - 1])
    if (piece.kind === 'quoted') return [at(piece, piece.text.startsWith('"') ? rules.doubleQuotes : rules.backticks)]
    if (piece.kind === 'number') return inNumber(pieces, index)
    return piece.word === '#' ? [at(piece, rules.hashComment)] : []
  })

const inText = (piece: Piece, before: Piece | undefined): Finding[] => {
  const { text } = piece
  if (text.startsWith('$')) return [at(piece, rules.dollars)]
  if (/^e/i.test(text)) return [at(piece, rules.escapeString)]
  const prefix = before?.end === piece.start ? (before?.word ?? '') : ''
  if (before && /^(r|rb|br)$/.test(prefix)) return [at(before, rules.rawString)]
  if (before && prefix === 'b') return [at(before, rules.bytes)]
  return [
    ...(text.includes('\\') ? [at(piece, rules.backslash)] : []),
    ...(text.slice(1, -1).includes(`''`) ? [at(piece, rules.doubledQuote)] : []),
    ...(before ? typed(before, text) : []),
  ]
}

const typed = (type: Piece, text: string): Finding[] => {
  if (type.word === 'timestamp') return /:\S*[+-]\d|[A-Za-z]\/[A-Za-z]/.test(text) ? [at(type, rules.zonedLiteral)] : []
  if (type.word === 'timestamptz') return [at(type, rules.timestamptzLiteral)]
  const rule = ['datetime', 'numeric', 'decimal', 'bignumeric'].includes(type.word)
    ? typeRules.find(({ found }) => found === type.word)
    : undefined
  return rule ? [at(type, rule)] : []
}

const arithmetic = new Set(['+', '-', '*'])

const inNumber = (pieces: readonly Piece[], index: number): Finding[] => {
  const piece = pieces[index]
  if (piece === undefined) return []
  if (piece.text.includes('_')) return [at(piece, rules.underscore)]
  if (/^0x/i.test(piece.text)) return [at(piece, rules.hexadecimal)]
  // `.5` is two pieces.
  const bare = pieces[index - 1]
  const start = bare?.word === '.' && bare.end === piece.start ? index - 1 : index
  const first = pieces[start]
  if (first === undefined || (start === index && !/^\d+\.\d*$/.test(piece.text))) return []
  const before = pieces[start - 1]
  const signed = before?.word === '-' && !endsOperand(pieces[start - 2])
  const operator = signed ? pieces[start - 2] : before
  const found = arithmetic.has(operator?.word ?? '') || arithmetic.has(pieces[index + 1]?.word ?? '')
  return found ? [at(first, rules.decimalArithmetic)] : []
}

/** Whether an operand ends here, so that a minus after it takes away. */
export const endsOperand = (piece: Piece | undefined): boolean =>
  piece !== undefined &&
  (piece.kind === 'word'
    ? !/^(select|and|or|not|when|then|else|case|on|where|having|by|in|like|between|qualify|distinct|limit)$/.test(
        piece.word,
      )
    : piece.kind !== 'mark' || piece.word === ')' || piece.word === ']')
