// A folder with files, a warehouse in memory, and streams landed into it: what the tests of landing share.
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Clock } from '../../src/core/clock.ts'
import type { RunEvent } from '../../src/core/events.ts'
import type { LandStream, LoadResult } from '../../src/ingest/land.ts'
import { land } from '../../src/ingest/land.ts'
import type { PagesRead, ScanRead, StreamSettings } from '../../src/ingest/source.ts'
import { open } from '../../src/warehouse/duckdb/open.ts'
import type { Row, Warehouse } from '../../src/warehouse/warehouse.ts'

export interface TestProject {
  readonly root: string
  readonly warehouse: Warehouse
  readonly events: RunEvent[]
  /** Writes a file below the folder; its time is later than that of every file before. */
  write(file: string, content: string | Uint8Array): string
  land(
    stream: LandStream,
    options?: {
      readonly pages?: PagesRead
      readonly allow?: readonly string[]
      readonly emit?: (event: RunEvent) => void
    },
  ): Promise<LoadResult>
  all<T = Row>(sql: string): Promise<T[]>
  close(): Promise<void>
}

const start = Date.UTC(2026, 10, 1)

/** Each load has its own run id (`load-1`, …) and its own hour as instant. */
export const openProject = async (): Promise<TestProject> => {
  const root = mkdtempSync(join(tmpdir(), 'cdp-ingest-'))
  const clock: Clock = { now: () => start, sleep: async () => undefined }
  const warehouse = await open({ path: ':memory:' }, { root, mode: 'write', waitMs: 0, clock })
  const events: RunEvent[] = []
  const tempDir = join(root, 'tmp')
  mkdirSync(tempDir)
  let loads = 0
  let written = 0
  return {
    root,
    warehouse,
    events,
    write: (file, content) => {
      const path = join(root, file)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
      written += 1
      utimesSync(path, start / 1000 + written, start / 1000 + written)
      return path
    },
    land: (stream, { pages, allow = [], emit } = {}) => {
      loads += 1
      return land({
        warehouse,
        stream,
        ...(pages === undefined ? {} : { pages }),
        root,
        timeZone: 'Asia/Ho_Chi_Minh',
        runId: `load-${loads}`,
        instant: new Date(start + loads * 3_600_000).toISOString(),
        allow: new Set(allow),
        emit: emit ?? ((event) => events.push(event)),
        clock,
        signal: new AbortController().signal,
        tempDir,
      })
    },
    all: (sql) => warehouse.all(sql),
    close: async () => {
      await warehouse.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** A stream of files called `s.t`, landed as raw.s_t. */
export const scan = (path: string, settings: StreamSettings & Omit<ScanRead, 'kind' | 'path'> = {}): LandStream => {
  const { format, csv, ...rest } = settings
  return {
    id: 's.t',
    relation: 's_t',
    ...rest,
    from: { kind: 'scan', path, ...(format === undefined ? {} : { format }), ...(csv === undefined ? {} : { csv }) },
  }
}

/** The data columns of raw.s_t, in the order of `by`. */
export const rowsOf = async (project: TestProject, by = '1'): Promise<Row[]> => {
  const rows = await project.all(`select * from raw.s_t order by ${by}`)
  return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('_cdp_'))))
}

export const typesOf = async (project: TestProject): Promise<Record<string, string>> => {
  const columns = await project.warehouse.describe('select * from raw.s_t')
  return Object.fromEntries(
    columns.filter(({ name }) => !name.startsWith('_cdp_')).map(({ name, type }) => [name, type]),
  )
}

export const quarantined = (project: TestProject): Promise<Row[]> =>
  project.all(
    `select file, record, line, column_name, reason, raw from cdp.quarantine where status = 'open' order by file, record`,
  )
