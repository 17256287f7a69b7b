// Reserved words of either engine as bare names. Only a tree tells a name from a keyword (`rows` and `rows between`), so this asks the
// SQL parser; what it cannot read has no such findings.
import { init, parse, type DialectName } from '@guanmingchiu/sqlparser-ts'
import { isIdent, isNode, type Ident, type Node } from '../references/tree.ts'
import { indexAt } from '../text-position.ts'
import type { Complaint, Finding } from './finding.ts'
import { reservedByBigQuery, reservedByDuckDb } from './words.ts'

const dialects: readonly DialectName[] = ['duckdb', 'generic', 'bigquery', 'postgresql']

export const findNames = async (sql: string): Promise<Finding[]> => {
  await init()
  for (const dialect of dialects) {
    let tree: readonly unknown[]
    try {
      tree = parse(sql, dialect)
    } catch {
      continue
    }
    return namesIn(tree).flatMap((ident) => {
      const complaint = about(ident)
      return complaint ? [{ complaint, start: indexAt(sql, ident.span.start) }] : []
    })
  }
  return []
}

const about = ({ value, quote_style }: Ident): Complaint | undefined => {
  const word = value.toLowerCase()
  const byBigQuery = reservedByBigQuery.has(word)
  if (quote_style !== undefined || (!byBigQuery && !reservedByDuckDb.has(word))) return undefined
  return {
    found: `${value} as a name`,
    refusedBy: byBigQuery ? 'bigquery' : 'duckdb',
    why: 'it is a reserved word there',
    say: 'another name; a column of that name can be read after a dot, as in t.' + word,
  }
}

// Names in the tree; of a path the first part alone, because after a dot every word is a name on both.
const namesIn = (value: unknown): Ident[] => {
  if (Array.isArray(value)) return value.flatMap(namesIn)
  if (!isNode(value)) return []
  return isIdent(value) ? [value] : Object.entries(value).flatMap(([key, inner]) => inPart(key, inner))
}

const inPart = (key: string, inner: unknown): Ident[] => {
  // A constant has a place too, and null is a word.
  if (key === 'Value') return []
  const isPath = (key === 'CompoundIdentifier' || key === 'name') && Array.isArray(inner)
  if (isPath) return namesIn(inner[0])
  return namesIn(key === 'Function' && isNode(inner) ? withoutName(inner) : inner)
}

const withoutName = ({ name: _name, ...rest }: Node): Node => rest
