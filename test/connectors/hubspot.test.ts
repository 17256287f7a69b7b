// HubSpot: the contract against its twin for every kind of destination, then what only HubSpot does.
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  defineSync,
  type Change,
  type Json,
  type JsonObject,
  type Outcome,
  type Writer,
  type WriteResult,
} from 'composable-cdp'
import { hubspot } from '../../connectors/hubspot.ts'
import twin from '../../connectors/hubspot.sandbox.ts'
import { contextFor } from '../../src/testing/destination-contract.ts'
import { type LoopbackAnswer, type LoopbackRequest, startLoopback } from '../../src/testing/loopback.ts'
import { describeContract, startTwin, type Running } from './against-twin.ts'

const token = 'pat-na1-not-a-token'
const stateSchema = z.object({
  contacts: z.array(z.record(z.string(), z.string())),
  lists: z.array(z.object({ name: z.string(), listId: z.string(), members: z.array(z.string()) })),
  archived: z.number(),
})
const stateOf = async (running: Running) => stateSchema.parse(await running.held())

const byKey = (contacts: readonly Readonly<Record<string, string>>[], key: string): Map<string, JsonObject> =>
  new Map(contacts.map(({ id: _id, [key]: value = '', ...record }) => [value, record]))

const person =
  (key: string) =>
  (index: number): Change => ({
    operation: 'upsert',
    id: `version-${index}.`,
    key: { [key]: key === 'email' ? `an${index}.a@example.com` : `c-${index}.` },
    record: { firstname: `An ${index}.`, phone: `+8490000${index}`, lifetime_value: String(index) },
  })

const harness = (key: string) => ({ upsert: person(key), mark: (index: number) => `An ${index}.`, secrets: [token] })
const properties = ['lifetime_value'] as const

describeContract({
  title: 'hubspot.contacts by e-mail',
  twin,
  make: (url, options) => hubspot.contacts({ token, baseUrl: url, properties, ...options }),
  harness: harness('email'),
  held: async (running) => byKey((await stateOf(running)).contacts, 'email'),
  silentPath: 'batch/create',
  remove: 'archive',
})

describeContract({
  title: 'hubspot.contacts by a property of its own',
  twin,
  make: (url, options) => hubspot.contacts({ token, baseUrl: url, idProperty: 'customer_no', properties, ...options }),
  harness: harness('customer_no'),
  held: async (running) => byKey((await stateOf(running)).contacts, 'customer_no'),
  remove: 'archive',
})

const members = async (running: Running): Promise<Map<string, JsonObject>> => {
  const { contacts, lists } = await stateOf(running)
  const on = new Set(lists.flatMap((list) => list.members))
  return byKey(
    contacts.filter(({ id }) => on.has(id ?? '')),
    'email',
  )
}

describeContract({
  title: 'hubspot.list',
  twin,
  make: (url, options) =>
    hubspot.list({ token, baseUrl: url, name: 'VIP / đặc biệt', createIfMissing: true, properties, ...options }),
  harness: harness('email'),
  held: members,
  silentPath: 'batch/create',
})

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of open.splice(0)) await thing.close()
})

const start = async (): Promise<Running> => {
  const running = await startTwin(twin)
  open.push(running)
  return running
}

const write = async (writer: Promise<Writer>, changes: readonly Change[], key = 'b1'): Promise<WriteResult> => {
  const opened = await writer
  const result = await opened.write(changes, contextFor(key))
  await opened.close?.()
  return result
}

const contacts = (running: { readonly url: string }, remove?: string) =>
  hubspot
    .contacts({ token, baseUrl: running.url, whenRemoved: { lifecyclestage: 'other', phone: null } })
    .open(remove === undefined ? {} : { remove })

const change = (
  operation: Change['operation'],
  email: string,
  record: JsonObject = {},
  reference?: string,
): Change => ({
  operation,
  id: `${operation} ${email} ${JSON.stringify(record)}`,
  key: { email },
  record,
  ...(reference === undefined ? {} : { reference }),
})

const upsert = (email: string, record: JsonObject = { firstname: 'An' }): Change => change('upsert', email, record)

