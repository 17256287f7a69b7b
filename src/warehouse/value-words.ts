// How an engine spells values of each of its types for the world outside: as JSON, as the text of a key, as a fast hash. The type of every
// column is known before a statement is written, so that each gets one expression and nothing is dispatched row by row.
// `type` is always the engine's own, as `describe` gives it.

export interface ValueWords {
  /**
   * The value as JSON text; null stays null. The same bytes on every engine, and the same for equal values: 1, 1.0 and 1.00 are `1`; a
   * number of more than 15 significant digits that is no double goes as a string; an instant is `2026-10-01T08:00:00Z` with as many
   * fraction digits as it has; bytes are base64; strings are in NFC and only control characters, quotes and backslashes are escaped.
   * Only a JSON column keeps what spelling its engine gives it.
   */
  json(sql: string, type: string): string
  /** What the value is compared by, where that is not its JSON. */
  compared(sql: string, type: string): string | undefined
  /** A key's text, by which keys are told apart: 7 and '7' are one key. */
  key(sql: string, type: string): string
  /** Whether a key's value is null or blank. */
  isNoKey(sql: string, type: string): string
  /** When a value cannot be written as JSON; undefined for types where it always can. */
  isUnsendable(sql: string, type: string): string | undefined
  /** The engine's fast hash of several values, in 64 bits. Good to find what may differ; not the same on other engines or versions. */
  fastHash(values: readonly TypedSql[]): string
  /** A text: another one than before means that fast hashes must be made anew. */
  readonly hashingProbe: string
}

export interface TypedSql {
  readonly sql: string
  readonly type: string
}

/** What stands between commas that are in no quotes and no brackets. */
export const splitTop = (text: string): string[] => {
  const parts: string[] = []
  let [depth, start, quote] = [0, 0, '']
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] ?? ''
    if (quote !== '') {
      if (letter === '\\' && quote === '`') at += 1
      else if (letter === quote) quote = ''
    } else if (letter === '"' || letter === '`' || letter === "'") quote = letter
    else if (/[(<[]/.test(letter)) depth += 1
    else if (/[)>\]]/.test(letter)) depth -= 1
    else if (letter === ',' && depth === 0) {
      parts.push(text.slice(start, at).trim())
      start = at + 1
    }
  }
  const last = text.slice(start).trim()
  return last === '' ? parts : [...parts, last]
}
