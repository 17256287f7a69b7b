// The partition as it is meant, worked out the slow way in memory, to hold the warehouse against.
import type { IdentitySettings } from '../../src/identity/settings.ts'
import type { TestRecord } from './graph.ts'

export const keyOf = (record: TestRecord): string => `${String(record['source'])}/${String(record['record_id'])}`

const compare = <T>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0)
const late = '~'

/** Groups of record keys, each sorted, in order of their first. Knows no junk and no `max_shared_by`. */
export const partition = (records: readonly TestRecord[], settings: IdentitySettings): string[][] => {
  const identifiers = Object.keys(settings.identifiers)
  const valueOf = (record: TestRecord, identifier: string): string | undefined =>
    String(record[identifier] ?? '').trim() || undefined
  const links = identifiers.flatMap((identifier, rank) =>
    records.flatMap((record) => {
      const value = valueOf(record, identifier)
      return value === undefined ? [] : [{ rank, value, record }]
    }),
  )
  const group = (
    allowed: (a: readonly TestRecord[], b: readonly TestRecord[]) => boolean,
    order: typeof links,
  ): TestRecord[][] => {
    let sets = records.map((record) => [record])
    const homes = new Map<string, TestRecord[]>()
    for (const { rank, value, record } of order) {
      const mine = sets.find((set) => set.includes(record)) ?? []
      const name = `${rank} ${value}`
      const home = homes.get(name)
      const other = home === undefined ? undefined : sets.find((set) => set.includes(home[0] ?? record))
      if (other === undefined) homes.set(name, [record])
      else if (other !== mine && allowed(mine, other)) {
        const joined = [...mine, ...other]
        sets = [...sets.filter((set) => set !== mine && set !== other), joined]
      }
    }
    return sets
  }
  const within = (set: readonly TestRecord[]): boolean =>
    identifiers.every((identifier) => {
      const most = settings.identifiers[identifier]?.max_per_person ?? Infinity
      return new Set(set.flatMap((record) => valueOf(record, identifier) ?? [])).size <= most
    })
  const free = group(() => true, links)
  const limited = group(
    (a, b) => within([...a, ...b]),
    links.toSorted((a, b) => {
      const of = (link: (typeof links)[number]): readonly [number, number, string, string, string, string] => {
        const carriers = links.filter((other) => other.rank === link.rank && other.value === link.value)
        const times = carriers.map((carrier) => String(carrier.record['seen_at'] ?? late)).toSorted()
        return [
          link.rank,
          carriers.length,
          times[0] ?? late,
          link.value,
          String(link.record['seen_at'] ?? late),
          keyOf(link.record),
        ]
      }
      const [x, y] = [of(a), of(b)]
      return x.map((part, at) => compare(part, y[at] ?? '')).find((order) => order !== 0) ?? 0
    }),
  )
  const result = free.flatMap((set) =>
    within(set) ? [set] : limited.filter((part) => part.some((one) => set.includes(one))),
  )
  return result.map((set) => set.map(keyOf).toSorted()).toSorted((a, b) => compare(a[0] ?? '', b[0] ?? ''))
}
