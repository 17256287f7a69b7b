// Which column each parameter of an INSERT … VALUES goes into.
import { nameOf, type Token } from './lexer.ts'
import type { ColumnTypes } from './parameters.ts'

const isWord = (token: Token | undefined, word: string): boolean =>
  token?.kind === 'other' && token.text.toLowerCase() === word

/** Parts of a dotted name that starts at a token, and the first token after it. */
export const pathAt = (tokens: readonly Token[], from: number): { path: string[]; next: number } => {
  const path: string[] = []
  let next = from
  for (let token = tokens[next]; token; token = tokens[next]) {
    path.push(nameOf(token))
    next += 1
    if (tokens[next]?.text !== '.') break
    next += 1
  }
  return { path: path.flatMap((part) => part.split('.')), next }
}

/** Where each parameter stands in the text, with the type of the column whose whole value it is; nothing for other statements. */
export const insertedTypes = async (
  tokens: readonly Token[],
  columnsOf: (path: readonly string[]) => Promise<ColumnTypes | undefined>,
): Promise<ReadonlyMap<number, string>> => {
  const found = new Map<number, string>()
  if (!isWord(tokens[0], 'insert')) return found
  const { path, next } = pathAt(tokens, isWord(tokens[1], 'into') ? 2 : 1)
  const listed = tokens[next]?.text === '('
  const close = listed ? tokens.findIndex((token, at) => at > next && token.text === ')') : next - 1
  if (!isWord(tokens[close + 1], 'values')) return found
  const types = await columnsOf(path)
  if (!types) return found
  const names = listed
    ? tokens
        .slice(next + 1, close)
        .filter((token) => token.text !== ',')
        .map((token) => nameOf(token).toLowerCase())
    : [...types.keys()]
  let depth = 0
  let column = 0
  tokens.forEach((token, at) => {
    if (at <= close + 1) return
    if (token.text === '(' && token.kind === 'mark') {
      if (depth === 0) column = 0
      depth += 1
    } else if (token.text === ')' && token.kind === 'mark') depth -= 1
    else if (token.text === ',' && token.kind === 'mark' && depth === 1) column += 1
    const alone = /^[(,]$/.test(tokens[at - 1]?.text ?? '') && /^[),]$/.test(tokens[at + 1]?.text ?? '')
    const type = types.get(names[column] ?? '')
    if (token.kind === 'parameter' && depth === 1 && alone && type !== undefined) found.set(token.start, type)
  })
  return found
}
