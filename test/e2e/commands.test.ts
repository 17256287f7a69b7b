// What the program says and how it ends when it is called in ways that are not meant, and to whom it says it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cleanUp, emptyFolder, patience, projectOf, type Project } from './project.ts'
import { shop } from './shop.ts'

describe('the command line', { timeout: patience }, () => {
  let project: Project
  beforeAll(async () => {
    project = projectOf(shop)
    await project.must(['run', '--quiet'])
  }, patience)
  afterAll(cleanUp)

  it('shows its help on stderr and exits 2 without a command, on stdout and 0 when asked', async () => {
    const [bare, asked, help, about] = await Promise.all([
      project.cdp([]),
      project.cdp(['--help']),
      project.cdp(['help']),
      project.cdp(['help', 'run']),
    ])
    expect([bare.code, bare.stdout]).toEqual([2, ''])
    expect(bare.stderr).toContain('Usage: cdp')
    expect([asked.code, asked.stderr]).toEqual([0, ''])
    expect(asked.stdout).toContain('send what changed to the destinations')
    expect([help.code, help.stdout]).toEqual([0, asked.stdout])
    expect([about.code, about.stderr]).toEqual([0, ''])
    expect(about.stdout).toContain('--full-refresh')
  })

  it('names the nearest command or option, and exits 2', async () => {
    const [command, option, excess] = await Promise.all([
      project.cdp(['snyc']),
      project.cdp(['run', '--slect', 'x']),
      project.cdp(['run', 'people']),
    ])
    expect([command.code, command.stderr]).toEqual([2, expect.stringContaining('Did you mean sync?')])
    expect([option.code, option.stderr]).toEqual([2, expect.stringContaining('Did you mean --select?')])
    expect([excess.code, excess.stderr]).toEqual([2, expect.stringContaining('too many arguments')])
  })

  it('takes a word for a command only where a command stands', async () => {
    const named = projectOf(Object.fromEntries(Object.entries(shop).map(([file, text]) => [`start/${file}`, text])))
    const ran = await named.cdp(['--project', 'start', 'run'])
    expect(ran.code, ran.stderr).toBe(0)
    expect(ran.rows.map((row) => row['step'])).toContain('spenders')
  })

  it('says where it looked for a project and found none', async () => {
    const folder = emptyFolder()
    const ran = await project.cdp(['run'], { cwd: folder })
    expect(ran).toMatchObject({ code: 2, stdout: '' })
    expect(ran.stderr).toContain(`There is no cdp.config.ts in ${folder}`)
    expect(ran.stderr).toContain('cdp init')
    const named = await project.cdp(['--project', `${folder}/nowhere`, 'check'])
    expect(named.code).toBe(2)
    expect(named.stderr).toContain(`${folder}/nowhere`)
  })

  it('names the nearest model of a selector that means nothing', async () => {
    for (const command of ['run', 'plan', 'test']) {
      const ran = await project.cdp([command, '--select', 'spendrs'])
      expect(ran, command).toMatchObject({ code: 2, stdout: '' })
      expect(ran.stderr).toContain('Did you mean "spenders"?')
    }
  })

  it('refuses a target, a time and an instant that are none', async () => {
    const said = async (...args: string[]): Promise<string> => {
      const ran = await project.cdp(args)
      expect(ran.code, args.join(' ')).toBe(2)
      return ran.stderr
    }
    expect(await said('--target', 'lcal', 'run')).toContain('no warehouse called "lcal"; it has local')
    expect(await said('--wait', 'soon', 'run')).toContain('is not a length of time')
    expect(await said('run', '--now', '2026-11-01')).toContain('Write it with its zone')
  })

  it('gives data on stdout as NDJSON and talk on stderr, and no colour into a pipe', async () => {
    const ran = await project.cdp(['run', '--full-refresh'])
    expect(ran.code).toBe(0)
    const steps = ['shop.customers', 'shop.orders', 'records', 'people', 'profiles', 'spending', 'spenders']
    expect(new Set(ran.rows.map((row) => row['step']))).toEqual(new Set(steps))
    expect(ran.stderr).toContain('steps done')
    expect(ran.stdout + ran.stderr).not.toContain('\u001B')
  })

  it('says nothing on stderr under --quiet, but for errors', async () => {
    expect(await project.cdp(['--quiet', 'run'])).toMatchObject({ code: 0, stderr: '' })
    expect((await project.cdp(['--quiet', 'query', 'select * from nowhere'])).stderr).toContain('nowhere')
  })

  it('goes on without a reader of its talk, and ends quietly without a reader of its data', async () => {
    const query = project.start(['query', 'select range as n from range(2000000)'])
    await query.said(/"n":0/)
    query.hangUp()
    expect(await query.ended).toMatchObject({ code: 0, signal: null, stderr: '' })
    const deaf = project.start(['run', '--full-refresh'])
    deaf.hangUp('stderr')
    const ran = await deaf.ended
    expect(ran.code).toBe(0)
    expect(ran.rows).toHaveLength(7)
  })

  it('reads only: a query cannot change the warehouse, and one that is refused says where', async () => {
    const before = await project.all('select count(*) as n from profiles')
    const write = await project.cdp(['query', 'delete from profiles'])
    expect(write.code).toBe(3)
    expect(write.stderr).toContain('read-only')
    expect(await project.all('select count(*) as n from profiles')).toEqual(before)
    const wrong = await project.cdp(['query', 'select *\nfrom profils'])
    expect(wrong.code).toBe(3)
    expect(wrong.stderr).toMatch(/Did you mean "profiles"\?[\s\S]*2 \| from profils\n\s*\|\s+\^/)
  })
})
