// A receiver of webhooks on loopback: applies what it is sent as the contract says, remembers every request, and answers as it is told.
import { startLoopback, type Loopback, type LoopbackAnswer } from '../../src/testing/loopback.ts'

export interface VendorChange {
  readonly op: 'upsert' | 'insert' | 'update' | 'remove'
  readonly id: string
  readonly key: Readonly<Record<string, string>>
  readonly record?: Readonly<Record<string, unknown>>
}

export interface VendorRequest {
  readonly sync: string
  readonly changes: readonly VendorChange[]
  readonly idempotencyKey: string
}

export interface Vendor {
  readonly url: string
  readonly requests: readonly VendorRequest[]
  /** sync -> key -> fields. */
  readonly holds: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** What happens at a request, counted from 1 over all: may do something first, then answer, or return nothing to take it. */
  at(
    act: (request: VendorRequest, nth: number) => LoopbackAnswer | undefined | Promise<LoopbackAnswer | undefined>,
  ): void
  /** Operations of a sync since a request. */
  sent(sync: string, from?: number): { readonly upsert: number; readonly remove: number; readonly insert: number }
  close(): Promise<void>
}

export const startVendor = async (held: Vendor['holds'] = {}): Promise<Vendor> => {
  const requests: VendorRequest[] = []
  const holds: Record<string, Record<string, unknown>> = structuredClone({ ...held })
  let act: Parameters<Vendor['at']>[0] = () => undefined
  const server: Loopback = await startLoopback(async ({ body, headers }) => {
    const { sync, changes } = body as { sync: string; changes: VendorChange[] }
    const request = { sync, changes, idempotencyKey: headers['idempotency-key'] ?? '' }
    requests.push(request)
    const answer = await act(request, requests.length)
    if (answer !== undefined) return answer
    take(request)
    return { status: 200 }
  })
  const take = ({ sync, changes }: VendorRequest): void => {
    const audience = (holds[sync] ??= {})
    for (const { op, key, record } of changes) {
      const name = Object.values(key).join('/')
      if (op === 'remove') Reflect.deleteProperty(audience, name)
      else audience[name] = { ...(audience[name] as object | undefined), ...record }
    }
  }
  return {
    url: server.url,
    requests,
    holds,
    at: (next) => (act = next),
    sent: (sync, from = 0) => {
      const changes = requests.slice(from).flatMap((request) => (request.sync === sync ? request.changes : []))
      const count = (op: string): number => changes.filter((change) => change.op === op).length
      return { upsert: count('upsert'), remove: count('remove'), insert: count('insert') }
    },
    close: () => server.close(),
  }
}
