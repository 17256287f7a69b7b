// The sandbox's HubSpot: contacts and lists of the v3 CRM API, with the vendor's limits, shapes and refusals as far as they are documented.
// What it does not know of (which properties a portal has, which of them are unique) it takes on trust: see docs/destinations/hubspot.md.
import { z } from 'zod'
import {
  defineTwin,
  strikes,
  type Clock,
  type Fault,
  type JsonObject,
  type TwinRequest,
  type TwinResponse,
} from 'composable-cdp'

type Properties = Record<string, string>

interface Contact {
  readonly id: string
  properties: Properties
}

interface List {
  readonly listId: string
  readonly name: string
  readonly processingType: string
  readonly members: Set<string>
}

const idSchema = z.union([z.string(), z.number()]).transform(String)
const propertiesSchema = z.record(z.string(), z.string())
const inputSchema = z.object({
  id: idSchema.optional(),
  idProperty: z.string().optional(),
  properties: propertiesSchema.optional(),
  objectWriteTraceId: z.string().optional(),
})
type Input = z.infer<typeof inputSchema>
const batchSchema = z.object({
  inputs: z.array(inputSchema),
  idProperty: z.string().optional(),
  properties: z.array(z.string()).optional(),
})

export default defineTwin({
  name: 'hubspot',
  title: 'HubSpot',
  create: ({ clock }) => {
    const portal = new Portal(clock)
    return {
      handle: (request) => portal.handle(request),
      snapshot: () => portal.snapshot(),
      restore: (state) => portal.restore(state),
      reset: () => portal.restore({}),
      fail: (fault, request) => failure(fault, request),
    }
  },
})

const failure = (fault: Fault, request: TwinRequest): TwinResponse | undefined => {
  if (fault.kind === 'silent') return { status: 200, body: request.path.includes('/lists/') ? {} : complete([]) }
  if (fault.status === 401) return problem(401, 'INVALID_AUTHENTICATION', 'Authentication credentials not found.')
  if (fault.status === 403)
    return problem(403, 'MISSING_SCOPES', 'This app does not have the scopes that this call needs.')
  if (fault.status === 429) return tooMany()
  return problem(fault.status, 'SANDBOX', `The sandbox was told to answer ${fault.status}.`)
}

const problem = (status: number, category: string, message: string): TwinResponse => ({
  status,
  body: { status: 'error', message, correlationId: '00000000-0000-0000-0000-000000000000', category },
})

const invalid = (message: string): TwinResponse => problem(400, 'VALIDATION_ERROR', message)

const tooMany = (): TwinResponse => ({
  status: 429,
  body: {
    status: 'error',
    message: 'You have reached your ten_secondly_rolling limit.',
    errorType: 'RATE_LIMIT',
    policyName: 'TEN_SECONDLY_ROLLING',
  },
})

interface RowError {
  readonly status: 'error'
  readonly category: string
  readonly message: string
  readonly context: Readonly<Record<string, readonly string[]>>
}

const complete = (results: readonly JsonObject[], errors: readonly RowError[] = []) => ({
  status: 'COMPLETE',
  results,
  ...(errors.length > 0 ? { numErrors: errors.length, errors } : {}),
  startedAt: '2026-01-01T00:00:00.000Z',
  completedAt: '2026-01-01T00:00:00.000Z',
})

