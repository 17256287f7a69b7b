// `cdp replay`: open quarantine rows of the selected streams get another try; what lands gives its raw relation a new version.
import { mkdirSync } from 'node:fs'
import { replay, type ReplayOptions, type ReplayResult } from '../ingest/replay.ts'
import type { RunOptions } from './options.ts'
import { finishRun, saveVersions, startRun } from './record.ts'
import { landedVersion } from './versions.ts'

export type { ReplayResult } from '../ingest/replay.ts'

export interface ReplayRunOptions extends Omit<RunOptions, 'allow' | 'live'> {
  readonly tempDir: string
}

/** One result a selected stream that had open rows. */
export const performReplay = async (options: ReplayRunOptions): Promise<readonly ReplayResult[]> => {
  const { project, clock, runId, instant } = options
  mkdirSync(options.tempDir, { recursive: true })
  const warehouse = await options.openWarehouse('write')
  try {
    const open = new Set(
      (await warehouse.all<{ stream: string }>(`select distinct stream from cdp.quarantine where status = 'open'`)).map(
        (row) => row.stream,
      ),
    )
    const streams = project.streams.filter((one) => open.has(one.id) && options.selected?.has(one.id) !== false)
    if (streams.length === 0) return []
    await startRun(warehouse, { runId, command: 'replay', instant, clock })
    const results: ReplayResult[] = []
    for (const stream of streams) {
      const { root, timeZone } = project
      const stored: ReplayOptions['stored'] = async ({ changed, rowsTotal }) => {
        if (!changed) return
        const version = landedVersion(stream.relation, runId, rowsTotal)
        const built_at = new Date(clock.now()).toISOString()
        await saveVersions(warehouse, [{ ...version, built_at }], () => true)
      }
      results.push(await replay({ ...options, warehouse, stream, root, timeZone, stored }))
    }
    await finishRun(warehouse, { runId, clock, status: 'done', exitCode: 0 })
    return results
  } finally {
    await warehouse.close()
  }
}
