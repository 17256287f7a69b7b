// The second half of the diff: the rows that may differ, spelled out as they would be sent, against what the ledger says is held.
import type { Part } from './shape.ts'
import { asksConsent, isReadAgain, jsonObject, jsonOf, kinds, type DiffFacts, type Words } from './source.ts'
import { takesSnapshot } from './spec.ts'
import { comparedText, fieldHash } from './values.ts'

const pointer = (name: string): string => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`

/** One expression a field: j0, j1, … its JSON (null where nothing is sent); h0, … its hash; and whether it differs from what is held. */
const fieldWords = (words: Words): { json: string[]; hashes: string[]; differs: string[] } => {
  const { input, shape, column } = words
  const cleared = (part: Part): boolean => input.spec.clear.includes(part.name)
  const held = (part: Part): string => `held_fields[${shape.fields.indexOf(part) + 1}]`
  return {
    json: shape.fields.map((part, at) => `${jsonOf(part, words)} as j${at}`),
    hashes: shape.fields.map((part, at) => {
      const value = (part.column === undefined ? undefined : comparedText(column(part), part.type)) ?? `j${at}`
      // A null that is to be cleared is a value of its own.
      return `${fieldHash(cleared(part) ? `coalesce(${value}, 'null')` : value)} as h${at}`
    }),
    differs: shape.fields.map((part, at) =>
      cleared(part)
        ? // Nothing needs to be cleared where nothing was ever sent.
          `(h${at} is distinct from ${held(part)} and not (j${at} is null and ${held(part)} is null))`
        : `(j${at} is not null and h${at} is distinct from ${held(part)})`,
    ),
  }
}

const either = (conditions: readonly string[]): string => (conditions.length === 0 ? 'false' : conditions.join(' or '))

/**
 * `writes`: rows that are wanted and may differ. `removals`: keys of the ledger that no usable row wants. `polls`: keys whose last
 * attempt has not ended. All with the same columns.
 */
export const rowCtes = (words: Words, facts: DiffFacts): string[] => {
  const { warehouse, input, shape, text } = words
  const { spec } = input
  const ledger = `${warehouse.name({ schema: 'cdp', name: 'sync_rows' })} where sync = ${text(spec.id)}`
  const { json, hashes, differs } = fieldWords(words)
  const isNew = shape.fields.map((part) => facts.lastMap[part.name] !== shape.map[part.name])
  const record = shape.fields.map(
    (part, at) => [part.name, spec.clear.includes(part.name) ? `coalesce(j${at}, 'null')` : `j${at}`] as const,
  )
  // Only what is really sent is held: a null that is not sent leaves no trace.
  const sent = shape.fields.map((part, at) => {
    const hash = spec.clear.includes(part.name) ? `h${at}` : `case when j${at} is not null then h${at} end`
    return [part.name, `'"' || ${hash} || '"'`] as const
  })
  const key = shape.keys.map((part) => [part.name, jsonOf(part, words)] as const)
  const names = text(JSON.stringify(shape.fields.map((part) => part.name)))
  const rowHash = `md5(concat_ws(chr(31), ${[names, ...shape.fields.map((_, at) => `coalesce(h${at}, '')`)].join(', ')}))`
  // Hashes are all of one length: with every field sent, texts of equal length have the same fields, and need not be parsed to be merged.
  const mergedFields = `case when ${['length(own_fields) = length(fields)', ...shape.fields.map((_, at) => `j${at} is not null`)].join(' and ')}
      then own_fields else cast(json_merge_patch(coalesce(fields, '{}'), own_fields) as varchar) end`
  const pointers = shape.fields.map((part) => text(pointer(part.name)))
  const heldFields =
    pointers.length === 0 ? [] : [`json_extract_string(fields, [${pointers.join(', ')}]) as held_fields`]
  const state = 'status, wanted, held, next_attempt_at, planned_hash, change_id, reference'
  // A row whose key is fine but whose value is not may share its key with a good one.
  const good = [
    ...(words.unsendable === undefined ? [] : [`(${words.unsendable}) is not true`]),
    ...(asksConsent(words) ? ['granted'] : []),
  ]
  return [
    `wanted as not materialized (
  select f.* exclude (row_at), u.m as match, u.rm, l.fields, ${state}
  from u join (select * from f${good.length === 0 ? '' : ` where ${good.join(' and ')}`}) f on ${isReadAgain(words) ? 'f.row_at = u.row_at' : `${words.match} = u.m`}
  left join (select match, fields, ${state} from ${ledger}) l on l.match = u.rm
  where l.status is distinct from 'pending')`,
    `spelled as not materialized (
  select ${['*', `${words.seen} as seen`, `${jsonObject(key, words)} as key`, ...json].join(', ')} from wanted)`,
    `hashed as not materialized (
  select ${['*', ...hashes, ...heldFields].join(', ')} from spelled)`,
    `compared as not materialized (
  select *, ${rowHash} as row_hash, ${jsonObject(record, words)} as record, ${jsonObject(sent, words)} as own_fields,
    ${either(differs.filter((_, at) => !isNew[at]))} as data_differs,
    ${either(differs.filter((_, at) => isNew[at]))} as map_differs
  from hashed)`,
    `writes as not materialized (
  select match, seen, rm, ${state}, key, row_hash, record, true as usable, ${kinds.usable} as rank,
    rm is null or fields is null or data_differs or map_differs as differs, data_differs,
    ${takesSnapshot(spec) ? 'own_fields' : mergedFields} as fields
  from compared)`,
    `removals as not materialized (
  select l.*, l.match as rm, '{}' as record, false as usable, lone.rank, true as differs, true as data_differs,
    l.reference in (select reference from shared) as shared
  from lone join (select match, ${state}, key from ${ledger}) l on l.match = lone.m
  where l.status <> 'pending')`,
    `polls as not materialized (
  select match, match in (select m from u) as usable, ${state}, key, match as rm, planned_hash as row_hash, planned_fields as fields, job, epoch as last_epoch, seq as last_seq
  from ${ledger} and status = 'pending')`,
  ]
}
