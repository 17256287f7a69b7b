// Runs the product's own commands as a person would type them, and echoes them as the story goes.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const cli = new URL('../src/cli/main.js', import.meta.url).pathname

export type Row = Readonly<Record<string, unknown>>

export interface Ran {
  readonly rows: readonly Row[]
  readonly code: number
  readonly seconds: number
}

const bold = (text: string): string => (process.stdout.isTTY ? `\u001B[1m${text}\u001B[0m` : text)
const dim = (text: string): string => (process.stdout.isTTY ? `\u001B[2m${text}\u001B[0m` : text)

export const say = (text = ''): void => void process.stdout.write(`${text}\n`)
export const heading = (text: string): void => say(`\n${bold(text)}`)
export const aside = (text: string): void => say(dim(text))

const quoted = (word: string): string => (/^[\w@%+=:,./*-]+$/.test(word) ? word : `"${word.replaceAll('"', '\\"')}"`)

export interface Shell {
  /** Echoes and runs `cdp …`; its talk goes through, its data is parsed. Ends the demo when the exit code is not the expected one. */
  cdp(args: readonly string[], options?: { readonly quiet?: boolean; readonly expect?: number }): Promise<Ran>
}

/** `always` is added to every command. */
export const createShell = (
  folder: string,
  env: Readonly<Record<string, string>>,
  always: readonly string[] = [],
): Shell => ({
  async cdp(given, { quiet = false, expect = 0 } = {}) {
    const args = [...given, ...always]
    if (!quiet) say(`${bold('$')} cdp ${args.map(quoted).join(' ')}`)
    const started = performance.now()
    const child = spawn(
      process.execPath,
      [cli, '--project', folder, '--json', ...(quiet ? ['--quiet'] : []), ...args],
      {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', quiet ? 'pipe' : 'inherit'],
      },
    )
    const rows: Row[] = []
    let talk = ''
    child.stderr?.on('data', (chunk: Buffer) => (talk += chunk.toString()))
    const ended = once(child, 'close') as Promise<[number | null]>
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
      if (line !== '') rows.push(JSON.parse(line) as Row)
    }
    const [code] = await ended
    const ran = { rows, code: code ?? -1, seconds: (performance.now() - started) / 1000 }
    if (ran.code !== expect)
      throw new Error(`cdp ${args.join(' ')} ended with ${ran.code} instead of ${expect}\n${talk}`)
    return ran
  },
})

export interface SandboxProcess {
  readonly url: string
  stop(): Promise<void>
}

/** `cdp sandbox` as a process of its own, on a free port. */
export const startSandbox = async (folder: string): Promise<SandboxProcess> => {
  say(`${bold('$')} cdp sandbox &`)
  const child: ChildProcess = spawn(
    process.execPath,
    [cli, '--project', folder, '--json', '--quiet', 'sandbox', '--port', '0'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const [line] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')) as [string]
  const { url } = JSON.parse(line) as { url: string }
  return {
    url,
    async stop() {
      const ended = once(child, 'close')
      child.kill('SIGTERM')
      await ended
    },
  }
}
