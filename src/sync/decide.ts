// The last part of the diff: what is to be done at each key, why, and in which order.
import { kinds, type DiffFacts, type Words } from './source.ts'
import { canRemove, isMessage, mirrors, sendsOnce, writeOperation } from './spec.ts'

const withheld = `rank in (${kinds.withheld}, ${kinds.refused})`

const actionOf = ({ input: { spec } }: Words, facts: DiffFacts): string => {
  const now = `cast('${facts.now}' as timestamptz)`
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

/** `numbered`: the decisions. Polls come first, then removals, then the rest, which is the order they are sent in. */
export const decisionCtes = (words: Words, facts: DiffFacts): string[] => {
  const { input, text } = words
  return [
    `decided as not materialized (
  select *, ${actionOf(words, facts)} as action, ${whyOf} as why,
    case when status = 'pending' then wanted when usable then '${writeOperation(input.spec)}' else 'remove' end as operation
  from (select * from polls union all by name select * from removals union all by name select * from writes))`,
    `chosen as not materialized (
  select *, substr(sha256(key), 1, 32) as key_hash from decided where action is not null)`,
    // The same change sent again keeps its id; a later one of the same content has another, or a receiver that remembers ids drops it.
    `numbered as not materialized (
  select action, why, operation, key, key_hash, match, seen, record, reference, job, last_epoch, last_seq, status, usable, differs,
    held is true as held, row_hash, fields,
    case when action = 'poll' or (change_id is not null and status <> 'delivered' and wanted = operation and planned_hash is not distinct from row_hash)
      then change_id
      else md5(concat_ws(chr(31), ${text(input.spec.id)}, '${facts.epoch}', operation, key_hash, coalesce(row_hash, ''))) end as change_id
  from chosen)`,
  ]
}