const outcomes = (result: WriteResult): readonly Outcome[] => {
  if ('refused' in result) throw new Error(result.refused)
  return result
}

describe('values', () => {
  it('are strings, null clears, an empty text is left out, several options are joined', async () => {
    const running = await start()
    await write(contacts(running), [upsert('a@example.com', { firstname: 'An', city: 'Huế', phone: '1' })])
    const record = {
      firstname: null,
      city: '',
      numemployees: 7,
      message: ['a', 'b'],
      annualrevenue: true,
    } satisfies Record<string, Json>
    await write(contacts(running), [upsert('a@example.com', record)])
    expect((await stateOf(running)).contacts).toEqual([
      {
        id: '101',
        email: 'a@example.com',
        city: 'Huế',
        phone: '1',
        numemployees: '7',
        message: 'a;b',
        annualrevenue: 'true',
      },
    ])
  })
})

describe('contacts by e-mail', () => {
  it('are found under another spelling of the address', async () => {
    const running = await start()
    await write(contacts(running), [upsert('An@Example.com')])
    const result = await write(contacts(running), [upsert('an@example.com ', { firstname: 'Bình' })])
    expect(result).toEqual([{ status: 'delivered', reference: '101' }])
    expect((await stateOf(running)).contacts).toEqual([{ id: '101', email: 'an@example.com', firstname: 'Bình' }])
  })

  it('under two spellings in one batch are one contact, and only the first is written', async () => {
    const running = await start()
    const result = await write(contacts(running), [
      upsert('A@example.com'),
      upsert('a@example.com', { firstname: 'B' }),
    ])
    expect(result).toMatchObject([{ status: 'delivered' }, { status: 'rejected' }])
  })

  it('are not archived when the batch writes them under another spelling', async () => {
    const running = await start()
    await write(contacts(running), [upsert('A@example.com')])
    const result = await write(contacts(running, 'archive'), [
      change('remove', 'A@example.com', {}, '101'),
      upsert('a@example.com', { firstname: 'B' }),
    ])
    expect(outcomes(result).map((o) => o.status)).toEqual(['delivered', 'delivered'])
    expect(await stateOf(running)).toMatchObject({ contacts: [{ id: '101', firstname: 'B' }], archived: 0 })
  })

  it('that came to be between the read and the write are updated by the id in the conflict', async () => {
    const running = await start()
    await write(contacts(running), [upsert('a@example.com', { firstname: 'Old', city: 'Huế' })])
    await running.fault({ kind: 'silent', path: 'batch/read' })
    const result = await write(contacts(running), [
      upsert('b@example.com'),
      upsert('a@example.com', { firstname: 'New' }),
    ])
    expect(result).toEqual([
      { status: 'delivered', reference: '102' },
      { status: 'delivered', reference: '101' },
    ])
    expect((await stateOf(running)).contacts[0]).toEqual({
      id: '101',
      email: 'a@example.com',
      firstname: 'New',
      city: 'Huế',
    })
  })

  it('are only made by insert and only changed by update', async () => {
    const running = await start()
    await write(contacts(running), [upsert('a@example.com', { firstname: 'A' })])
    const result = await write(contacts(running), [
      change('insert', 'a@example.com', { firstname: 'no' }),
      change('insert', 'b@example.com', { firstname: 'B' }),
      change('update', 'c@example.com', { firstname: 'no' }),
    ])
    expect(outcomes(result).map((o) => o.status)).toEqual(['delivered', 'delivered', 'rejected'])
    expect(result).toMatchObject([{ note: 'was there already and was left as it is', reference: '101' }, {}, {}])
    expect((await stateOf(running)).contacts.map((c) => c['firstname'])).toEqual(['A', 'B'])
  })

  it('with an invalid address are rejected with the reason, and the others are written', async () => {
    const running = await start()
    const result = await write(contacts(running), [upsert('no-address'), upsert('b@example.com')])
    expect(result).toMatchObject([{ status: 'rejected' }, { status: 'delivered', reference: '101' }])
    expect(JSON.stringify(result)).toContain('INVALID_EMAIL')
  })
})

