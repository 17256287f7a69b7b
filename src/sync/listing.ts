// Two other readings of `from`, made of the same parts as the diff: rows that were kept aside, and the whole wanted set for a snapshot.
import type { Warehouse } from '../warehouse/warehouse.ts'
import type { Part, Shape } from './shape.ts'
import { flawOf, flaws, jsonObject, jsonOf, kinds, sourceCtes, wordsOf, type Words } from './source.ts'
import type { SyncInput } from './spec.ts'

const sharedCtes = (words: Words): string[] => [
  ...sourceCtes(words),
  words.warehouse.dialect.cte('vetoed', `select distinct match as m from s where kind = ${kinds.refused}`, 'few'),
  words.warehouse.dialect.cte(
    'dup',
    `select match as m from s where kind = ${kinds.usable} group by match having count(*) > 1`,
    'few',
  ),
]

const withNulls = (part: Part, words: Words): readonly [string, string] => [
  part.name,
  `coalesce(${jsonOf(part, words)}, 'null')`,
]

/** Rows of `from` that were kept aside: reason, key (JSON), person_id. */
export const skippedSelect = (warehouse: Warehouse, input: SyncInput, shape: Shape): string => {
  const words = wordsOf(warehouse, input, shape)
  const keys = shape.keys.map((part) => withNulls(part, words))
  return `with ${sharedCtes(words).join(',\n')}
select coalesce(${flawOf(words)}, ${words.text(flaws.duplicate)}) as reason, ${jsonObject(keys, words)} as key, person_id from s
where kind = ${kinds.flawed} or (kind = ${kinds.usable} and match in (select m from dup) and match not in (select m from vetoed))`
}

/** Names of a snapshot's fields: the key's, then the mapped ones that are not among them. */
export const snapshotFields = (shape: Shape): readonly Part[] => {
  const keys = new Set(shape.keys.map((part) => part.name))
  return [...shape.keys, ...shape.fields.filter((part) => !keys.has(part.name))]
}

/** Every row that is wanted, ordered by key: one column `record`, the text of a JSON object of the snapshot's fields, nulls as null. */
export const wantedSelect = (warehouse: Warehouse, input: SyncInput, shape: Shape): string => {
  const words = wordsOf(warehouse, input, shape)
  const entries = snapshotFields(shape).map((part) => withNulls(part, words))
  const order = shape.keys.map((part) => warehouse.dialect.values.key(words.column(part), part.type))
  return `with ${sharedCtes(words).join(',\n')}
select ${jsonObject(entries, words)} as record from s
where kind = ${kinds.usable} and match not in (select m from dup) and match not in (select m from vetoed)
order by ${order.join(', ')}`
}
