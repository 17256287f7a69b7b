// Counts what goes to BigQuery's stand-in, and works out what each statement would read there: Google's analyzer says which columns, the
// stand-in's tables how large they are when the statement starts. By the rules of the service a statement reads the columns that it refers
// to, once however often; UPDATE, DELETE and a MERGE that does either read the table that they change besides; DDL reads nothing. Partitions
// and clusters are not taken off, so what reads a part of a table counts as if it read all of it.
import {
  homeOf,
  namesIn,
  parametersOf,
  statementsOf,
  typeOf,
  type Field,
  type Statement,
} from '../../test/bigquery/judge.ts'
import type { Hook, Seen } from '../../test/bigquery/proxy.ts'
import { openGoogle, type Known } from '../../test/warehouse/bigquery/google.ts'
import type { Scan } from '../../test/warehouse/bigquery/reads.ts'
import { measure, type Sizes } from './sizes.ts'

export type Kind = 'select' | 'change' | 'definition' | 'bracket' | 'load' | 'dry run'

export interface Counted {
  readonly kind: Kind
  /** As labelled: `land_crm_contacts`; undefined for what records the run itself. */
  readonly step: string | undefined
  readonly text: string
  readonly bytes: number
  /** What is billed at least, where each relation that is read counts for 10 MB. */
  readonly billed: number
  /** Relations partitioned by day that are read without a filter on the day. */
  readonly unbounded: readonly string[]
  /** Why the bytes are not known. */
  readonly unknown: string | undefined
}

export interface Meter {
  readonly hook: Hook
  /** What was counted since it was last asked. */
  take(): readonly Counted[]
  close(): Promise<void>
}

interface Relation {
  readonly known: Known
  readonly fields: readonly Field[]
  readonly view: string | undefined
  /** The column that it is partitioned by. */
  readonly day: string | undefined
}

interface Table {
  readonly schema?: { readonly fields?: readonly Field[] }
  readonly view?: { readonly query: string }
  readonly timePartitioning?: { readonly field?: string }
}

const atLeast = 10 * 1024 * 1024
const datasets = new Set(['raw', 'models', 'cdp'])
const nothing = { bytes: 0, billed: 0, unbounded: [], unknown: undefined }

