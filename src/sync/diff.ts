// The diff as one SQL statement: `from` against the ledger, over match keys and mapped columns only, giving one row for every key at
// which something is to be done. Rows that did not change are told by one fast hash and never looked at; only the rest are spelled as
// JSON and compared field by field.
import type { Warehouse } from '../warehouse/warehouse.ts'
import { decisionCtes, planRow } from './decide.ts'
import { rowCtes } from './compare.ts'
import { stateTable } from '../warehouse/state-sql.ts'
import { asksConsent, kinds, sourceCtes, wordsOf, type DiffFacts, type Words } from './source.ts'
import type { Shape } from './shape.ts'
import type { SyncInput } from './spec.ts'

// Every row against the ledger by what is narrow: whether a key must be looked at. What did not change is then read no more: `odd` is
// the rest. Duplicates are looked for only where they can be: among new keys, and among known ones when more rows than keys were met.
const matchCtes = (words: Words): string[] => {
  const { warehouse, input, text } = words
  const { dialect } = warehouse
  const cte = (name: string, select: string, how: 'once' | 'inline'): string => dialect.cte(name, select, how)
  const few = (name: string, select: string, columns?: readonly string[]): string =>
    dialect.cte(name, select, 'few', columns)
  const asks = asksConsent(words)
  const ledger = `${stateTable(warehouse, 'sync_rows')} as l where l.sync = ${text(input.spec.id)}`
  const left = asks
    ? 'm not in (select m from dup) and m not in (select m from vetoed)'
    : 'm not in (select m from dup)'
  return [
    cte('r', `select match, seen, status <> 'delivered' or wanted = 'remove' as due from ${ledger}`, 'inline'),
    cte(
      'j',
      `select s.kind, s.row_at, s.match as m, r.match as rm, s.seen is distinct from r.seen or r.due as differs
  from s full join r on s.match = r.match`,
      'once',
    ),
    cte(
      'counted',
      `select count(kind) as met_all, count(case when kind is not null then rm end) as met, count(*) - count(kind) as unmet,
    count(case when kind in (${kinds.withheld}, ${kinds.refused}) then 1 end) as withheld, count(case when kind = ${kinds.flawed} then 1 end) as unusable
  from j`,
      'once',
    ),
    cte(
      'odd',
      `select kind, row_at, m, rm from j where kind is distinct from ${kinds.usable} or rm is null or differs`,
      'once',
    ),
    ...(asks ? [few('vetoed', `select distinct m from odd where kind = ${kinds.refused}`)] : []),
    few(
      'dup',
      `select m from odd where kind = ${kinds.usable} and rm is null group by m having count(*) > 1
  union all
  select m from j where kind = ${kinds.usable} and rm is not null and (select met + unmet from counted) > (select count(*) from r)
  group by m having count(*) > 1`,
    ),
    few('flawed', `select m from odd where kind = ${kinds.flawed} union distinct select m from dup`),
    few(
      'aside',
      asks
        ? `select m from flawed union distinct select m from odd where kind in (${kinds.withheld}, ${kinds.refused})`
        : 'select m from flawed',
    ),
    // Of the keys set aside, those that a usable row wants all the same.
    few('saved', `select m from j where kind = ${kinds.usable} and m in (select m from aside) and ${left}`),
    few(
      'lone',
      `select rm as m, 0 as rank from odd where kind is null
  union all
  select m, case ${asks ? `when m in (select m from vetoed) then ${kinds.refused} ` : ''}when m in (select m from flawed) then ${kinds.flawed} else ${kinds.withheld} end
  from aside where m not in (select m from saved)`,
      ['m', 'rank'],
    ),
    // One record of the vendor may stand behind two keys (an address that changed): while one is wanted, removing the other takes it away.
    few(
      'shared',
      `select distinct l.reference from ${ledger} and l.held and l.wanted <> 'remove'
  and l.reference in (select l.reference from ${ledger} and l.reference is not null and l.match in (select m from lone))
  and l.match not in (select m from lone where rank <> ${kinds.flawed})`,
      ['reference'],
    ),
    cte('u', `select m, rm, row_at from odd where kind = ${kinds.usable} and ${left}`, 'inline'),
  ]
}

const totals = (words: Words): string => {
  const { warehouse } = words
  const usable = `select count(*) from j where kind = ${kinds.usable}`
  const [vetoed, notVetoed] = asksConsent(words)
    ? [`(${usable} and m in (select m from vetoed))`, ' and m not in (select m from vetoed)']
    : ['0', '']
  const digits = (sql: string): string => `cast(${sql} as ${words.textType})`
  const record = `'{"rows":' || ${digits('met_all')} || ',"withheld":' || ${digits(`withheld + ${vetoed}`)} ||
    ',"skipped":' || ${digits(`unusable + (${usable} and m in (select m from dup)${notVetoed})`)} || '}'`
  return `select ${planRow(warehouse, { action: `'totals'`, record })} from counted`
}

/**
 * The definition of the plan's relation, to be made of it: one row a key at which something is to be done, and one row `totals`.
 * `action`: send · poll · settle (what is held is what is wanted again) · forget (nothing is to be removed there) · same (nothing to send)
 * · wait (its time has not come) · lost (a message nobody can say was sent) · frozen · stuck (to be removed, where nothing can be removed)
 * · kept (not in order, and nothing can be done about it now).
 */
export const diffStatement = (warehouse: Warehouse, input: SyncInput, shape: Shape, facts: DiffFacts): string => {
  const words = wordsOf(warehouse, input, shape)
  const ctes = [...sourceCtes(words), ...matchCtes(words), ...rowCtes(words, facts), ...decisionCtes(words, facts)]
  return `as with ${ctes.join(',\n')}\nselect * from numbered\nunion all\n${totals(words)}`
}
