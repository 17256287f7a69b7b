// How right a graph is, where the truth is known: pairs of records that are together, found against true. All in the warehouse.
import type { Session } from '../warehouse/warehouse.ts'

export interface Evaluation {
  /** Records that are in both; pairs are counted among these. */
  readonly records: number
  readonly persons: number
  readonly truePersons: number
  readonly pairsFound: number
  readonly pairsTrue: number
  readonly pairsRight: number
  /** Of the pairs found, the share that is right; 1 when none was found. */
  readonly precision: number
  /** Of the true pairs, the share that was found; 1 when there is none. */
  readonly recall: number
  readonly f1: number
}

/**
 * `found` and `truth` are SELECTs of (record_key, person), a record once in each.
 *
 * @example
 * await evaluate(warehouse, {
 *   found: "select record_key, person_id as person from cdp.person_records where graph = 'people'",
 *   truth: 'select record_key, person from truth',
 * })
 */
export const evaluate = async (
  session: Session,
  { found, truth }: { readonly found: string; readonly truth: string },
): Promise<Evaluation> => {
  const [row] = await session.all<Counts>(
    `with known as (
  select f.person as found, t.person as truth
  from (\n${found}\n) f join (\n${truth}\n) t on t.record_key = f.record_key
)
select f.records, f.persons, t.persons as true_persons, f.pairs as found_pairs, t.pairs as true_pairs, r.pairs as right_pairs
from ${pairs('k.found')} f cross join ${pairs('k.truth')} t cross join ${pairs('k.found, k.truth')} r`,
  )
  const count = (name: keyof Counts): number => Number(row?.[name] ?? 0)
  const [pairsFound, pairsTrue, pairsRight] = [count('found_pairs'), count('true_pairs'), count('right_pairs')]
  const precision = pairsFound === 0 ? 1 : pairsRight / pairsFound
  const recall = pairsTrue === 0 ? 1 : pairsRight / pairsTrue
  return {
    records: count('records'),
    persons: count('persons'),
    truePersons: count('true_persons'),
    pairsFound,
    pairsTrue,
    pairsRight,
    precision,
    recall,
    f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall),
  }
}

type Counts = Readonly<
  Record<
    'records' | 'persons' | 'true_persons' | 'found_pairs' | 'true_pairs' | 'right_pairs',
    number | bigint | string | null
  >
>

const pairs = (by: string): string =>
  `(select count(*) as persons, sum(c.n * (c.n - 1) / 2) as pairs, sum(c.n) as records from (select count(*) as n from known k group by ${by}) c)`
