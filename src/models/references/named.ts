// References of a statement that no parser can tell apart, found by the names its header lists under `reads:`.
// Only words where a relation can stand count: after FROM or JOIN, after a comma in that list, after PIVOT and its like.
import { tokenize, unquoted, type Spelling, type Token } from '../tokens.ts'
import { folded, type Reference } from './reference.ts'

const opens = new Set([
  'from',
  'join',
  'pivot',
  'unpivot',
  'pivot_wider',
  'pivot_longer',
  'summarize',
  'describe',
  'table',
])
const closes = new Set(
  'select where on using group order having qualify window limit offset union intersect except values with'.split(' '),
)

/** Relations named by `reads` and every call. */
export const readByName = (sql: string, reads: readonly string[], spelling: Spelling): Reference[] => {
  const wanted = new Set(reads.map(folded))
  const tokens = tokenize(sql, spelling).filter((token) => token.kind !== 'comment')
  const out: Reference[] = []
  const around: boolean[] = []
  let inList = false
  let expected = false
  let skipTo = 0
  for (const [at, token] of tokens.entries()) {
    if (at < skipTo) continue
    const word = token.kind === 'word' ? token.text.toLowerCase() : ''
    if (token.text === '(') {
      around.push(inList)
    } else if (token.text === ')') {
      inList = around.pop() ?? false
      expected = false
    } else if (token.text === ',') {
      expected = inList
    } else if (opens.has(word)) {
      inList = expected = true
    } else if (closes.has(word)) {
      inList = expected = false
    } else if (isName(token)) {
      const name = nameFrom(tokens, at)
      const called = tokens[at + name.length]?.text === '('
      const place = { start: token.start, end: name.at(-1)?.end ?? token.end }
      const parts = partsOf(name.filter(isName))
      if (expected && !called && wanted.has(folded(parts.join('.')))) out.push({ kind: 'relation', parts, ...place })
      else if (called || (token.kind === 'word' && tokens[at - 1]?.text.toLowerCase() !== 'as'))
        out.push({ kind: 'call', parts, args: countArguments(tokens, at + name.length), ...place })
      if (word !== 'lateral' && word !== 'only') expected = false
      skipTo = at + name.length
    }
  }
  return out
}

// BigQuery takes a whole path in one pair of backticks.
const partsOf = (names: readonly Token[]): string[] =>
  names.length === 1 && names[0]?.text.startsWith('`') === true ? unquoted(names[0]).split('.') : names.map(unquoted)

const isName = (token: Token | undefined): boolean => token?.kind === 'word' || token?.kind === 'quoted'

const nameFrom = (tokens: readonly Token[], at: number): Token[] => {
  let end = at + 1
  while (tokens[end]?.text === '.' && isName(tokens[end + 1])) end += 2
  return tokens.slice(at, end)
}

// None without parentheses; otherwise whether there is anything in them is all that matters.
const countArguments = (tokens: readonly Token[], at: number): number | undefined =>
  tokens[at]?.text === '(' ? (tokens[at + 1]?.text === ')' ? 0 : 1) : undefined
