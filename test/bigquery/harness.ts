// What tests of every stage need to hold BigQuery to DuckDB: one warehouse of each, empty, and the comparison of their relations.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { systemClock, type Clock } from '../../src/core/clock.ts'
import { isCdpError } from '../../src/core/errors.ts'
import { bigquery, type BigQuerySettings } from '../../src/warehouse/define-bigquery.ts'
import { duckdb } from '../../src/warehouse/define-duckdb.ts'
import { portableFunctions } from '../../src/warehouse/functions/index.ts'
import {
  type Column,
  openWarehouse,
  type RelationName,
  type Schema,
  type Value,
  type Warehouse,
} from '../../src/warehouse/warehouse.ts'
import { findEmulator, type Emulator } from '../bigquery-emulator/emulator.ts'
import { isLive, liveSettings, removeDatasets } from './live.ts'
import { openJudge, type Judge, type Judging } from './judge.ts'
import { startProxy, type Proxy } from './proxy.ts'

/** For tests of minutes: the stand-in takes a tenth of a second a statement, more on a busy machine. */
export const patience = 900_000

export interface Judged {
  /** What a project says for this warehouse. */
  readonly settings: BigQuerySettings
  /** To look at what is there, past the proxy and the judge. */
  readonly looking: BigQuerySettings
  readonly proxy: Proxy
  readonly judge: Judge
  close(): Promise<void>
}

export interface Both {
  readonly folder: string
  readonly duck: Warehouse
  readonly bigquery: Warehouse
  readonly proxy: Proxy
  readonly judge: Judge
  /** Another opening of the same BigQuery project. */
  reopen(options?: { readonly mode?: 'read' | 'write'; readonly signal?: AbortSignal }): Promise<Warehouse>
  close(): Promise<void>
}

/** `describe`, skipped with the reason where there is no stand-in. */
export const describeBigQuery = async (title: string, body: (emulator: Emulator) => void): Promise<void> => {
  const found = isLive ? { url: '', grpc: '' } : await findEmulator()
  const missing = typeof found === 'string'
  describe.skipIf(missing)(`${title}${missing ? ` (${found})` : ''}`, () => {
    body(missing ? { url: '', grpc: '' } : found)
  })
}

let number = 0

/** A project of its own at the stand-in, behind a proxy and a judge. Nothing is in it. */
export const freshProject = async (emulator: Emulator, judging: Judging = {}): Promise<Judged> => {
  if (isLive) return liveProject()
  const proxy = await startProxy(emulator.url)
  const judge = await openJudge(emulator.url, judging)
  proxy.hook(judge.hook)
  const [raw, models, cdp] = judging.datasets ?? ['raw', 'models', 'cdp']
  const there = { project: `both-${process.pid}-${number++}`, location: 'US', datasets: { raw, models, cdp } }
  return {
    settings: { ...there, apiEndpoint: proxy.url },
    looking: { ...there, apiEndpoint: emulator.url, storageEndpoint: emulator.grpc },
    proxy,
    judge,
    close: async () => {
      await proxy.close()
      await judge.close()
    },
  }
}

// Nobody stands between the client and the service, which is the judge itself.
const liveProject = (): Judged => {
  const settings = liveSettings()
  const nothing = (): void => undefined
  return {
    settings,
    looking: settings,
    proxy: {
      url: '',
      seen: [],
      hook: () => nothing,
      fail: nothing,
      unmet: () => 0,
      clear: nothing,
      close: async () => undefined,
    },
    judge: {
      hook: nothing as () => undefined,
      refused: () => [],
      accepted: () => Infinity,
      close: async () => undefined,
    },
    close: () => removeDatasets(settings),
  }
}

/**
 * A warehouse of each engine with the engine's state and nothing else; BigQuery's takes some seconds to make.
 * `lenient`: what the analyzer refuses is collected in `judge.refused()` and still goes to the stand-in.
 */
