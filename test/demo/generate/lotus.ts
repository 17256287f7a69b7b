// The generated company read back from its files, and a deterministic identity resolution in a few lines, so that the
// tests judge the data by what the project's own rules could make of it. Not the project's own code on purpose.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

import parsePhone from 'libphonenumber-js/max'

export type Value = string | number | boolean | null | undefined
/** Nested values (`items`, `properties`) are not looked into. */
export type Row = Readonly<Record<string, Value>>

/** Digest of every file under the folder, by path. */
export const digests = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true })
      .map(String)
      .filter((path) => statSync(join(folder, path)).isFile())
      .toSorted((left, right) => left.localeCompare(right))
      .map((path) => [
        path,
        createHash('sha256')
          .update(readFileSync(join(folder, path)))
          .digest('hex'),
      ]),
  )

export const linesOf = (dir: string, path: string): string[] =>
  readFileSync(join(dir, path), 'utf8').trimEnd().split('\n')

const cellsOf = (line: string): string[] =>
  [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
  )

export const csv = (dir: string, path: string): Row[] => {
  const [header = '', ...lines] = linesOf(dir, path)
  const names = cellsOf(header)
  return lines.flatMap((line) => {
    const cells = cellsOf(line)
    return cells.length === names.length ? [Object.fromEntries(names.map((name, at) => [name, cells[at]]))] : []
  })
}

/** Rows of all files of a folder in order of their names. */
export const rows = (dir: string, folder: string, prefix: string): Row[] =>
  readdirSync(join(dir, 'data', folder))
    .filter((name) => name.startsWith(prefix))
    .toSorted((left, right) => left.localeCompare(right))
    .flatMap((name) => {
      const path = `data/${folder}/${name}`
      return name.endsWith('.csv') ? csv(dir, path) : linesOf(dir, path).map((line): Row => JSON.parse(line))
    })

export const fold = (text: string): string =>
  text.normalize('NFD').replaceAll(/\p{M}/gu, '').replaceAll(/đ/gi, 'd').toLowerCase().trim()

export const phoneOf = (value: Value): string | undefined => {
  const parsed = parsePhone(String(value), 'VN')
  return parsed?.isValid() ? parsed.number : undefined
}

export const emailOf = (value: Value): string | undefined => {
  const email = String(value).trim().toLowerCase()
  return email.includes('@') && email !== 'test@test.com' ? email : undefined
}

export interface Entry {
  readonly key: string
  readonly name: string
  readonly identifiers: readonly string[]
}

const entry = (source: string, id: Value, name: Value, found: Row): Entry => ({
  key: `${source}/${String(id)}`,
  name: fold(String(name ?? '')),
  identifiers: Object.entries(found).flatMap(([type, value]) => (value ? [`${type}:${String(value)}`] : [])),
})

const validContact = (row: Row): boolean =>
  /^\d+$/.test(String(row['points'])) && String(row['birth_date']) !== '1990-02-30'

/** Every record that stands for a person, as the demo's models may see it. */
export const entriesOf = (dir: string): Entry[] => {
  const customers = new Map(rows(dir, 'shop', 'customers').map((row) => [row['id'], row]))
  const browsers = new Map<Value, Value>()
  for (const { anonymous_id, customer_id } of rows(dir, 'web', 'events')) {
    if (anonymous_id !== null) browsers.set(anonymous_id, customer_id ?? browsers.get(anonymous_id))
  }
  return [
    ...rows(dir, 'pos', 'receipts')
      .filter(({ name, phone }) => phoneOf(phone) || !['', 'Khách lẻ', 'N/A'].includes(String(name)))
      .map((row) => entry('pos', row['receipt_id'], row['name'], { phone: phoneOf(row['phone']) })),
    ...[...customers.values()].map((row) => {
      const { id, email, phone } = row
      return entry('shop', id, row['full_name'], { customer: id, email: emailOf(email), phone: phoneOf(phone) })
    }),
    ...rows(dir, 'crm', 'contacts')
      .filter(validContact)
      .map((row) => {
        const name = `${String(row['family_name'])} ${String(row['given_name'])}`
        return entry('crm', row['contact_id'], name, { email: emailOf(row['email']), phone: phoneOf(row['phone']) })
      }),
    ...rows(dir, 'newsletter', 'signups').map((row) =>
      entry('newsletter', row['signup_id'], row['name'], { email: emailOf(row['email']) }),
    ),
    ...[...browsers].map(([id, customer]) => entry('web', id, '', { customer })),
  ]
}

/** Record key -> the smallest key of its component; a value with more than `maxSharedBy` distinct people joins nobody. */
export const resolve = (entries: readonly Entry[], maxSharedBy: number): Map<string, string> => {
  const people = new Map<string, Set<string>>()
  for (const { name, identifiers } of entries) {
    for (const value of identifiers) {
      const others = identifiers.filter((other) => other !== value).join(' ')
      people.set(value, (people.get(value) ?? new Set()).add(`${name} ${others}`))
    }
  }
  const parents = new Map<string, string>()
  const root = (node: string): string => {
    const parent = parents.get(node)
    if (parent === undefined || parent === node) return node
    const top = root(parent)
    parents.set(node, top)
    return top
  }
  for (const { key, identifiers } of entries) {
    for (const value of identifiers) {
      if ((people.get(value)?.size ?? 0) > maxSharedBy) continue
      const [low, high] = [root(key), root(value)].toSorted((left, right) => (left < right ? -1 : 1))
      if (low !== undefined && high !== undefined && low !== high) parents.set(high, low)
    }
  }
  return new Map(entries.map(({ key }) => [key, root(key)]))
}

export const truthOf = (dir: string): Map<string, string> =>
  new Map(
    csv(dir, 'truth/records.csv').map((row) => [
      `${String(row['source'])}/${String(row['record_id'])}`,
      String(row['person']),
    ]),
  )

const pairs = (sizes: Iterable<number>): number => {
  let sum = 0
  for (const size of sizes) sum += (size * (size - 1)) / 2
  return sum
}

const sizesOf = (labels: Iterable<string>): Map<string, number> => {
  const sizes = new Map<string, number>()
  for (const label of labels) sizes.set(label, (sizes.get(label) ?? 0) + 1)
  return sizes
}

/** Pairwise, over the records in `found` that the truth knows; one person may be left out. */
export const judge = (found: Map<string, string>, truth: Map<string, string>, leftOut?: string) => {
  const known = [...found].flatMap(([key, component]) => {
    const person = truth.get(key)
    return person === undefined || person === leftOut ? [] : [{ component, person }]
  })
  const both = pairs(sizesOf(known.map(({ component, person }) => `${component} ${person}`)).values())
  return {
    precision: both / pairs(sizesOf(known.map(({ component }) => component)).values()),
    recall: both / pairs(sizesOf(known.map(({ person }) => person)).values()),
  }
}