export const openMeter = async (standIn: string): Promise<Meter> => {
  const google = await openGoogle()
  const relations = new Map<string, Relation | undefined>()
  const sizes = new Map<string, Sizes>()
  // Changed in a transaction that is open: nobody else sees that before it ends.
  const changing = new Set<string>()
  // Changed by what may not have been done yet.
  const underway = new Map<Seen, string[]>()
  let counted: Counted[] = []

  const lookUp = async (path: readonly string[]): Promise<Relation | undefined> => {
    const name = path.join('.')
    if (relations.has(name)) return relations.get(name)
    const [project = '', dataset = '', table = ''] = path.map(encodeURIComponent)
    const answer = await fetch(`${standIn}/bigquery/v2/projects/${project}/datasets/${dataset}/tables/${table}`)
    if (!answer.ok) return undefined
    const { schema, view, timePartitioning } = (await answer.json()) as Table
    const fields = schema?.fields ?? []
    const columns = Object.fromEntries(fields.map((field) => [field.name, typeOf(field)]))
    const names = [path, path.slice(1), ...(dataset === 'models' ? [path.slice(2)] : [])]
    const found = { known: { names, columns }, fields, view: view?.query, day: timePartitioning?.field }
    relations.set(name, found)
    return found
  }

  // Models may be named without their dataset: those that are missed are looked up.
  const readsOf = async (statement: Statement, seen: Seen, bare: readonly string[] = []) => {
    const home = homeOf(seen) ?? 'models'
    const paths = [
      ...namesIn(statement.tokens, seen.project, datasets),
      ...bare.map((name) => [seen.project, home, name]),
    ]
    const distinct = [...new Map(paths.map((path) => [path.join('.'), path])).values()]
    const found = (await Promise.all(distinct.map(lookUp))).flatMap((relation) => (relation ? [relation.known] : []))
    const parameters = parametersOf(seen.job?.parameters ?? [])
    try {
      return await google.reads(statement.text, found, { parameters, functionsIn: [[seen.project, 'cdp']] })
    } catch (thrown) {
      const missing = /Table not found: (\w+)(?: |;|$)/.exec(detailsOf(thrown))?.[1]
      if (missing === undefined || bare.includes(missing)) throw thrown
      return readsOf(statement, seen, [...bare, missing])
    }
  }

  /** What is read of tables, through views. */
  const tablesRead = async (scans: readonly Scan[], seen: Seen): Promise<readonly Scan[]> => {
    const all: Scan[] = []
    for (const scan of scans) {
      const relation = await lookUp(scan.relation)
      if (relation?.view === undefined) {
        all.push(scan)
        continue
      }
      const columns = scan.columns.length === 0 ? 'count(*)' : scan.columns.map((name) => `v.\`${name}\``).join(', ')
      const [statement] = statementsOf(`select ${columns} from (${relation.view}) v`)
      if (statement) all.push(...(await tablesRead((await readsOf(statement, seen)).scans, seen)))
    }
    return all
  }

  const sizesOf = async (path: readonly string[]): Promise<Sizes> => {
    const name = path.join('.')
    const known = sizes.get(name)
    if (known) return known
    const relation = await lookUp(path)
    const found = relation ? await measure(standIn, path, relation.fields) : new Map<string, number>()
    sizes.set(name, found)
    return found
  }

  const costOf = async (statement: Statement, seen: Seen): Promise<typeof nothing | Omit<Counted, 'kind' | 'step'>> => {
    const { scans, rewrites } = await readsOf(statement, seen)
    const read = new Map<string, { readonly path: readonly string[]; readonly columns: Set<string> }>()
    const unbounded = new Set<string>()
    for (const { relation: path, columns, bounded } of await tablesRead(scans, seen)) {
      const name = path.join('.')
      const one = read.get(name) ?? { path, columns: new Set() }
      for (const column of columns) one.columns.add(column)
      read.set(name, one)
      const day = (await lookUp(path))?.day
      if (day !== undefined && !bounded.includes(day)) unbounded.add(path.slice(1).join('.'))
    }
    let bytes = 0
    let billed = 0
    for (const [name, { path, columns }] of read) {
      const found = await sizesOf(path)
      const own = [...columns].reduce((sum, column) => sum + (found.get(column) ?? 0), 0)
      const whole = name === rewrites?.join('.') ? [...found.values()].reduce((sum, size) => sum + size, 0) : 0
      bytes += own + whole
      billed += Math.max(atLeast, own + whole)
    }
    return { text: statement.text, bytes, billed, unbounded: [...unbounded], unknown: undefined }
  }

  const forget = (name: string): void => {
    relations.delete(name)
    sizes.delete(name)
  }

  const change = (path: readonly string[], seen: Seen): void => {
    const name = path.join('.')
    forget(name)
    underway.set(seen, [...(underway.get(seen) ?? []), name])
  }

  const count = async (statement: Statement, seen: Seen, step: string | undefined): Promise<void> => {
    const kind = kindOf(statement)
    if (seen.job?.dryRun) {
      counted.push({ ...nothing, kind: 'dry run', step, text: statement.text })
      return
    }
    // A SELECT that makes a table reads what it selects from.
    const reads = kind === 'select' || kind === 'change' || /^create\b[^]*?\bas\b/i.test(statement.text)
    const cost = reads
      ? await costOf(statement, seen).catch((thrown: unknown) => ({ ...nothing, unknown: detailsOf(thrown) }))
      : nothing
    counted.push({ ...nothing, ...cost, kind, step, text: statement.text })
    if (kind === 'bracket' && /^(?:commit|rollback)/i.test(statement.text)) {
      for (const name of changing) forget(name)
      changing.clear()
    }
    if (kind !== 'change' && kind !== 'definition') return
    for (const path of namesIn(statement.tokens, seen.project, datasets)) {
      change(path, seen)
      changing.add(path.join('.'))
    }
  }

  const hook: Hook = async (seen) => {
    const { job } = seen
    if (!job) return undefined
    for (const [one, names] of underway) {
      if (one.forwarded === undefined) continue
      for (const name of names) forget(name)
      underway.delete(one)
    }
    const step = job.labels['cdp_step']
    if (job.load) {
      const target = job.load['destinationTable'] as { readonly datasetId: string; readonly tableId: string }
      change([seen.project, target.datasetId, target.tableId], seen)
      counted.push({ ...nothing, kind: 'load', step, text: `load ${target.datasetId}.${target.tableId}` })
    }
    for (const statement of job.query === undefined ? [] : statementsOf(job.query)) await count(statement, seen, step)
    return undefined
  }

  return {
    hook,
    take: () => {
      const taken = counted
      counted = []
      return taken
    },
    close: () => google.close(),
  }
}

const kindOf = ({ tokens }: Statement): Kind => {
  const [first = ''] = tokens.map(({ text }) => text.toLowerCase())
  if (first === 'select' || first === 'with' || first === '(') return 'select'
  if (first === 'insert' || first === 'update' || first === 'delete' || first === 'merge') return 'change'
  if (first === 'create' || first === 'alter' || first === 'drop' || first === 'truncate') return 'definition'
  return 'bracket'
}

const detailsOf = (thrown: unknown): string => {
  const { details, message } = thrown as { readonly details?: string; readonly message?: string }
  return details ?? message ?? String(thrown)
}
