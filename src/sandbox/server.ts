// `cdp sandbox`: one server for all twins. Each is served below `/<name>`; `/` shows what they hold, `/_sandbox` says and changes it as JSON.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import { systemClock, type Clock } from '../core/clock.ts'
import { CdpError, reasonOf } from '../core/errors.ts'
import { createFaults, faultSchema, type Fault, type Faults } from './fault.ts'
import { renderPage, type Seen } from './page.ts'
import { openStore, type Store } from './store.ts'
import type { Twin, TwinLife, TwinRequest, TwinResponse } from './twin.ts'

export { discoverTwins } from './discover.ts'

export interface SandboxOptions {
  /** 0 takes a free one. */
  readonly port: number
  readonly twins: readonly Twin[]
  /** Default 127.0.0.1. */
  readonly host?: string
  /** A JSON file in which what the twins hold outlives the server. */
  readonly statePath?: string
  readonly clock?: Clock
}

export interface Sandbox {
  /** Without a slash at its end. */
  readonly url: string
  close(): Promise<void>
}

interface Served {
  readonly twin: Twin
  readonly life: TwinLife
  readonly faults: Faults
  readonly recent: Seen[]
  requests: number
}

/**
 * Starts the sandbox. Throws SANDBOX_PORT when the port cannot be had, SANDBOX_STATE when what was kept cannot be read.
 *
 * @example
 * const sandbox = await startSandbox({ port: 0, twins: await discoverTwins(['connectors']) })
 * // a connector's baseUrl: `${sandbox.url}/hubspot`
 * await sandbox.close()
 */
export const startSandbox = async (options: SandboxOptions): Promise<Sandbox> => {
  const clock = options.clock ?? systemClock
  const served = new Map<string, Served>()
  const store = openStore(options.statePath, () =>
    Object.fromEntries([...served].map(([name, { life }]) => [name, life.snapshot()])),
  )
  for (const twin of options.twins) {
    const life = twin.create({ clock })
    const kept = store.kept(twin.name)
    if (kept) life.restore(kept)
    served.set(twin.name, { twin, life, faults: createFaults(), recent: [], requests: 0 })
  }
  const host = options.host ?? '127.0.0.1'
  const server = createServer((incoming, outgoing) => {
    route({ incoming, outgoing, served, store, clock, url }).catch((thrown: unknown) => {
      if (!outgoing.headersSent)
        reply(outgoing, { status: 500, body: { message: `The twin failed: ${reasonOf(thrown)}` } })
    })
  })
  await listen(server, host, options.port)
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  return {
    url,
    close: async () => {
      await new Promise<void>((done) => {
        server.close(() => done())
        server.closeAllConnections()
      })
      store.flush()
    },
  }
}

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((ready, fail) => {
    server.once('error', (error) => {
      const taken = 'code' in error && error.code === 'EADDRINUSE'
      fail(new CdpError('SANDBOX_PORT', { host, port, reason: taken ? 'the port is taken' : reasonOf(error) }))
    })
    server.listen(port, host, ready)
  })

interface Visit {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly served: ReadonlyMap<string, Served>
  readonly store: Store
  readonly clock: Clock
  readonly url: string
}

const route = async (visit: Visit): Promise<void> => {
  const target = new URL(visit.incoming.url ?? '/', 'http://sandbox')
  const [first = '', ...rest] = target.pathname.split('/').slice(1).map(decodeURIComponent)
  if (first === '') return page(visit)
  if (first === '_sandbox') return manage(visit, rest)
  const found = visit.served.get(first)
  if (found) return serve(visit, found, `/${rest.join('/')}`, target.searchParams)
  const names = [...visit.served.keys()].join(', ')
  return reply(visit.outgoing, { status: 404, body: { message: `No twin is called "${first}". There are: ${names}.` } })
}

const page = ({ outgoing, served, url }: Visit): void => {
  const shown = [...served.values()].map(({ twin, life, faults, recent, requests }) => ({
    name: twin.name,
    title: twin.title,
    url: `${url}/${twin.name}`,
    holds: life.snapshot(),
    faults: faults.list(),
    requests,
    recent,
  }))
  reply(outgoing, { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: renderPage(shown) })
}

