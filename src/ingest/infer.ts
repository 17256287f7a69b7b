// Which type a column gets at its birth, from all its values: one that loses nothing. Text that a person or program wrote becomes a
// number, a date or a truth value only where every value prints back to the same text; JSON numbers keep their value.
import type { ColumnType } from '../warehouse/warehouse.ts'
import { jsonKinds } from './json/kinds.ts'
import { always, measure } from './measure.ts'
import type { Stage, StageColumn, Work } from './stage.ts'
import { printsBack, spelledDecimal, toldKept, type Format, type TypeInForce } from './types.ts'

const text: TypeInForce = { type: 'text', format: undefined }

/** What may be tried, in order. */
const guesses = ['boolean', 'integer', 'decimal', 'double', 'date', 'timestamp'] as const
type Guess = (typeof guesses)[number] | 'nested'

const sampleRows = 2048

export interface InferOptions {
  /** Never guessed to be a number. */
  readonly keys: ReadonlySet<string>
}

export const inferTypes = async (
  work: Work,
  stage: Stage,
  columns: readonly StageColumn[],
  options: InferOptions,
): Promise<ReadonlyMap<string, TypeInForce>> => {
  const out = new Map<string, TypeInForce>()
  let open = new Map(columns.map((column) => [column, guessesFor(column, options.keys.has(column.name))]))
  // Most columns are text, which a few rows tell; of the others the first guess that a few rows allow is nearly always right.
  const sampled = await measure(work, stage, tests(open), sampleRows)
  for (const [column, tried] of open) {
    open.set(
      column,
      tried.filter((guess) => sampled.get(id(column, guess)) !== false),
    )
  }
  const toldFacts = await measure(work, stage, told(columns))
  while (open.size > 0) {
    const first = new Map([...open].map(([column, tried]) => [column, tried.slice(0, 1)]))
    const facts = await measure(work, stage, new Map([...tests(first), ...details(first)]))
    const next = new Map<StageColumn, readonly Guess[]>()
    for (const [column, tried] of open) {
      const type = decide(column, tried[0], new Map([...facts, ...toldFacts]))
      if (type) out.set(column.name, type)
      else next.set(column, tried.slice(1))
    }
    open = next
  }
  return out
}

const id = (column: StageColumn, fact: string): string => `${fact} ${column.name}`

const guessesFor = (column: StageColumn, isKey: boolean): readonly Guess[] => {
  const { evidence } = column
  if (evidence.kind === 'told') return []
  if (evidence.kind === 'number') return ['integer', 'decimal']
  if (evidence.kind === 'spelled') return isKey ? ['date', 'timestamp'] : guesses
  const { kinds } = evidence
  if (kinds === jsonKinds.string) return ['date', 'timestamp']
  if (kinds === jsonKinds.boolean) return ['boolean']
  if (kinds === jsonKinds.nested) return ['nested']
  if (kinds === jsonKinds.integer) return isKey ? ['integer'] : ['integer', 'decimal', 'double']
  return (kinds & ~(jsonKinds.integer | jsonKinds.number)) === 0 && kinds > 0 && !isKey ? ['decimal', 'double'] : []
}

// A decimal's and a timestamp's test is on the shape alone: which decimal, and how the seconds are written, is measured.
const test = (column: StageColumn, guess: Guess): string => {
  const value = column.text
  const isNumber = column.evidence.kind === 'json' || column.evidence.kind === 'number'
  if (guess === 'decimal') {
    const finite = `isfinite(try_cast(${value} as double)) and not contains(${value}, 'e') and not contains(${value}, 'E')`
    const plainly = isNumber ? finite : `regexp_full_match(${value}, '${spelledDecimal}')`
    return `${plainly} and (not starts_with(${value}, '-0') or try_cast(${value} as double) <> 0)`
  }
  if (guess === 'timestamp') return printsBack(value, { type: guess, format: 'any' })
  if (guess === 'nested') return `(starts_with(${value}, '{') or starts_with(${value}, '['))`
  if (isNumber && guess === 'integer') return `try_cast(${value} as bigint) is not null and not contains(${value}, '.')`
  // Of an integer in a JSON column with fractions a double keeps fifteen digits for certain.
  if (isNumber && guess === 'double') {
    return `isfinite(try_cast(${value} as double)) and not regexp_full_match(${value}, '-?[0-9]{16,}')`
  }
  return printsBack(value, { type: guess, format: undefined })
}

