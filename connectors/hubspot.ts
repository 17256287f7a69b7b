// HubSpot as a destination: contacts, and the members of a static list.
// The contract is that of the vendor's v3 CRM API, from its OpenAPI documents (github.com/HubSpot/HubSpot-public-api-spec-collection,
// CRM/Contacts and CRM/Lists, v3) and its pages developers.hubspot.com/docs/api-reference/error-handling and …/legacy/crm/objects/contacts.
// What was taken from where, and what could not be checked, is in docs/destinations/hubspot.md.
import { z } from 'zod'
import {
  CdpError,
  defineDestination,
  explain,
  httpClient,
  isSecret,
  resolve,
  type Change,
  type Destination,
  type HttpClient,
  type HttpResponse,
  type HttpResult,
  type Json,
  type Outcome,
  type Setting,
  type WriteContext,
  type WriteResult,
} from 'composable-cdp'

/** Properties that every portal has and that may be written (knowledge.hubspot.com/properties/hubspots-default-contact-properties). */
// oxfmt-ignore
export const standardProperties = [
  'email', 'firstname', 'lastname', 'salutation', 'gender', 'date_of_birth', 'marital_status', 'phone', 'mobilephone', 'fax',
  'address', 'city', 'state', 'zip', 'country', 'website', 'company', 'jobtitle', 'job_function', 'seniority', 'industry',
  'annualrevenue', 'numemployees', 'company_size', 'work_email', 'hs_language', 'hs_timezone', 'message', 'lifecyclestage',
  'hs_lead_status', 'hubspot_owner_id', 'twitterhandle', 'school', 'degree', 'field_of_study',
] as const
export type StandardProperty = (typeof standardProperties)[number]

interface HubspotSettings<I extends string, P extends string> {
  /** Of a private app or service key. */
  readonly token: Setting
  /** A regional host, a proxy, or the sandbox; default https://api.hubapi.com. */
  readonly baseUrl?: Setting
  /** The match key: default `email`; or a custom property that has unique values, which needs one call where e-mail needs two. */
  readonly idProperty?: I
  /** Custom properties that `map` may use, by their internal names. */
  readonly properties?: readonly P[]
  /** What the plan allows; default 100 (Free and Starter; Professional and Enterprise: 190). */
  readonly callsPer10s?: number
  /** For one request; default 30,000. */
  readonly timeoutMs?: number
}

export interface ContactsSettings<I extends string, P extends string> extends HubspotSettings<I, P> {
  /** What `remove: 'set'` writes into a contact that is to be removed. */
  readonly whenRemoved?: Readonly<Partial<Record<StandardProperty | P, string | number | boolean | null>>>
}

export interface ListSettings<I extends string, P extends string> extends HubspotSettings<I, P> {
  /** A static list of contacts, by its name. */
  readonly name: string
  /** Makes the list when there is none of this name. */
  readonly createIfMissing?: boolean
}

/**
 * Writes contacts. A removal archives the contact (`remove: 'archive'`), or sets properties (`remove: 'set'` with `whenRemoved`).
 *
 * @example
 * to: hubspot.contacts({ token: env('HUBSPOT_TOKEN'), properties: ['lifetime_value'] })
 */
const contacts = <const I extends string = 'email', const P extends string = never>(
  settings: ContactsSettings<I, P>,
): Destination<I, StandardProperty | P> =>
  declare(settings, {
    name: 'hubspot.contacts',
    what: 'contacts',
    removes: settings.whenRemoved ? ['archive', 'set'] : ['archive'],
    whenRemoved: z.record(z.string(), z.json()).parse(settings.whenRemoved ?? {}),
  })

/**
 * Keeps the members of a static list. Contacts are written first, with the mapped fields, and made where there is none;
 * a removal takes the contact off the list and changes nothing else.
 *
 * @example
 * to: hubspot.list({ token: env('HUBSPOT_TOKEN'), name: 'VIP at risk', createIfMissing: true })
 */
const list = <const I extends string = 'email', const P extends string = never>(
  settings: ListSettings<I, P>,
): Destination<I, StandardProperty | P> =>
  declare(settings, {
    name: 'hubspot.list',
    what: `list "${settings.name}"`,
    list: { name: settings.name, create: settings.createIfMissing ?? false },
  })