class Portal {
  #contacts = new Map<string, Contact>()
  #lists = new Map<string, List>()
  // property -> value -> contact; e-mail always, others once they are used as a key
  #unique = new Map<string, Map<string, string>>()
  #archived = 0
  #nextId = 101
  #calls: number[] = []
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  handle(request: TwinRequest): TwinResponse {
    const token = /^Bearer (\S+)$/.exec(request.headers['authorization'] ?? '')?.[1]
    const wanted = process.env['SANDBOX_HUBSPOT_TOKEN']
    if (token === undefined || (wanted !== undefined && token !== wanted)) {
      return problem(401, 'INVALID_AUTHENTICATION', `Authentication credentials ${token ?? ''} not found.`)
    }
    if (this.#isOverLimit()) return tooMany()
    const batch = /^\/crm\/v3\/objects\/contacts\/batch\/(read|create|update|upsert|archive)$/.exec(request.path)?.[1]
    if (batch !== undefined && request.method === 'POST') return this.#batch(batch, request)
    if (request.path.startsWith('/crm/v3/lists')) return this.#listCall(request)
    return problem(404, 'OBJECT_NOT_FOUND', `The sandbox has no ${request.method} ${request.path}.`)
  }

  // A rolling window of ten seconds, as the vendor counts; far above its limit unless the environment says otherwise.
  #isOverLimit(): boolean {
    const limit = Number(process.env['SANDBOX_HUBSPOT_CALLS_PER_10S'] ?? 10_000)
    const now = this.#clock.now()
    this.#calls = this.#calls.filter((at) => at > now - 10_000)
    if (this.#calls.length >= limit) return true
    this.#calls.push(now)
    return false
  }

  #batch(kind: string, request: TwinRequest): TwinResponse {
    const { body } = request
    // Seen at the vendor: a body without its wrapper is answered as if it had been done.
    if (typeof body === 'object' && body !== null && !Array.isArray(body) && !('inputs' in body))
      return { status: 200, body: complete([]) }
    const parsed = batchSchema.safeParse(body)
    if (!parsed.success)
      return invalid(
        `Invalid input JSON: ${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}`,
      )
    const { inputs, idProperty, properties } = parsed.data
    if (inputs.length === 0) return invalid('inputs must not be empty.')
    if (inputs.length > 100) return invalid(`The batch has ${inputs.length} inputs; at most 100 are taken.`)
    const ids = inputs.map((input) => input.id?.toLowerCase()).filter((id) => id !== undefined)
    if (kind !== 'create' && ids.length < inputs.length) return invalid('Every input needs an id.')
    if (kind !== 'create' && new Set(ids).size < ids.length)
      return invalid('Duplicate IDs found in batch input. IDs must be unique.')
    if (kind === 'read') return this.#read(inputs, idProperty, properties ?? [])
    if (kind === 'archive') return this.#archive(ids)
    const wrongName = inputs
      .flatMap((input) => Object.keys(input.properties ?? {}))
      .find((name) => !/^[a-z][a-z0-9_]*$/.test(name))
    if (wrongName !== undefined) {
      const message = `Property "${wrongName}" does not exist`
      return invalid(`Property values were not valid: [${wrongly(wrongName, 'PROPERTY_DOESNT_EXIST', message)}]`)
    }
    if (kind === 'upsert' && inputs.some((input) => (input.idProperty ?? 'email') === 'email')) {
      return invalid('Partial upserts are not supported when email is the idProperty.')
    }
    return this.#write(kind, inputs, request.fault)
  }

