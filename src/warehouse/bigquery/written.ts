// Which relation a statement writes, as far as it says so at its start.
import { pathAt } from './insert.ts'
import type { Token } from './lexer.ts'

const before = new Set(
  'insert into update delete from merge truncate create or replace temp temporary table view alter drop if not exists'.split(
    ' ',
  ),
)

/** The parts of its name, in the words of the statement; nothing for a query and what else writes no relation. */
export const writtenPath = (tokens: readonly Token[]): readonly string[] => {
  if (!/^(?:insert|update|delete|merge|truncate|create|alter|drop)$/i.test(tokens[0]?.text ?? '')) return []
  const start = tokens.findIndex((token) => token.kind !== 'other' || !before.has(token.text.toLowerCase()))
  return start < 0 ? [] : pathAt(tokens, start).path
}