export const hubspot = { contacts, list }

interface Kind {
  readonly name: string
  readonly what: string
  readonly removes?: readonly string[]
  readonly whenRemoved?: Readonly<Record<string, Json>>
  readonly list?: { readonly name: string; readonly create: boolean }
}

/** Inputs of a batch call; more is answered with 400. */
const maxInputs = 100
const objects = '/crm/v3/objects/contacts/batch'

const declare = <I extends string, P extends string>(
  settings: HubspotSettings<I, P>,
  kind: Kind,
): Destination<I, StandardProperty | P> => {
  const idProperty: string = settings.idProperty ?? 'email'
  const host = settings.baseUrl ?? 'https://api.hubapi.com'
  const target = `${kind.what} at ${isSecret(host) || !URL.canParse(host) ? String(host) : new URL(host).host}`
  // Calls that one batch may need: read, create, update or upsert, and the list's.
  const calls = (idProperty === 'email' ? 3 : 2) + (kind.list ? 1 : 0)
  const fields = [...standardProperties, ...(settings.properties ?? [])]
  const perMs = 10_000
  return defineDestination<string, string>({
    name: kind.name,
    target,
    modes: ['upsert', 'insert', 'update', 'mirror'],
    ...(kind.removes ? { removes: kind.removes } : {}),
    semantics: 'state',
    takes: 'changes',
    confirmation: 'rows',
    repeatable: 'always',
    limits: {
      batch: maxInputs,
      inFlight: 4,
      rate: { calls: Math.max(1, Math.floor((settings.callsPer10s ?? 100) / calls)), perMs },
    },
    key: z.strictObject({ [idProperty]: z.union([z.string().min(1), z.number()]) }),
    record: z.strictObject(Object.fromEntries(fields.map((name) => [name, z.unknown().optional()]))),
    settings: [settings.token, settings.baseUrl],
    open: ({ remove }) => {
      const http = httpClient({
        baseUrl: host,
        headers: { authorization: `Bearer ${resolve(settings.token).trim()}` },
        timeoutMs: settings.timeoutMs ?? 30_000,
      })
      const vendor: Vendor = { http, idProperty, kind, target, remove, listId: undefined }
      return Promise.resolve({
        write: (changes, context) => write(vendor, changes, context),
        close: () => Promise.resolve(http.close()),
      })
    },
  })
}

interface Vendor {
  readonly http: HttpClient
  readonly idProperty: string
  readonly kind: Kind
  readonly target: string
  readonly remove: string | undefined
  /** The list's id, once found; shared by the batches in flight. */
  listId: Promise<string | HttpResult> | undefined
}

interface Row {
  readonly change: Change
  readonly key: string
  /** The contact's record id. */
  id: string | undefined
  /** The vendor says that there is no such contact. */
  absent: boolean
  /** The contact is as the row says. */
  written: boolean
  note?: string
  outcome: Outcome | undefined
}

interface Work {
  readonly vendor: Vendor
  readonly context: WriteContext
  readonly rows: readonly Row[]
}

/** The vendor refuses a whole call. All writes may be repeated, so that it does not matter what an earlier call of the batch did. */
class Refused extends Error {}

const write = async (vendor: Vendor, changes: readonly Change[], context: WriteContext): Promise<WriteResult> => {
  if (changes.length > maxInputs) return { refused: `${changes.length} changes are more than ${maxInputs}` }
  const rows = changes.map((change): Row => {
    const value = change.key[vendor.idProperty]
    const key = typeof value === 'string' ? value.trim() : JSON.stringify(value ?? '')
    return { change, key, id: undefined, absent: false, written: false, outcome: undefined }
  })
  const work: Work = { vendor, context, rows }
  try {
    await writeContacts(work)
    if (vendor.kind.list) await changeMembers(work)
    else await removeContacts(work)
  } catch (thrown) {
    if (thrown instanceof Refused) return { refused: thrown.message }
    throw thrown
  }
  return rows.map(({ outcome }) => outcome ?? unmentioned)
}

const unmentioned: Outcome = { status: 'retry', reason: 'HubSpot answered, but said nothing of this row' }
const isRemoval = ({ change }: Row): boolean => change.operation === 'remove'
const isOpen = ({ outcome }: Row): boolean => outcome === undefined

