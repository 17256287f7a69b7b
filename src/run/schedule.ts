// `cdp start`: the project's schedule. Ticks come from node-cron; what is ours is that a job never overlaps itself, that a tick missed
// while the machine slept or the job was busy is made up for once, and that a stop finishes what is in flight.
import { schedule as cron, validate } from 'node-cron'
import { CdpError } from '../core/errors.ts'

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

export const checkSchedule = (expressions: readonly string[], file: string): CdpError[] =>
  expressions
    .filter((expression) => !validate(expression))
    .map((expression) => new CdpError('SCHEDULE_INVALID', { expression }, { place: { file } }))

/** Starts the jobs; a job that throws must have said so itself. Stops when the signal is aborted, after the work in flight. */
export const startSchedule = (jobs: readonly Job[], timeZone: string, signal: AbortSignal): Scheduler => {
  const running = jobs.map((job) => {
    const turns = noOverlap(job.work)
    const task = cron(job.expression, () => turns.tick(), { timezone: timeZone })
    // The machine slept or the loop was blocked over one or more ticks: one run makes up for all of them.
    task.on('execution:missed', () => turns.tick())
    return { task, turns }
  })
  const ended = new Promise<void>((done) => {
    const stop = async (): Promise<void> => {
      for (const { task } of running) await task.destroy()
      for (const { turns } of running) await turns.idle()
    }
    signal.addEventListener('abort', () => done(stop()), { once: true })
  })
  return { ended }
}
