// Another Node process that works on a warehouse file, for what one process cannot show: locks, kills, full disks.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const root = new URL('../..', import.meta.url).pathname

// The sources are TypeScript; Node 20 needs them compiled on the way in.
const prelude = `
import { createJiti } from 'jiti'
const jiti = createJiti(${JSON.stringify(`${root}test/warehouse/child.ts`)})
const { open } = await jiti.import(${JSON.stringify(`${root}src/warehouse/duckdb/open.ts`)})
const { systemClock } = await jiti.import(${JSON.stringify(`${root}src/core/clock.ts`)})
const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n')
const opened = (mode = 'write') => open({ path: 'test.duckdb' }, { root: process.argv[1], mode, waitMs: 0, clock: systemClock })
`

export interface Child {
  readonly pid: number
  /** The next thing it says; rejects when it ends first. */
  next(): Promise<unknown>
  /** Resolves with the signal that ended it, or null. */
  readonly ended: Promise<NodeJS.Signals | null>
  /** Ends it by closing its input. */
  stop(): Promise<void>
}

/** Runs code that has `open`, `opened(mode)`, `say(value)` in a process of its own. `limit` is the largest file it may write, in KiB. */
export const child = (folder: string, code: string, options: { readonly limit?: number } = {}): Child => {
  const node = ['--input-type=module', '-e', `${prelude}${code}`, folder]
  const started: ChildProcess =
    options.limit === undefined
      ? spawn(process.execPath, node, { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] })
      : spawn('bash', ['-c', `trap '' XFSZ; ulimit -f ${options.limit}; exec "$0" "$@"`, process.execPath, ...node], {
          cwd: root,
          stdio: ['pipe', 'pipe', 'pipe'],
        })
  let talk = ''
  started.stderr?.on('data', (data: Buffer) => (talk += data.toString()))
  const lines = createInterface({ input: started.stdout ?? process.stdin })[Symbol.asyncIterator]()
  const ended = new Promise<NodeJS.Signals | null>((done) => started.on('close', (_code, signal) => done(signal)))
  return {
    pid: started.pid ?? 0,
    ended,
    next: async () => {
      const line = await lines.next()
      if (line.done) throw new Error(`the other process ended: ${talk}`)
      return JSON.parse(line.value) as unknown
    },
    stop: async () => {
      started.stdin?.end()
      await ended
    },
  }
}