// E-mail has no partial upsert there, so contacts are read first; a custom unique property has one.
const writeContacts = async (work: Work): Promise<void> => {
  const { vendor, rows } = work
  const writes = distinct(
    vendor,
    rows.filter((row) => !isRemoval(row)),
  )
  const direct = vendor.idProperty === 'email' ? [] : writes.filter(({ change }) => change.operation === 'upsert')
  const read = writes.filter((row) => !direct.includes(row))
  await find(work, [...read, ...removals(vendor, rows)])
  const creates = read.filter((row) => isOpen(row) && row.id === undefined && mayCreate(row))
  const there = await create(work, creates)
  await upsert(work, direct)
  await update(work, known(vendor, [...read.filter((row) => !creates.includes(row)), ...there]))
}

// Removals whose record id has to be looked up; an earlier outcome may have told it.
const removals = ({ kind, remove }: Vendor, rows: readonly Row[]): Row[] =>
  rows.filter(isRemoval).filter((row) => {
    if (!kind.list && remove === undefined) {
      const reason = "the sync does not say what a removal does here: add remove: 'archive' (or 'set')"
      row.outcome = { status: 'rejected', reason }
      return false
    }
    row.id = row.change.reference
    return row.id === undefined
  })

// Two spellings of one e-mail are one contact, which cannot be in a batch twice.
const distinct = (vendor: Vendor, rows: readonly Row[]): Row[] => {
  const seen = new Set<string>()
  return rows.filter((row) => {
    const key = folded(vendor, row.key)
    if (seen.has(key))
      row.outcome = {
        status: 'rejected',
        reason: `another row of this sync is the same contact (${vendor.idProperty})`,
      }
    seen.add(key)
    return isOpen(row)
  })
}

const folded = (vendor: Vendor, key: string): string => (vendor.idProperty === 'email' ? key.trim().toLowerCase() : key)

const mayCreate = (row: Row): boolean => {
  if (row.change.operation !== 'update') return true
  row.outcome = row.absent
    ? { status: 'rejected', reason: 'HubSpot has no such contact, and this sync only updates' }
    : unmentioned
  return false
}

// Rows whose contact is there and is to be changed; `insert` leaves it as it is.
const known = (vendor: Vendor, rows: readonly Row[]): Row[] => {
  const claimed = new Map<string, Row>()
  return rows.filter((row) => {
    if (!isOpen(row) || row.id === undefined) return false
    if (claimed.has(row.id)) {
      row.outcome = { status: 'rejected', reason: `another row of this sync is the same contact (record ${row.id})` }
      return false
    }
    claimed.set(row.id, row)
    if (row.change.operation !== 'insert' && Object.keys(propertiesOf(row.change.record)).length > 0) return true
    if (row.change.operation === 'insert') row.note = 'was there already and was left as it is'
    finish(vendor, row)
    return false
  })
}

const finish = (vendor: Vendor, row: Row): void => {
  row.written = true
  if (!vendor.kind.list) row.outcome = delivered(row)
}

const delivered = ({ id, note }: Row): Outcome => ({
  status: 'delivered',
  ...(id === undefined ? {} : { reference: id }),
  ...(note === undefined ? {} : { note }),
})

// Values are strings; '' clears, so that an empty text is left out and only a null, which the sync sends for `clear`, becomes ''.
const propertiesOf = (record: Readonly<Record<string, Json>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(record)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => [name, textOf(value)]),
  )

// Several options of one property are joined by semicolons (developers.hubspot.com/docs/api/crm/properties).
const textOf = (value: Json): string => {
  if (value === null) return ''
  if (isList(value)) return value.map(textOf).join(';')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value)