describe('a removal', () => {
  it('archives, or sets properties, as the sync says', async () => {
    const running = await start()
    await write(contacts(running), [upsert('a@example.com', { firstname: 'A', phone: '1' }), upsert('b@example.com')])
    await write(contacts(running, 'set'), [change('remove', 'a@example.com', {}, '101')])
    await write(contacts(running, 'archive'), [change('remove', 'b@example.com')])
    expect(await stateOf(running)).toMatchObject({
      contacts: [{ id: '101', email: 'a@example.com', firstname: 'A', lifecyclestage: 'other' }],
      archived: 1,
    })
    expect((await stateOf(running)).contacts[0]).not.toHaveProperty('phone')
  })

  it('is rejected where the sync does not say what it does, and nothing is asked of the vendor', async () => {
    const running = await start()
    const result = await write(contacts(running), [change('remove', 'a@example.com')])
    expect(result).toMatchObject([{ status: 'rejected' }])
    expect(await running.requests()).toBe(0)
    expect(hubspot.contacts({ token }).removes).toEqual(['archive'])
    expect(hubspot.list({ token, name: 'x' }).removes).toBeUndefined()
  })

  it('is not believed when the vendor says nothing of the contact', async () => {
    const running = await start()
    await running.fault({ kind: 'silent', path: 'batch/read' })
    expect(await write(contacts(running, 'archive'), [change('remove', 'a@example.com')])).toMatchObject([
      { status: 'retry' },
    ])
  })
})

const vipList = (running: Running, createIfMissing: boolean) =>
  hubspot.list({ token, baseUrl: running.url, name: 'VIP', createIfMissing })

describe('a list', () => {
  it('that is not there is an error that says how to have it, or is made', async () => {
    const running = await start()
    await expect(write(vipList(running, false).open({}), [upsert('a@example.com')])).rejects.toMatchObject({
      code: 'DESTINATION_PLACE',
      kind: 'config',
    })
    await write(vipList(running, true).open({}), [upsert('a@example.com')])
    expect((await stateOf(running)).lists).toEqual([{ name: 'VIP', listId: '1', members: ['101'] }])
  })

  it('is made once by batches at once', async () => {
    const running = await start()
    const writer = await vipList(running, true).open({})
    await Promise.all([0, 1, 2].map((i) => writer.write([upsert(`a${i}@example.com`)], contextFor(`b${i}`))))
    await writer.close?.()
    const { lists } = await stateOf(running)
    expect(lists.map(({ name, members: on }) => [name, on.length])).toEqual([['VIP', 3]])
  })

  it('is found whatever the case of its name', async () => {
    const running = await start()
    await write(vipList(running, true).open({}), [upsert('a@example.com')])
    const other = hubspot.list({ token, baseUrl: running.url, name: 'vip' })
    expect(await write(other.open({}), [upsert('b@example.com')])).toMatchObject([{ status: 'delivered' }])
  })

  it('loses a member and keeps the contact', async () => {
    const running = await start()
    await write(vipList(running, true).open({}), [upsert('a@example.com'), upsert('b@example.com')])
    await write(vipList(running, true).open({}), [change('remove', 'a@example.com', {}, '101')])
    const state = await stateOf(running)
    expect(state.lists[0]?.members).toEqual(['102'])
    expect(state.contacts).toHaveLength(2)
  })

  it('takes members without fields, whether the contact is there or not', async () => {
    const running = await start()
    await write(contacts(running), [upsert('a@example.com', { firstname: 'A' })])
    const result = await write(vipList(running, true).open({}), [
      upsert('a@example.com', {}),
      upsert('b@example.com', {}),
    ])
    expect(outcomes(result).map((o) => o.status)).toEqual(['delivered', 'delivered'])
    expect((await stateOf(running)).lists[0]?.members).toEqual(['101', '102'])
  })

  it('does not get a contact that was rejected', async () => {
    const running = await start()
    const result = await write(vipList(running, true).open({}), [upsert('no-address'), upsert('b@example.com')])
    expect(outcomes(result).map((o) => o.status)).toEqual(['rejected', 'delivered'])
    expect((await stateOf(running)).lists[0]?.members).toEqual(['101'])
  })

  it('whose members HubSpot chooses is an error', async () => {
    const running = await start()
    await fetch(`${running.url}/crm/v3/lists`, {
      method: 'POST',
      headers: { authorization: 'Bearer x' },
      body: JSON.stringify({ name: 'VIP', objectTypeId: '0-1', processingType: 'DYNAMIC' }),
    })
    await expect(write(vipList(running, true).open({}), [upsert('a@example.com')])).rejects.toThrow(/active list/)
  })

  it('is not believed to have taken members when the answer says nothing of them', async () => {
    const running = await start()
    await running.fault({ kind: 'silent', path: 'memberships' })
    expect(await write(vipList(running, true).open({}), [upsert('a@example.com')])).toMatchObject([{ status: 'retry' }])
  })

  it('that cannot be written after the contacts were is tried again', async () => {
    const running = await start()
    await running.fault({ kind: 'status', status: 503, path: 'memberships' })
    expect(await write(vipList(running, true).open({}), [upsert('a@example.com')])).toMatchObject([{ status: 'retry' }])
    expect(await write(vipList(running, true).open({}), [upsert('a@example.com')])).toEqual([
      { status: 'delivered', reference: '101' },
    ])
  })
})

