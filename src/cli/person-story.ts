// `cdp explain person` as text: the records, what joined them, where each trait came from, what happened to the id.
import type { Explained, PersonExplanation } from '../run/explain.ts'
import { formatTable } from './table.ts'

const section = (title: string, rows: readonly Readonly<Record<string, unknown>>[], columns: number): string =>
  rows.length === 0 ? '' : `\n${title}\n${formatTable(rows, columns)}`

const personStory = (person: PersonExplanation, columns: number): string =>
  [
    `Person ${person.personId} in ${person.graph}: ${person.recordCount} records, ${person.status}, since run ${person.bornRun}`,
    person.formerIds.length > 0 ? `\nFormerly ${person.formerIds.join(', ')}` : '',
    '\n',
    section(
      'Records',
      person.records.map(({ record, row }) => ({ record, ...row })),
      columns,
    ),
    section(
      'What joined them, and what did not',
      person.links.map((link) => ({
        identifier: link.identifier,
        value: link.value,
        status: link.status,
        records: link.count,
        for: link.records.slice(0, 5).join(', ') + (link.count > 5 ? ', …' : ''),
        reason: link.reason ?? '',
      })),
      columns,
    ),
    ...person.profiles.map(({ profile, traits }) =>
      section(
        `Traits in ${profile}`,
        traits.map(({ trait, value, rule, record }) => ({ trait, value, rule, from: record ?? '' })),
        columns,
      ),
    ),
    section(
      'History',
      person.history.map((event) => ({ ...event })),
      columns,
    ),
  ].join('')

export const explainedStory = (explained: Explained, columns: number): string => {
  if (explained.persons.length === 0) return `Nobody found for "${explained.query}".`
  const head =
    explained.total > 1
      ? `${explained.total} persons carry ${explained.matchedBy ?? 'it'}${explained.total > explained.persons.length ? `; the first ${explained.persons.length}:` : ':'}\n\n`
      : ''
  return head + explained.persons.map((person) => personStory(person, columns)).join('\n\n')
}
