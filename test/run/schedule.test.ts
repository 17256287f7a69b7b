import { describe, expect, it } from 'vitest'
import { checkSchedule, noOverlap } from '../../src/run/schedule.ts'

const gate = (): { promise: Promise<void>; open: () => void } => {
  let open = (): void => undefined
  const promise = new Promise<void>((done) => (open = done))
  return { promise, open }
}

describe('schedule', () => {
  it('never runs a job beside itself and makes up once for ticks that came meanwhile', async () => {
    const gates = [gate(), gate()]
    let running = 0
    let most = 0
    let runs = 0
    const job = noOverlap(async () => {
      running++
      most = Math.max(most, running)
      await gates[runs++]?.promise
      running--
    })
    job.tick()
    job.tick()
    job.tick()
    gates[0]?.open()
    await new Promise((done) => setTimeout(done, 5))
    gates[1]?.open()
    await job.idle()
    expect(most).toBe(1)
    expect(runs).toBe(2)
  })

  it('refuses an expression that is none, at the config file', () => {
    const problems = checkSchedule(['*/15 * * * *', 'every day'], 'cdp.config.ts')
    expect(problems.map((problem) => problem.code)).toEqual(['SCHEDULE_INVALID'])
    expect(problems[0]?.place?.file).toBe('cdp.config.ts')
  })
})
