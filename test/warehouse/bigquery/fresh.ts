// Empty warehouses on the stand-in. Creating the engine's state takes seconds there, so one project is emptied and used again.
import { systemClock } from '../../../src/core/clock.ts'
import { bigquery, type BigQuerySettings } from '../../../src/warehouse/define-bigquery.ts'
import { engineRelations } from '../../../src/warehouse/relations.ts'
import { stateVersion } from '../../../src/warehouse/version.ts'
import { openWarehouse, type OpenOptions, type Warehouse } from '../../../src/warehouse/warehouse.ts'
import { isLive, liveSettings, removeDatasets } from '../../bigquery/live.ts'
import type { Emulator } from '../../bigquery-emulator/emulator.ts'

export type Opening = (options?: Partial<Omit<OpenOptions, 'root'>>) => Promise<Warehouse>

let number = 0
let spare: string | undefined

/** `work` gets a way to open one warehouse, empty at first, as often as it likes. */
export const withFresh = async (
  emulator: Emulator,
  root: string,
  work: (open: Opening) => Promise<void>,
  settings: Partial<BigQuerySettings> = {},
): Promise<void> => {
  if (isLive) return withLive(root, work, settings)
  const project = spare ?? `fresh-${process.pid}-${number++}`
  spare = undefined
  const open: Opening = (options) =>
    openWarehouse(
      bigquery({ project, location: 'US', apiEndpoint: emulator.url, storageEndpoint: emulator.grpc, ...settings }),
      {
        root,
        mode: 'write',
        waitMs: 0,
        clock: systemClock,
        ...options,
      },
    )
  await work(open)
  // One that a test has broken, or made newer than this version, is left behind.
  const warehouse = await open().catch(() => undefined)
  if (!warehouse) return
  await empty(warehouse)
  await warehouse.close()
  spare = project
}

// The service makes the state in a second or two, and what is removed costs nothing.
const withLive = async (
  root: string,
  work: (open: Opening) => Promise<void>,
  settings: Partial<BigQuerySettings>,
): Promise<void> => {
  const live = { ...liveSettings(), ...settings }
  const options = { root, mode: 'write', waitMs: 0, clock: systemClock } as const
  try {
    await work((more) => openWarehouse(bigquery(live), { ...options, ...more }))
  } finally {
    await removeDatasets(live)
  }
}

const empty = async (warehouse: Warehouse): Promise<void> => {
  for (const schema of ['raw', 'models'] as const) {
    const drops = (await warehouse.relations(schema)).map(
      ({ name, isView }) => `drop ${isView ? 'view' : 'table'} ${warehouse.name({ schema, name })}`,
    )
    if (drops.length > 0) await warehouse.run(drops.join(';\n'))
  }
  const names = Object.keys(engineRelations).filter((name) => name !== 'migrations' && name !== 'settings')
  const filled = await warehouse.all<{ name: string }>(
    names
      .map((name) => `(select '${name}' as name from ${warehouse.name({ schema: 'cdp', name })} limit 1)`)
      .join(' union all '),
  )
  const log = warehouse.name({ schema: 'cdp', name: 'migrations' })
  await warehouse.run(`delete from ${log} where version > ${stateVersion}`)
  const truncates = filled.map(({ name }) => `truncate table ${warehouse.name({ schema: 'cdp', name })}`)
  if (truncates.length > 0) await warehouse.run(truncates.join(';\n'))
}
