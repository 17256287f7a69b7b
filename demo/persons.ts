// Persons found against the truth that the generator kept apart: precision and recall over pairs of records.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
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
  const truth = await readTruth(truthFile)
  const regular = mostFrequent(truth.values())
  const { rows } = await shell.cdp(['query', 'select person_id, source, record_id from people'], { quiet: true })
  const records = rows.flatMap((row) => {
    const [record = ''] = String(row['record_id']).split('/')
    const person = truth.get(`${String(row['source'])},${record}`)
    return person === undefined || person === regular ? [] : [{ found: String(row['person_id']), truth: person }]
  })
  const found = countsOf(records.map((record) => record.found))
  const people = countsOf(records.map((record) => record.truth))
  const hits = pairsIn(countsOf(records.map((record) => `${record.found} ${record.truth}`)))
  return {
    found: found.size,
    truth: people.size,
    precision: hits / pairsIn(found),
    recall: hits / pairsIn(people),
  }
}

/** Persons by `source,record`. */
const readTruth = async (file: string): Promise<ReadonlyMap<string, string>> => {
  const persons = new Map<string, string>()
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const at = line.lastIndexOf(',')
    persons.set(line.slice(0, at), line.slice(at + 1))
  }
  persons.delete('source,record_id')
  return persons
}

const countsOf = (names: Iterable<string>): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

const mostFrequent = (names: Iterable<string>): string | undefined =>
  [...countsOf(names)].toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))[0]?.[0]

const pairsIn = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, n) => sum + (n * (n - 1)) / 2, 0)
