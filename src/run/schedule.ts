// `cdp start`: the project's schedule. Ticks come from node-cron; what is ours is that a job never overlaps itself, that a tick missed
// while the machine slept or the job was busy is made up for once, and that a stop finishes what is in flight.
import { schedule as cron, validate } from 'node-cron'
import { CdpError, hasCode } from '../core/errors.ts'
import type { CompiledProject } from '../project/compiled.ts'
import { projectGraph, select } from './select.ts'

export interface Job {
  readonly expression: string
  readonly work: () => Promise<void>
}

export interface Scheduler {
  /** Resolves when stopped and every job has ended. */
  readonly ended: Promise<void>
}

/** One job's turn-taking, apart from the clock so that it can be tested: `tick` while busy is remembered once. */
export const noOverlap = (work: () => Promise<void>): { tick(): void; idle(): Promise<void> } => {
  let running: Promise<void> | undefined
  let again = false
  const turn = async (): Promise<void> => {
    do {
      again = false
      await work()
    } while (again)
  }
  return {
    tick() {
      if (running !== undefined) {
        again = true
        return
      }
      running = turn().finally(() => (running = undefined))
    },
    async idle() {
      again = false
      await running
    },
  }
}

/** Expressions that are none, and selectors that mean nothing. */
export const checkSchedule = (project: CompiledProject, file: string): CdpError[] => {
  const { nodes, graph } = projectGraph(project)
  const problems: CdpError[] = []
  for (const [expression, { run, sync }] of Object.entries(project.schedule)) {
    if (!validate(expression)) problems.push(new CdpError('SCHEDULE_INVALID', { expression }, { place: { file } }))
    for (const selector of [run, sync]) {
      try {
        if (selector !== undefined) select(selector, nodes, graph)
      } catch (error) {
        if (!hasCode(error, 'SELECTOR_UNKNOWN')) throw error
        problems.push(new CdpError('SELECTOR_UNKNOWN', error.args, { place: { file } }))
      }
    }
  }
  return problems
}

/** Starts the jobs; a job that throws must have said so itself. Stops when the signal is aborted, after the work in flight. */
export const startSchedule = (jobs: readonly Job[], timeZone: string, signal: AbortSignal): Scheduler => {
  const running = jobs.map((job) => {
    const turns = noOverlap(job.work)
    const task = cron(job.expression, () => turns.tick(), { timezone: timeZone, suppressMissedWarning: true })
    // The machine slept or the loop was blocked over one or more ticks: one run makes up for all of them.
    task.on('execution:missed', () => turns.tick())
    return { task, turns }
  })
  const ended = new Promise<void>((done) => {
    const stop = async (): Promise<void> => {
      for (const { task } of running) await task.destroy()
      for (const { turns } of running) await turns.idle()
    }
    if (signal.aborted) done(stop())
    else signal.addEventListener('abort', () => done(stop()), { once: true })
  })
  return { ended }
}
