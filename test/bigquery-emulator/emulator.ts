// The stand-in for BigQuery, one for all test files of a run: the first that asks starts it, and it ends with the run.
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const script = new URL('emulator.sh', import.meta.url).pathname

export interface Emulator {
  /** Of the REST API, `http://127.0.0.1:40123`. */
  readonly url: string
  /** Of the Storage API, `127.0.0.1:40124`. */
  readonly grpc: string
}

/**
 * Installs it if need be (once a machine, some minutes) and starts it. Where there is no Python 3.13 the reason is returned, for the
 * tests to be skipped with; under CI=true that is an error.
 */
export const findEmulator = async (): Promise<Emulator | string> => {
  try {
    await promisify(execFile)(script, ['install'])
  } catch (error) {
    return missing(error as { code?: unknown; stderr?: string })
  }
  // Test files run in processes of their own, below the one of the whole run.
  const run = join(tmpdir(), `cdp-bigquery-emulator-${process.ppid}`)
  const answer = join(run, 'answer.json')
  if (isLeftOver(answer)) rmSync(run, { recursive: true, force: true })
  if (mine(run)) spawn(script, ['serve', String(process.ppid), answer], { detached: true, stdio: 'ignore' }).unref()
  while (!existsSync(answer)) await sleep(50)
  const found = JSON.parse(readFileSync(answer, 'utf8')) as Emulator & { readonly error?: string }
  if (found.error !== undefined) throw new Error(`BigQuery's stand-in: ${found.error}`)
  return found
}

const mine = (run: string): boolean => {
  try {
    mkdirSync(run)
    return true
  } catch {
    return false
  }
}

// Of an earlier run whose process had the same number.
const isLeftOver = (answer: string): boolean => {
  if (!existsSync(answer)) return false
  const { pid } = JSON.parse(readFileSync(answer, 'utf8')) as { readonly pid?: number }
  try {
    process.kill(pid ?? 0, 0)
    return pid === undefined
  } catch {
    return true
  }
}

const missing = (error: { readonly code?: unknown; readonly stderr?: string }): string => {
  const reason = `BigQuery's stand-in cannot be installed: ${error.stderr?.trim() ?? ''}`
  if (error.code !== 3) throw new Error(reason)
  const message = `${reason}. To get it: \`pyenv install 3.13\` (or name one in BQ_EMULATOR_PYTHON), and run the tests again`
  if (process.env['CI'] === 'true') throw new Error(message)
  process.stderr.write(`\n${message}\n`)
  return message
}
