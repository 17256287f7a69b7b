// A lexer of SQL, for what an AST does not say: where a call's parentheses end, whether a text ends in a comment or a semicolon,
// and the names in a statement that no parser understands.

export type TokenKind = 'word' | 'quoted' | 'string' | 'number' | 'comment' | 'mark'

export interface Token {
  readonly kind: TokenKind
  /** As written. */
  readonly text: string
  readonly start: number
  readonly end: number
}

/** What is spelled differently: BigQuery knows backslash escapes, triple quotes, `#` comments and "text in double quotes". */
export interface Spelling {
  readonly backslashes: boolean
}

const plain = [
  String.raw`(?<comment>--[^\n]*)`,
  String.raw`(?<string>[eE]'(?:[^'\\]|''|\\[\s\S])*'?|'(?:[^']|'')*'?|\$(?<tag>\w*)\$[\s\S]*?(?:\$\k<tag>\$|$))`,
  String.raw`(?<quoted>"(?:[^"]|"")*"?|${'`'}(?:[^${'`'}]|${'`'}${'`'})*${'`'}?)`,
]
const escaped = [
  String.raw`(?<comment>--[^\n]*|#[^\n]*)`,
  String.raw`(?<string>(?:[rRbB]{1,2})?(?:'''[\s\S]*?(?:'''|$)|"""[\s\S]*?(?:"""|$)|'(?:[^'\\]|\\[\s\S])*'?|"(?:[^"\\]|\\[\s\S])*"?))`,
  String.raw`(?<quoted>${'`'}(?:[^${'`'}\\]|\\[\s\S])*${'`'}?)`,
]
const rest = [
  String.raw`(?<number>\d[\w.]*(?:[eE][+-]?\d+)?)`,
  String.raw`(?<word>[\p{L}_][\p{L}\p{M}\p{N}_$]*)`,
  String.raw`(?<mark>[^\s])`,
]
const patterns = { plain: [...plain, ...rest].join('|'), escaped: [...escaped, ...rest].join('|') }

/** White space is left out. Never fails: what is not closed reaches to the end. */
export const tokenize = (sql: string, spelling: Spelling): Token[] => {
  const pattern = new RegExp(spelling.backslashes ? patterns.escaped : patterns.plain, 'gu')
  const tokens: Token[] = []
  let at = 0
  while (at < sql.length) {
    if (sql.startsWith('/*', at)) {
      const end = blockEnd(sql, at, !spelling.backslashes)
      tokens.push({ kind: 'comment', text: sql.slice(at, end), start: at, end })
      at = end
      continue
    }
    if (/\s/.test(sql[at] ?? '')) {
      at++
      continue
    }
    pattern.lastIndex = at
    const match = pattern.exec(sql)
    if (match === null) break
    const groups = match.groups ?? {}
    const kind = (['comment', 'string', 'quoted', 'number', 'word'] as const).find((k) => groups[k] !== undefined)
    const end = match.index + match[0].length
    tokens.push({ kind: kind ?? 'mark', text: match[0], start: match.index, end })
    at = end
  }
  return tokens
}

const blockEnd = (sql: string, start: number, nested: boolean): number => {
  let depth = 1
  let at = start + 2
  while (at < sql.length && depth > 0) {
    if (sql.startsWith('*/', at)) {
      depth--
      at += 2
    } else if (nested && sql.startsWith('/*', at)) {
      depth++
      at += 2
    } else at++
  }
  return at
}

/** The name a word or a quoted identifier means. */
export const unquoted = (token: Token): string => {
  if (token.kind !== 'quoted') return token.text
  const quote = token.text[0] ?? ''
  const inner = token.text.slice(1, token.text.length > 1 && token.text.endsWith(quote) ? -1 : undefined)
  return inner.replaceAll(quote + quote, quote)
}
