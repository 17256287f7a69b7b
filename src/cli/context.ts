// What every command needs: the project, a way to its warehouse, a clock, a signal and an output. Built once from the global options.
import { existsSync } from 'node:fs'
import { join, resolve as resolvePath } from 'node:path'
import { parseByteSize } from '../core/byte-size.ts'
import { parseDuration, systemClock, formatDuration, type Clock } from '../core/clock.ts'
import { CdpError } from '../core/errors.ts'
import { openCompiled } from '../project/cache.ts'
import type { CompiledProject } from '../project/compiled.ts'
import { newRunId, type LiveParts } from '../run/options.ts'
import { developedWarehouse, openWarehouse, type Warehouse } from '../warehouse/warehouse.ts'
import { createOutput, type Output } from './output.ts'
import { createProgress, type Progress } from './progress.ts'

export interface GlobalOptions {
  readonly project: string
  readonly target?: string | undefined
  readonly dev?: string
  readonly wait: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly color: boolean
}

export interface Context {
  readonly root: string
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly output: Output
  readonly progress: Progress
  readonly runId: string
  readonly tempDir: string
  readonly project: () => Promise<CompiledProject>
  /** The code of the project; loads its configuration. */
  readonly live: () => Promise<LiveParts>
  readonly openWarehouse: (mode: 'read' | 'write') => Promise<Warehouse>
}

const waitOf = (text: string): number => {
  const ms = parseDuration(text)
  if (ms === undefined) throw new CdpError('DURATION_INVALID', { text, option: '--wait' })
  return ms
}

// The first interrupt (SIGINT, SIGTERM) lets calls in flight finish, and the command ends with 130, or with 0 where being stopped is how
// it ends (start, sandbox). A second one leaves at once.
const interruptSignal = (output: Output): AbortSignal => {
  const controller = new AbortController()
  const stop = (): void => {
    if (controller.signal.aborted) {
      // The signal's own default ends the process at once: what is on disk is all the next run needs.
      process.removeAllListeners('SIGINT').removeAllListeners('SIGTERM')
      process.kill(process.pid, 'SIGINT')
      return
    }
    output.note('Finishing what is in flight; interrupt again to leave at once.')
    controller.abort(new CdpError('INTERRUPTED', { what: 'stopped by a signal' }))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return controller.signal
}

export const createContext = (globals: GlobalOptions): Context => {
  const root = resolvePath(globals.project)
  const color = globals.color && process.env['NO_COLOR'] === undefined && process.stderr.isTTY
  const output = createOutput(process, { json: globals.json === true, quiet: globals.quiet === true, color })
  const progress = createProgress(output)
  const signal = interruptSignal(output)
  const waitMs = waitOf(globals.wait)
  let opened: Promise<Opened> | undefined
  const open = (): Promise<Opened> =>
    (opened ??= openProject(root, globals.target, output).then((found) => developed(found, globals.dev)))
  const project = async (): Promise<CompiledProject> => (await open()).compiled
  let live: Promise<LiveParts> | undefined

  return {
    root,
    clock: systemClock,
    signal,
    output,
    progress,
    runId: newRunId(systemClock),
    tempDir: join(root, '.cdp', 'tmp'),
    project,
    live: () => (live ??= open().then((found) => found.live ?? loadLive(found.compiled))),
    openWarehouse: async (mode) =>
      openWarehouse((await project()).warehouse, {
        root,
        mode,
        waitMs,
        clock: systemClock,
        signal,
        onWait: (holder) => output.note(`Waiting up to ${formatDuration(waitMs)} for ${holder}.`),
      }),
  }
}

interface Opened {
  readonly compiled: CompiledProject
  /** Loaded on the way, when there was no compiled project to be had. */
  readonly live?: LiveParts
}

const openProject = async (root: string, target: string | undefined, output: Output): Promise<Opened> => {
  if (!existsSync(join(root, 'cdp.config.ts'))) throw new CdpError('PROJECT_NOT_FOUND', { folder: root })
  const kept = await openCompiled(root, target)
  const found = kept ? { compiled: kept } : await (await import('../project/load.ts')).loadProject(root, target)
  for (const warning of found.compiled.warnings) {
    output.note(`! ${warning.file}${warning.line === undefined ? '' : `:${warning.line}`} ${warning.message}`)
  }
  return found
}

// Leases, spools and journals are kept by target: a copy has its own.
const developed = async (found: Opened, developer: string | undefined): Promise<Opened> => {
  if (developer === undefined) return found
  if (!/^[a-z][a-z0-9_]{0,29}$/.test(developer)) throw new CdpError('DEV_NAME', { text: developer })
  const { compiled } = found
  const warehouse = await developedWarehouse(compiled.warehouse, developer)
  if (!warehouse) {
    throw new CdpError('DEV_UNSUPPORTED', { target: compiled.target, engine: compiled.warehouse.engine })
  }
  const target = `${compiled.target}-dev-${developer}`
  return { ...found, compiled: { ...compiled, target, developer, warehouse } }
}

const loadLive = async (project: CompiledProject): Promise<LiveParts> =>
  (await import('../project/live.ts')).loadLive(project)

/** `removals,consent` -> the guards let through once. */
export const allowSet = (values: readonly string[] | undefined): ReadonlySet<string> =>
  new Set((values ?? []).flatMap((value) => value.split(',')).map((value) => value.trim()))

/** An amount of data given to an option. */
export const bytesOf = (text: string | undefined, option = '--maximum-bytes'): number | undefined => {
  const bytes = text === undefined ? undefined : parseByteSize(text)
  if (text !== undefined && bytes === undefined) throw new CdpError('BYTES_INVALID', { text, option })
  return bytes
}
