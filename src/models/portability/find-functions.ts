// Calls, casts and EXTRACT: an allow-list of functions and types, everything else is named.
import { clocks } from '../resolve.ts'
import { aggregateFunctions } from './functions-aggregates.ts'
import { dateFunctions } from './functions-dates.ts'
import { nestedFunctions } from './functions-nested.ts'
import { textFunctions } from './functions-text.ts'
import { at, unknown, type Complaint, type Finder } from './finding.ts'
import { closeOf, isName, isReserved, listBetween, openAround, type Piece } from './pieces.ts'
import type { Rule } from './rule.ts'
import { sameFunctions } from './same-functions.ts'
import { partRules, sameParts, shapeRules } from './special.ts'
import { sameOfNull, sameTypes, typeRules, wholeNumbers } from './types.ts'

export const functionRules: readonly Rule[] = [
  ...textFunctions,
  ...aggregateFunctions,
  ...dateFunctions,
  ...nestedFunctions,
]

const rules = new Map(functionRules.map((rule) => [/^\w+/.exec(rule.found)?.[0] ?? '', rule]))
const types = new Map(typeRules.map((rule) => [rule.found, rule]))
const parts = new Map(partRules.map((rule) => [rule.found, rule]))

const casts = new Set(['cast', 'try_cast', 'safe_cast'])
// Reserved words that are functions too; `unnest` is a clause of its own.
const callable = new Set('array contains grouping hash if left range right row struct try_cast'.split(' '))
// Words before a bracket that call nothing.
const clauses = new Set(
  'over filter replace values exclude rename sets offset limit materialized within percent'.split(' '),
)

export const findFunctions: Finder = (pieces) =>
  pieces.flatMap((piece, index) => {
    if (piece.kind !== 'word' || pieces[index + 1]?.word !== '(') return []
    const args = listBetween(pieces, index + 2, closeOf(pieces, index + 1))
    if (piece.word === 'cast') return aboutCast(args).map((complaint) => at(piece, complaint))
    if (piece.word === 'extract') return aboutPart(args[0]?.[0]).map((complaint) => at(piece, complaint))
    const before = pieces[index - 1]
    if (before?.word === '.') return aboutPath(pieces, index)
    if (before?.word === '::' || (before?.word === 'as' && isInCast(pieces, index))) return []
    if (isReserved(piece.word) ? !callable.has(piece.word) : clauses.has(piece.word)) {
      // `replace` is a function as well, but after a star.
      if (piece.word !== 'replace' || before?.text === '*') return []
    }
    if (namesColumns(pieces, index)) return [at(piece, shapeRules.aliasColumns)]
    return aboutCall(piece.word, args).map((complaint) => at(piece, complaint))
  })

// `cdp.f(…)` is portable; another path is a function of one engine.
const aboutPath = (pieces: readonly Piece[], index: number): ReturnType<Finder> => {
  const [root, name] = [pieces[index - 2], pieces[index]]
  if (root === undefined || name === undefined || ['cdp', 'safe'].includes(root.word)) return []
  return [at(root, unknown(`${root.text}.${name.text}(…)`))]
}

const isInCast = (pieces: readonly Piece[], index: number): boolean =>
  casts.has(pieces[openAround(pieces, index) - 1]?.word ?? '')

// `as t(a, b)`, `) t(a)`, `people t(a)`, `with t(a) as (…)`.
const namesColumns = (pieces: readonly Piece[], index: number): boolean => {
  const before = pieces[index - 1]
  const close = closeOf(pieces, index + 1)
  if (before?.word === 'as' || before?.word === ')' || isName(before)) return true
  return pieces[close + 1]?.word === 'as' && pieces[close + 2]?.word === '('
}

const isLiteral = (arg: readonly Piece[] | undefined, pattern: RegExp): boolean =>
  arg !== undefined && pattern.test(arg.map(({ text }) => text).join(''))

// Calls of common functions that are not common: by how many arguments, or by a literal.
const special: Readonly<Record<string, (args: readonly (readonly Piece[])[]) => boolean>> = {
  trim: (args) => args.length === 1,
  ltrim: (args) => args.length === 1,
  rtrim: (args) => args.length === 1,
  split: (args) => args.length === 1,
  lpad: (args) => args.length === 2,
  rpad: (args) => args.length === 2,
  date: (args) => args.length !== 1,
  last_day: (args) => args.length !== 1,
  substr: (args) => isLiteral(args[1], /^(-\d+|0)$/),
  substring: (args) => isLiteral(args[1], /^(-\d+|0)$/) || args.length === 1,
  left: (args) => isLiteral(args[1], /^-\d+$/),
  right: (args) => isLiteral(args[1], /^-\d+$/),
}
const aliases: Readonly<Record<string, string>> = { substring: 'substr', right: 'left' }

const aboutCall = (name: string, args: readonly (readonly Piece[])[]): Complaint[] => {
  const isSame = Object.hasOwn(sameFunctions, name)
  if (Object.hasOwn(clocks, name) && args.length === 0) return []
  if (isSame && special[name]?.(args) !== true) return []
  return [rules.get(aliases[name] ?? name) ?? unknown(`${name}(…)`)]
}

const aboutPart = (part: Piece | undefined): Complaint[] => {
  const name = part?.text.toLowerCase() ?? ''
  if (sameParts.includes(name)) return []
  return [parts.get(`extract(${name} …)`) ?? unknown(`extract(${name} …)`)]
}

const aboutCast = (args: readonly (readonly Piece[])[]): Complaint[] => {
  const pieces = args.flat()
  const depth = pieces[0]?.depth
  const as = pieces.findLastIndex((piece) => piece.word === 'as' && piece.depth === depth)
  const type = pieces.slice(as + 1)
  const name = type[0]?.word ?? ''
  const isNull = as === 1 && pieces[0]?.word === 'null'
  const text = type.map((piece) => piece.word || piece.text).join(' ')
  if (as < 0 || (isNull && Object.hasOwn(sameOfNull, text))) return []
  if (text.includes('[')) return [types.get('…[]') ?? unknown(text)]
  if (text.includes('<')) return [types.get('array<…>') ?? unknown(text)]
  if (text === 'timestamp with time zone') return [types.get('timestamptz') ?? unknown(text)]
  if (Object.hasOwn(sameTypes, text)) return []
  if ((name === 'decimal' || name === 'numeric') && type.length > 1)
    return [types.get('decimal(p, s)') ?? unknown(text)]
  const whole = wholeNumbers.has(name) ? types.get('int64') : undefined
  if (whole) return [{ ...whole, found: name }]
  return [types.get(name) ?? unknown(text, 'string, date, bool, or a cdp.safe_… function')]
}
