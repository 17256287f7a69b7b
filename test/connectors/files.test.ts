// The files source: the contract of sources for every format, and how its settings become a stream.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { env } from 'composable-cdp'
import { files } from '../../connectors/files.ts'
import { sourceCasesFor, type SourceRow } from '../../src/testing/source-contract.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cdp-files-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const cell = (value: string | null): string => (value === null ? '' : `"${value.replaceAll('"', '""')}"`)

const writers: Readonly<Record<string, (rows: readonly SourceRow[], path: string) => Promise<void>>> = {
  csv: async (rows, path) =>
    writeFileSync(
      path,
      `id,name,updated_at\n${rows.map((row) => `${row.id},${cell(row.name)},${row.updated_at}\n`).join('')}`,
    ),
  ndjson: async (rows, path) => writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
  json: async (rows, path) => writeFileSync(path, JSON.stringify(rows)),
  parquet: async (rows, path) => {
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    await connection.run('create table t (id varchar, name varchar, updated_at timestamptz)')
    for (const row of rows)
      await connection.run('insert into t values ($1, $2, $3::timestamptz)', [row.id, row.name, row.updated_at])
    await connection.run(`copy t to '${path}' (format parquet)`)
    connection.disconnectSync()
    instance.closeSync()
  },
}

describe.for(Object.entries(writers))('files of format %s keep the contract of sources: it', ([format, write]) => {
  it.for(sourceCasesFor(['any']))('$title', async ({ run }) => {
    const path = join(root, `rows.${format}`)
    const kept = run({
      source: files({
        streams: {
          whole: { path: `rows.${format}`, key: ['id'], full: true },
          keyed: { path: `*.${format}`, key: ['id'] },
        },
      }),
      root,
      hold: (rows) => write(rows, path),
      secrets: [],
    })
    await expect(kept).resolves.toBeUndefined()
  })
})

describe('files', () => {
  it('become streams that are plain data', () => {
    const source = files({
      streams: {
        a: {
          path: 'a/*.csv',
          key: ['id'],
          cursor: 'at',
          types: { n: 'integer' },
          lines: true,
          full: true,
          maxQuarantined: 0.1,
          timeZone: 'UTC',
        },
        b: {
          path: env('CDP_TEST_PATH', 'b.txt'),
          format: 'csv',
          delimiter: ';',
          quote: "'",
          header: false,
          columns: ['x', 'y'],
        },
      },
    })
    expect(source.streams['a']).toEqual({
      key: ['id'],
      cursor: 'at',
      types: { n: 'integer' },
      lines: true,
      full: true,
      maxQuarantined: 0.1,
      timeZone: 'UTC',
      from: { kind: 'scan', path: 'a/*.csv' },
    })
    expect(JSON.parse(JSON.stringify(source.streams['b']))).toEqual({
      from: {
        kind: 'scan',
        path: '[secret CDP_TEST_PATH]',
        format: 'csv',
        csv: { delimiter: ';', quote: "'", header: false, columns: ['x', 'y'] },
      },
    })
  })
})