const find = async (work: Work, rows: readonly Row[]): Promise<void> => {
  const { vendor } = work
  if (rows.length === 0) return
  const ids = [...new Map(rows.map((row) => [folded(vendor, row.key), row.key])).values()]
  const answer = await call(work, rows, `${objects}/read`, {
    idProperty: vendor.idProperty,
    inputs: ids.map((id) => ({ id })),
    properties: [vendor.idProperty, ...(vendor.idProperty === 'email' ? ['hs_additional_emails'] : [])],
    propertiesWithHistory: [],
  })
  const found = new Map<string, string>()
  for (const { id, properties } of answer?.results ?? []) {
    const others = (properties?.['hs_additional_emails'] ?? '').split(';')
    for (const key of [...others, properties?.[vendor.idProperty] ?? '']) found.set(folded(vendor, key), id)
  }
  const absent = new Set(
    (answer?.errors ?? []).flatMap((error) => listed(error, 'ids')).map((key) => folded(vendor, key)),
  )
  for (const row of rows) {
    row.id = found.get(folded(vendor, row.key))
    row.absent = absent.has(folded(vendor, row.key))
  }
}

// Returns the rows whose contact turned out to be there.
const create = async (work: Work, rows: readonly Row[]): Promise<Row[]> => {
  const { idProperty } = work.vendor
  const inputs = rows.map(({ change, key }) => ({
    properties: { ...propertiesOf(change.record), [idProperty]: key },
    associations: [],
    objectWriteTraceId: change.id,
  }))
  return settle(work, rows, await call(work, rows, `${objects}/create`, { inputs }))
}

const upsert = async (work: Work, rows: readonly Row[]): Promise<void> => {
  const { idProperty } = work.vendor
  const inputs = rows.map(({ change, key }) => ({
    id: key,
    idProperty,
    properties: { ...propertiesOf(change.record), [idProperty]: key },
    objectWriteTraceId: change.id,
  }))
  settle(work, rows, await call(work, rows, `${objects}/upsert`, { inputs }))
}

const update = async (work: Work, rows: readonly Row[], properties?: Record<string, string>): Promise<void> => {
  const inputs = rows.map(({ change, id }) => ({
    id,
    properties: properties ?? propertiesOf(change.record),
    objectWriteTraceId: change.id,
  }))
  settle(work, rows, await call(work, rows, `${objects}/update`, { inputs }))
}

const removeContacts = async (work: Work): Promise<void> => {
  const { vendor } = work
  const rows = leaving(work)
  if (vendor.remove === 'set') {
    await update(work, rows, propertiesOf(vendor.kind.whenRemoved ?? {}))
    return
  }
  const inputs = rows.map(({ id }) => ({ id }))
  if (await call(work, rows, `${objects}/archive`, { inputs })) for (const row of rows) finish(vendor, row)
}

// Removals that are still to be done, each contact once; what is not there, or is written by this very batch, is done.
const leaving = ({ rows }: Work): Row[] => {
  const kept = new Set(rows.filter((row) => !isRemoval(row)).map(({ id }) => id))
  const seen = new Set<string>()
  return rows.filter(isRemoval).filter((row) => {
    if (!isOpen(row)) return false
    if (row.id === undefined) {
      if (row.absent) row.outcome = { status: 'delivered', note: 'was not there' }
      return false
    }
    if (kept.has(row.id) || seen.has(row.id)) {
      row.note = 'the same contact is in this batch under another spelling'
      row.outcome = delivered(row)
      return false
    }
    seen.add(row.id)
    return true
  })
}

// `add-and-remove` reports ids it does not know and passes over members that are there already; the vendor writes one of
// the answer's names in two ways.
const membersSchema = z
  .object({ recordIdsMissing: z.array(z.coerce.string()), recordsIdsAdded: z.unknown(), recordIdsAdded: z.unknown() })
  .partial()
  .refine((said) => said.recordIdsMissing ?? said.recordIdsAdded ?? said.recordsIdsAdded)

const changeMembers = async (work: Work): Promise<void> => {
  const added = work.rows.filter((row) => row.written && isOpen(row))
  const removed = leaving(work)
  const rows = [...added, ...removed]
  if (rows.length === 0) return
  const id = await findList(work.vendor, work.context.signal)
  if (typeof id !== 'string') return trouble(work.vendor, rows, id)
  const result = await work.vendor.http.request({
    method: 'PUT',
    path: `/crm/v3/lists/${encodeURIComponent(id)}/memberships/add-and-remove`,
    body: { recordIdsToAdd: added.map((row) => row.id), recordIdsToRemove: removed.map((row) => row.id) },
    signal: work.context.signal,
  })
  const said = membersSchema.safeParse(result.kind === 'response' ? result.body : undefined)
  if (!isSuccess(result) || !said.success) {
    // Whoever deleted the list: the next try looks for it again.
    if (result.kind === 'response' && result.status === 404) work.vendor.listId = undefined
    return trouble(work.vendor, rows, result)
  }
  const missing = new Set(said.data.recordIdsMissing)
  for (const row of rows) {
    const gone = missing.has(row.id ?? '')
    if (gone && !isRemoval(row))
      row.outcome = { status: 'retry', reason: 'HubSpot does not find the contact it has just written' }
    else row.outcome = delivered(gone ? { ...row, note: 'was not there' } : row)
  }
}

