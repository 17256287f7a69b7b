// The table of what is not portable, held against the engines themselves: each complaint is true, each spelling it proposes is taken by
// both and gives one value, and the check finds the one and not the other. The judges are DuckDB and Google's analyzer and evaluator.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findTyped } from '../../src/models/portability/find-typed.ts'
import { findUnportable } from '../../src/models/portability/find.ts'
import type { Rule } from '../../src/models/portability/rule.ts'
import { ruleThemes } from '../../src/models/portability/rules.ts'
import { sameFunctions } from '../../src/models/portability/same-functions.ts'
import { sameParts } from '../../src/models/portability/special.ts'
import { sameOfNull, sameTypes } from '../../src/models/portability/types.ts'
import { reservedByBigQuery, reservedByDuckDb } from '../../src/models/portability/words.ts'
import type { Warehouse } from '../../src/warehouse/warehouse.ts'
import { openGoogle, type Google } from '../warehouse/bigquery/google.ts'
import { inMemory } from './project.ts'

let google: Google
let duck: Warehouse
beforeAll(async () => {
  google = await openGoogle()
  duck = await inMemory()
})
afterAll(async () => {
  await duck.close()
  await google.close()
})

const refused = Symbol('refused')
type Value = string | null | typeof refused

/** `cdp.to_text` of an expression. */
const onDuckDb = async (expression: string): Promise<Value> => {
  try {
    const [row] = await duck.all<{ v: string | null }>(`select cdp.to_text(v) as v from (select ${expression} as v) t`)
    return row?.v ?? null
  } catch {
    return refused
  }
}
const onGoogle = async (expression: string): Promise<Value> => {
  try {
    return (await google.evaluate([expression]))[0]?.text ?? null
  } catch {
    return refused
  }
}

// Columns without a name count where they are a model's own: in the example that is inside.
const foundIn = async (expression: string): Promise<string[]> => {
  const inner = /^\(select cdp\.to_text\(t\) from \((.*)\) t\)$/.exec(expression)?.[1]
  const sql = inner ?? `select ${expression} as v`
  const found = [...(await findUnportable(sql, true)), ...(await findTyped(sql, duck, true))]
  return found.map(({ complaint }) => complaint.found)
}

/** What the engines make of an expression, in the words of a rule. */
const verdictOn = async (expression: string): Promise<string> => {
  const [here, there] = [await onDuckDb(expression), await onGoogle(expression)]
  if (here === refused) return 'refused by duckdb'
  if (there === refused) return 'refused by bigquery'
  return here === there ? 'the same' : 'silently different'
}
const claimOf = ({ refusedBy }: Rule): string =>
  refusedBy === undefined ? 'silently different' : `refused by ${refusedBy}`

const rules: readonly Rule[] = Object.values(ruleThemes).flat()
const titled = (list: readonly Rule[]): (readonly [string, Rule])[] =>
  list.map((rule) => [`${rule.found}: ${rule.example}`, rule])
const judged = rules.filter((rule) => rule.documented === undefined)
const replaced = rules.filter((rule) => rule.instead !== undefined)
const timeout = 60_000

describe('a rule', () => {
  it.each(titled(judged))('is true of the engines: %s', async (_, rule) => {
    expect(await verdictOn(rule.example)).toBe(claimOf(rule))
  })

  it.each(titled(replaced))('proposes what both read alike, without a complaint: %s', async (_, { instead = '' }) => {
    expect(await verdictOn(instead)).toBe('the same')
    expect(await foundIn(instead)).toEqual([])
  })

  it.each(titled(rules))('is found in its example: %s', async (_, { found, example }) => {
    expect(await foundIn(example)).toContain(found)
  })

  it('rests on documentation alone only where the analyzer takes more or less than the service, or chance decides', () => {
    const documented = rules.filter((rule) => rule.documented)
    expect(documented.map(({ found }) => found)).toEqual([
      'decimal(p, s)',
      'two columns of one name in a result',
      'nulls first or nulls last in an aggregate or a range of values',
      'limit without order by',
      'string_agg or array_agg without order by',
      'a row number, rank or neighbour without order by',
      'a date or an instant minus another',
      'interval',
      'union all by name',
      'group by all',
      'group by cube',
      'grouping sets',
      'group by ()',
      'approx_count_distinct(…)',
      'max_by(…)',
      'min_by(…)',
      'grouping(…)',
    ])
  })
})

describe('what is common', () => {
  const calls = [...Object.values(sameFunctions).flat(), ...Object.values(sameTypes), ...Object.values(sameOfNull)]
  const parts = sameParts.map((part) =>
    ['hour', 'minute', 'second'].includes(part)
      ? `extract(${part} from timestamp '2026-10-04 08:09:10.5')`
      : `extract(${part} from date '2027-01-02')`,
  )
  const shapes = [
    '(select max(n) from (select sum(a) over w as n from (select 1 as a) window w as (order by a desc)))',
    '(select a from (select * replace (a + 1 as a) from (select 1 as a)))',
    '(with recursive x as (select 1 as n union all select n + 1 from x where n < 3) select max(n) from x)',
    '(select max(n) from (select a, count(*) as n from (select 1 as a) group by rollup (a)))',
    `(select count(*) from (select 1 as a) x full outer join (select 1 as a) y using (a))`,
    `'abc' || 'd' like 'a%' and 2 between 1 and 3 and 1 is distinct from null`,
    `(select count(distinct (a, b)) from (select 1 as a, 2 as b))`,
    `(select a from (select 1 as a) qualify row_number() over (order by a desc) = 1)`,
    `date '2026-10-02' + 1`,
    `case 1 when 1 then 'a' else 'b' end`,
  ]
  it.each([...calls, ...parts, ...shapes])('gives one value on both, and no complaint: %s', async (expression) => {
    expect(await verdictOn(expression)).toBe('the same')
    expect(await foundIn(expression)).toEqual([])
  })
})

describe('the reserved words', () => {
  it('are those that Google’s analyzer refuses as an alias', { timeout }, async () => {
    for (const word of new Set([...reservedByBigQuery, ...reservedByDuckDb])) {
      const said = await google.refuses(`select 1 as ${word}`)
      expect(said === undefined, word).toBe(!reservedByBigQuery.has(word))
    }
  })

  it('are those that DuckDB refuses as the name of a column or a relation', { timeout }, async () => {
    const known = await duck.all<{ word: string }>('select keyword_name as word from duckdb_keywords()')
    for (const word of new Set([...known.map((row) => row.word), ...reservedByBigQuery])) {
      const tries = [`select ${word} from (select 1 as "${word}") t`, `select 1 as x from (select 1 as y) ${word}`]
      const outcomes = await Promise.allSettled(tries.map((sql) => duck.describe(sql)))
      const refusedWord = outcomes.some(({ status }) => status === 'rejected')
      expect(refusedWord, word).toBe(reservedByDuckDb.has(word))
    }
  })
})