export const openBoth = async (
  emulator: Emulator,
  { clock = systemClock, ...judging }: Judging & { readonly clock?: Clock } = {},
): Promise<Both> => {
  const folder = mkdtempSync(join(tmpdir(), 'cdp-both-'))
  const judged = await freshProject(emulator, judging)
  const options = { root: folder, mode: 'write', waitMs: 0, clock } as const
  const opened: Warehouse[] = []
  const close = async (): Promise<void> => {
    for (const warehouse of opened) await warehouse.close()
    await judged.close()
    rmSync(folder, { recursive: true, force: true })
  }
  const reopen: Both['reopen'] = async (more = {}) => {
    const warehouse = await openWarehouse(bigquery(judged.settings), { ...options, ...more })
    opened.push(warehouse)
    return warehouse
  }
  try {
    const duck = await openWarehouse(duckdb({ path: 'both.duckdb' }), options)
    opened.push(duck)
    return { folder, duck, bigquery: await reopen(), proxy: judged.proxy, judge: judged.judge, reopen, close }
  } catch (error) {
    await close()
    throw new Error(storyOf(error), { cause: error })
  }
}

// The stand-in lists functions among the tables of their dataset.
const functions = new Set(portableFunctions.map(({ name }) => `cdp.${name}`))

/** All relations of a warehouse that a project has, as `schema.name`. */
export const relationsOf = async (warehouse: Warehouse): Promise<string[]> => {
  const found: string[] = []
  for (const schema of ['raw', 'models', 'cdp'] as const) {
    for (const { name } of await warehouse.relations(schema)) found.push(`${schema}.${name}`)
  }
  return found.filter((relation) => !functions.has(relation)).toSorted()
}

export const named = (relation: string): RelationName => {
  const dot = relation.indexOf('.')
  return { schema: relation.slice(0, dot) as Schema, name: relation.slice(dot + 1) }
}

export interface Comparing {
  /** Columns that are not compared. */
  readonly except?: readonly string[]
  /** Replaces what is known to differ before it is compared, in the rows of both. */
  readonly masks?: Readonly<Record<string, (value: Value) => Value>>
}

/**
 * Rows of both engines as the lines of a text, sorted. Columns go by name. Exact but for three things: decimals have no trailing zeros
 * (BigQuery keeps none), keys of JSON are sorted (BigQuery sorts them), and integers are written alike however wide they are.
 */
export const rowsOf = async (
  warehouse: Warehouse,
  relation: RelationName | string,
  comparing: Comparing = {},
): Promise<string[]> => (await read(warehouse, relation, comparing)).rows.toSorted()

/** Rows, and columns with the kind of their type, in words common to both engines. */
export const contentOf = async (
  warehouse: Warehouse,
  relation: RelationName | string,
  comparing: Comparing = {},
): Promise<{ readonly columns: string[]; readonly rows: string[] }> => {
  const { columns, rows } = await read(warehouse, relation, comparing)
  // A result without rows does not say what they would have been.
  const types = columns ?? (await warehouse.describe(selectAll(warehouse, relation)))
  return { columns: types.map(({ name, type }) => `${name} ${kindOf(type)}`).toSorted(), rows: rows.toSorted() }
}

const selectAll = (warehouse: Warehouse, relation: RelationName | string): string =>
  `select * from ${warehouse.name(typeof relation === 'string' ? named(relation) : relation)}`

const read = async (
  warehouse: Warehouse,
  relation: RelationName | string,
  { except = [], masks = {} }: Comparing,
): Promise<{ readonly columns: readonly Column[] | undefined; readonly rows: string[] }> => {
  const rows: string[] = []
  let found: readonly Column[] | undefined
  for await (const { columns, rowCount, values } of warehouse.stream(selectAll(warehouse, relation))) {
    found = columns
    const order = columns
      .map((column, at) => ({ ...column, at, kind: kindOf(column.type) }))
      .filter((column) => !except.includes(column.name))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    for (let row = 0; row < rowCount; row++) {
      const cells = order.map((column) => {
        const value = values[column.at]?.[row] ?? null
        const mask = masks[column.name]
        return `${column.name}=${textOf(mask ? mask(value) : value, column.kind)}`
      })
      rows.push(cells.join(' '))
    }
  }
  return { columns: found, rows }
}