// What the twin never answers, but the vendor has been seen to.
const answering = async (
  answer: (request: LoopbackRequest) => LoopbackAnswer,
): Promise<{ url: string; requests: readonly LoopbackRequest[] }> => {
  const server = await startLoopback(answer)
  open.push(server)
  return server
}

const reading =
  (rest: LoopbackAnswer) =>
  (request: LoopbackRequest): LoopbackAnswer =>
    request.path.endsWith('/read') ? { body: { results: [], errors: [] } } : rest

describe('an answer', () => {
  it('whose results carry no trace ids is matched by the address', async () => {
    const results = [
      { id: 9, properties: { email: 'B@example.com' } },
      { id: '8', properties: { email: 'a@example.com' } },
    ]
    const server = await answering(reading({ status: 201, body: { results } }))
    expect(await write(contacts(server), [upsert('a@example.com'), upsert('b@example.com')])).toEqual([
      { status: 'delivered', reference: '8' },
      { status: 'delivered', reference: '9' },
    ])
  })

  it('with errors that name nobody is refused as a whole, unless there is only one row they can mean', async () => {
    const errors = [{ status: 'error', category: 'VALIDATION_ERROR', message: 'one of them is wrong' }]
    const server = await answering(reading({ status: 207, body: { results: [], errors } }))
    expect(await write(contacts(server), [upsert('a@example.com'), upsert('b@example.com')])).toEqual({
      refused: 'one of them is wrong',
    })
    expect(await write(contacts(server), [upsert('a@example.com')])).toEqual([
      { status: 'rejected', reason: 'one of them is wrong' },
    ])
  })

  it('that leaves a row out is no success for it', async () => {
    const results = [{ id: '8', properties: { email: 'a@example.com' } }]
    const server = await answering(reading({ status: 201, body: { results } }))
    expect(
      outcomes(await write(contacts(server), [upsert('a@example.com'), upsert('b@example.com')])).map((o) => o.status),
    ).toEqual(['delivered', 'retry'])
  })

  it('of 409 for one row leads to the contact that is there', async () => {
    const server = await answering((request) => {
      if (request.path.endsWith('/create'))
        return { status: 409, body: { message: 'Contact already exists. Existing ID: 77', category: 'CONFLICT' } }
      return request.path.endsWith('/update') ? { body: { results: [{ id: '77' }] } } : { body: { results: [] } }
    })
    expect(await write(contacts(server), [upsert('a@example.com')])).toEqual([{ status: 'delivered', reference: '77' }])
    expect(await write(contacts(server), [upsert('a@example.com'), upsert('b@example.com')])).toEqual({
      refused: 'answered 409: Contact already exists. Existing ID: 77',
    })
  })

  it('that knows no such property stops the sync, since splitting would find nobody', async () => {
    const server = await answering(
      reading({ status: 400, body: { message: 'Property "x" does not exist (PROPERTY_DOESNT_EXIST)' } }),
    )
    await expect(write(contacts(server), [upsert('a@example.com')])).rejects.toMatchObject({
      code: 'DESTINATION_FIELD',
      kind: 'config',
    })
  })

  it.each([
    [{ policyName: 'TEN_SECONDLY_ROLLING' }, 10_000],
    [{ policyName: 'SECONDLY' }, 1000],
    [{ message: 'You have reached your secondly limit.' }, 1000],
    [{ policyName: 'DAILY' }, 3_600_000],
  ])('of 429 with %o waits %i ms', async (body, afterMs) => {
    const server = await answering(() => ({ status: 429, body }))
    expect(await write(contacts(server), [upsert('a@example.com')])).toMatchObject([{ status: 'retry', afterMs }])
  })

  it.each([
    [423, { afterMs: 2000 }],
    [477, {}],
    [502, {}],
  ])('of %i is tried again', async (status, more) => {
    const server = await answering(() => ({ status, body: {} }))
    expect(await write(contacts(server), [upsert('a@example.com')])).toMatchObject([{ status: 'retry', ...more }])
  })

  it('that repeats the token does not show it', async () => {
    const running = await start()
    process.env['SANDBOX_HUBSPOT_TOKEN'] = 'another'
    const failed = await write(contacts(running), [upsert('a@example.com')]).catch(String)
    delete process.env['SANDBOX_HUBSPOT_TOKEN']
    expect(failed).toContain('[redacted]')
    expect(failed).not.toContain(token)
  })
})