const listSchema = z.object({ list: z.object({ listId: z.coerce.string(), processingType: z.string() }) })

const findList = (vendor: Vendor, signal: AbortSignal): Promise<string | HttpResult> => {
  vendor.listId ??= lookUpList(vendor, signal)
  return vendor.listId
}

// By its whole name (a search finds parts of names; case does not matter). A name is unique in a portal, so that losing a race to
// make it means that it is there.
const lookUpList = async (vendor: Vendor, signal: AbortSignal): Promise<string | HttpResult> => {
  const { name, create: wanted } = vendor.kind.list ?? { name: '', create: false }
  const get = { path: `/crm/v3/lists/object-type-id/0-1/name/${encodeURIComponent(name)}`, signal }
  let result = await vendor.http.request(get)
  if (result.kind === 'response' && result.status === 404) {
    if (!wanted) throw place(vendor, 'is not there', 'Create it as a static list, or say createIfMissing: true.')
    const body = { name, objectTypeId: '0-1', processingType: 'MANUAL' }
    result = await vendor.http.request({ path: '/crm/v3/lists', body, signal })
    if (result.kind === 'response' && result.status === 400) result = await vendor.http.request(get)
  }
  const said = listSchema.safeParse(result.kind === 'response' ? result.body : undefined)
  if (!isSuccess(result) || !said.success) {
    vendor.listId = undefined
    return result
  }
  const { listId, processingType } = said.data.list
  if (processingType !== 'DYNAMIC') return listId
  throw place(vendor, 'is an active list, whose members HubSpot chooses itself', 'Name a static list.')
}

const place = (vendor: Vendor, problem: string, hint: string): CdpError => {
  vendor.listId = undefined
  return new CdpError('DESTINATION_PLACE', { destination: vendor.kind.name, place: vendor.target, problem, hint })
}

// Every field of an error is optional there, by the vendor's own word.
const errorSchema = z.object({
  category: z.string().optional(),
  message: z.string().optional(),
  context: z.record(z.string(), z.unknown()).optional(),
})
type BatchError = z.infer<typeof errorSchema>

const resultSchema = z.object({
  id: z.coerce.string(),
  objectWriteTraceId: z.string().nullish(),
  properties: z.record(z.string(), z.string().nullable()).optional(),
})
type BatchResult = z.infer<typeof resultSchema>

const batchSchema = z.object({ results: z.array(resultSchema).default([]), errors: z.array(errorSchema).default([]) })
type Answer = z.infer<typeof batchSchema>

const isSuccess = (result: HttpResult): result is HttpResponse =>
  result.kind === 'response' && result.status >= 200 && result.status < 300

// One batch call. Trouble becomes the outcome of these rows, and the answer is undefined.
const call = async (work: Work, rows: readonly Row[], path: string, body: unknown): Promise<Answer | undefined> => {
  if (rows.length === 0) return undefined
  const { http } = work.vendor
  const result = await http.request({ path, body, signal: work.context.signal })
  if (isSuccess(result) && result.status === 204) return { results: [], errors: [] }
  const answer = batchSchema.safeParse(result.kind === 'response' ? result.body : undefined)
  if (isSuccess(result) && answer.success) return answer.data
  const [only] = rows
  if (result.kind === 'response' && result.status === 409 && only !== undefined && rows.length === 1) {
    return {
      results: [],
      errors: [
        { category: 'CONFLICT', message: explain(http, result), context: { objectWriteTraceId: only.change.id } },
      ],
    }
  }
  trouble(work.vendor, rows, result)
  return undefined
}

