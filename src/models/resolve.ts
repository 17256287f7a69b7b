// From what a statement mentions to compiled SQL: names become relations, the clock becomes the run's instant, every other byte stays.
import { CdpError, type Place } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import type { RelationName, SqlPart } from './model.ts'
import { folded, type Reference } from './references/reference.ts'
import { tokenize, type Spelling, type Token } from './tokens.ts'

type Instant = 'timestamp' | 'date' | 'datetime' | 'time'

interface Replacement {
  readonly start: number
  readonly end: number
  readonly part: { readonly relation: RelationName } | { readonly instant: Instant }
}

/** What a project has that SQL may name. */
export interface Names {
  readonly engine: string
  /** Of models, by their folded name. */
  readonly models: ReadonlyMap<string, string>
  /** Relations in schema raw: `shop_customers`. Undefined while they are not known: any may be read. */
  readonly streams: readonly string[] | undefined
  /** Relations in schema cdp. */
  readonly relations: readonly string[]
  /** Functions in schema cdp. */
  readonly functions: readonly string[]
}

export interface Resolved {
  readonly sql: readonly SqlPart[]
  /** What is read -> where it is first named. */
  readonly reads: ReadonlyMap<string, Place>
  readonly readsClock: boolean
  readonly problems: readonly CdpError[]
}

/** Replaced by the run's instant when they have no argument. */
export const clocks: Readonly<Record<string, Instant>> = {
  current_timestamp: 'timestamp',
  now: 'timestamp',
  get_current_timestamp: 'timestamp',
  transaction_timestamp: 'timestamp',
  current_date: 'date',
  today: 'date',
  localtimestamp: 'datetime',
  current_localtimestamp: 'datetime',
  current_datetime: 'datetime',
  current_time: 'time',
  get_current_time: 'time',
  localtime: 'time',
  current_localtime: 'time',
}
// Without parentheses only these are calls; `today` is then a column.
const bareClocks = new Set(['current_timestamp', 'current_date', 'localtimestamp', 'current_time', 'localtime'])
const randoms = new Set(
  'random rand uuid gen_random_uuid generate_uuid uuidv4 uuidv7 nextval currval setseed'.split(' '),
)
const readers =
  /^(read_(csv|parquet|json|ndjson|text|blob|xlsx)\w*|parquet_scan|csv_scan|sniff_csv|glob|(postgres|mysql|sqlite|iceberg|delta)_(scan|query)\w*)$/

/** `placeOf` gives the place in the file of an index of this SQL. */
export const resolveReferences = (
  model: string,
  sql: string,
  references: readonly Reference[],
  names: Names,
  spelling: Spelling,
  placeOf: (index: number) => Place,
): Resolved => {
  const tokens = tokenize(sql, spelling).filter((token) => token.kind !== 'comment')
  const problems: CdpError[] = []
  const reads = new Map<string, Place>()
  const replaced: Replacement[] = []
  let readsClock = false

  const call = (reference: Reference): void => {
    const { parts, start, args } = reference
    const name = folded(parts.at(-1) ?? '')
    const context = { place: placeOf(start) }
    if (parts.length === 2 && folded(parts[0] ?? '') === 'cdp') {
      if (args !== undefined && !names.functions.includes(name)) {
        const near = nearIn('cdp', name, names.functions)
        problems.push(new CdpError('UNKNOWN_FUNCTION', { model, name: `cdp.${name}`, near }, context))
      }
      return
    }
    if (parts.length > 1) return
    const instant = args !== undefined || bareClocks.has(name) ? clocks[name] : undefined
    if (instant !== undefined && (args ?? 0) === 0) {
      readsClock = true
      replaced.push({ start, end: args === 0 ? endOfCall(tokens, reference) : reference.end, part: { instant } })
    } else if (instant !== undefined || (name === 'age' && args === 1)) {
      problems.push(
        new CdpError('MODEL_CLOCK', { model, name: sql.slice(start, endOfCall(tokens, reference)) }, context),
      )
    } else if (args !== undefined && randoms.has(name)) {
      problems.push(new CdpError('MODEL_RANDOM', { model, name: `${name}()` }, context))
    } else if (args !== undefined && readers.test(name)) {
      problems.push(new CdpError('MODEL_FILE', { model, name: `${name}()` }, context))
    }
  }

  const relation = ({ parts, start, end }: Reference): void => {
    const found = lookUp(model, parts, names, placeOf(start))
    if (found instanceof CdpError) {
      problems.push(found)
      return
    }
    const read = found.schema === 'models' ? found.name : `${found.schema}.${found.name}`
    if (!reads.has(read)) reads.set(read, placeOf(start))
    replaced.push({ start, end, part: { relation: found } })
  }

  for (const reference of references) {
    if (reference.kind === 'call') call(reference)
    else relation(reference)
  }
  const sample = tokens.find(isSample)
  if (sample) {
    problems.push(new CdpError('MODEL_RANDOM', { model, name: 'SAMPLE' }, { place: placeOf(sample.start) }))
  }
  return { sql: cutUp(sql, replaced), reads, readsClock, problems }
}

