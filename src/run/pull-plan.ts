// What a pull would read, and for how much, before it reads anything: one SELECT a relation. Which rows is decided by a hash, in the
// warehouse they come from: the same on every pull, and, by one column, the same persons in every relation.
import { formatByteSize } from '../core/byte-size.ts'
import { CdpError, hasCode } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import type { CompiledProject } from '../project/compiled.ts'
import type { Column, RelationName, Warehouse } from '../warehouse/warehouse.ts'
import { pricePerTiB } from './cost.ts'

/** Which rows of each relation. */
export interface Slice {
  /** Of the rows, above 0 and up to 1. */
  readonly sample: number
  /** Sample by this column; default: the stream's key, `person_id`, or whole rows. */
  readonly by?: string | undefined
  /** A condition in the SQL of the warehouse they come from. */
  readonly where?: string | undefined
  /** No more than so many, the same ones every time. */
  readonly rows?: number | undefined
}

export interface PlannedPull {
  /** `shop.customers`, `profiles`. */
  readonly id: string
  readonly relation: RelationName & { readonly schema: 'raw' | 'models' }
  /** Of a stream. */
  readonly stream: string | undefined
  readonly columns: readonly Column[]
  /** What the sample goes by. */
  readonly by: string
  readonly select: string
  /** That the SELECT would read; null where the warehouse does not tell. */
  readonly bytes: number | null
}

export interface PullPrice {
  readonly bytes: number
  /** US dollars, an estimate. */
  readonly usd: number
}

interface Wanted extends Pick<PlannedPull, 'id' | 'relation' | 'stream'> {
  readonly key: string | undefined
}

/** `1%` as 0.01. Throws PULL_SAMPLE. */
export const sampleOf = (text: string): number => {
  const percent = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(text)?.[1]
  const part = Number(percent) / 100
  if (percent === undefined || part <= 0 || part > 1) throw new CdpError('PULL_SAMPLE', { text })
  return part
}

/** Throws PULL_ROWS. */
export const rowsOf = (text: string): number => {
  const rows = Number(text)
  if (!/^\s*\d+\s*$/.test(text) || rows < 1 || !Number.isSafeInteger(rows)) throw new CdpError('PULL_ROWS', { text })
  return rows
}

/** Executes nothing. Throws PULL_MISSING, PULL_COLUMN and PULL_WHERE. */
export const planPull = async (
  project: CompiledProject,
  from: Warehouse,
  selected: ReadonlySet<string>,
  slice: Slice,
): Promise<readonly PlannedPull[]> => {
  const found = {
    raw: new Set((await from.relations('raw')).map(({ name }) => name)),
    models: new Set((await from.relations('models')).map(({ name }) => name)),
  }
  const wanted = wantedOf(project, selected)
  const missing = wanted.find(({ relation: { schema, name } }) => !found[schema].has(name))
  if (missing) throw new CdpError('PULL_MISSING', { relation: missing.id, from: project.target })
  const planned: PlannedPull[] = []
  for (const one of wanted) planned.push(await planOne(one, from, slice))
  return planned
}

/** Undefined where the warehouse does not bill by bytes. Throws PULL_COST for more than `maximumBytes`. */
export const priceOf = (
  project: CompiledProject,
  planned: readonly PlannedPull[],
  maximumBytes: number | undefined,
): PullPrice | undefined => {
  if (planned.every(({ bytes }) => bytes === null)) return undefined
  const bytes = planned.reduce((sum, one) => sum + (one.bytes ?? 0), 0)
  if (maximumBytes !== undefined && bytes > maximumBytes) {
    const most = planned.toSorted((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0))[0]
    throw new CdpError('PULL_COST', {
      needed: formatByteSize(bytes),
      limit: formatByteSize(maximumBytes),
      most: most?.id ?? '',
      mostNeeded: formatByteSize(most?.bytes ?? 0),
    })
  }
  return { bytes, usd: (bytes / 2 ** 40) * pricePerTiB(project) }
}

const wantedOf = (project: CompiledProject, selected: ReadonlySet<string>): Wanted[] => [
  ...project.streams
    .filter(({ id }) => selected.has(id))
    .map((stream): Wanted => ({
      id: stream.id,
      relation: { schema: 'raw', name: stream.relation },
      stream: stream.id,
      key: stream.key?.[0],
    })),
  ...project.models
    .filter(({ name }) => selected.has(name))
    .map(({ name }): Wanted => ({ id: name, relation: { schema: 'models', name }, stream: undefined, key: undefined })),
]

const planOne = async (one: Wanted, from: Warehouse, slice: Slice): Promise<PlannedPull> => {
  const { id, relation, stream } = one
  const columns = await from.describe(`select * from ${from.name(relation)}`)
  const by = sampledBy(one, columns, slice.by)
  const select = selectOf(from, relation, columns, by, slice)
  const cost = await asked(one, slice, async () => {
    if (slice.where !== undefined) await from.describe(select)
    return from.cost(select)
  })
  const isWhole = slice.sample === 1 && slice.rows === undefined
  return {
    id,
    relation,
    stream,
    columns,
    by: isWhole ? 'all rows' : (by ?? 'whole rows'),
    select,
    bytes: cost?.bytes ?? null,
  }
}

// What an engine has against the statement it has against the condition: the rest is ours.
const asked = async <T>(one: Wanted, { where }: Slice, ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask()
  } catch (thrown) {
    if (where === undefined || !hasCode(thrown, 'QUERY_FAILED')) throw thrown
    const [reason = ''] = thrown.args.reason.split('\n')
    throw new CdpError('PULL_WHERE', { relation: one.id, where, reason: reason.replace(/\.$/, '') }, { cause: thrown })
  }
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

const sampledBy = (one: Wanted, columns: readonly Column[], by: string | undefined): string | undefined => {
  const names = columns.map(({ name }) => name)
  const wished = by === undefined ? [one.key, 'person_id'] : [by]
  const found = wished.flatMap((wish) => names.find((name) => wish !== undefined && same(name, wish)) ?? [])[0]
  if (by !== undefined && found === undefined) {
    throw new CdpError('PULL_COLUMN', { relation: one.id, column: by, near: didYouMean(by, names) })
  }
  return found
}

// Fine enough for a part of a million.
const buckets = 1_000_000

const selectOf = (
  from: Warehouse,
  relation: RelationName,
  columns: readonly Column[],
  by: string | undefined,
  { sample, where, rows }: Slice,
): string => {
  const list = columns.map(({ name }) => `t.${from.quote(name)}`).join(', ')
  const own = (name: string): string => from.name({ schema: 'cdp', name })
  // What landing adds is not part of a row's content.
  const content = columns.filter(({ name }) => !name.startsWith('_cdp_'))
  const texts = content.map(({ name }) => `coalesce(${own('canonical_text')}(t.${from.quote(name)}), '')`)
  const whole = from.dialect.joined("','", texts)
  const bucket = `${own('hash_bucket')}(${by === undefined ? whole : `t.${from.quote(by)}`}, ${buckets})`
  const conditions = [
    // On lines of its own: it may end in a comment.
    ...(where === undefined ? [] : [`(\n${where}\n)`]),
    ...(sample === 1 ? [] : [`${bucket} < ${Math.ceil(sample * buckets)}`]),
  ]
  const filter = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`
  const first = rows === undefined ? '' : ` order by ${bucket} nulls last, ${whole} limit ${rows}`
  return `select ${list} from ${from.name(relation)} t${filter}${first}`
}