// GET /_sandbox · GET, DELETE /_sandbox/<name> · GET /_sandbox/<name>/requests · GET, POST, DELETE /_sandbox/<name>/faults
const manage = async ({ incoming, outgoing, served, store, url }: Visit, path: readonly string[]): Promise<void> => {
  const [name, what] = path
  if (name === undefined || name === '') {
    const twins = [...served.values()].map(({ twin, requests }) => ({
      name: twin.name,
      title: twin.title,
      url: `${url}/${twin.name}`,
      requests,
    }))
    return reply(outgoing, { status: 200, body: { twins } })
  }
  const found = served.get(name)
  if (!found) return reply(outgoing, { status: 404, body: { message: `No twin is called "${name}".` } })
  const method = incoming.method ?? 'GET'
  if (what === undefined && method === 'GET') return reply(outgoing, { status: 200, body: found.life.snapshot() })
  if (what === undefined && method === 'DELETE') {
    found.life.reset()
    found.recent.length = 0
    found.requests = 0
    store.touch()
    return reply(outgoing, { status: 204 })
  }
  if (what === 'requests' && method === 'GET') {
    return reply(outgoing, { status: 200, body: { requests: found.requests, recent: found.recent } })
  }
  if (what === 'faults') return manageFaults(found.faults, method, await readText(incoming), outgoing)
  return reply(outgoing, { status: 405, body: { message: `${method} is not known here; see docs/sandbox.md.` } })
}

const manageFaults = (faults: Faults, method: string, body: string, outgoing: ServerResponse): void => {
  if (method === 'POST') {
    const given = jsonOf(body)
    const parsed = faultSchema.array().safeParse(Array.isArray(given) ? given : [given])
    if (!parsed.success) {
      const problems = parsed.error.issues.map((issue) => `${issue.path.slice(1).join('.')}: ${issue.message}`)
      return reply(outgoing, { status: 400, body: { message: `Not a fault: ${problems.join('; ')}` } })
    }
    faults.add(parsed.data)
  } else if (method === 'DELETE') {
    faults.clear()
  } else if (method !== 'GET') {
    return reply(outgoing, { status: 405, body: { message: 'GET, POST or DELETE.' } })
  }
  return reply(outgoing, { status: method === 'POST' ? 201 : 200, body: { faults: faults.list() } })
}

const serve = async (visit: Visit, found: Served, path: string, query: URLSearchParams): Promise<void> => {
  const { incoming, outgoing, clock } = visit
  const started = clock.now()
  const text = await readText(incoming)
  const struck = found.faults.strike(path)
  const fault = struck.find((each) => each.kind !== 'latency')
  const request: TwinRequest = {
    method: incoming.method ?? 'GET',
    path,
    query,
    headers: Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, value?.toString()])),
    text,
    body: jsonOf(text),
    fault: fault?.kind === 'rows' ? fault : undefined,
  }
  const wait = struck.find((each) => each.kind === 'latency')?.ms ?? 0
  if (wait > 0) await clock.sleep(wait)
  const answer = await answerTo(found.life, request, fault)
  if (request.method !== 'GET') visit.store.touch()
  found.requests += 1
  found.recent.unshift({
    at: new Date(started).toISOString(),
    method: request.method,
    path: query.size > 0 ? `${path}?${query.toString()}` : path,
    status: answer === 'broken' ? answer : answer.status,
    ms: clock.now() - started,
    ...(struck.length > 0 ? { fault: struck.map((each) => each.kind).join(', ') } : {}),
  })
  found.recent.length = Math.min(found.recent.length, 50)
  if (answer === 'broken') incoming.socket.destroy()
  else reply(outgoing, answer)
}

const answerTo = async (
  life: TwinLife,
  request: TwinRequest,
  fault: Fault | undefined,
): Promise<TwinResponse | 'broken'> => {
  if (fault === undefined || fault.kind === 'rows') return life.handle(request)
  if (fault.kind === 'reset-before') return 'broken'
  if (fault.kind === 'reset-after') {
    await life.handle(request)
    return 'broken'
  }
  if (fault.kind === 'html200') {
    return {
      status: 200,
      headers: { 'content-type': 'text/html' },
      body: '<html><body><h1>Please sign in</h1></body></html>',
    }
  }
  const own = life.fail?.(fault, request) ?? { status: fault.kind === 'silent' ? 204 : fault.status }
  const after = fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) }
  return { ...own, headers: { ...own.headers, ...after } }
}

const reply = (outgoing: ServerResponse, answer: TwinResponse): void => {
  const text =
    typeof answer.body === 'string' ? answer.body : answer.body === undefined ? '' : JSON.stringify(answer.body)
  const type = typeof answer.body === 'string' ? 'text/plain; charset=utf-8' : 'application/json'
  outgoing.writeHead(answer.status, { ...(text === '' ? {} : { 'content-type': type }), ...answer.headers })
  outgoing.end(text)
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
