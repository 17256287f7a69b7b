// The stand-in for BigQuery: one for each process, since it keeps one core busy. Test files that a process runs share it, and it ends with
// the process.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

// Compiled, this file is in dist/, and the script is where it was.
const beside = import.meta.url.endsWith('.ts') ? '' : '../../../test/bigquery-emulator/'
const script = new URL(`${beside}emulator.sh`, import.meta.url).pathname

export interface Emulator {
  /** Of the REST API, `http://127.0.0.1:40123`. */
  readonly url: string
  /** Of the Storage API, `127.0.0.1:40124`. */
  readonly grpc: string
}

let told = false
let running: Promise<Emulator> | undefined

/**
 * Installs it if need be (once a machine, some minutes) and starts it. Where it cannot be had the reason is returned, for the
 * tests to be skipped with; under CI=true that is an error.
 */
export const findEmulator = async (): Promise<Emulator | string> => {
  const missing = await install()
  if (missing !== undefined) {
    if (process.env['CI'] === 'true') throw new Error(missing)
    if (!told) process.stderr.write(`\nThe tests against BigQuery's stand-in are skipped. ${missing}\n`)
    told = true
    return missing
  }
  running ??= start().then(({ url, grpc }) => ({ url, grpc }))
  return running
}

/** Another one, installed if need be; it ends with the process or before. Where it cannot be had, the reason. */
export const startEmulator = async (): Promise<(Emulator & { readonly stop: () => Promise<void> }) | string> => {
  const missing = await install()
  return missing ?? start()
}

const start = async (): Promise<Emulator & { readonly stop: () => Promise<void> }> => {
  const answer = join(mkdtempSync(join(tmpdir(), 'cdp-bigquery-emulator-')), 'answer.json')
  const server = spawn(script, ['serve', String(process.pid), answer], { detached: true, stdio: 'ignore' })
  server.unref()
  const ended = once(server, 'exit')
  const { url, grpc } = await answered(answer)
  const stop = async (): Promise<void> => {
    server.ref()
    server.kill('SIGTERM')
    await ended
  }
  return { url, grpc, stop }
}

const answered = async (answer: string): Promise<Emulator> => {
  while (!existsSync(answer)) await sleep(50)
  const found = JSON.parse(readFileSync(answer, 'utf8')) as Emulator & { readonly error?: string }
  if (found.error !== undefined) throw new Error(`BigQuery's stand-in: ${found.error}`)
  return found
}

/** Undefined when it is there. */
const install = async (): Promise<string | undefined> => {
  try {
    await promisify(execFile)(script, ['install'])
    return undefined
  } catch (thrown) {
    const { code, stderr } = thrown as { readonly code?: unknown; readonly stderr?: string }
    const reason = `BigQuery's stand-in cannot be installed: ${stderr?.trim() ?? String(thrown)}`
    const way = code === 3 ? '`pyenv install 3.13` (or name one in BQ_EMULATOR_PYTHON)' : 'see that PyPI is reached'
    return `${reason}. To get it: ${way}, and run this again`
  }
}
