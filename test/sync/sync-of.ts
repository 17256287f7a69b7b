// A compiled sync to a destination in memory, written by hand; parts of it may be given.
import { fingerprint } from '../../src/core/hash.ts'
import type { CompiledSync } from '../../src/project/compiled.ts'
import type { DestinationFacts } from '../../src/sync/destination.ts'

export type SyncPart = Partial<Omit<CompiledSync, 'destination' | 'id'>> & {
  readonly destination?: Partial<DestinationFacts>
}

export const syncOf = (id: string, part: SyncPart = {}): CompiledSync => {
  const { destination, ...rest } = part
  const facts: DestinationFacts = {
    name: 'memory',
    target: 'memory',
    modes: ['upsert', 'insert', 'update', 'mirror', 'append'],
    semantics: 'state',
    takes: 'changes',
    confirmation: 'rows',
    limits: { batch: 10, inFlight: 2 },
    ...destination,
  }
  const sync = {
    id,
    file: `syncs/${id}.ts`,
    description: '',
    tags: [],
    from: 'people',
    key: { email: 'email' },
    map: { name: 'name' },
    mode: 'mirror',
    remove: undefined,
    purpose: undefined,
    clear: [],
    guard: {},
    secrets: [],
    ...rest,
    destination: facts,
  } as const
  return { ...sync, fingerprint: fingerprint({ ...sync, secrets: undefined }) }
}