  #read(inputs: readonly Input[], idProperty: string | undefined, properties: readonly string[]): TwinResponse {
    const results: JsonObject[] = []
    const missing: string[] = []
    for (const { id = '' } of inputs) {
      const contact = this.#lookUp(id, idProperty)
      if (contact) results.push(shown(contact, { id: contact.id, properties: pick(contact, properties) }))
      else missing.push(id)
    }
    const errors = missing.length > 0 ? [notFound({ ids: missing })] : []
    return { status: errors.length > 0 ? 207 : 200, body: complete(results, errors) }
  }

  #archive(ids: readonly string[]): TwinResponse {
    for (const id of ids) {
      const contact = this.#contacts.get(id)
      if (!contact) continue
      this.#contacts.delete(id)
      for (const [property, index] of this.#unique) index.delete(unique(property, contact.properties[property] ?? ''))
      for (const list of this.#lists.values()) list.members.delete(id)
      this.#archived += 1
    }
    return { status: 204 }
  }

  // With a trace id on every input each row has its own end; without, the first that fails takes the batch with it.
  #write(kind: string, inputs: readonly Input[], fault: Fault | undefined): TwinResponse {
    const traced = inputs.every((input) => input.objectWriteTraceId !== undefined)
    const results: JsonObject[] = []
    const errors: RowError[] = []
    for (const [index, input] of inputs.entries()) {
      const context = input.objectWriteTraceId === undefined ? {} : { objectWriteTraceId: [input.objectWriteTraceId] }
      const wrong = strikes(fault, input, index)
        ? refusal(
            fault?.outcome === 'retry' ? 'RATE_LIMITS' : 'VALIDATION_ERROR',
            'The sandbox was told to refuse this row.',
            context,
          )
        : this.#wrongIn(kind, input, context)
      if (wrong && !traced) return problem(wrong.category === 'CONFLICT' ? 409 : 400, wrong.category, wrong.message)
      if (wrong) errors.push(wrong)
      else results.push(this.#put(kind, input))
    }
    const status = errors.length > 0 ? 207 : kind === 'create' ? 201 : 200
    return { status, body: complete(results, errors) }
  }

  #wrongIn(kind: string, input: Input, context: RowError['context']): RowError | undefined {
    const properties = input.properties ?? {}
    const message = wrongValue(properties)
    if (message !== undefined)
      return refusal('VALIDATION_ERROR', `Property values were not valid: [${message}]`, context)
    const target = kind === 'create' ? undefined : this.#lookUp(input.id ?? '', input.idProperty)
    if (kind === 'update' && !target) return notFound({ ...context, ids: [input.id ?? ''] })
    const owner = this.#lookUp(properties['email'] ?? '', 'email')
    if (owner && owner !== target)
      return refusal('CONFLICT', `Contact already exists. Existing ID: ${owner.id}`, context)
    return undefined
  }

  #put(kind: string, input: Input): JsonObject {
    const target = kind === 'create' ? undefined : this.#lookUp(input.id ?? '', input.idProperty)
    const contact = target ?? { id: String(this.#nextId++), properties: {} }
    const key = input.idProperty === undefined || input.id === undefined ? {} : { [input.idProperty]: input.id }
    const merged = { ...contact.properties, ...key, ...input.properties }
    contact.properties = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ''))
    if (contact.properties['email'] !== undefined)
      contact.properties['email'] = contact.properties['email'].toLowerCase()
    this.#contacts.set(contact.id, contact)
    for (const [property, index] of this.#unique) {
      const value = contact.properties[property]
      if (value !== undefined) index.set(unique(property, value), contact.id)
    }
    const trace = input.objectWriteTraceId === undefined ? {} : { objectWriteTraceId: input.objectWriteTraceId }
    return shown(contact, {
      id: contact.id,
      properties: contact.properties,
      ...(kind === 'upsert' ? { new: !target } : {}),
      ...trace,
    })
  }

  #lookUp(id: string, idProperty: string | undefined): Contact | undefined {
    if (idProperty === undefined || idProperty === 'hs_object_id') return this.#contacts.get(id)
    let index = this.#unique.get(idProperty)
    if (!index) {
      index = new Map(
        [...this.#contacts.values()].map((c) => [unique(idProperty, c.properties[idProperty] ?? ''), c.id]),
      )
      this.#unique.set(idProperty, index)
    }
    const contact = this.#contacts.get(index.get(unique(idProperty, id)) ?? '')
    return id !== '' && contact && unique(idProperty, contact.properties[idProperty] ?? '') === unique(idProperty, id)
      ? contact
      : undefined
  }

  #listCall(request: TwinRequest): TwinResponse {
    const [, , , , first, second, third, ...rest] = request.path.split('/')
    const route = `${request.method} ${first === undefined ? '' : /^\d+$/.test(first) ? `:id${second ? `/${second}` : ''}${third ? `/${third}` : ''}` : first}`
    const list = this.#lists.get(first ?? '')
    if (route === 'POST ') return this.#createList(request.body)
    if (route === 'GET object-type-id')
      return listOr404([...this.#lists.values()].find((each) => sameName(each.name, rest.join('/'))))
    if (route === 'POST search') return this.#searchLists(request.body)
    if (route === 'GET :id' || !list) return listOr404(list)
    if (route === 'GET :id/memberships') {
      return {
        status: 200,
        body: { results: [...list.members].map((recordId) => ({ recordId })), total: list.members.size },
      }
    }
    if (request.method !== 'PUT' || second !== 'memberships')
      return problem(404, 'OBJECT_NOT_FOUND', `The sandbox has no ${route}.`)
    if (list.processingType === 'DYNAMIC') return invalid('Members of a DYNAMIC list cannot be changed.')
    const ids = z.array(idSchema)
    const both = z.object({ recordIdsToAdd: ids, recordIdsToRemove: ids }).safeParse(request.body)
    const one = ids.safeParse(request.body)
    if (third === 'add-and-remove' && both.success)
      return this.#members(list, both.data.recordIdsToAdd, both.data.recordIdsToRemove, request.fault)
    if (third === 'add' && one.success) return this.#members(list, one.data, [], request.fault)
    if (third === 'remove' && one.success) return this.#members(list, [], one.data, request.fault)
    return invalid('Invalid input JSON.')
  }

  #createList(body: unknown): TwinResponse {
    const parsed = z
      .object({
        name: z.string().min(1),
        objectTypeId: z.literal('0-1'),
        processingType: z.enum(['MANUAL', 'SNAPSHOT', 'DYNAMIC']),
      })
      .safeParse(body)
    if (!parsed.success) return invalid('A list needs a name, objectTypeId 0-1 and a processingType.')
    const { name, processingType } = parsed.data
    if ([...this.#lists.values()].some((each) => sameName(each.name, name)))
      return invalid(`A list with the name '${name}' already exists.`)
    const list: List = { listId: String(this.#lists.size + 1), name, processingType, members: new Set() }
    this.#lists.set(list.listId, list)
    return { status: 200, body: { list: described(list) } }
  }

  #searchLists(body: unknown): TwinResponse {
    const asked = z.object({ query: z.string().default('') }).safeParse(body)
    const query = asked.success ? asked.data.query.toLowerCase() : ''
    const found = [...this.#lists.values()].filter((each) => each.name.toLowerCase().includes(query)).map(described)
    return { status: 200, body: { lists: found, hasMore: false, offset: found.length, total: found.length } }
  }

  #members(list: List, add: readonly string[], remove: readonly string[], fault: Fault | undefined): TwinResponse {
    const refused = new Set(add.filter((id, index) => strikes(fault, this.#contacts.get(id)?.properties ?? id, index)))
    const missing = [...add, ...remove].filter((id) => !this.#contacts.has(id) || refused.has(id))
    const added = add.filter((id) => !missing.includes(id) && !list.members.has(id))
    const removed = remove.filter((id) => list.members.delete(id))
    for (const id of added) list.members.add(id)
    return { status: 200, body: { recordsIdsAdded: added, recordIdsRemoved: removed, recordIdsMissing: missing } }
  }

  snapshot(): JsonObject {
    return {
      contacts: [...this.#contacts.values()].map(({ id, properties }) => ({ id, ...properties })),
      lists: [...this.#lists.values()].map(({ members, ...list }) => ({ ...list, members: [...members] })),
      archived: this.#archived,
    }
  }

  restore(state: JsonObject): void {
    const kept = stateSchema.parse(state)
    this.#contacts = new Map(kept.contacts.map(({ id = '', ...properties }) => [id, { id, properties }]))
    this.#lists = new Map(
      kept.lists.map(({ members, ...list }) => [list.listId, { ...list, members: new Set(members) }]),
    )
    this.#unique = new Map()
    this.#archived = kept.archived
    this.#nextId = Math.max(100, ...kept.contacts.map(({ id }) => Number(id))) + 1
    this.#calls = []
  }
}

const stateSchema = z.object({
  contacts: z.array(propertiesSchema).default([]),
  lists: z
    .array(z.object({ listId: z.string(), name: z.string(), processingType: z.string(), members: z.array(z.string()) }))
    .default([]),
  archived: z.number().default(0),
})

// E-mails are kept and compared in lower case.
const unique = (property: string, value: string): string => (property === 'email' ? value.trim().toLowerCase() : value)

const pick = (contact: Contact, names: readonly string[]): Properties =>
  Object.fromEntries(Object.entries(contact.properties).filter(([name]) => names.includes(name)))

const shown = (contact: Contact, more: JsonObject): JsonObject => ({
  ...more,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  archived: false,
  url: `https://app.hubspot.com/contacts/0/record/0-1/${contact.id}`,
})

const refusal = (category: string, message: string, context: RowError['context']): RowError => ({
  status: 'error',
  category,
  message,
  context,
})

const notFound = (context: RowError['context']): RowError =>
  refusal(
    'OBJECT_NOT_FOUND',
    'Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.',
    context,
  )

const readOnly = new Set(['hs_object_id', 'createdate', 'lastmodifieddate'])
const stages = new Set([
  'subscriber',
  'lead',
  'marketingqualifiedlead',
  'salesqualifiedlead',
  'opportunity',
  'customer',
  'evangelist',
  'other',
  '',
])

const wrongly = (name: string, error: string, message: string): string =>
  JSON.stringify({ isValid: false, message, error, name })

// The first wrong value, in the vendor's JSON inside its message.
const wrongValue = (properties: Properties): string | undefined => {
  for (const [name, value] of Object.entries(properties)) {
    if (readOnly.has(name)) return wrongly(name, 'READ_ONLY_VALUE', `"${name}" is a read only property`)
    if (value.length > 65_536)
      return wrongly(name, 'PROPERTY_VALUE_TOO_LONG', `"${name}" is longer than 65536 characters`)
    if (name === 'email' && value !== '' && !/^[^\s@]+@[^\s@]+\.[^\s@]{2,}$/.test(value))
      return wrongly(name, 'INVALID_EMAIL', `Email address ${value} is invalid`)
    if (name === 'lifecyclestage' && !stages.has(value))
      return wrongly(name, 'INVALID_OPTION', `${value} was not one of the allowed options`)
  }
  return undefined
}

const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

const described = ({ listId, name, processingType, members }: List): JsonObject => ({
  listId,
  listVersion: 1,
  name,
  objectTypeId: '0-1',
  processingStatus: 'COMPLETE',
  processingType,
  size: members.size,
})

const listOr404 = (list: List | undefined): TwinResponse =>
  list ? { status: 200, body: { list: described(list) } } : problem(404, 'OBJECT_NOT_FOUND', 'List does not exist.')