const tests = (open: ReadonlyMap<StageColumn, readonly Guess[]>): Map<string, string> =>
  new Map(
    [...open].flatMap(([column, tried]) =>
      tried.map((guess) => [id(column, guess), always(column.text, test(column, guess))]),
    ),
  )

const details = (open: ReadonlyMap<StageColumn, readonly Guess[]>): Map<string, string> => {
  const out = new Map<string, string>()
  for (const [column, tried] of open) {
    if (tried.length > 0) out.set(id(column, 'values'), `count(${column.text})`)
    if (tried.includes('decimal')) for (const [fact, sql] of decimalFacts(column)) out.set(id(column, fact), sql)
    if (tried.includes('timestamp')) {
      out.set(id(column, 'shortest'), `min(strlen(${column.text}))`)
      out.set(id(column, 'longest'), `max(strlen(${column.text}))`)
      out.set(
        id(column, 'seconds end in 0'),
        `bool_or(strlen(${column.text}) > 20 and ends_with(${column.text}, '0Z'))`,
      )
    }
  }
  return out
}

/** Digits before the point, and after it as they are written. */
export const decimalFacts = ({ text: value, evidence }: StageColumn): [string, string][] => {
  const point = `instr(${value}, '.')`
  const fraction = `case when ${point} > 0 then strlen(${value}) - ${point} else 0 end`
  const digits = `case when ${point} > 0 then ${point} - 1 else strlen(${value}) end`
  const facts: [string, string][] = [
    ['whole', `max(${digits} - case when starts_with(${value}, '-') then 1 else 0 end)`],
    ['fraction', `max(${fraction})`],
  ]
  // How zeros at the end are written matters only for text that must print back.
  if (evidence.kind !== 'spelled') return facts
  return [
    ...facts,
    ['least fraction', `min(${fraction})`],
    ['fraction ends in 0', `bool_or(${point} > 0 and ends_with(${value}, '0'))`],
  ]
}

const told = (columns: readonly StageColumn[]): Map<string, string> =>
  new Map(
    columns.flatMap((column) =>
      column.evidence.kind === 'told' && column.typed === undefined && column.evidence.type !== 'text'
        ? [[id(column, 'told'), always(column.text, toldKept(column.text, column.evidence.type))]]
        : [],
    ),
  )

/** Undefined: the guess was wrong, try the next. */
const decide = (
  column: StageColumn,
  guess: Guess | undefined,
  facts: ReadonlyMap<string, unknown>,
): TypeInForce | undefined => {
  const { evidence } = column
  const fact = (name: string): unknown => facts.get(id(column, name))
  if (evidence.kind === 'told') {
    return column.typed !== undefined || fact('told') === true ? { type: evidence.type, format: undefined } : text
  }
  if (guess === undefined || fact('values') === 0) return text
  if (fact(guess) !== true) return undefined
  if (guess === 'decimal') return decimalFrom(column, fact)
  if (guess === 'nested') return plain('json')
  return guess === 'timestamp' ? timestampFrom(fact) : plain(guess)
}

const plain = (type: ColumnType): TypeInForce => ({ type, format: undefined })

/** The roomiest decimal with this scale: 18 digits where they do, since those are fast, else 38. */
export const decimalFor = (whole: number, scale: number): ColumnType | undefined =>
  scale > 18 || whole + scale > 38 ? undefined : whole + scale <= 18 ? `decimal(18,${scale})` : `decimal(38,${scale})`

const decimalFrom = (column: StageColumn, fact: (name: string) => unknown): TypeInForce | undefined => {
  const type = decimalFor(Number(fact('whole')), Number(fact('fraction')))
  if (!type) return undefined
  if (column.evidence.kind !== 'spelled') return { type, format: 'trimmed' }
  if (fact('fraction') === fact('least fraction')) return { type, format: undefined }
  return fact('fraction ends in 0') === true ? undefined : { type, format: 'trimmed' }
}

const fractions: readonly Format[] = ['1', '2', '3', '4', '5', '6']

const timestampFrom = (fact: (name: string) => unknown): TypeInForce | undefined => {
  const [shortest, longest] = [Number(fact('shortest')), Number(fact('longest'))]
  if (longest === 20) return plain('timestamp')
  const digits = fractions.find((format) => Number(format) === longest - 21)
  if (shortest === longest && digits) return { type: 'timestamp', format: digits }
  return fact('seconds end in 0') === true ? undefined : { type: 'timestamp', format: 'trimmed' }
}
