import { afterEach, describe, expect, it } from 'vitest'
import { checkSchedule, noOverlap } from '../../src/run/schedule.ts'
import { folderOf, removeFolders } from '../project/folder.ts'
import { shop } from './project.ts'

afterEach(removeFolders)

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

  it('refuses an expression that is none and a selector that means nothing, at the config file', async () => {
    const schedule = `{ '*/15 * * * *': { run: '*', sync: '+buyers' }, 'every day': { run: 'buyrs' } }`
    const { compiled } = await folderOf({
      ...shop,
      'cdp.config.ts': (shop['cdp.config.ts'] ?? '').replace('  sources:', `  schedule: ${schedule},\n  sources:`),
    }).load()
    const problems = checkSchedule(compiled, 'cdp.config.ts')
    expect(problems.map((problem) => problem.code)).toEqual(['SCHEDULE_INVALID', 'SELECTOR_UNKNOWN'])
    expect(problems[1]?.message).toContain('Did you mean "buyers"?')
    expect(new Set(problems.map((problem) => problem.place?.file))).toEqual(new Set(['cdp.config.ts']))
  })
})
