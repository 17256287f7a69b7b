// `from` as the statements of a sync read it: its columns under short names, what kind of row each is, and the fast hashes of its key
// and of its columns.
import type { Warehouse } from '../warehouse/warehouse.ts'
import { mapFingerprint, type Part, type Shape } from './shape.ts'
import type { SyncInput } from './spec.ts'
import { fastHash, isNoKey, isUnsendable, jsonText, keyText } from './values.ts'

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
  const unsendable = [...shape.keys, ...shape.fields].flatMap((part) =>
    part.column === undefined ? [] : (isUnsendable(column(part), part.type) ?? []),
  )
  return {
    warehouse,
    input,
    shape,
    column,
    text,
    match: fastHash([
      text(JSON.stringify(shape.keys.map((part) => part.name))),
      ...shape.keys.map((part) => keyText(column(part), part.type)),
    ]),
    seen: fastHash([text(mapFingerprint(input.spec)), ...shape.columns.map((_, at) => `c${at}`)]),
    unsendable: unsendable.length === 0 ? undefined : [...new Set(unsendable)].join(' or '),
  }
}

/**
 * A common table of which few rows are expected. Without the detour through a list the planner takes it for as large as what it is
 * drawn from, and builds its hash tables on the wrong side.
 */
export const few = (name: string, select: string, columns: readonly string[] = ['m']): string => {
  const item = columns.length === 1 ? columns[0] : `{${columns.map((column) => `${column}: ${column}`).join(', ')}}`
  const back = columns.length === 1 ? `item as ${columns[0]}` : columns.map((column) => `item.${column}`).join(', ')
  return `${name} as materialized (
  select ${back} from (select unnest(items) as item from (select list(${item}) as items from (
  ${select}))))`
}

const keyless = ({ shape, column }: Words): string =>
  shape.keys.map((part) => `(${isNoKey(column(part), part.type)})`).join(' or ')

/** Why a row is kept aside, as SQL; null for a good one. */
export const flawOf = (words: Words): string => {
  const { shape, column, text, unsendable } = words
  const anyNull = shape.keys.map((part) => `${column(part)} is null`).join(' or ')
  return `case when ${anyNull} then ${text(flaws.nullKey)} when ${keyless(words)} then ${text(flaws.emptyKey)}${
    unsendable === undefined ? '' : ` when ${unsendable} then ${text(flaws.unsendable)}`
  } end`
}

/** A view, or a join with consent, is worked out once; a table is read again by its row numbers, which is cheaper than a copy of it. */
export const isReadAgain = (words: Words): boolean => !words.shape.isView && !asksConsent(words)

export const asksConsent = ({ input }: Words): boolean =>
  input.spec.purpose !== undefined && input.consent !== undefined

/**
 * `f`: the columns c0, c1, … and person_id. `s`: kind, match and seen besides. A key that is none has the hash of nothing, which no
 * delivered key has.
 */
export const sourceCtes = (words: Words): string[] => {
  const { warehouse, input, shape, text } = words
  const { spec, consent } = input
  const from = warehouse.name({ schema: 'models', name: spec.from })
  const columns = shape.columns.map((name, at) => `t.${warehouse.quote(name)} as c${at}`)
  const person = shape.hasPerson ? 'cast(t.person_id as varchar)' : 'cast(null as varchar)'
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
          `consented as materialized (
  select cast(person_id as varchar) as person_id, bool_and(coalesce(granted, false)) as granted
  from ${warehouse.name({ schema: 'models', name: consent })} where purpose = ${text(spec.purpose)} group by 1)`,
        ]
      : []
  return [
    ...consented,
    `f as ${again ? 'not materialized' : 'materialized'} (
  select ${[...columns, again ? 't.rowid as row_at' : 'cast(null as bigint) as row_at', `${person} as person_id`, ...(asks ? ['p.granted'] : [])].join(', ')}
  from ${from} t${asks ? ` left join consented p on p.person_id = ${person}` : ''})`,
    `s as not materialized (
  select *, ${kind} as kind, ${words.match} as match, ${words.seen} as seen from f)`,
  ]
}

/** A JSON object of parts as SQL: `"name":<json>`, entries that are null left out. */
export const jsonObject = (entries: readonly (readonly [name: string, json: string])[], words: Words): string =>
  entries.length === 0
    ? `'{}'`
    : `'{' || concat_ws(',', ${entries.map(([name, json]) => `${words.text(`${JSON.stringify(name)}:`)} || ${json}`).join(', ')}) || '}'`

/** A part's value as JSON text. */
export const jsonOf = (part: Part, words: Words): string => {
  if (part.column !== undefined) return jsonText(words.column(part), part.type)
  return part.constant === undefined ? 'cast(null as varchar)' : words.text(part.constant)
}
