// The lexer and the arithmetic of places, where characters are not units and texts are not closed.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { excerpt, indexAt, indexOfByte, positionAt } from '../../src/models/text-position.ts'
import { tokenize, unquoted } from '../../src/models/tokens.ts'

const plain = { backslashes: false }
const escaped = { backslashes: true }
const kinds = (sql: string, spelling = plain): string[] =>
  tokenize(sql, spelling).map((token) => `${token.kind} ${token.text}`)

describe('tokens', () => {
  it('tell words, names, texts, numbers, comments and marks', () => {
    expect(kinds(`select tên, "a""b" -- x\n, 'it''s' /* a /* b */ c */ + 1.5e3`)).toEqual([
      'word select',
      'word tên',
      'mark ,',
      'quoted "a""b"',
      'comment -- x',
      'mark ,',
      "string 'it''s'",
      'comment /* a /* b */ c */',
      'mark +',
      'number 1.5e3',
    ])
    expect(kinds("e'a\\'b' || $tag$ ' $$ $tag$ || $$x$$")).toEqual([
      "string e'a\\'b'",
      'mark |',
      'mark |',
      "string $tag$ ' $$ $tag$",
      'mark |',
      'mark |',
      'string $$x$$',
    ])
  })

  it('follow BigQuery where a backslash escapes and double quotes hold a text', () => {
    expect(kinds(`"a\\"b" # c\n 'd\\'e' """f"g""" \`h.i\` r'j'`, escaped)).toEqual([
      'string "a\\"b"',
      'comment # c',
      "string 'd\\'e'",
      'string """f"g"""',
      'quoted `h.i`',
      "string r'j'",
    ])
  })

  it('reach to the end of what is not closed', () => {
    for (const sql of ["'abc", '"abc', '/* abc', '$$ abc', '-- abc', '`abc']) {
      expect(tokenize(sql, plain)).toMatchObject([{ start: 0, end: sql.length }])
    }
  })

  it('cover every text without overlap, in order', () => {
    const pieces = fc.array(
      fc.constantFrom("'", '"', '`', '$$', '--', '/*', '*/', '\n', ' ', 'a', 'Đ', '😀', '1', '.', ';', '\\', '#'),
    )
    fc.assert(
      fc.property(pieces, fc.boolean(), (parts, backslashes) => {
        const sql = parts.join('')
        let at = 0
        for (const token of tokenize(sql, { backslashes })) {
          expect(sql.slice(at, token.start).trim()).toBe('')
          expect(sql.slice(token.start, token.end)).toBe(token.text)
          expect(token.end).toBeGreaterThan(token.start)
          at = token.end
        }
        expect(sql.slice(at).trim()).toBe('')
      }),
    )
  })

  it('say what a quoted name means', () => {
    expect(tokenize('"a""b" `c` d', plain).map(unquoted)).toEqual(['a"b', 'c', 'd'])
  })
})

describe('places', () => {
  it('count code points, and come back to the index they came from', () => {
    const text = fc.array(fc.constantFrom('a', 'ễ', '😀', '\n', '\t', '\r\n', 'é')).map((parts) => parts.join(''))
    fc.assert(
      fc.property(text, fc.nat(), (sql, n) => {
        const points = Array.from(sql)
        const index = points.slice(0, n % (points.length + 1)).join('').length
        expect(indexAt(sql, positionAt(sql, index))).toBe(index)
        expect(indexOfByte(sql, Buffer.byteLength(sql.slice(0, index)))).toBe(index)
      }),
    )
  })

  it('are shown by a caret, in a long line too', () => {
    expect(excerpt("a\n'😀' x", { line: 2, column: 5 })).toBe("'😀' x\n    ^")
    const long = `${'x'.repeat(500)}!${'y'.repeat(500)}`
    const [line = '', caret = ''] = excerpt(long, { line: 1, column: 501 }).split('\n')
    expect(line.length).toBe(100)
    expect(line[caret.indexOf('^')]).toBe('!')
  })
})
