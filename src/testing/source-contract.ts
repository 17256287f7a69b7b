// What every source must keep, as data: each case lands a stream of a connector into a warehouse in memory and looks at what is there.
// Cases name the capability they need, never a connector; a connector that cannot keep one declares the gap with its reason.
import { deepEqual, equal, fail, match, ok } from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../core/clock.ts'
import { isCdpError } from '../core/errors.ts'
import { land, type LoadResult } from '../ingest/land.ts'
import type { Source } from '../ingest/source.ts'
import { duckdb } from '../warehouse/define-duckdb.ts'
import { openWarehouse, type Row, type Warehouse } from '../warehouse/warehouse.ts'

/** A row as the source holds it: `updated_at` only grows. */
export interface SourceRow {
  readonly id: string
  readonly name: string | null
  /** `2026-10-01T08:00:00Z` */
  readonly updated_at: string
}

/** What a source can do. */
export type SourceCapability =
  | 'any'
  /** Its stream `incremental` reads from a cursor on. */
  | 'cursor'
  /** It is read over a network, and the harness can switch faults on. */
  | 'network'

/** What a connector's test supplies; each case gets a fresh one. */
export interface SourceHarness {
  /**
   * Streams over the same rows (id, name, updated_at): `whole` with `key: ['id'], full: true`, `keyed` with `key: ['id']`, and where it
   * can `incremental` with `key: ['id'], cursor: 'updated_at'`.
   */
  readonly source: Source
  /** The project's folder, for sources that read files. */
  readonly root?: string
  /** The source holds exactly these rows now. */
  hold(rows: readonly SourceRow[]): Promise<void>
  /** `down`: nothing answers. `auth`: the credential is refused. `cut`: the connection breaks after some rows. */
  fault?(kind: 'down' | 'auth' | 'cut' | undefined): Promise<void>
  /** Values that no message may show. */
  readonly secrets: readonly string[]
}

export interface SourceCase {
  readonly title: string
  readonly needs: SourceCapability
  readonly run: (harness: SourceHarness) => Promise<void>
}

type StreamName = 'whole' | 'keyed' | 'incremental'

interface Landing {
  readonly warehouse: Warehouse
  land(stream: StreamName): Promise<LoadResult>
  rows(): Promise<Row[]>
}

