// The sandbox as its user meets it: paths, the page, faults, what outlives a restart, and how twins are found.
import { createServer } from 'node:http'
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { discoverTwins, startSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/server.ts'
import { defineTwin, type Twin } from '../../src/sandbox/twin.ts'
import { strikes } from '../../src/sandbox/strikes.ts'
import { closeServer } from '../../src/testing/loopback.ts'

// Keeps the rows it is sent; a row is refused when the fault says so.
const notes = (name = 'notes'): Twin =>
  defineTwin({
    name,
    title: 'Notes & <things>',
    create: () => {
      let kept: string[] = []
      return {
        handle: ({ method, path, query, text, body, fault }) => {
          if (method === 'GET') return { status: 200, body: { path, of: query.get('of'), kept } }
          const rows = Array.isArray(body) ? body.map(String) : [text]
          kept.push(...rows.filter((row, index) => !strikes(fault, row, index)))
          return { status: 201, body: { took: rows.length } }
        },
        snapshot: () => ({
          notes: kept.map((note, index) => ({ index, note })),
          size: kept.length,
          by: { sync: { k: { a: 1 } } },
        }),
        restore: (state) => {
          kept = Array.isArray(state['notes']) ? state['notes'].map((row: unknown) => JSON.stringify(row)) : []
        },
        reset: () => {
          kept = []
        },
        fail: (fault) =>
          fault.kind === 'status' && fault.status === 418 ? { status: 418, body: 'a teapot' } : undefined,
      }
    },
  })

let sandbox: Sandbox | undefined
let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cdp-sandbox-'))
})
afterEach(async () => {
  await sandbox?.close()
  sandbox = undefined
  await rm(folder, { recursive: true, force: true })
})

const start = async (options: Partial<SandboxOptions> = {}): Promise<string> => {
  sandbox = await startSandbox({ port: 0, twins: [notes()], ...options })
  return sandbox.url
}

