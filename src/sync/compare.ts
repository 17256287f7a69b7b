// The second half of the diff: the rows that may differ, spelled out as they would be sent, against what the ledger says is held.
import { stateTable } from '../warehouse/state-sql.ts'
import type { Part } from './shape.ts'
import {
  asksConsent,
  isReadAgain,
  jsonObject,
  jsonOf,
  kinds,
  sourceColumns,
  type DiffFacts,
  type Words,
} from './source.ts'
import { takesSnapshot } from './spec.ts'

/** What the ledger says of a key besides. */
const state = ['status', 'wanted', 'held', 'next_attempt_at', 'planned_hash', 'change_id', 'reference']

/** One expression a field: j0, j1, … its JSON (null where nothing is sent); h0, … its hash; and whether it differs from what is held. */
const fieldWords = (
  words: Words,
  held: (at: number) => string,
): { json: string[]; hashes: string[]; differs: string[] } => {
  const { input, shape, column, warehouse } = words
  const { dialect } = warehouse
  const cleared = (part: Part): boolean => input.spec.clear.includes(part.name)
  return {
    json: shape.fields.map((part, at) => `${jsonOf(part, words)} as j${at}`),
    hashes: shape.fields.map((part, at) => {
      const value =
        (part.column === undefined ? undefined : dialect.values.compared(column(part), part.type)) ?? `j${at}`
      // A null that is to be cleared is a value of its own. A short hash: only compared where the whole row's fast hash already differs.
      return `substr(${dialect.md5(cleared(part) ? `coalesce(${value}, 'null')` : value)}, 1, 12) as h${at}`
    }),
    differs: shape.fields.map((part, at) =>
      cleared(part)
        ? // Nothing needs to be cleared where nothing was ever sent.
          `(h${at} is distinct from ${held(at)} and not (j${at} is null and ${held(at)} is null))`
        : `(j${at} is not null and h${at} is distinct from ${held(at)})`,
    ),
  }
}

const either = (conditions: readonly string[]): string => (conditions.length === 0 ? 'false' : conditions.join(' or '))

/**
 * `candidates`: keys whose last attempt has not ended, then keys of the ledger that no usable row wants, then rows that are wanted and
 * may differ.
 */
export const rowCtes = (words: Words, facts: DiffFacts): string[] => {
  const { warehouse, input, shape, text } = words
  const { spec } = input
  const { dialect } = warehouse
  const inline = (name: string, select: string): string => dialect.cte(name, select, 'inline')
  const nothing = (type: 'text' | 'integer' | 'boolean'): string => `cast(null as ${warehouse.typeName(type)})`
  const from = stateTable(warehouse, 'sync_rows')
  const ours = `sync = ${text(spec.id)}`
  const names = shape.fields.map((part) => part.name)
  const inLedger = dialect.json.members('fields', names)
  const { json, hashes, differs } = fieldWords(words, inLedger.member)
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
  const [js, hs] = [shape.fields.map((_, at) => `j${at}`), shape.fields.map((_, at) => `h${at}`)]
  const rowHash = dialect.md5(
    dialect.joined('chr(31)', [text(JSON.stringify(names)), ...hs.map((hash) => `coalesce(${hash}, '')`)]),
  )
  // Hashes are all of one length: with every field sent, texts of equal length have the same fields, and need not be parsed to be merged.
  const mergedFields = `case when fields is null then own_fields when ${['length(own_fields) = length(fields)', ...js.map((one) => `${one} is not null`)].join(' and ')}
      then own_fields else ${dialect.json.merged('fields', 'own_fields')} end`
  // A row whose key is fine but whose value is not may share its key with a good one.
  const good = [
    ...(words.unsendable === undefined ? [] : [`(${words.unsendable}) is not true`]),
    ...(asksConsent(words) ? ['granted'] : []),
  ]
  const columns = sourceColumns(words)
  const known = ['match', 'rm', 'fields', ...state]
  const spelled = [...known, 'seen', 'key', ...js]
  return [
    inline(
      'asked',
      `select ${[...columns.map((column) => `g.${column}`), 'u.m as match', 'u.rm', 'l.fields', ...state.map((column) => `l.${column}`)].join(', ')}
  from u join (select ${[...columns, 'row_at'].join(', ')} from f${good.length === 0 ? '' : ` where ${good.join(' and ')}`}) as g on ${isReadAgain(words) ? 'g.row_at = u.row_at' : `${words.match} = u.m`}
  left join (select match, fields, ${state.join(', ')} from ${from} as r where ${ours}) as l on l.match = u.rm
  where l.status is distinct from 'pending'`,
    ),
    inline(
      'spelled',
      `select ${[...columns, ...known, `${words.seen} as seen`, `${jsonObject(key, words)} as key`, ...json].join(', ')} from asked`,
    ),
    inline('hashed', `select ${[...spelled, ...hashes, ...inLedger.columns].join(', ')} from spelled`),
    inline(
      'compared',
      `select ${spelled.join(', ')}, ${rowHash} as row_hash, ${jsonObject(record, words)} as record, ${jsonObject(sent, words)} as own_fields,
    ${either(differs.filter((_, at) => !isNew[at]))} as data_differs,
    ${either(differs.filter((_, at) => isNew[at]))} as map_differs
  from hashed`,
    ),
    inline(
      'candidates',
      `select match, rm, ${nothing('integer')} as seen, ${state.join(', ')}, key, planned_hash as row_hash, ${nothing('text')} as record,
    planned_fields as fields, match in (select m from u) as usable, ${nothing('integer')} as rank, ${nothing('boolean')} as differs,
    ${nothing('boolean')} as data_differs, ${nothing('boolean')} as shared, job, epoch as last_epoch, seq as last_seq
  from (select match, match as rm, ${state.join(', ')}, key, planned_fields, job, epoch, seq from ${from} as r where ${ours} and status = 'pending') as polls
  union all
  select l.match, l.match, ${nothing('integer')}, ${state.map((column) => `l.${column}`).join(', ')}, l.key, ${nothing('text')}, '{}',
    ${nothing('text')}, false, lone.rank, true, true, l.reference in (select reference from shared), ${nothing('text')}, ${nothing('integer')}, ${nothing('integer')}
  from lone join (select match, ${state.join(', ')}, key from ${from} as r where ${ours}) as l on l.match = lone.m
  where l.status <> 'pending'
  union all
  select match, rm, seen, ${state.join(', ')}, key, row_hash, record, ${takesSnapshot(spec) ? 'own_fields' : mergedFields}, true, ${kinds.usable},
    rm is null or fields is null or data_differs or map_differs, data_differs, ${nothing('boolean')}, ${nothing('text')}, ${nothing('integer')}, ${nothing('integer')}
  from compared`,
    ),
  ]
}
