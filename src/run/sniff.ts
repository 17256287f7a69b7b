// The columns of a stream that has not landed yet, from a look at the heads of its files, so that `cdp check` can prepare the models
// that read it. The head goes through landing itself, in a scratch warehouse in memory: the same names, the same types.
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createGunzip } from 'node:zlib'
import type { Clock } from '../core/clock.ts'
import { resolve } from '../core/secret.ts'
import { findFiles } from '../ingest/glob.ts'
import { land } from '../ingest/land.ts'
import type { CompiledProject, CompiledStream } from '../project/compiled.ts'
import { duckdb } from '../warehouse/define-duckdb.ts'
import { openWarehouse, type ColumnType } from '../warehouse/warehouse.ts'

export interface SniffedColumn {
  readonly name: string
  readonly type: ColumnType
}

const headBytes = 64 * 1024
// More files than these are taken to have the columns of the others.
const filesSeen = 20

/** Undefined when there is no file to look at, or it is read in pages. Never changes the project's warehouse. */
export const sniffStream = async (
  project: CompiledProject,
  stream: CompiledStream,
  clock: Clock,
): Promise<readonly SniffedColumn[] | undefined> => {
  if (stream.from.kind !== 'scan') return undefined
  const files = findFiles(project.root, resolve(stream.from.path)).slice(0, filesSeen)
  if (files.length === 0) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'cdp-sniff-'))
  const scratch = await openWarehouse(duckdb({ path: ':memory:' }), { root: folder, mode: 'write', waitMs: 0, clock })
  try {
    for (const [at, { path }] of files.entries()) await copyHead(path, join(folder, 'heads'), at)
    const instant = new Date(clock.now()).toISOString()
    await land({
      warehouse: scratch,
      stream: { ...stream, maxQuarantined: 1, from: { ...stream.from, path: 'heads/*' } },
      root: folder,
      timeZone: project.timeZone,
      runId: 'sniff',
      instant,
      allow: new Set(),
      emit: () => undefined,
      clock,
      signal: new AbortController().signal,
      tempDir: folder,
    })
    return await scratch.all<SniffedColumn>({
      sql: 'select column_name as name, type from cdp.schemas where stream = $1 order by position',
      parameters: [stream.id],
    })
  } finally {
    await scratch.close()
    await rm(folder, { recursive: true, force: true })
  }
}

// Whole lines from the start of a text file; a Parquet or JSON document cannot be cut and is taken as it is.
const copyHead = async (file: string, folder: string, at: number): Promise<void> => {
  await mkdir(folder, { recursive: true })
  const name = `${at}-${basename(file)}`
  if (/\.(parquet|json)(\.gz)?$/i.test(name)) {
    await symlink(file, join(folder, name))
    return
  }
  const zipped = name.endsWith('.gz')
  const stream = createReadStream(file)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of zipped ? stream.pipe(createGunzip()) : stream) {
    chunks.push(chunk as Buffer)
    size += (chunk as Buffer).length
    if (size >= headBytes) break
  }
  stream.destroy()
  const whole = Buffer.concat(chunks)
  const end = size >= headBytes ? whole.lastIndexOf(10) + 1 : whole.length
  await writeFile(join(folder, zipped ? name.slice(0, -3) : name), whole.subarray(0, end > 0 ? end : whole.length))
}
