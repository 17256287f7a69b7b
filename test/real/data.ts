// Where real data is, and a sandbox to send it to.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import twin from '../../connectors/webhook.sandbox.ts'
import { startSandbox } from '../../src/sandbox/server.ts'
import { repository } from '../e2e/project.ts'

const folder = process.env['CDP_TEST_DATA'] ?? join(repository, '../shared/data')

/** A file of real data, or why there is none. It is read where it is: it is not part of the project. */
export const realData = (file: string): { readonly path: string; readonly missing: string | undefined } => {
  const path = join(folder, file)
  return { path, missing: existsSync(path) ? undefined : `there is no ${file} in CDP_TEST_DATA (${folder})` }
}

export interface Receiver {
  readonly url: string
  /** key -> record, of one sync. */
  audience(sync: string): Promise<Readonly<Record<string, Readonly<Record<string, unknown>>>>>
  requests(): Promise<number>
  close(): Promise<void>
}

export const startReceiver = async (): Promise<Receiver> => {
  const sandbox = await startSandbox({ port: 0, twins: [twin] })
  const get = async (path: string): Promise<unknown> => (await fetch(`${sandbox.url}/_sandbox/webhook${path}`)).json()
  return {
    url: `${sandbox.url}/webhook`,
    audience: async (sync) => {
      const held = (await get('')) as { audiences: Record<string, Record<string, Record<string, unknown>>> }
      return held.audiences[sync] ?? {}
    },
    requests: async () => ((await get('/requests')) as { requests: number }).requests,
    close: () => sandbox.close(),
  }
}
