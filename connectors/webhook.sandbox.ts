// The sandbox's receiver of webhooks: keeps one audience per sync, as the connector's contract says, and refuses what breaks it.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { defineTwin, strikes, type Clock, type JsonObject, type TwinRequest, type TwinResponse } from 'composable-cdp'

const scalar = z.union([z.string(), z.number(), z.boolean()])
const identity = {
  id: z.string().min(1),
  key: z.record(z.string(), scalar).refine((key) => Object.keys(key).length > 0, 'is empty'),
}
const changeSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('remove'), ...identity }),
  z.strictObject({ op: z.enum(['upsert', 'insert', 'update']), ...identity, record: z.record(z.string(), z.json()) }),
])
const bodySchema = z.strictObject({
  sync: z.string().min(1),
  run: z.string().min(1),
  changes: z.array(changeSchema).min(1),
})

type Received = z.infer<typeof bodySchema>
type Row = z.infer<typeof changeSchema>

interface Held {
  /** sync -> key -> record */
  audiences: Record<string, Record<string, JsonObject>>
  /** Changes applied, and how many of them under an id that had been applied before. */
  changes: number
  repeated: number
}

const empty = (): Held => ({ audiences: {}, changes: 0, repeated: 0 })

export default defineTwin({
  name: 'webhook',
  title: 'Webhook receiver',
  create: ({ clock }) => {
    let held = empty()
    const ids = new Set<string>()
    // idempotency key -> what came under it and what was answered; the last thousand
    const answers = new Map<string, { readonly changes: string; readonly answer: TwinResponse }>()
    const apply = (sync: string, row: Row): void => {
      const audience = (held.audiences[sync] ??= {})
      const key = keyText(row.key)
      held.changes += 1
      if (ids.has(row.id)) held.repeated += 1
      ids.add(row.id)
      const there = Object.hasOwn(audience, key)
      if (row.op === 'remove') delete audience[key]
      else if (row.op === 'upsert' || there === (row.op === 'update')) audience[key] = merged(audience[key], row.record)
    }
    const take = (request: TwinRequest, received: Received): TwinResponse => {
      const results: JsonObject[] = []
      received.changes.forEach((row, index) => {
        if (strikes(request.fault, row, index)) {
          results.push({
            index,
            status: request.fault?.outcome ?? 'rejected',
            reason: 'the sandbox was told to refuse this row',
          })
          return
        }
        apply(received.sync, row)
        results.push({ index, status: 'delivered' })
      })
      return { status: 200, body: { ok: true, results } }
    }
    return {
      handle: (request) => {
        if (request.method !== 'POST') return { status: 405, body: { error: 'POST only' } }
        const wrong = signatureProblem(request, clock)
        if (wrong !== undefined) return { status: 401, body: { error: wrong } }
        const parsed = bodySchema.safeParse(request.body)
        if (!parsed.success) return { status: 400, body: { error: problemsOf(parsed.error) } }
        const key = request.headers['idempotency-key'] ?? ''
        if (key === '') return { status: 400, body: { error: 'the header idempotency-key is missing' } }
        const changes = JSON.stringify(parsed.data.changes)
        const before = answers.get(key)
        if (before) {
          return before.changes === changes
            ? before.answer
            : { status: 422, body: { error: 'this idempotency-key came with other changes before' } }
        }
        const answer = take(request, parsed.data)
        answers.set(key, { changes, answer })
        for (const old of answers.keys()) if (answers.size > 1000) answers.delete(old)
        return answer
      },
      snapshot: () => ({ ...structuredClone(held) }),
      restore: (state) => {
        const audiences = z
          .record(z.string(), z.record(z.string(), z.record(z.string(), z.json())))
          .parse(state['audiences'])
        held = { audiences, changes: Number(state['changes']), repeated: Number(state['repeated']) }
      },
      reset: () => {
        held = empty()
        ids.clear()
        answers.clear()
      },
      fail: (fault) =>
        fault.kind === 'silent'
          ? { status: 200, body: { ok: false, error: 'the sandbox was told to take nothing' } }
          : { status: fault.status, body: { error: `the sandbox was told to answer ${fault.status}` } },
    }
  },
})

// One key field is shown as its value, several as JSON.
const keyText = (key: Row['key']): string => {
  const [only, ...more] = Object.values(key)
  return more.length === 0 ? String(only) : JSON.stringify(key)
}

// Fields that are not sent keep their value; a null clears.
const merged = (before: JsonObject | undefined, record: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries({ ...before, ...record }).filter(([, value]) => value !== null))

// The secret is the sandbox's own environment, or named by the request, so that a project can try both.
const signatureProblem = (request: TwinRequest, clock: Clock): string | undefined => {
  const secret = request.headers['x-sandbox-secret'] ?? process.env['SANDBOX_WEBHOOK_SECRET']
  if (secret === undefined) return undefined
  const [, time, given] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(request.headers['cdp-signature'] ?? '') ?? []
  if (time === undefined || given === undefined) return 'the header cdp-signature is missing or malformed'
  if (Math.abs(clock.now() / 1000 - Number(time)) > 300) return 'the signature is older than five minutes'
  const right = createHmac('sha256', secret).update(`${time}.${request.text}`).digest()
  return timingSafeEqual(right, Buffer.from(given, 'hex')) ? undefined : 'the signature is wrong'
}

const problemsOf = (error: z.ZodError): string =>
  error.issues
    .slice(0, 3)
    .map(
      ({ path, message }) =>
        `${
          path
            .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
            .join('')
            .replace(/^\./, '') || 'body'
        }: ${message}`,
    )
    .join('; ')
