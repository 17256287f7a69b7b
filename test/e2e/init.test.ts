// A newcomer's first minutes: an empty folder, the sandbox, and what is told at a terminal.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cleanUp, patience, program, projectOf, type Project, type Running } from './project.ts'

const works = (command: string): boolean => {
  try {
    execFileSync('bash', ['-c', command], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}

describe('a new project', { timeout: patience }, () => {
  let project: Project
  let sandbox: Running
  let url = ''
  const held = async (): Promise<unknown> => (await fetch(`${url}/_sandbox/webhook`)).json()

  beforeAll(async () => {
    project = projectOf({})
    sandbox = project.start(['sandbox', '--port', '0'])
    url = (await sandbox.said(/"url":"([^"]+)"/))[1] ?? ''
  }, patience)
  afterAll(cleanUp)

  it('is written into an empty folder, and never over something', async () => {
    const ran = await project.must(['init', 'my-shop'])
    expect(ran.rows).toContainEqual({ written: 'models/segments/big_spenders.sql' })
    expect(ran.stderr).toContain('cd my-shop && npm install && npx cdp run && npx cdp plan')
    const config = project.text('my-shop/cdp.config.ts')
    project.write('my-shop/cdp.config.ts', `${config}// mine\n`)
    const again = await project.cdp(['init', 'my-shop'])
    expect(again.code).toBe(2)
    expect(again.stderr).toContain('cdp.config.ts')
    expect(project.text('my-shop/cdp.config.ts')).toBe(`${config}// mine\n`)
  })

  it('checks, runs, plans and syncs as it is, against the sandbox', async () => {
    const cwd = join(project.folder, 'my-shop')
    const env = { WEBHOOK_URL: `${url}/webhook` }
    const cdp = (...args: string[]) => project.must(args, { cwd, env })
    expect((await cdp('check')).rows).toMatchObject([{ streams: 1, models: 3, syncs: 1 }])
    expect((await cdp('run')).rows.map((row) => [row['step'], row['status']])).toEqual([
      ['shop.customers', 'done'],
      ['customers', 'done'],
      ['profiles', 'done'],
      ['big_spenders', 'done'],
    ])
    expect((await cdp('plan')).rows).toMatchObject([
      {
        type: 'sync',
        sync: 'big-spenders',
        added: 1,
        samples: [{ operation: 'upsert', key: { email: 'an.nguyen@example.com' }, record: { spent: 1_550_000 } }],
      },
    ])
    expect(await held()).toMatchObject({ audiences: {} })
    expect((await cdp('sync')).rows).toMatchObject([{ delivered: 1 }])
    const audience = { 'an.nguyen@example.com': { name: 'Nguyen Van An', spent: 1_550_000 } }
    expect(await held()).toMatchObject({ audiences: { 'big-spenders': audience } })
    expect((await cdp('run')).stderr).toContain('Nothing to do')
    expect((await cdp('sync')).stderr).toContain('Nothing to send')
    expect((await cdp('test')).rows.map((row) => row['rows'])).toEqual([0, 0])
    expect((await cdp('explain', 'person', '0912 345 678')).stdout).toContain('Nguyễn Văn An')
    expect((await cdp('status')).rows).toContainEqual(expect.objectContaining({ type: 'sync', in_sync: 1 }))
  })

  it('at a terminal is told in tables, in colour unless NO_COLOR, and as NDJSON under --json', async ({ skip }) => {
    skip(!works('script --version'), 'there is no program `script` to make a terminal with')
    const cwd = join(project.folder, 'my-shop')
    const atTerminal = (args: string, env: Readonly<Record<string, string>> = {}): string => {
      const log = join(project.folder, 'terminal.log')
      const command = `stty cols 100; "${process.execPath}" "${program}" ${args}`
      const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== 'NO_COLOR'))
      execFileSync('script', ['-qec', command, log], { cwd, env: { ...plain, ...env }, stdio: 'pipe' })
      return readFileSync(log, 'utf8').replaceAll('\r', '')
    }
    const query = `query "select full_name, spent from profiles order by spent desc"`
    expect(atTerminal(query)).toMatch(/full_name +spent\n─+ {2}─+\nNguyen Van An +1,?550,?000/)
    expect(atTerminal(`--json ${query}`)).toContain('{"full_name":"Nguyen Van An","spent":"1550000.00"}')
    const wrong = `run --select nowhere || true`
    expect(atTerminal(wrong)).toContain('\u001B[31merror\u001B[0m')
    expect(atTerminal(wrong, { NO_COLOR: '1' })).not.toContain('\u001B[')
    expect(atTerminal(`--no-color ${wrong}`)).not.toContain('\u001B[')
  })

  it('has a sandbox that stops when it is told to', async () => {
    sandbox.kill('SIGTERM')
    expect(await sandbox.ended).toMatchObject({ code: 0 })
  })
})
