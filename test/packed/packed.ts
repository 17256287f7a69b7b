// A project outside the repository with the packed package installed, as a user has it.
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const repository = new URL('../..', import.meta.url).pathname
const run = promisify(execFile)

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface InstalledProject {
  readonly folder: string
  /** `npx cdp …` in the project; never throws for an exit code. */
  cdp(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran>
  remove(): Promise<void>
}

/** Packs the repository as it was built and installs the tarball into a copy of a project. */
export const installProject = async (fixture: string): Promise<InstalledProject> => {
  const folder = await mkdtemp(join(tmpdir(), 'cdp-packed-'))
  // As it was built before the tests: its script would take dist/ away while others run from it.
  await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: repository })
  const tarball = (await readdir(folder)).find((file) => file.endsWith('.tgz')) ?? ''
  const project = join(folder, 'project')
  await cp(fixture, project, { recursive: true })
  await run('npm', ['install', '--silent', '--prefer-offline', '--no-audit', '--no-fund', join(folder, tarball)], {
    cwd: project,
  })
  return {
    folder: project,
    async cdp(args, env = {}) {
      try {
        const { stdout, stderr } = await run('npx', ['cdp', ...args], { cwd: project, env: { ...process.env, ...env } })
        return { code: 0, stdout, stderr }
      } catch (error) {
        const failed = error as { code?: number; stdout?: string; stderr?: string }
        return { code: failed.code ?? -1, stdout: failed.stdout ?? '', stderr: failed.stderr ?? String(error) }
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

interface WebhookChange {
  readonly op: 'upsert' | 'remove'
  readonly id: string
  readonly key: Readonly<Record<string, string>>
  readonly record?: Readonly<Record<string, unknown>>
}

export interface AudienceServer {
  readonly url: string
  readonly requests: readonly {
    readonly headers: IncomingMessage['headers']
    readonly body: string
    readonly changes: readonly WebhookChange[]
  }[]
  /** What a receiver holds that applies the changes in order: key -> fields. */
  readonly holds: ReadonlyMap<string, Readonly<Record<string, unknown>>>
  close(): Promise<void>
}

/** A receiver that answers every request with an empty 200. */
export const audienceServer = async (keyField: string): Promise<AudienceServer> => {
  const requests: { headers: IncomingMessage['headers']; body: string; changes: WebhookChange[] }[] = []
  const holds = new Map<string, Record<string, unknown>>()
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      const { changes } = JSON.parse(body) as { changes: WebhookChange[] }
      requests.push({ headers: request.headers, body, changes })
      for (const change of changes) {
        const key = change.key[keyField] ?? ''
        if (change.op === 'remove') holds.delete(key)
        else holds.set(key, { ...holds.get(key), ...change.record })
      }
      response.end()
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/audience`,
    requests,
    holds,
    close: () => new Promise((done) => server.close(() => done())),
  }
}
