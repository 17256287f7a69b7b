// One run at a time, also where a warehouse lets several processes write (BigQuery): two that build the same models would each write them,
// and save their versions twice. A run says in cdp.settings that it is at work, and looks for others only then: of two that begin at
// the same moment, at least the later one sees the other, and gives way.
import { CdpError } from '../core/errors.ts'
import { thisWorld, type Owner, type OwnerWorld } from '../sync/lease.ts'
import { stateTable } from '../warehouse/state-sql.ts'
import { inStep } from '../warehouse/step.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import type { RunOptions } from './options.ts'

interface Holder extends Owner {
  /** Milliseconds since 1970, renewed while it works. */
  readonly heartbeat: number
}

const heartbeatMs = 60_000
// A run of another machine cannot be proved dead; this long without a heartbeat counts as dead.
const staleMs = 10 * 60_000
const prefix = 'run:'

/**
 * Performs `work` as the only run of the warehouse. Throws RUN_BUSY while another run is at work; what a dead one left is taken away.
 * Where only one process can write at all, nothing is written and nothing is asked.
 */
export const asOnlyRun = async <T>(
  warehouse: Warehouse,
  { runId, clock }: Pick<RunOptions, 'runId' | 'clock'>,
  work: () => Promise<T>,
  world: OwnerWorld = thisWorld(),
): Promise<T> => {
  if (!warehouse.supports.concurrentWriters) return work()
  const settings = stateTable(warehouse, 'settings')
  const own = `${prefix}${runId}`
  const content = (): string => JSON.stringify({ ...world.self, heartbeat: clock.now() } satisfies Holder)
  // Also when the run was interrupted.
  const write = (sql: string, ...parameters: string[]): Promise<unknown> =>
    inStep({ run: runId, step: 'record', anyway: true }, () => warehouse.run({ sql, parameters }))
  const remove = (name: string): Promise<unknown> => write(`delete from ${settings} where name = $1`, name)

  await write(`insert into ${settings} (name, value) values ($1, $2)`, own, content())
  const beat = setInterval(() => {
    write(`update ${settings} set value = $1 where name = $2`, content(), own).catch(() => undefined)
  }, heartbeatMs)
  beat.unref()
  try {
    const others = await warehouse.all<{ name: string; value: string }>({
      sql: `select s.name, s.value from ${settings} as s where starts_with(s.name, $1) and s.name <> $2`,
      parameters: [prefix, own],
    })
    for (const { name, value } of others) {
      const holder = JSON.parse(value) as Holder
      if (isAtWork(holder, world, clock.now())) {
        const run = name.slice(prefix.length)
        throw new CdpError('RUN_BUSY', { run, holder: `pid ${holder.pid} on ${holder.host}` })
      }
      await remove(name)
    }
    return await work()
  } finally {
    clearInterval(beat)
    await remove(own)
  }
}

const isAtWork = (holder: Holder, world: OwnerWorld, now: number): boolean =>
  holder.host === world.self.host ? world.isAlive(holder) : now - holder.heartbeat < staleMs
