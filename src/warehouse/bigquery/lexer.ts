// The words of a GoogleSQL text, as far as the adapter must know them: what is inside quotes and comments is nobody's parameter.

export interface Token {
  /** `$3` · `;` `(` `)` `,` · text in quotes · a name in backticks · anything else that is no blank and no comment. */
  readonly kind: 'parameter' | 'mark' | 'string' | 'quoted' | 'other'
  readonly text: string
  readonly start: number
}

// Raw strings too: a backslash keeps the quote after it from ending one. Three quotes go before one.
const strings = [`"""`, `'''`].map((q) => String.raw`${q}(?:\\[^]|(?!${q})[^\\])*(?:${q}|$)`)
const pattern = new RegExp(
  [
    String.raw`(?<comment>#[^\n]*|--[^\n]*|/\*[^]*?(?:\*/|$))`,
    String.raw`(?<string>${strings.join('|')}|"(?:\\[^]|[^"\\])*(?:"|$)|'(?:\\[^]|[^'\\])*(?:'|$))`,
    '(?<quoted>`(?:\\\\[^]|[^`\\\\])*(?:`|$))',
    String.raw`(?<parameter>\$\d+)`,
    '(?<mark>[;(),])',
    String.raw`(?<other>[\p{L}\p{N}_]+|[^\s])`,
  ].join('|'),
  'gu',
)

const kinds = ['parameter', 'mark', 'string', 'quoted', 'other'] as const

export const tokensOf = (sql: string): Token[] => {
  const found: Token[] = []
  for (const match of sql.matchAll(pattern)) {
    const kind = kinds.find((name) => match.groups?.[name] !== undefined)
    if (kind) found.push({ kind, text: match[0], start: match.index })
  }
  return found
}

/** What a word or a name in backticks says. */
export const nameOf = (token: Token): string =>
  token.kind === 'quoted' ? token.text.slice(1, -1).replaceAll(/\\(.)/g, '$1') : token.text

/** Whether a text holds more than one statement, or a block of them. */
export const isScript = (tokens: readonly Token[]): boolean =>
  tokens.some((token, at) => token.text === ';' && token.kind === 'mark' && at < tokens.length - 1) ||
  /^(?:begin|declare|set|if|loop|while|for|repeat|case|call|execute)$/i.test(tokens[0]?.text ?? '')

const transactional = /^(?:select|with|from|insert|update|delete|merge|truncate)$/i

/** The tokens of each statement of a text. */
export const statementsOf = (tokens: readonly Token[]): readonly (readonly Token[])[] => {
  const found: Token[][] = [[]]
  for (const token of tokens) {
    if (token.kind === 'mark' && token.text === ';') found.push([])
    else found.at(-1)?.push(token)
  }
  return found.filter((statement) => statement.length > 0)
}

/** Whether every statement of a text may be part of a transaction: queries and changes of rows. */
export const isTransactional = (tokens: readonly Token[]): boolean =>
  statementsOf(tokens).every((statement) =>
    transactional.test(statement.find((token) => token.text !== '(')?.text ?? ''),
  )

/** Whether a text can only read: one statement that starts as a query does. */
export const isQuery = (tokens: readonly Token[]): boolean => {
  const first = tokens.find((token) => token.text !== '(')?.text ?? ''
  return /^(?:select|with|from)$/i.test(first) && !isScript(tokens)
}
