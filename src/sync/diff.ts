// The diff as one SQL statement: `from` against the ledger, over match keys and mapped columns only, giving one row for every key at
// which something is to be done. Rows that did not change are told by one fast hash and never looked at; only the rest are compared
// field by field, spelled as JSON and hashed for good.
import type { Warehouse } from '../warehouse/warehouse.ts'
import { mapFingerprint, type Part, type Shape } from './shape.ts'
import { canRemove, isMessage, mirrors, sendsOnce, takesSnapshot, writeOperation, type SyncInput } from './spec.ts'
import { comparedText, fastHash, fieldHash, isEmptyKey, isUnsendable, jsonText, keyText } from './values.ts'

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

/** What a row of `from` is, before duplicates are known; a higher one wins where rows share a key. */
const kinds = { usable: 0, withheld: 1, flawed: 2, refused: 3 } as const

/** Reasons a row is kept aside, as `cdp.sync_skipped` gives them. */
export const flaws = {
  nullKey: 'null key',
  emptyKey: 'empty key',
  unsendable: 'a value that is not finite',
  duplicate: 'duplicate key',
} as const

interface Words {
  readonly warehouse: Warehouse
  readonly input: SyncInput
  readonly shape: Shape
  /** `from`'s column as the statement's own. */
  readonly column: (part: Part) => string
  readonly text: (value: string) => string
}

const wordsOf = (warehouse: Warehouse, input: SyncInput, shape: Shape): Words => ({
  warehouse,
  input,
  shape,
  column: (part) => (part.column === undefined ? 'null' : `c${shape.columns.indexOf(part.column)}`),
  text: (value) => warehouse.literal(value),
})

const cdp = (warehouse: Warehouse, name: string): string => warehouse.name({ schema: 'cdp', name })

const flawOf = ({ shape, column, text }: Words): string => {
  const cases = shape.keys.flatMap((part) => {
    const c = column(part)
    const empty = isEmptyKey(c, part.type)
    return [
      `when ${c} is null then ${text(flaws.nullKey)}`,
      ...(empty === undefined ? [] : [`when ${empty} then ${text(flaws.emptyKey)}`]),
    ]
  })
  for (const part of [...shape.keys, ...shape.fields]) {
    const bad = part.column === undefined ? undefined : isUnsendable(column(part), part.type)
    if (bad !== undefined) cases.push(`when ${bad} then ${text(flaws.unsendable)}`)
  }
  return `case ${cases.join(' ')} end`
}

// Whether a key's own columns make a key, whatever else is wrong with the row.
const keyFlawOf = (words: Words): string => flawOf({ ...words, shape: { ...words.shape, fields: [] } })

const matchOf = ({ shape, column, text }: Words): string =>
  fastHash([
    text(JSON.stringify(shape.keys.map((part) => part.name))),
    ...shape.keys.map((part) => keyText(column(part), part.type)),
  ])

/** The rows of `from` under the statement's own names: c0, c1, …; kind; flaw; match; seen. */
const sourceCtes = (words: Words, whole: boolean): string[] => {
  const { warehouse, input, shape, text } = words
  const { spec, consent } = input
  const from = warehouse.name({ schema: 'models', name: spec.from })
  const columns = shape.columns.map((name, at) => `f.${warehouse.quote(name)} as c${at}`)
  const person = shape.hasPerson ? `cast(f.person_id as varchar)` : 'cast(null as varchar)'
  const asked = spec.purpose !== undefined && consent !== undefined
  const refused = asked
    ? `case when p.granted then ${kinds.usable} when p.granted is null then ${kinds.withheld} else ${kinds.refused} end`
    : `${kinds.usable}`
  const keyFlaw = keyFlawOf(words)
  const flaw = flawOf(words)
  const seen = fastHash([text(mapFingerprint(spec)), ...shape.columns.map((_, at) => `c${at}`)])
  // A view, or a join with consent, is worked out once; a table is read again where that is cheaper than a copy of it.
  const materialized = shape.isView || asked ? 'materialized' : 'not materialized'
  return [
    ...(asked
      ? [
          `consented as materialized (
  select cast(person_id as varchar) as person_id, bool_and(coalesce(granted, false)) as granted
  from ${warehouse.name({ schema: 'models', name: consent })} where purpose = ${text(spec.purpose)} group by 1)`,
        ]
      : []),
    `f as not materialized (
  select ${[...columns, `${person} as person_id`, `${refused} as consent_kind`].join(', ')}
  from ${from} f${asked ? ` left join consented p on p.person_id = ${person}` : ''})`,
    `s as ${whole ? materialized : 'not materialized'} (
  select *, ${flaw} as flaw, case when (${keyFlaw}) is null then ${matchOf(words)} end as match, ${seen} as seen,
    case when consent_kind = ${kinds.usable} and (${flaw}) is not null then ${kinds.flawed} else consent_kind end as kind
  from f)`,
  ]
}

