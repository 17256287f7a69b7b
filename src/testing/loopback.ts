// A real HTTP server on loopback for tests: answers as a test says, remembers what it was asked, can break the connection.
import { text as readText } from 'node:stream/consumers'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

export interface LoopbackRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** The parsed JSON, or undefined. */
  readonly body: unknown
}

/** What to answer. `break`: the connection is closed without an answer. `hang`: never answered. */
export type LoopbackAnswer =
  | {
      readonly status?: number
      readonly headers?: Readonly<Record<string, string>>
      /** A string is sent as it is, anything else as JSON. */
      readonly body?: unknown
    }
  | 'break'
  | 'hang'

export interface Loopback {
  readonly url: string
  /** Every request so far, in order of arrival. */
  readonly requests: readonly LoopbackRequest[]
  close(): Promise<void>
}

/**
 * Starts a server on a free port of 127.0.0.1.
 *
 * @example
 * const server = await startLoopback((request) => (request.path === '/slow' ? 'hang' : { body: { ok: true } }))
 */
export const startLoopback = async (
  answer: (request: LoopbackRequest, index: number) => LoopbackAnswer | Promise<LoopbackAnswer>,
): Promise<Loopback> => {
  const requests: LoopbackRequest[] = []
  const server = createServer((incoming, outgoing) => {
    const serve = async (): Promise<void> => {
      const request = await take(incoming)
      requests.push(request)
      give(await answer(request, requests.length - 1), incoming, outgoing)
    }
    serve().catch(() => incoming.destroy())
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { url: `http://127.0.0.1:${port}`, requests, close: () => closeServer(server) }
}

/** Ends a server with all its connections. */
export const closeServer = (server: Server): Promise<void> =>
  new Promise((done) => {
    server.close(() => done())
    server.closeAllConnections()
  })

const take = async (incoming: IncomingMessage): Promise<LoopbackRequest> => {
  const text = await readText(incoming)
  return {
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    headers: Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])),
    text,
    body: jsonOf(text),
  }
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

const give = (answer: LoopbackAnswer, incoming: IncomingMessage, outgoing: ServerResponse): void => {
  if (answer === 'hang') return
  if (answer === 'break') {
    incoming.socket.destroy()
    return
  }
  const text =
    typeof answer.body === 'string' ? answer.body : answer.body === undefined ? '' : JSON.stringify(answer.body)
  const type = typeof answer.body === 'string' ? 'text/plain' : 'application/json'
  outgoing.writeHead(answer.status ?? 200, { ...(text === '' ? {} : { 'content-type': type }), ...answer.headers })
  outgoing.end(text)
}
