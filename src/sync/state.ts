// What is known of syncs before anything is planned, read by two plain statements: enough to say that there is nothing to do.
// On the path of a run that has nothing to do, so it imports nothing but types and specs.
import type { Warehouse } from '../warehouse/warehouse.ts'
import { stateTable } from '../warehouse/state-sql.ts'
import type { SyncInput } from './spec.ts'

export interface SyncState {
  readonly sync: string
  readonly epoch: number
  readonly definition: string
  /** JSON texts. */
  readonly map: string
  readonly inputs: string
  readonly hashing: string
  readonly due_at: string | null
  readonly folded_seq: number
  /** Its fast hashes are of another engine, or another version of it. */
  readonly is_stale: boolean
  /** A run of it did not say how it ended. */
  readonly is_open: boolean
}

export interface RelationVersion {
  readonly relation: string
  readonly version: string
  readonly status: string
  readonly built_at: string
}

export interface SyncWorld {
  readonly states: ReadonlyMap<string, SyncState>
  readonly versions: ReadonlyMap<string, RelationVersion>
}

const selectStates = (warehouse: Warehouse): string =>
  `select s.sync, s.epoch, s.definition, s.map, s.inputs, s.hashing, s.due_at, s.folded_seq,
     s.hashing <> ${warehouse.dialect.values.hashingProbe} as is_stale,
     s.sync in (select r.sync from ${stateTable(warehouse, 'sync_runs')} as r where r.status = 'running') as is_open
   from ${stateTable(warehouse, 'syncs')} as s`

/** The world with one sync as it is now, read by one statement. */
export const withState = async (warehouse: Warehouse, world: SyncWorld, sync: string): Promise<SyncWorld> => {
  const [state] = await warehouse.all<SyncState>({
    sql: `${selectStates(warehouse)} where s.sync = $1`,
    parameters: [sync],
  })
  const states = new Map(world.states)
  states.delete(sync)
  if (state !== undefined) states.set(sync, state)
  return { ...world, states }
}

export const readWorld = async (warehouse: Warehouse): Promise<SyncWorld> => {
  const states = await warehouse.all<SyncState>(selectStates(warehouse))
  const versions = await warehouse.all<RelationVersion>(
    `select relation, version, status, built_at from ${stateTable(warehouse, 'versions')}`,
  )
  return {
    states: new Map(states.map((state) => [state.sync, state])),
    versions: new Map(versions.map((version) => [version.relation, version])),
  }
}

/** The relations a sync depends on. */
const inputsOf = ({ spec, consent }: SyncInput): string[] => [
  spec.from,
  ...(spec.purpose === undefined || consent === undefined ? [] : [consent]),
]

/** Their versions as text to compare; undefined when one is not known, so that nothing can be said to be unchanged. */
export const inputVersions = (input: SyncInput, world: SyncWorld): string | undefined => {
  const pairs = inputsOf(input).map((name) => [name, world.versions.get(name)?.version] as const)
  return pairs.every(([, version]) => version !== undefined && version !== '') ? JSON.stringify(pairs) : undefined
}

/** Whether nothing changed and nothing is due: the sync then costs nothing. */
export const isQuiet = (input: SyncInput, world: SyncWorld, now: number): boolean => {
  const state = world.states.get(input.spec.id)
  if (state === undefined || state.definition !== input.spec.fingerprint) return false
  if (state.due_at !== null && Date.parse(state.due_at) <= now) return false
  if (inputsOf(input).some((name) => world.versions.get(name)?.status !== 'good')) return false
  // An engine may write JSON in another way than it got it.
  return JSON.stringify(JSON.parse(state.inputs)) === inputVersions(input, world)
}