// Rows against the ledger, narrow: only what tells whether a key must be looked at. Duplicates are looked for only where they can be:
// among new keys, and among known ones when more rows than keys were met.
const matchCtes = ({ warehouse, input, text }: Words): string[] => [
  `r as not materialized (
  select match, seen, status <> 'delivered' or wanted = 'remove' as due
  from ${cdp(warehouse, 'sync_rows')} where sync = ${text(input.spec.id)})`,
  `j as materialized (
  select s.kind, s.match as m, r.match as rm, s.seen is distinct from r.seen or r.due as differs
  from s full join r on s.match = r.match)`,
  `known as materialized (
  select count(*) filter (kind is not null and rm is not null) as met, count(*) filter (kind is null) as unmet from j)`,
  `vetoed as materialized (select distinct m from j where kind = ${kinds.refused} and m is not null)`,
  `dup as materialized (
  select m from j where kind = ${kinds.usable} and rm is null group by m having count(*) > 1
  union all
  select m from j where kind = ${kinds.usable} and rm is not null and (select met + unmet from known) > (select count(*) from r)
  group by m having count(*) > 1)`,
  `u as not materialized (
  select m, rm, differs from j where kind = ${kinds.usable}
  and not exists (select 1 from dup where dup.m = j.m) and not exists (select 1 from vetoed where vetoed.m = j.m))`,
  `unusable as materialized (
  select m, max(rank) as rank from (
    select m, kind as rank from j where kind > ${kinds.usable} and m is not null
    union all select m, ${kinds.flawed} from dup
    union all select m, ${kinds.refused} from vetoed) group by m)`,
  `lone as materialized (
  select rm as m, 0 as rank from j where kind is null
  union all select m, rank from unusable where not exists (select 1 from u where u.m = unusable.m))`,
]

const jsonObject = (entries: readonly string[]): string =>
  entries.length === 0 ? `'{}'` : `'{' || concat_ws(',', ${entries.join(', ')}) || '}'`

