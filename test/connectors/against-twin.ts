// Runs the destination contract against a connector and its twin: a sandbox on a free port, a fresh one for each case.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { JsonObject } from '../../src/core/json.ts'
import type { FaultInput } from '../../src/sandbox/fault.ts'
import { startSandbox } from '../../src/sandbox/server.ts'
import type { Twin } from '../../src/sandbox/twin.ts'
import type { Destination } from '../../src/sync/destination.ts'
import { casesFor, type DestinationHarness } from '../../src/testing/destination-contract.ts'

const objectSchema = z.record(z.string(), z.json())

/** JSON that must be an object. */
export const jsonObject = (value: unknown): JsonObject => objectSchema.parse(value)

export interface Running {
  /** Of the twin: what a connector takes as its base. */
  readonly url: string
  held(): Promise<JsonObject>
  fault(fault: FaultInput): Promise<void>
  requests(): Promise<number>
  close(): Promise<void>
}

export const startTwin = async (twin: Twin): Promise<Running> => {
  const sandbox = await startSandbox({ port: 0, twins: [twin] })
  const admin = `${sandbox.url}/_sandbox/${twin.name}`
  const get = async (path: string): Promise<JsonObject> => jsonObject(await (await fetch(`${admin}${path}`)).json())
  return {
    url: `${sandbox.url}/${twin.name}`,
    held: () => get(''),
    fault: async (fault) => {
      const answer = await fetch(`${admin}/faults`, { method: 'POST', body: JSON.stringify(fault) })
      if (answer.status !== 201) throw new Error(await answer.text())
    },
    requests: async () => Number((await get('/requests'))['requests']),
    close: () => sandbox.close(),
  }
}

export interface Subject {
  readonly title: string
  readonly twin: Twin
  make(url: string, options: { readonly timeoutMs?: number }): Destination
  readonly harness: Pick<DestinationHarness, 'upsert' | 'mark' | 'secrets'>
  held(running: Running): Promise<ReadonlyMap<string, JsonObject>>
  /** Where `silent` must strike, when the first request of a write only reads. */
  readonly silentPath?: string
  /** What the sync's `remove` is. */
  readonly remove?: string
  readonly gaps?: Readonly<Record<string, string>>
}

export const describeContract = (subject: Subject): void => {
  describe(`${subject.title} keeps the contract: it`, () => {
    it.for(casesFor(subject.make('http://127.0.0.1:9', {}), subject.gaps))('$title', async ({ run, gap }, { skip }) => {
      skip(gap !== undefined, gap)
      const running = await startTwin(subject.twin)
      try {
        const kept = run({
          ...subject.harness,
          destination: subject.make(running.url, {}),
          open: (options = {}) =>
            subject.make(running.url, options).open(subject.remove === undefined ? {} : { remove: subject.remove }),
          held: () => subject.held(running),
          fault: (fault) =>
            running.fault(
              fault.kind === 'silent' && subject.silentPath !== undefined
                ? { path: subject.silentPath, ...fault }
                : fault,
            ),
          requests: () => running.requests(),
        })
        await expect(kept).resolves.toBeUndefined()
      } finally {
        await running.close()
      }
    })
  })
}