const trouble = (vendor: Vendor, rows: readonly Row[], result: HttpResult): void => {
  const reason = explain(vendor.http, result)
  let outcome: Outcome = { status: 'retry', reason }
  if (result.kind === 'response') {
    const { status } = result
    if (status === 401 || status === 403) {
      throw new CdpError('DESTINATION_AUTH', { destination: vendor.kind.name, target: vendor.target, reason })
    }
    if (status === 501 || (status >= 400 && status < 500 && ![404, 408, 423, 429, 477].includes(status))) {
      // Every row would be refused alike: splitting the batch finds nobody.
      if (result.text.includes('PROPERTY_DOESNT_EXIST')) {
        throw new CdpError('DESTINATION_FIELD', { destination: vendor.kind.name, reason })
      }
      throw new Refused(reason)
    }
    const afterMs = result.retryAfterMs ?? pause(result)
    if (afterMs !== undefined) outcome = { status: 'retry', reason, afterMs }
  }
  for (const row of rows) row.outcome ??= outcome
}

// 429 names its policy and mostly no time; a lock lasts two seconds (developers.hubspot.com/docs/api-reference/error-handling).
const pause = ({ status, text, headers }: HttpResponse): number | undefined => {
  if (status === 423) return 2000
  if (status !== 429) return undefined
  if (text.includes('"DAILY"')) return 3_600_000
  if (/"SECONDLY"|secondly limit/i.test(text) && !/ten_secondly/i.test(text)) return 1000
  return Number(headers['x-hubspot-ratelimit-interval-milliseconds'] ?? 10_000)
}

// Gives each row what the answer says of it, found by trace id, else by record id, else by key. Returns rows whose contact exists already.
const settle = (work: Work, rows: readonly Row[], answer: Answer | undefined): Row[] => {
  if (answer === undefined) return []
  const { vendor } = work
  const placed = new Set<BatchError>()
  const silent: Row[] = []
  const there: Row[] = []
  for (const row of rows) {
    const error = answer.errors.find((each) => concerns(each, row))
    const result = answer.results.find((each) => answers(vendor, each, row))
    if (error) {
      placed.add(error)
      if (judge(vendor, row, error)) there.push(row)
    } else if (result) {
      row.id = result.id
      finish(vendor, row)
    } else silent.push(row)
  }
  const loose = answer.errors.filter((error) => !placed.has(error))
  const [row, ...others] = silent
  const [error] = loose
  if (row !== undefined && error !== undefined) {
    if (others.length === 0 && loose.length === 1 && judge(vendor, row, error)) there.push(row)
    // Errors without a name, and several rows they may mean: alone, each row gets its own.
    else if (others.length > 0)
      throw new Refused(vendor.http.redact(error.message ?? 'rows were refused, and not which').slice(0, 300))
  }
  for (const each of silent) if (!there.includes(each)) each.outcome ??= unmentioned
  return there
}

const listed = ({ context }: BatchError, name: string): string[] => {
  const value = context?.[name]
  return (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'string')
}

const concerns = (error: BatchError, { change, id }: Row): boolean =>
  listed(error, 'objectWriteTraceId').includes(change.id) || (id !== undefined && listed(error, 'ids').includes(id))

const answers = (vendor: Vendor, result: BatchResult, row: Row): boolean => {
  if (typeof result.objectWriteTraceId === 'string') return result.objectWriteTraceId === row.change.id
  if (row.id !== undefined) return result.id === row.id
  return folded(vendor, result.properties?.[vendor.idProperty] ?? '') === folded(vendor, row.key)
}

// True when the contact exists already and its id is known.
const judge = (vendor: Vendor, row: Row, { category, message }: BatchError): boolean => {
  const reason = vendor.http.redact(message ?? category ?? 'HubSpot gave no reason').slice(0, 300)
  if (category === 'CONFLICT') {
    row.id = /Existing ID:\s*(\d+)/i.exec(message ?? '')?.[1]
    if (row.id !== undefined) return true
  }
  // It went away, or came, since it was read: the next try reads again.
  const passing = ['CONFLICT', 'OBJECT_NOT_FOUND', 'RATE_LIMITS'].includes(category ?? '')
  row.outcome = { status: passing ? 'retry' : 'rejected', reason }
  return false
}
