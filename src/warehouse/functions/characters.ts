// Character classes for RE2, which both engines use. They are spelled out because `trim()` and `\s` mean different
// characters on each engine, and neither knows the no-break space, the zero-width space or the byte order mark that
// spreadsheets and web forms leave behind.

/** Inside [ ]: everything that shows as nothing, that is white space, separators, control and format characters. */
export const BLANK = String.raw`\s\p{Z}\p{Cc}\p{Cf}`

/**
 * Inside [ ]: format characters that carry no meaning in a word (soft hyphen, zero-width space, direction marks, word
 * joiner, byte order mark). The zero-width joiner and non-joiner are not among them: emoji and Persian need them.
 */
export const INVISIBLE = String.raw`\x{AD}\x{200B}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{FEFF}`

/** A pattern of its own: blanks that are not already one plain space. */
export const BLANK_RUN = String.raw`[\s\p{Z}\p{Cc}]{2,}|[\p{Cc}\p{Zl}\p{Zp}\x{A0}\x{1680}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}]`

/** Inside [ ]: ASCII, Latin letters with and without marks, combining marks U+0300 to U+036F, punctuation; no blank. */
export const LATIN_WORD = String.raw`\x{21}-\x{7E}\x{A1}-\x{AC}\x{AE}-\x{24F}\x{300}-\x{36F}\x{1E00}-\x{1EFF}\x{2010}-\x{2027}`