const pointer = (name: string): string => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`

/** One expression a field, by position: its JSON (null where nothing is sent), its hash, whether it differs from what is held. */
const fieldWords = (words: Words) => {
  const { input, shape, column, text } = words
  const json = shape.fields.map((part, at) => {
    const value =
      part.column === undefined
        ? part.constant === undefined
          ? 'cast(null as varchar)'
          : text(part.constant)
        : jsonText(column(part), part.type)
    return `${value} as j${at}`
  })
  const compared = shape.fields.map((part, at) => {
    const value = comparedText(column(part), part.type) ?? `j${at}`
    // A null that is to be cleared is a value of its own.
    const whole = input.spec.clear.includes(part.name) ? `coalesce(${value}, 'null')` : value
    return `${fieldHash(whole)} as h${at}`
  })
  const held = (part: Part): string => `json_extract_string(fields, ${text(pointer(part.name))})`
  const differs = shape.fields.map((part, at) =>
    input.spec.clear.includes(part.name)
      ? // Nothing needs to be cleared where nothing was ever sent.
        `(h${at} is distinct from ${held(part)} and not (j${at} is null and ${held(part)} is null))`
      : `(j${at} is not null and h${at} is distinct from ${held(part)})`,
  )
  return { json, compared, differs }
}

const either = (conditions: readonly string[]): string => (conditions.length === 0 ? 'false' : conditions.join(' or '))

/** Keys at which something may be to do: the rows that are wanted, spelled out, and the keys that no row wants. */
const rowCtes = (words: Words, facts: DiffFacts): string[] => {
  const { warehouse, input, shape, column, text } = words
  const { spec } = input
  const ledger = `(select * from ${cdp(warehouse, 'sync_rows')} where sync = ${text(spec.id)})`
  const { json, compared, differs } = fieldWords(words)
  const key = jsonObject(
    shape.keys.map((part) => `${text(`${JSON.stringify(part.name)}:`)} || ${jsonText(column(part), part.type)}`),
  )
  const newMap = shape.fields.map((part) => facts.lastMap[part.name] !== shape.map[part.name])
  const record = shape.fields.map((part, at) => {
    const value = spec.clear.includes(part.name) ? `coalesce(j${at}, 'null')` : `j${at}`
    return `${text(`${JSON.stringify(part.name)}:`)} || ${value}`
  })
  const fields = shape.fields.map((part, at) => {
    // Only what is really sent is held: a null that is not sent leaves no trace.
    const whole = spec.clear.includes(part.name) ? `h${at}` : `case when j${at} is not null then h${at} end`
    return `${text(`${JSON.stringify(part.name)}:"`)} || ${whole} || '"'`
  })
  const names = text(JSON.stringify(shape.fields.map((part) => part.name)))
  const rowHash = `md5(concat_ws(chr(31), ${[names, ...shape.fields.map((_, at) => `coalesce(h${at}, '')`)].join(', ')}))`
  const state =
    'l.status, l.wanted, l.held, l.next_attempt_at, l.planned_hash, l.planned_fields, l.change_id, l.reference, l.job, l.epoch as last_epoch, l.seq as last_seq'
  return [
    `wanted as not materialized (
  select s.*, u.rm, l.key as held_key, l.fields, ${state}
  from (select * from u where differs) u
  join (select * from s where kind = ${kinds.usable}) s on s.match = u.m
  left join ${ledger} l on l.match = u.rm)`,
    `spelled as not materialized (
  select *, ${[`${key} as own_key`, ...json].join(', ')} from wanted)`,
    `hashed as not materialized (
  select *${compared.map((sql) => `, ${sql}`).join('')} from spelled)`,
    `compared as not materialized (
  select *, ${rowHash} as row_hash, ${jsonObject(record)} as record, ${jsonObject(fields)} as own_fields,
    ${either(differs.filter((_, at) => !newMap[at]))} as data_differs,
    ${either(differs.filter((_, at) => newMap[at]))} as map_differs
  from hashed)`,
    `writes as not materialized (
  select match, seen, rm, status, wanted, held, next_attempt_at, planned_hash, planned_fields, change_id, reference, job, last_epoch, last_seq,
    coalesce(held_key, own_key) as key, row_hash, record, true as usable, ${kinds.usable} as rank,
    rm is null or fields is null or data_differs or map_differs as differs, coalesce(data_differs, true) as data_differs,
    ${takesSnapshot(spec) ? 'own_fields' : `cast(json_merge_patch(coalesce(fields, '{}'), own_fields) as varchar)`} as fields
  from compared)`,
    `removals as not materialized (
  select l.match, cast(null as bigint) as seen, l.match as rm, ${state}, l.key, cast(null as varchar) as row_hash, '{}' as record, false as usable,
    lone.rank, true as differs, true as data_differs, cast(null as varchar) as fields
  from lone join ${ledger} l on l.match = lone.m)`,
  ]
}

const actionOf = ({ input: { spec } }: Words, facts: DiffFacts): string => {
  const now = `cast('${facts.now}' as timestamptz)`
  // A vendor that asked to wait is obeyed; a rejected row waits only as long as it is the same.
  const early = `(next_attempt_at > ${now}${facts.retryRejected ? ` and status = 'retry'` : ''})`
  const gone = `(rank in (${kinds.withheld}, ${kinds.refused}) or (rank = 0 and (${mirrors(spec) ? 'true' : `wanted = 'remove'`})))`
  const once = sendsOnce(spec)
  return `case
  when status = 'pending' then 'poll'
  when usable then case
    when rm is null then 'send'
    when status = 'delivered' then ${once ? `'same'` : `case when differs then 'send' else 'same' end`}
    when status = 'unknown' then ${isMessage(spec) ? `'lost'` : `'send'`}
    when status = 'retry' and ${early} then 'wait'
    ${once ? '' : `when held and not differs then 'settle'`}
    when wanted <> 'remove' and planned_hash is not distinct from row_hash and ${early} then 'wait'
    else 'send' end
  when rank = ${kinds.flawed} then case when held then 'frozen' end
  when not held then case when status <> 'unknown' then 'forget' end
  when not ${gone} then case when status = 'unknown' and ${isMessage(spec)} then 'lost' end
  when ${!canRemove(spec)} then 'stuck'
  when status = 'retry' and ${early} then 'wait'
  when wanted = 'remove' and ${early} then 'wait'
  else 'send' end`
}

const whyOf = (): string => `case
  when status = 'pending' then 'pending'
  when usable then case
    when rm is null then 'added'
    when status = 'unknown' then 'unknown'
    when status <> 'delivered' and wanted <> 'remove' and planned_hash is not distinct from row_hash then 'retry'
    when not held then 'added'
    when data_differs then 'changed'
    else 'map' end
  when rank in (${kinds.withheld}, ${kinds.refused}) then 'consent'
  when wanted = 'remove' then 'retry'
  else 'left' end`

const chosenCtes = (words: Words, facts: DiffFacts): string[] => {
  const { input, text } = words
  const operation = writeOperation(input.spec)
  const sync = text(input.spec.id)
  return [
    `decided as not materialized (
  select *, ${actionOf(words, facts)} as action, ${whyOf()} as why,
    case when status = 'pending' then wanted when usable then '${operation}' else 'remove' end as operation
  from (select * from writes union all by name select * from removals))`,
    `chosen as not materialized (
  select *, sha256(key) as key_hash, case when action = 'poll' then 0 when action <> 'send' then 3 when operation = 'remove' then 1 else 2 end as phase
  from decided where action is not null)`,
    // The same change sent again keeps its id; a later one of the same content has another, or a receiver that remembers ids would drop it.
    `numbered as not materialized (
  select action, why, operation, phase, key, key_hash, match, seen, record, reference, job, status, usable, differs, held is true as held,
    case when action = 'poll' then planned_hash else row_hash end as row_hash,
    case when action = 'poll' then planned_fields else fields end as fields,
    row_number() over (order by phase, case when phase = 0 then job end, case when phase = 0 then last_epoch end,
      case when phase = 0 then last_seq end, case when phase < 3 then key end) as n,
    case when action = 'poll' or (change_id is not null and status <> 'delivered' and wanted = operation and planned_hash is not distinct from row_hash)
      then change_id
      else md5(concat_ws(chr(31), ${sync}, '${facts.epoch}', operation, key_hash, coalesce(row_hash, ''))) end as change_id
  from chosen)`,
  ]
}

const totals = `select 'totals' as action, cast(json_object(
    'rows', count(kind),
    'withheld', count(*) filter (kind in (${kinds.withheld}, ${kinds.refused}))
      + (select count(*) from j where kind = ${kinds.usable} and m in (select m from vetoed)),
    'skipped', count(*) filter (kind = ${kinds.flawed})
      + (select count(*) from j where kind = ${kinds.usable} and m in (select m from dup) and m not in (select m from vetoed))
  ) as varchar) as record from j`

/**
 * Creates `target`, a temporary relation: one row a key at which something is to be done, and one row `totals`.
 * `action`: send · poll · settle (what is held is what is wanted again) · forget (never held, no longer wanted) · same (nothing to send)
 * · wait (its time has not come) · lost (a message nobody can say was sent) · frozen · stuck (to be removed, where nothing can be removed).
 */
export const diffStatement = (
  warehouse: Warehouse,
  input: SyncInput,
  shape: Shape,
  facts: DiffFacts,
  target: string,
): string => {
  const words = wordsOf(warehouse, input, shape)
  const ctes = [...sourceCtes(words, true), ...matchCtes(words), ...rowCtes(words, facts), ...chosenCtes(words, facts)]
  return `create or replace temp table ${target} as\nwith ${ctes.join(',\n')}\nselect * from numbered\nunion all by name\n${totals}`
}

/** Rows of `from` that were kept aside: reason, key (JSON), person_id. */
export const skippedSelect = (warehouse: Warehouse, input: SyncInput, shape: Shape): string => {
  const words = wordsOf(warehouse, input, shape)
  const parts = shape.keys.map(
    (part) =>
      `${words.text(`${JSON.stringify(part.name)}:`)} || coalesce(${jsonText(words.column(part), part.type)}, 'null')`,
  )
  return `with ${[
    ...sourceCtes(words, true),
    `vetoed as materialized (select distinct match from s where kind = ${kinds.refused} and match is not null)`,
    `dup as materialized (select match from s where kind = ${kinds.usable} group by match having count(*) > 1)`,
  ].join(',\n')}
