// A journal beside the one on the disk, in the warehouse: for machines whose disk is gone with the process. What is written there is
// durable before anything is relied on, and the next run reads it back as if it had found it on its own disk.
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import type { RelationName, Warehouse } from '../warehouse/warehouse.ts'
import { instantOf, stateTable } from '../warehouse/state-sql.ts'

export interface Mirror {
  /** Journal lines; durable when it resolves. */
  write(lines: string): Promise<void>
  /** The opening of the warehouse to write to from now on. */
  use(warehouse: Warehouse): void
}

const relation: RelationName = { schema: 'cdp', name: 'sync_journal' }

/** undefined where the disk is enough. */
export const openMirror = (warehouse: Warehouse, sync: string, run: string, clock: Clock): Mirror | undefined => {
  if (warehouse.supports.journals !== true) return undefined
  let [target, part] = [warehouse, 0]
  return {
    write: async (lines) => {
      part += 1
      await target.append(relation, [{ sync, run_id: run, part, written_at: new Date(clock.now()), lines }])
    },
    use: (next) => {
      target = next
    },
  }
}

const dayMs = 86_400_000

/** Writes a run's journal to the disk as its part 1, where the warehouse has one. Returns its path. */
export const restoreJournal = async (
  warehouse: Warehouse,
  sync: string,
  run: { readonly epoch: number; readonly run_id: string; readonly started_at: string },
  folder: string,
): Promise<string | undefined> => {
  if (warehouse.supports.journals !== true) return undefined
  const since = new Date(Date.parse(run.started_at) - dayMs).toISOString()
  const path = join(folder, `${run.epoch}-1.ndjson`)
  await mkdir(folder, { recursive: true })
  // Half of it must not be taken for all.
  const temporary = `${path}.tmp`
  const file = await open(temporary, 'w', 0o600)
  let last = 0
  try {
    const written = warehouse.stream(
      `select j.part, j.lines from ${stateTable(warehouse, 'sync_journal')} as j where j.sync = ${warehouse.literal(sync)}
         and j.run_id = ${warehouse.literal(run.run_id)} and j.written_at >= ${instantOf(warehouse, since)} order by j.part`,
    )
    for await (const { values, rowCount } of written) {
      for (let row = 0; row < rowCount; row++) {
        // An append whose answer was lost may have been made twice.
        const part = Number(values[0]?.[row])
        const lines = values[1]?.[row]
        if (part > last && typeof lines === 'string') await file.write(lines)
        last = part
      }
    }
    await file.sync()
  } finally {
    await file.close()
  }
  if (last > 0) await rename(temporary, path)
  else await rm(temporary)
  return last > 0 ? path : undefined
}

/** What is older than any run that may be open; younger rows may still be where they cannot be deleted. */
export const forgetJournals = async (warehouse: Warehouse, sync: string, nowMs: number): Promise<void> => {
  if (warehouse.supports.journals !== true) return
  const table = stateTable(warehouse, 'sync_journal')
  const before = instantOf(warehouse, new Date(nowMs - dayMs).toISOString())
  await warehouse.run(`delete from ${table} where sync = ${warehouse.literal(sync)} and written_at < ${before}`)
}