const withLanding = async (harness: SourceHarness, work: (landing: Landing) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'cdp-source-'))
  const clock = { ...systemClock, sleep: async () => undefined }
  const warehouse = await openWarehouse(duckdb({ path: ':memory:' }), { root: folder, mode: 'write', waitMs: 0, clock })
  let loads = 0
  try {
    await work({
      warehouse,
      land: (name) => {
        const { from, ...settings } = harness.source.streams[name] ?? fail(`the harness has no stream ${name}`)
        loads += 1
        return land({
          warehouse,
          stream: { id: 'c.t', relation: 'c_t', ...settings, from: from.kind === 'scan' ? from : { kind: 'pages' } },
          ...(from.kind === 'pages' ? { pages: from } : {}),
          root: harness.root ?? folder,
          timeZone: 'UTC',
          runId: `load-${loads}`,
          instant: new Date(Date.UTC(2026, 10, 1, loads)).toISOString(),
          allow: new Set(),
          emit: () => undefined,
          clock,
          signal: new AbortController().signal,
          tempDir: folder,
        })
      },
      rows: () => warehouse.all(`select cast(id as varchar) as id, name from raw.c_t order by 1`),
    })
  } finally {
    await warehouse.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const at = (hour: number): string => `2026-10-01T${String(hour).padStart(2, '0')}:00:00Z`
const three: readonly SourceRow[] = [
  { id: '1', name: 'Nguyễn "An", Huế', updated_at: at(1) },
  { id: '2', name: 'two\nlines', updated_at: at(2) },
  { id: '3', name: null, updated_at: at(3) },
]
const shown = (rows: readonly SourceRow[]): Row[] => rows.map(({ id, name }) => ({ id, name }))

/** Lands and must fail with this kind of error, with nothing landed and no secret in the message. */
const mustFail = async (harness: SourceHarness, landing: Landing, stream: StreamName, kind: string): Promise<void> => {
  const before = await landing.warehouse.all(`select * from cdp.cursors`)
  const error: unknown = await landing.land(stream).then(
    () => fail('the load went well'),
    (thrown: unknown) => thrown,
  )
  if (!isCdpError(error)) throw error
  equal(error.kind, kind, error.message)
  for (const secret of harness.secrets)
    ok(!`${error.message}${error.hint ?? ''}`.includes(secret), 'the message shows a secret')
  deepEqual(await landing.warehouse.all(`select * from cdp.cursors`), before)
  const [load] = await landing.warehouse.all<{ status: string; error: string }>(
    `select status, error from cdp.loads order by finished_at desc, status desc limit 1`,
  )
  equal(load?.status, 'failed')
  for (const secret of harness.secrets) ok(!load.error.includes(secret), 'cdp.loads shows a secret')
}

export const sourceContract: readonly SourceCase[] = [
  {
    title: 'lands every row, quotes, line breaks and nulls as they are',
    needs: 'any',
    run: (harness) =>
      withLanding(harness, async (landing) => {
        await harness.hold(three)
        const result = await landing.land('keyed')
        equal(result.rowsNew, 3)
        deepEqual(await landing.rows(), shown(three))
      }),
  },
  {
    title: 'changes nothing when nothing has changed',
    needs: 'any',
    run: (harness) =>
      withLanding(harness, async (landing) => {
        await harness.hold(three)
        await landing.land('keyed')
        const again = await landing.land('keyed')
        equal(again.changed, false)
        equal(again.rowsTotal, 3)
      }),
  },
  {
    title: 'replaces changed rows and keeps the others',
    needs: 'any',
    run: (harness) =>
      withLanding(harness, async (landing) => {
        await harness.hold(three)
        await landing.land('keyed')
        const now = [
          ...three.slice(0, 2),
          { id: '3', name: 'Bình', updated_at: at(4) },
          { id: '4', name: '', updated_at: at(5) },
        ]
        await harness.hold(now)
        const result = await landing.land('keyed')
        deepEqual([result.rowsNew, result.rowsChanged], [1, 1])
        deepEqual(await landing.rows(), shown(now))
      }),
  },
  {
    title: 'loses rows that vanished from a stream that is landed whole',
    needs: 'any',
    run: (harness) =>
      withLanding(harness, async (landing) => {
        await harness.hold(three)
        await landing.land('whole')
        await harness.hold(three.slice(1))
        const result = await landing.land('whole')
        equal(result.rowsVanished, 1)
        deepEqual(await landing.rows(), shown(three.slice(1)))
      }),
  },
  {
    title: 'reads from its cursor on, the boundary included, and doubles nothing',
    needs: 'cursor',
    run: (harness) =>
      withLanding(harness, async (landing) => {
        await harness.hold(three)
        await landing.land('incremental')
        const late = { id: '4', name: 'same instant', updated_at: at(3) }
        await harness.hold([...three, late])
        const result = await landing.land('incremental')
        deepEqual([result.rowsRead, result.rowsNew, result.rowsUnchanged], [2, 1, 1])
        deepEqual(await landing.rows(), shown([...three, late]))
        match(
          String((await landing.warehouse.all<{ cursor: string }>('select "cursor" from cdp.cursors'))[0]?.cursor),
          /^2026-10-01.03:00:00/,
        )
      }),
  },
  {
    title: 'keeps its cursor when there is nothing newer',
    needs: 'cursor',
    run: (harness) =>
      withLanding(harness, async (landing) => {
        await harness.hold(three)
        await landing.land('incremental')
        await harness.hold([])
        const result = await landing.land('incremental')
        deepEqual([result.rowsRead, result.changed, result.rowsTotal], [0, false, 3])
        const late = { id: '4', name: 'later', updated_at: at(9) }
        await harness.hold([...three, late])
        equal((await landing.land('incremental')).rowsRead, 2)
      }),
  },
  {
    title: 'says that it cannot be reached as something passing',
    needs: 'network',
    run: (harness) =>
      withLanding(harness, async (landing) => {
        await harness.hold(three)
        await harness.fault?.('down')
        await mustFail(harness, landing, 'keyed', 'transient')
        await harness.fault?.(undefined)
        equal((await landing.land('keyed')).rowsNew, 3)
      }),
  },
  {
    title: 'says that the credential is refused, and does not show it',
    needs: 'network',
    run: (harness) =>
      withLanding(harness, async (landing) => {
        await harness.hold(three)
        await harness.fault?.('auth')
        await mustFail(harness, landing, 'keyed', 'auth')
      }),
  },
  {
    title: 'lands nothing of a read that broke in the middle, and all of it the next time',
    needs: 'network',
    run: (harness) =>
      withLanding(harness, async (landing) => {
        const many = Array.from({ length: 5000 }, (_, i) => ({
          id: String(i),
          name: 'x'.repeat(100),
          updated_at: at(1),
        }))
        await harness.hold(many)
        await harness.fault?.('cut')
        await mustFail(harness, landing, 'keyed', 'transient')
        deepEqual(await landing.warehouse.relations('raw'), [])
        await harness.fault?.(undefined)
        equal((await landing.land('keyed')).rowsNew, 5000)
      }),
  },
]

/** The cases that concern a source of these capabilities, each with the reason why it is passed over, if it is. Unknown gaps are an error. */
export const sourceCasesFor = (
  capabilities: readonly SourceCapability[],
  gaps: Readonly<Record<string, string>> = {},
): readonly (SourceCase & { readonly gap: string | undefined })[] => {
  const unknown = Object.keys(gaps).filter((title) => !sourceContract.some((test) => test.title === title))
  if (unknown.length > 0) fail(`no case of the contract is called: ${unknown.join('; ')}`)
  return sourceContract
    .filter((test) => test.needs === 'any' || capabilities.includes(test.needs))
    .map((test) => ({ ...test, gap: gaps[test.title] }))
}
