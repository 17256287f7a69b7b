// How many people a shared value seems to belong to: the distinct combinations of the other identifiers and the names of its records.
// A part that is empty or junk is unknown and fits anything, so a combination that is contained in a fuller one is not counted:
// 500 receipts of one name, some with an e-mail address, are one; 400 records with a name each are 400.
import type { Warehouse } from '../warehouse/warehouse.ts'
import { isJunk } from './junk.ts'
import type { IdentitySettings } from './settings.ts'
import { ranked, trimmed, valueColumn } from './stage.ts'
import type { Work } from './work.ts'

/**
 * For the values in work table `candidates` (vid, k, value) makes work table `people_of` (vid, n). With neither another identifier nor
 * a name there is nothing to tell people apart by, and n is 1.
 */
export const countPeople = async (work: Work, settings: IdentitySettings, ranks: readonly number[]): Promise<void> => {
  const counted: string[] = []
  for (const [identifier, rank] of ranked(settings)) {
    if (!ranks.includes(rank)) continue
    const parts = partsOf(work.warehouse, settings, identifier)
    if (parts.length === 0) {
      counted.push(`select c.vid, 1 as n from ${work.name('candidates')} c where c.k = ${rank}`)
      continue
    }
    await stageCombinations(work, rank, parts)
    counted.push(await countMaximal(work, rank, parts.length))
  }
  await work.make(
    'people_of',
    `select u.vid, sum(u.n) as n from (\n${counted.join('\nunion all\n')}\n) u group by u.vid`,
  )
}

/** A column of `records`, and what of its value counts: null where it says nothing. */
interface Part {
  readonly value: string
  readonly clean: (value: string) => string
}

const partsOf = (warehouse: Warehouse, settings: IdentitySettings, identifier: string): readonly Part[] => {
  const unlessJunk = (value: string, use: string): string =>
    `case when ${value} is null or ${isJunk(warehouse, value, settings.junk)} then null else ${use} end`
  const key = warehouse.name({ schema: 'cdp', name: 'name_key' })
  return [
    ...ranked(settings)
      .filter(([other]) => other !== identifier)
      .map(([, rank]) => ({ value: `r.${valueColumn(rank)}`, clean: (value: string) => unlessJunk(value, value) })),
    ...settings.names.map((name) => ({
      value: trimmed(warehouse, name, 'r'),
      clean: (value: string) => unlessJunk(value, `${key}(${value})`),
    })),
  ]
}

const combinations = (rank: number): string => `combinations_${rank}`

// As they are first, then cleaned: cleaning costs more than the distinct, and a receipt repeats what the one before it said.
// `mask` says which parts are known: 101 has the first and the third.
const stageCombinations = async (work: Work, rank: number, parts: readonly Part[]): Promise<void> => {
  const names = parts.map((_, at) => `p${at}`)
  const mask = names.map((name) => `case when d.${name} is null then '0' else '1' end`).join(' || ')
  await work.make(
    combinations(rank),
    `select d.*, ${mask} as mask from (
  select distinct w.vid, ${parts.map((part, at) => `${part.clean(`w.p${at}`)} as p${at}`).join(', ')}
  from (
    select distinct c.vid, ${parts.map((part, at) => `${part.value} as p${at}`).join(', ')}
    from ${work.name('records')} r join ${work.name('candidates')} c on c.k = ${rank} and c.value = r.${valueColumn(rank)}
  ) w
) d`,
  )
}

/** A SELECT of (vid, n) over the combinations that no fuller one contains. */
const countMaximal = async (work: Work, rank: number, width: number): Promise<string> => {
  const table = work.name(combinations(rank))
  const masks = (
    await work.warehouse.all<{ mask: string }>(`select distinct d.mask from ${table} d order by d.mask`)
  ).map((row) => row.mask)
  const counts = masks.map((mask) => {
    const fuller = masks.filter((other) => other !== mask && contains(other, mask))
    if (fuller.length === 0)
      return `select a.vid, count(*) as n from ${table} a where a.mask = '${mask}' group by a.vid`
    const agree = Array.from({ length: width }, (_, at) => at)
      .filter((at) => mask[at] === '1')
      .map((at) => ` and b.p${at} = a.p${at}`)
      .join('')
    const within = fuller.map((other) => `'${other}'`).join(', ')
    return `select a.vid, count(*) as n from ${table} a where a.mask = '${mask}'
  and not exists (select 1 from ${table} b where b.vid = a.vid and b.mask in (${within})${agree}) group by a.vid`
  })
  return counts.join('\nunion all\n')
}

const contains = (mask: string, part: string): boolean =>
  part.split('').every((bit, at) => bit === '0' || mask[at] === '1')