describe('calls', () => {
  it('are what the vendor documents, each within its limit of inputs', async () => {
    const server = await answering((request) =>
      request.path.endsWith('/read')
        ? { body: { results: [{ id: '5', properties: { email: 'a@example.com' } }] } }
        : { body: {} },
    )
    await write(contacts(server), [upsert('a@example.com'), upsert('b@example.com', { city: 'Huế' })])
    expect(server.requests.map((r) => [r.method, r.path, r.headers['authorization']])).toEqual(
      ['read', 'create', 'update'].map((kind) => ['POST', `/crm/v3/objects/contacts/batch/${kind}`, `Bearer ${token}`]),
    )
    expect(server.requests.map((r) => r.body)).toEqual([
      {
        idProperty: 'email',
        inputs: [{ id: 'a@example.com' }, { id: 'b@example.com' }],
        properties: ['email', 'hs_additional_emails'],
        propertiesWithHistory: [],
      },
      {
        inputs: [
          {
            properties: { city: 'Huế', email: 'b@example.com' },
            associations: [],
            objectWriteTraceId: 'upsert b@example.com {"city":"Huế"}',
          },
        ],
      },
      {
        inputs: [
          { id: '5', properties: { firstname: 'An' }, objectWriteTraceId: 'upsert a@example.com {"firstname":"An"}' },
        ],
      },
    ])
  })

  it('of one kind suffice where the key is a property of its own', async () => {
    const server = await answering(() => ({ body: { results: [] } }))
    const destination = hubspot.contacts({ token, baseUrl: server.url, idProperty: 'customer_no' })
    await write(destination.open({}), [
      { operation: 'upsert', id: 'v1', key: { customer_no: 'c-1' }, record: { firstname: 'An' } },
    ])
    expect(server.requests.map((r) => [r.path, r.body])).toEqual([
      [
        '/crm/v3/objects/contacts/batch/upsert',
        {
          inputs: [
            {
              id: 'c-1',
              idProperty: 'customer_no',
              properties: { firstname: 'An', customer_no: 'c-1' },
              objectWriteTraceId: 'v1',
            },
          ],
        },
      ],
    ])
  })

  it('are paced by what the plan allows', () => {
    expect(hubspot.contacts({ token }).limits).toEqual({ batch: 100, inFlight: 4, rate: { calls: 33, perMs: 10_000 } })
    expect(hubspot.contacts({ token, idProperty: 'x', callsPer10s: 190 }).limits.rate).toEqual({
      calls: 95,
      perMs: 10_000,
    })
  })
})