select coalesce(flaw, '${flaws.duplicate}') as reason, ${jsonObject(parts)} as key, person_id from s
where kind = ${kinds.flawed} or (kind = ${kinds.usable} and match in (select match from dup) and match not in (select match from vetoed))`
}

/** Every row that is wanted, ordered by key: one column `row`, JSON of the key's fields and then the mapped ones, nulls as null. */
export const wantedSelect = (warehouse: Warehouse, input: SyncInput, shape: Shape): string => {
  const words = wordsOf(warehouse, input, shape)
  const entry = (part: Part, json: string): string =>
    `${words.text(`${JSON.stringify(part.name)}:`)} || coalesce(${json}, 'null')`
  const keyNames = new Set(shape.keys.map((part) => part.name))
  const keys = shape.keys.map((part) => entry(part, jsonText(words.column(part), part.type)))
  const fields = shape.fields
    .filter((part) => !keyNames.has(part.name))
    .map((part) =>
      entry(
        part,
        part.column === undefined
          ? part.constant === undefined
            ? 'null'
            : words.text(part.constant)
          : jsonText(words.column(part), part.type),
      ),
    )
  const order = shape.keys.map((part) => keyText(words.column(part), part.type))
  return `with ${[
    ...sourceCtes(words, true),
    `vetoed as materialized (select distinct match from s where kind = ${kinds.refused} and match is not null)`,
    `dup as materialized (select match from s where kind = ${kinds.usable} group by match having count(*) > 1)`,
  ].join(',\n')}
select cast(${jsonObject([...keys, ...fields])} as json) as row from s
where kind = ${kinds.usable} and match not in (select match from dup) and match not in (select match from vetoed)
order by ${order.join(', ')}`
}
