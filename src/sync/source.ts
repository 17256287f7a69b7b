// `from` as the statements of a sync read it: its columns under short names, what kind of row each is, and the fast hashes of its key
// and of its columns.
import type { TypedSql } from '../warehouse/value-words.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { mapFingerprint, type Part, type Shape } from './shape.ts'
import type { SyncInput } from './spec.ts'

export interface DiffFacts {
  /** Number of the run this plan is for. */
  readonly epoch: number
  /** Now, ISO. */
  readonly now: string
  /** Send rejected rows whose time has not come. */
  readonly retryRejected: boolean
  /** What the fields were made of at the last plan. */
  readonly lastMap: Readonly<Record<string, string>>
}

/** What a row of `from` is, before duplicates are known. */
export const kinds = { usable: 0, withheld: 1, flawed: 2, refused: 3 } as const

/** Reasons why a row is kept aside, as `cdp.sync_skipped` gives them. */
export const flaws = {
  nullKey: 'null key',
  emptyKey: 'empty key',
  unsendable: 'a value that is not finite',
  duplicate: 'duplicate key',
} as const

/** How a statement about one sync speaks. */
export interface Words {
  readonly warehouse: Warehouse
  readonly input: SyncInput
  readonly shape: Shape
  /** A part's column under the statement's own name. */
  readonly column: (part: Part) => string
  readonly text: (value: string) => string
  /** The plain type of texts. */
  readonly textType: string
  /** The fast hash of the key's text. */
  readonly match: string
  /** The fast hash of all that is read. */
  readonly seen: string
  /** Whether the key is fine but another value cannot be sent, as SQL. */
  readonly unsendable: string | undefined
}

export const wordsOf = (warehouse: Warehouse, input: SyncInput, shape: Shape): Words => {
  const column = (part: Part): string => (part.column === undefined ? 'null' : `c${shape.columns.indexOf(part.column)}`)
  const text = (value: string): string => warehouse.literal(value)
  const { values } = warehouse.dialect
  const textType = warehouse.typeName('text')
  const ofText = (sql: string): TypedSql => ({ sql, type: textType })
  const unsendable = [...shape.keys, ...shape.fields].flatMap((part) =>
    part.column === undefined ? [] : (values.isUnsendable(column(part), part.type) ?? []),
  )
  return {
    warehouse,
    input,
    shape,
    column,
    text,
    textType,
    match: values.fastHash([
      ofText(text(JSON.stringify(shape.keys.map((part) => part.name)))),
      ...shape.keys.map((part) => ofText(values.key(column(part), part.type))),
    ]),
    seen: values.fastHash([
      ofText(text(mapFingerprint(input.spec))),
      ...shape.columns.map((name, at) => ({ sql: `c${at}`, type: shape.types[name] ?? textType })),
    ]),
    unsendable: unsendable.length === 0 ? undefined : [...new Set(unsendable)].join(' or '),
  }
}

const keyless = ({ warehouse, shape, column }: Words): string =>
  shape.keys.map((part) => `(${warehouse.dialect.values.isNoKey(column(part), part.type)})`).join(' or ')

/** Why a row is kept aside, as SQL; null for a good one. */
export const flawOf = (words: Words): string => {
  const { shape, column, text, unsendable } = words
  const anyNull = shape.keys.map((part) => `${column(part)} is null`).join(' or ')
  return `case when ${anyNull} then ${text(flaws.nullKey)} when ${keyless(words)} then ${text(flaws.emptyKey)}${
    unsendable === undefined ? '' : ` when ${unsendable} then ${text(flaws.unsendable)}`
  } end`
}

/**
 * A view, or a join with consent, is worked out once; a table whose rows have numbers is read again by them, which is cheaper than a copy
 * of it.
 */
export const isReadAgain = (words: Words): boolean =>
  !words.shape.isView && !asksConsent(words) && words.warehouse.dialect.rowNumber('t') !== undefined

export const asksConsent = ({ input }: Words): boolean =>
  input.spec.purpose !== undefined && input.consent !== undefined

/** The columns of `f` but `row_at`. */
export const sourceColumns = (words: Words): string[] => [
  ...words.shape.columns.map((_, at) => `c${at}`),
  'person_id',
  ...(asksConsent(words) ? ['granted'] : []),
]

/**
 * `f`: the columns c0, c1, … and person_id. `s`: kind, match and seen besides. A key that is none has the hash of nothing, which no
 * delivered key has.
 */
export const sourceCtes = (words: Words): string[] => {
  const { warehouse, input, shape, text, textType } = words
  const { spec, consent } = input
  const { dialect } = warehouse
  const from = warehouse.name({ schema: 'models', name: spec.from })
  const columns = shape.columns.map((name, at) => `t.${warehouse.quote(name)} as c${at}`)
  const person = `cast(${shape.hasPerson ? 't.person_id' : 'null'} as ${textType})`
  const asks = asksConsent(words)
  const again = isReadAgain(words)
  const bad = words.unsendable === undefined ? keyless(words) : `${keyless(words)} or ${words.unsendable}`
  const flawed = `case when ${bad} then ${kinds.flawed} else ${kinds.usable} end`
  const kind = asks
    ? `case when granted then ${flawed} when granted is null then ${kinds.withheld} else ${kinds.refused} end`
    : flawed
  const consented =
    asks && consent !== undefined && spec.purpose !== undefined
      ? [
          dialect.cte(
            'consented',
            `select cast(c.person_id as ${textType}) as person_id, count(*) = count(case when c.granted then 1 end) as granted
  from ${warehouse.name({ schema: 'models', name: consent })} as c where c.purpose = ${text(spec.purpose)} group by 1`,
            'once',
          ),
        ]
      : []
  const rowAt = again ? (dialect.rowNumber('t') ?? '') : `cast(null as ${warehouse.typeName('integer')})`
  return [
    ...consented,
    dialect.cte(
      'f',
      `select ${[...columns, `${rowAt} as row_at`, `${person} as person_id`, ...(asks ? ['p.granted'] : [])].join(', ')}
  from ${from} as t${asks ? ` left join consented as p on p.person_id = ${person}` : ''}`,
      again ? 'inline' : 'once',
    ),
    dialect.cte(
      's',
      `select ${[...sourceColumns(words), 'row_at', `${kind} as kind`, `${words.match} as match`, `${words.seen} as seen`].join(', ')} from f`,
      'inline',
    ),
  ]
}

/** A JSON object of parts as SQL: `"name":<json>`, entries that are null left out. */
export const jsonObject = (entries: readonly (readonly [name: string, json: string])[], words: Words): string =>
  entries.length === 0
    ? `'{}'`
    : `'{' || ${words.warehouse.dialect.joined(
        `','`,
        entries.map(([name, json]) => `${words.text(`${JSON.stringify(name)}:`)} || ${json}`),
      )} || '}'`

/** A part's value as JSON text. */
export const jsonOf = (part: Part, words: Words): string => {
  if (part.column !== undefined) return words.warehouse.dialect.values.json(words.column(part), part.type)
  return part.constant === undefined ? `cast(null as ${words.textType})` : words.text(part.constant)
}