const ask = async (url: string, method = 'GET', body?: unknown) => {
  const answer = await fetch(url, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  const text = await answer.text()
  return {
    status: answer.status,
    text,
    json: text.startsWith('{') || text.startsWith('[') ? (JSON.parse(text) as unknown) : undefined,
    headers: answer.headers,
  }
}

describe('the sandbox', () => {
  it('listens on loopback and gives a twin what is below its name', async () => {
    const url = await start()
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect((await ask(`${url}/notes/a%20b/c?of=d`)).json).toEqual({ path: '/a b/c', of: 'd', kept: [] })
    expect((await ask(`${url}/notes`)).json).toMatchObject({ path: '/' })
    expect((await ask(`${url}/elsewhere`)).text).toContain('There are: notes.')
  })

  it('tells and resets what a twin holds', async () => {
    const url = await start()
    await ask(`${url}/notes`, 'POST', ['one', 'two'])
    expect((await ask(`${url}/_sandbox/notes`)).json).toMatchObject({ size: 2 })
    expect((await ask(`${url}/_sandbox`)).json).toEqual({
      twins: [{ name: 'notes', title: 'Notes & <things>', url: `${url}/notes`, requests: 1 }],
    })
    expect((await ask(`${url}/_sandbox/notes/requests`)).json).toMatchObject({
      requests: 1,
      recent: [{ method: 'POST', path: '/', status: 201 }],
    })
    expect((await ask(`${url}/_sandbox/notes`, 'DELETE')).status).toBe(204)
    expect((await ask(`${url}/_sandbox/notes`)).json).toMatchObject({ size: 0 })
    expect((await ask(`${url}/_sandbox/none`)).status).toBe(404)
    expect((await ask(`${url}/_sandbox/notes`, 'PUT')).status).toBe(405)
  })

  it('shows all of it on one page, with nothing from elsewhere and nothing unescaped', async () => {
    const url = await start()
    await ask(
      `${url}/notes`,
      'POST',
      Array.from({ length: 60 }, (_, i) => `<script>${i}</script>`),
    )
    await ask(`${url}/_sandbox/notes/faults`, 'POST', { kind: 'latency', ms: 1 })
    const { text, headers } = await ask(`${url}/`)
    expect(headers.get('content-type')).toContain('text/html')
    expect(text).toContain('Notes &amp; &lt;things&gt;')
    expect(text).toContain('&lt;script&gt;0&lt;/script&gt;')
    expect(text).toContain('(60)')
    expect(text).toContain('and 10 more')
    expect(text).toContain('by: sync')
    expect(text).toContain('Fault on')
    expect(text).not.toMatch(/<script|src=|https?:\/\/(?!127)/)
  })

  it('says that its port is taken', async () => {
    const other = createServer()
    await new Promise<void>((ready) => other.listen(0, '127.0.0.1', ready))
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await expect(startSandbox({ port, twins: [] })).rejects.toMatchObject({ code: 'SANDBOX_PORT', kind: 'usage' })
    await closeServer(other)
  })

  it('keeps over a restart what twins held, when given a place', async () => {
    const statePath = join(folder, 'deep/state.json')
    const url = await start({ statePath })
    await ask(`${url}/notes`, 'POST', ['one'])
    await sandbox?.close()
    expect(JSON.parse(await readFile(statePath, 'utf8'))).toMatchObject({ notes: { size: 1 } })
    const again = await start({ statePath })
    expect((await ask(`${again}/_sandbox/notes`)).json).toMatchObject({ size: 1 })
    await sandbox?.close()
    await writeFile(statePath, '[]')
    await expect(start({ statePath })).rejects.toMatchObject({ code: 'SANDBOX_STATE' })
  })

  it('survives a twin that fails', async () => {
    const bad = defineTwin({
      ...notes('bad'),
      create: (c) => ({ ...notes().create(c), handle: () => Promise.reject(new Error('bug')) }),
    })
    const url = await start({ twins: [bad] })
    expect(await ask(`${url}/bad`)).toMatchObject({ status: 500, text: expect.stringMatching('bug') })
  })
})

const byChance = async (): Promise<string> => {
  const url = await start()
  await fault(url, { kind: 'status', times: 0, probability: 0.5 })
  const seen: number[] = []
  for (let i = 0; i < 40; i++) seen.push((await ask(`${url}/notes`)).status)
  await sandbox?.close()
  return seen.join()
}

const fault = async (url: string, body: unknown) => ask(`${url}/_sandbox/notes/faults`, 'POST', body)

describe('a fault', () => {
  it('strikes as often as it is told, in the words of the vendor or plainly', async () => {
    const url = await start()
    await fault(url, [
      { kind: 'status', status: 429, retryAfter: 3, times: 2 },
      { kind: 'status', status: 418 },
    ])
    const seen = [
      await ask(`${url}/notes`),
      await ask(`${url}/notes`),
      await ask(`${url}/notes`),
      await ask(`${url}/notes`),
    ]
    expect(seen.map((answer) => answer.status)).toEqual([429, 429, 418, 200])
    expect(seen[0]?.headers.get('retry-after')).toBe('3')
    expect(seen[2]?.text).toBe('a teapot')
  })

  it('is listed with what is left of it, and taken away', async () => {
    const url = await start()
    await fault(url, { kind: 'html200', times: 0 })
    await fault(url, { kind: 'silent', times: 2, path: '/only' })
    await ask(`${url}/notes/only`)
    expect((await ask(`${url}/_sandbox/notes/faults`)).json).toMatchObject({
      faults: [
        { kind: 'html200', times: 0 },
        { kind: 'silent', times: 2 },
      ],
    })
    expect((await ask(`${url}/notes`)).text).toContain('<html>')
    await ask(`${url}/_sandbox/notes/faults`, 'DELETE')
    expect((await ask(`${url}/notes`)).status).toBe(200)
  })

  it('strikes only the paths it names', async () => {
    const url = await start()
    await fault(url, { kind: 'silent', path: '/write' })
    expect((await ask(`${url}/notes/read`)).status).toBe(200)
    expect((await ask(`${url}/notes/write`)).status).toBe(204)
  })

  it('breaks the connection before or after the work is done', async () => {
    const url = await start()
    await fault(url, [{ kind: 'reset-before' }, { kind: 'reset-after' }])
    await expect(ask(`${url}/notes`, 'POST', ['one'])).rejects.toThrow('fetch failed')
    await expect(ask(`${url}/notes`, 'POST', ['two'])).rejects.toThrow('fetch failed')
    expect((await ask(`${url}/notes`)).json).toMatchObject({ kept: ['two'] })
  })

  it('refuses single rows: the first, or those that hold a text', async () => {
    const url = await start()
    await fault(url, [{ kind: 'rows' }, { kind: 'rows', match: 'b' }])
    await ask(`${url}/notes`, 'POST', ['a', 'b', 'c'])
    await ask(`${url}/notes`, 'POST', ['a', 'b', 'c'])
    expect((await ask(`${url}/notes`)).json).toMatchObject({ kept: ['b', 'c', 'a', 'c'] })
  })

  it('strikes by chance, and alike in every sandbox', async () => {
    const first = await byChance()
    expect(first).toContain('200')
    expect(first).toContain('500')
    expect(await byChance()).toBe(first)
  })

  it('that is none is explained', async () => {
    const url = await start()
    const answer = await fault(url, { kind: 'stauts', ms: -1 })
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('kind')
    expect((await fault(url, { kind: 'status', tims: 1 })).text).toContain('tims')
  })
})

const write = async (path: string, text: string): Promise<void> => {
  await mkdir(join(folder, path, '..'), { recursive: true })
  await writeFile(join(folder, path), text)
}

const twin = (name: string, title: string): string =>
  `const t = { name: '${name}', title: '${title}', create: () => ({}) }
Object.defineProperty(t, Symbol.for('composable-cdp.twin'), { value: true })
export default t\n`

describe('twins', () => {
  it('are found in folders by their file names, the later folder first, and missing folders are passed over', async () => {
    await write('package/b.sandbox.js', twin('b', 'of the package'))
    await write('package/a.sandbox.mjs', twin('a', 'of the package'))
    await write('package/c.sandbox.d.ts', 'export default 1')
    await write('package/c.js', 'throw new Error("a connector is not loaded")')
    await write('project/b.sandbox.mjs', twin('b', 'of the project'))
    const found = await discoverTwins([join(folder, 'package'), join(folder, 'project'), join(folder, 'none')])
    expect(found.map((each) => [each.name, each.title])).toEqual([
      ['a', 'of the package'],
      ['b', 'of the project'],
    ])
  })

  it('may be TypeScript on every Node', async () => {
    await write(
      'x.sandbox.ts',
      `type T = string\nconst title: T = 'typed'\n${twin('x', 'X')}export const unused: T = title\n`,
    )
    expect((await discoverTwins([folder])).map((each) => each.name)).toEqual(['x'])
  })

  it.each([
    ['exports none', 'export default { name: "x" }', /no such default export/],
    ['cannot be loaded', 'throw new Error("broken twin")', /broken twin/],
    ['has a name that is no path', twin('X y', 'X'), /cannot be a path/],
  ])('in a file that %s are an error that names it', async (_title, text, message) => {
    await write('x.sandbox.mjs', text)
    await expect(discoverTwins([folder])).rejects.toThrow(message)
    await expect(discoverTwins([folder])).rejects.toMatchObject({ code: 'SANDBOX_TWIN' })
  })

  it('of the package are all there', async () => {
    const found = await discoverTwins(
      [join(import.meta.dirname, '../../connectors')],
      (file) => import(file) as Promise<unknown>,
    )
    expect(found.map((each) => each.name)).toEqual(expect.arrayContaining(['hubspot', 'webhook']))
  })
})
