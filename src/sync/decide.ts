// The last part of the diff: what is to be done at each key, why, and in which order.
import type { ColumnType, Warehouse } from '../warehouse/warehouse.ts'
import { instantOf } from '../warehouse/state-sql.ts'
import { kinds, type DiffFacts, type Words } from './source.ts'
import { canRemove, isMessage, mirrors, sendsOnce, writeOperation } from './spec.ts'

const withheld = `rank in (${kinds.withheld}, ${kinds.refused})`

const actionOf = ({ warehouse, input: { spec } }: Words, facts: DiffFacts): string => {
  const now = instantOf(warehouse, facts.now)
  // A vendor that asked to wait is obeyed; a rejected row waits only as long as it is the same.
  const early = `(next_attempt_at > ${now}${facts.retryRejected ? ` and status = 'retry'` : ''})`
  const gone = `(${withheld} or (rank = 0 and (${mirrors(spec) ? 'true' : `wanted = 'remove'`})))`
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
  when rank = ${kinds.flawed} then case when held then 'frozen' when status <> 'delivered' then 'kept' end
  when not held then 'forget'
  when not ${gone} then case when status = 'unknown' and ${isMessage(spec)} then 'lost' when status <> 'delivered' then 'kept' end
  when ${!canRemove(spec)} then 'stuck'
  when shared then 'forget'
  when status = 'retry' and ${early} then 'wait'
  when wanted = 'remove' and ${early} then 'wait'
  else 'send' end`
}

const whyOf = `case
  when status = 'pending' then 'pending'
  when usable then case
    when rm is null then 'added'
    when status = 'unknown' then 'unknown'
    when status <> 'delivered' and wanted <> 'remove' and planned_hash is not distinct from row_hash then 'retry'
    when not held then 'added'
    when data_differs then 'changed'
    else 'map' end
  when not held then 'never there and no longer wanted'
  when shared then 'another key of the same record is wanted'
  when ${withheld} then 'consent'
  when wanted = 'remove' then 'retry'
  else 'left' end`

// Numbers have gaps, so that many workers can number parts of a plan: by kind of row, then by 2,047 parts of each. All fit into a double.
const phase = `case when action = 'poll' then 0 when usable then 2 else 1 end`

/** Of the plan's relation, in order. `n` besides, where rows have no numbers of their own. */
const planColumns = (warehouse: Warehouse): readonly (readonly [name: string, type: ColumnType])[] => [
  ['action', 'text'],
  ['why', 'text'],
  ['operation', 'text'],
  ['key', 'text'],
  ['key_hash', 'text'],
  ['match', 'integer'],
  ['seen', 'integer'],
  ['record', 'text'],
  ['reference', 'text'],
  ['job', 'text'],
  ['last_epoch', 'integer'],
  ['last_seq', 'integer'],
  ['usable', 'boolean'],
  ['row_hash', 'text'],
  ['fields', 'text'],
  ['change_id', 'text'],
  ...(isNumbered(warehouse) ? [] : ([['n', 'integer']] as const)),
]

const isNumbered = (warehouse: Warehouse): boolean => warehouse.dialect.rowNumber('p') !== undefined

/** The place of a row of the plan's relation under alias `p`, from 1, in the order of delivery. */
export const planNumber = (warehouse: Warehouse): string => {
  const number = warehouse.dialect.rowNumber('p')
  return number === undefined ? 'p.n' : `${number} + 1`
}

/** To read the plan's relation, under alias `p`, by number. Where rows have numbers they come in that order by themselves. */
export const inOrder = (warehouse: Warehouse): string => (isNumbered(warehouse) ? '' : ' order by p.n')

/** A row of the plan's relation that says nothing but this. */
export const planRow = (warehouse: Warehouse, said: Readonly<Record<string, string>>): string =>
  planColumns(warehouse)
    .map(([name, type]) => `${said[name] ?? `cast(null as ${warehouse.typeName(type)})`} as ${name}`)
    .join(', ')

/** `numbered`: the decisions. Polls come first, then removals, then the rest, which is the order they are sent in. */
export const decisionCtes = (words: Words, facts: DiffFacts): string[] => {
  const { warehouse, input, text } = words
  const { dialect } = warehouse
  const change = dialect.joined('chr(31)', [
    text(input.spec.id),
    text(String(facts.epoch)),
    'operation',
    'key_hash',
    `coalesce(row_hash, '')`,
  ])
  const said: Readonly<Record<string, string>> = {
    // The same change sent again keeps its id; a later one of the same content has another, or a receiver that remembers ids drops it.
    change_id: `case when action = 'poll' or (change_id is not null and status <> 'delivered' and wanted = operation and planned_hash is not distinct from row_hash)
      then change_id else ${dialect.md5(change)} end`,
    n: `${phase} * ${2 ** 44} + (mod(match, 1024) + 1023) * ${2 ** 32} + row_number() over (partition by ${phase}, mod(match, 1024) order by key, match)`,
  }
  const columns = planColumns(warehouse).map(([name]) => (said[name] === undefined ? name : `${said[name]} as ${name}`))
  return [
    dialect.cte(
      'decided',
      `select c.*, ${actionOf(words, facts)} as action, ${whyOf} as why,
    case when status = 'pending' then wanted when usable then '${writeOperation(input.spec)}' else 'remove' end as operation
  from candidates as c`,
      'inline',
    ),
    dialect.cte(
      'chosen',
      `select d.*, substr(${dialect.sha256('key')}, 1, 32) as key_hash from decided as d where action is not null`,
      'inline',
    ),
    dialect.cte('numbered', `select ${columns.join(', ')} from chosen`, 'inline'),
  ]
}