/** Fails with the first rows that only one of them has. */
export const sameRows = async (
  duck: Warehouse,
  other: Warehouse,
  relation: RelationName | string,
  comparing: Comparing = {},
): Promise<void> => {
  const label = typeof relation === 'string' ? relation : `${relation.schema}.${relation.name}`
  const ours = await contentOf(duck, relation, comparing)
  const theirs = await contentOf(other, relation, comparing)
  expect(theirs.columns, `columns of ${label}`).toEqual(ours.columns)
  expect(differenceOf(ours.rows, theirs.rows), `rows of ${label}`).toEqual([])
}

/** Up to ten rows that only one side has; nothing when both have the same, as often. */
export const differenceOf = (duck: readonly string[], other: readonly string[]): string[] => {
  const counts = new Map<string, number>()
  for (const line of duck) counts.set(line, (counts.get(line) ?? 0) + 1)
  for (const line of other) counts.set(line, (counts.get(line) ?? 0) - 1)
  const only = [...counts].filter(([, count]) => count !== 0)
  const shown = only.map(([line, count]) => `only ${count > 0 ? 'DuckDB' : 'BigQuery'}: ${line}`)
  const sizes = `${duck.length} and ${other.length} rows, ${only.length} differ`
  return only.length === 0 ? [] : [sizes, ...shown.toSorted((a, b) => (tail(a) < tail(b) ? -1 : 1)).slice(0, 10)]
}

const tail = (line: string): string => line.slice(line.indexOf(':'))

const kinds: readonly (readonly [RegExp, string])[] = [
  [/^(?:VARCHAR|STRING)$/, 'text'],
  [/^(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|U?INT\d*|INT64)$/, 'integer'],
  [/^(?:DOUBLE|FLOAT|FLOAT64)$/, 'double'],
  [/^(?:DECIMAL.*|NUMERIC|BIGNUMERIC)$/, 'decimal'],
  [/^(?:BOOLEAN|BOOL)$/, 'boolean'],
  [/^(?:TIMESTAMP WITH TIME ZONE|TIMESTAMP)$/, 'timestamp'],
  [/^(?:BLOB|BYTES)$/, 'bytes'],
]

const kindOf = (type: string): string => {
  const list = /^(.*)\[\]$/.exec(type)?.[1] ?? /^ARRAY<(.*)>$/.exec(type)?.[1]
  if (list !== undefined) return `${kindOf(list)}[]`
  return kinds.find(([pattern]) => pattern.test(type))?.[1] ?? type
}

const textOf = (value: Value, kind: string): string => {
  if (value === null) return 'null'
  if (kind === 'decimal' && typeof value === 'string') return value.includes('.') ? value.replace(/\.?0+$/, '') : value
  if (kind === 'JSON' && typeof value === 'string') return JSON.stringify(sorted(JSON.parse(value)))
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (isList(value)) return `[${value.map((item) => textOf(item, kind.replace(/\[\]$/, ''))).join(', ')}]`
  if (typeof value === 'object') return JSON.stringify(sorted(value))
  return Object.is(value, -0) ? '0' : JSON.stringify(value)
}

const isList = (value: Value): value is readonly Value[] => Array.isArray(value)

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}

/** An error with all that tells where it comes from: the statement, what was said of it, and the frames of our own files. */
export const storyOf = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return String(thrown)
  const args = isCdpError(thrown) ? (thrown.args as Readonly<Record<string, unknown>>) : {}
  const sql = typeof args['sql'] === 'string' ? `\n--- statement\n${args['sql']}\n---` : ''
  const frames = (thrown.stack ?? '')
    .split('\n')
    .filter(
      (line) => /^\s+at /.test(line) && /\/(?:src|connectors|test)\//.test(line) && !line.includes('node_modules'),
    )
  const cause = thrown.cause instanceof Error && sql === '' ? `\ncaused by ${storyOf(thrown.cause)}` : ''
  return `${thrown.message}${sql}\n${frames.join('\n')}${cause}`
}