// Even with a seed the rows depend on the order in which they are met.
const isSample = (token: Token, at: number, tokens: readonly Token[]): boolean => {
  if (token.kind !== 'word') return false
  const word = token.text.toLowerCase()
  return word === 'tablesample' || (word === 'using' && tokens[at + 1]?.text.toLowerCase() === 'sample')
}

const lookUp = (model: string, parts: readonly string[], names: Names, place: Place): RelationName | CdpError => {
  const [first = '', second = ''] = parts.map(folded)
  const written = parts.join('.')
  if (parts.length === 1) {
    const name = names.models.get(first)
    if (name !== undefined) return { schema: 'models', name }
    if (/[./\\*]/.test(first)) return new CdpError('MODEL_FILE', { model, name: written }, { place })
    const landed = names.streams?.includes(first) ? ` Did you mean "raw.${first}"?` : undefined
    const near = landed ?? didYouMean(first, names.models.keys())
    return new CdpError('UNKNOWN_MODEL', { model, name: written, near }, { place })
  }
  if (parts.length === 2 && first === 'raw') {
    const name = names.streams === undefined ? second : names.streams.find((stream) => folded(stream) === second)
    if (name !== undefined) return { schema: 'raw', name }
    return new CdpError(
      'UNKNOWN_STREAM',
      { model, name: parts[1] ?? '', near: nearIn('raw', second, names.streams ?? []) },
      { place },
    )
  }
  if (parts.length === 2 && first === 'cdp') {
    if (names.relations.includes(second)) return { schema: 'cdp', name: second }
    return new CdpError(
      'UNKNOWN_RELATION',
      { model, name: written, near: nearIn('cdp', second, names.relations) },
      { place },
    )
  }
  const plain = names.models.get(folded(parts.at(-1) ?? ''))
  const near = plain === undefined ? '' : ` Did you mean "${plain}"?`
  return new CdpError('UNKNOWN_MODEL', { model, name: written, near }, { place })
}

const nearIn = (schema: string, name: string, names: readonly string[]): string =>
  didYouMean(
    `${schema}.${name}`,
    names.map((known) => `${schema}.${known}`),
  )

const endOfCall = (tokens: readonly Token[], { end }: Reference): number => {
  const open = tokens.findIndex((token) => token.start >= end)
  let depth = 0
  for (let at = open; at >= 0 && at < tokens.length; at++) {
    const text = tokens[at]?.text
    if (text === '(') depth++
    else if (text === ')') depth--
    if (depth === 0) return text === ')' ? (tokens[at]?.end ?? end) : end
  }
  return end
}

const cutUp = (sql: string, replaced: readonly Replacement[]): SqlPart[] => {
  const out: SqlPart[] = []
  let at = 0
  for (const { start, end, part } of replaced.toSorted((a, b) => a.start - b.start)) {
    if (start < at) continue
    if (start > at) out.push(sql.slice(at, start))
    out.push({ ...part, written: sql.slice(start, end) })
    at = end
  }
  if (at < sql.length) out.push(sql.slice(at))
  return out
}
