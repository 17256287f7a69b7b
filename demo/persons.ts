// Persons found against the truth that the generator kept apart: precision and recall over pairs of records.
import type { Shell } from './shell.ts'

export interface PersonsScore {
  readonly found: number
  readonly truth: number
  readonly precision: number
  readonly recall: number
}

/**
 * A pair is two records of one person. The record of a browser at which somebody logged in is the browser's in the truth.
 * The one customer with 500 receipts is left out: she alone would be nine in ten of all pairs.
 */
export const personsAgainstTruth = async (shell: Shell, truthFile: string): Promise<PersonsScore> => {
  const sql = `
    with truth as (
      select source, record_id, person from read_csv('${truthFile.replaceAll("'", "''")}', all_varchar = true)
    ),
    both_sides as (
      select p.person_id as found, t.person as truth
      from people p join truth t on t.source = p.source and t.record_id = split_part(p.record_id, '/', 1)
      where t.person <> (select person from truth group by person order by count(*) desc, person limit 1)
    ),
    pairs as (
      select (select sum(n * (n - 1) / 2) from (select count(*) as n from both_sides group by found)) as found,
             (select sum(n * (n - 1) / 2) from (select count(*) as n from both_sides group by truth)) as truth,
             (select sum(n * (n - 1) / 2) from (select count(*) as n from both_sides group by found, truth)) as hits
    )
    select (select count(distinct found) from both_sides) as found, (select count(distinct truth) from both_sides) as truth,
           round(hits / pairs.found, 4) as precision, round(hits / pairs.truth, 4) as recall
    from pairs`
  const [row] = (await shell.cdp(['query', sql], { quiet: true })).rows
  const number = (name: string): number => Number(row?.[name] ?? Number.NaN)
  return { found: number('found'), truth: number('truth'), precision: number('precision'), recall: number('recall') }
}