describe('fields', () => {
  it('are typed: standard properties, and those that are declared', () => {
    const to = hubspot.contacts({ token, properties: ['lifetime_value'] })
    defineSync({ from: 'm', to, key: { email: 'email' }, map: { firstname: 'a', lifetime_value: 'b' }, mode: 'upsert' })
    // @ts-expect-error a misspelt field does not compile
    defineSync({ from: 'm', to, key: { email: 'email' }, map: { fristname: 'a' }, mode: 'upsert' })
    // @ts-expect-error the key is the address unless the destination says otherwise
    defineSync({ from: 'm', to, key: { customer_no: 'id' }, map: {}, mode: 'upsert' })
    expect(to.record.safeParse({ lifetime_value: 1 }).success).toBe(true)
    expect(to.record.safeParse({ fristname: 1 }).success).toBe(false)
    expect(to.key.safeParse({ customer_no: 1 }).success).toBe(false)
  })

  it('and target show no credential', () => {
    expect(hubspot.list({ token, name: 'VIP', baseUrl: 'https://u:word@eu.example.com/x' }).target).toBe(
      'list "VIP" at eu.example.com',
    )
  })
})

const post = async (running: Running, path: string, body: unknown): Promise<{ status: number; body: unknown }> => {
  const answer = await fetch(`${running.url}${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer x' },
    body: JSON.stringify(body),
  })
  return { status: answer.status, body: await answer.json() }
}

describe('the sandbox portal', () => {
  const batch = '/crm/v3/objects/contacts/batch'

  it('answers a body without its wrapper with a success that did nothing, as the vendor does', async () => {
    const running = await start()
    expect(await post(running, `${batch}/create`, [{ properties: { email: 'a@example.com' } }])).toMatchObject({
      status: 400,
    })
    expect(await post(running, `${batch}/create`, { properties: { email: 'a@example.com' } })).toMatchObject({
      status: 200,
      body: { results: [] },
    })
  })

  it('refuses what the vendor refuses', async () => {
    const running = await start()
    const many = Array.from({ length: 101 }, (_, i) => ({ properties: { email: `a${i}@example.com` } }))
    expect((await post(running, `${batch}/create`, { inputs: many })).status).toBe(400)
    expect((await post(running, `${batch}/create`, { inputs: [{ properties: { email: 7 } }] })).status).toBe(400)
    expect(
      (
        await post(running, `${batch}/upsert`, {
          inputs: [{ id: 'a@example.com', idProperty: 'email', properties: {} }],
        })
      ).status,
    ).toBe(400)
    expect((await post(running, `${batch}/create`, { inputs: [{ properties: { FirstName: 'x' } }] })).status).toBe(400)
    const inputs = [{ properties: { email: 'a@example.com' } }]
    expect((await post(running, `${batch}/create`, { inputs })).status).toBe(201)
    expect((await post(running, `${batch}/create`, { inputs })).status).toBe(409)
  })

  it('limits the rate when told to', async () => {
    process.env['SANDBOX_HUBSPOT_CALLS_PER_10S'] = '1'
    const running = await start()
    await post(running, `${batch}/read`, { inputs: [{ id: '1' }] })
    const second = await post(running, `${batch}/read`, { inputs: [{ id: '1' }] })
    delete process.env['SANDBOX_HUBSPOT_CALLS_PER_10S']
    expect(second).toMatchObject({ status: 429, body: { policyName: 'TEN_SECONDLY_ROLLING' } })
  })

  it('finds lists by a part of their name', async () => {
    const running = await start()
    await post(running, '/crm/v3/lists', { name: 'VIP at risk', objectTypeId: '0-1', processingType: 'MANUAL' })
    expect(
      await post(running, '/crm/v3/lists/search', { query: 'vip', offset: 0, additionalProperties: [] }),
    ).toMatchObject({
      body: { lists: [{ name: 'VIP at risk', listId: '1' }], total: 1 },
    })
  })
})
