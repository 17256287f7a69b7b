// Real files, real processes: the warehouse is free while a vendor is awaited, one process owns a sync, and SIGKILL loses nothing.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { takeLease } from '../../src/sync/lease.ts'
import { createLab, type Lab, persons } from './lab.ts'

describe('a warehouse file', () => {
  let lab: Lab
  beforeEach(() => {
    lab = createLab({ destination: { limits: { batch: 5, inFlight: 2 } } }, { file: true })
  })
  afterEach(() => lab.close())

  it('is open to others while a vendor is awaited, and is told what came of it at the end', async () => {
    await lab.people(persons(20))
    const seen: unknown[] = []
    lab.memory.behave = async () => {
      const other = await lab.open('read').catch((error: unknown) => error)
      if (other instanceof Error) throw other
      const warehouse = other as Awaited<ReturnType<Lab['open']>>
      seen.push((await warehouse.all('select status from cdp.sync_runs'))[0])
      await warehouse.close()
      return undefined as never
    }
    lab.sync({ destination: { limits: { batch: 5, inFlight: 1 } } })
    expect(await lab.run()).toMatchObject({ status: 'done', delivered: 20 })
    expect(seen).toEqual(Array.from({ length: 4 }, () => ({ status: 'running' })))
  })

  it('gets what is known now and then during a long delivery', async () => {
    await lab.people(persons(40))
    const folded: number[] = []
    lab.memory.behave = async () => {
      lab.clock.advance(61_000)
      // Let a fold that has begun come to its end.
      for (let turn = 0; turn < 50; turn++) {
        const rows = await lab.query<{ n: number }>('select count(*) as n from cdp.sync_rows').catch(() => undefined)
        if (rows !== undefined) {
          folded.push(rows[0]?.n ?? 0)
          break
        }
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      return undefined as never
    }
    lab.sync({ destination: { limits: { batch: 5, inFlight: 1 } } })
    expect(await lab.run()).toMatchObject({ status: 'done', delivered: 40 })
    expect(Math.max(...folded)).toBeGreaterThan(0)
    expect(await lab.query('select count(*) as n, count(distinct seq) as ids from cdp.sync_log')).toEqual([
      { n: 40, ids: 40 },
    ])
  })

  it('that somebody holds at the end costs nothing: the next run writes it down', async () => {
    await lab.people(persons(5))
    let holder: Awaited<ReturnType<Lab['open']>> | undefined
    lab.memory.behave = async () => {
      holder ??= await lab.open('read')
      return undefined as never
    }
    const result = await lab.runAll()
    expect(result.exitKind).toBe('transient')
    expect(result.summaries[0]).toMatchObject({ delivered: 5, error: { code: 'WAREHOUSE_LOCKED' } })
    await holder?.close()
    lab.memory.behave = () => undefined
    expect(await lab.plan()).toMatchObject({ rows: { inSync: 5, toSend: 0 } })
    expect(await lab.run()).toMatchObject({ requests: 0 })
    expect(lab.memory.calls).toHaveLength(1)
  })

  it('leaves no journal, spool or lease behind', async () => {
    await lab.people(persons(5))
    await lab.run()
    for (const kind of ['journal/local/vips/1-1.ndjson', 'spool/local/vips', 'locks/local/vips.json']) {
      expect(existsSync(join(lab.root, '.cdp', kind))).toBe(false)
    }
  })
})

describe('a lease', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'cdp-lease-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  const take = (self: { pid: number; host?: string }, alive: readonly number[]) =>
    takeLease({
      path: join(root, 'locks', 'vips.json'),
      sync: 'vips',
      run: `run-${self.pid}`,
      clock: systemClock,
      seam: () => undefined,
      world: {
        self: { host: 'here', began: '1', ...self },
        isAlive: (owner) => alive.includes(owner.pid),
      },
    })

  it('has one owner; a second is told who it is', async () => {
    const first = await take({ pid: 1 }, [1])
    await expect(take({ pid: 2 }, [1])).rejects.toMatchObject({
      code: 'SYNC_BUSY',
      message: expect.stringContaining('pid 1 on here'),
    })
    await first.release()
    await (await take({ pid: 2 }, [1])).release()
  })

  it('of a dead owner is taken over, and the dead one cannot let it go any more', async () => {
    const first = await take({ pid: 1 }, [])
    const second = await take({ pid: 2 }, [])
    await first.release()
    await expect(take({ pid: 3 }, [2])).rejects.toMatchObject({ code: 'SYNC_BUSY' })
    await second.release()
  })

  it('of another machine counts until its heartbeat is old', async () => {
    const path = join(root, 'locks', 'vips.json')
    await (await take({ pid: 1 }, [])).release()
    writeFileSync(path, JSON.stringify({ host: 'there', pid: 9, began: '1', run: 'r', heartbeat: Date.now() - 60_000 }))
    await expect(take({ pid: 2 }, [])).rejects.toMatchObject({ code: 'SYNC_BUSY' })
    writeFileSync(
      path,
      JSON.stringify({ host: 'there', pid: 9, began: '1', run: 'r', heartbeat: Date.now() - 3_600_000 }),
    )
    await (await take({ pid: 2 }, [])).release()
  })

  it('that two take at once has one owner', async () => {
    const ends = await Promise.allSettled([1, 2, 3, 4].map((pid) => take({ pid }, [1, 2, 3, 4])))
    expect(ends.filter((end) => end.status === 'fulfilled')).toHaveLength(1)
    for (const end of ends) if (end.status === 'fulfilled') await end.value.release()
  })

  it('keeps a second run from a sync that is being delivered', async () => {
    const lab = createLab()
    await lab.people(persons(3))
    let second: Awaited<ReturnType<Lab['runAll']>> | undefined
    lab.memory.behave = async () => {
      second ??= await lab.runAll()
      return undefined as never
    }
    expect(await lab.run()).toMatchObject({ status: 'done', delivered: 3 })
    expect(second?.exitKind).toBe('transient')
    expect(second?.summaries[0]).toMatchObject({ status: 'busy', requests: 0, error: { code: 'SYNC_BUSY' } })
    expect(lab.memory.calls).toHaveLength(1)
    await lab.close()
  })
})

describe('SIGKILL', () => {
  let root: string
  let server: Server
  let url: string
  let held: Map<string, unknown>
  let got: string[]
  let slow: number
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'cdp-kill-'))
    held = new Map()
    got = []
    slow = 5
    server = createServer((request, response) => {
      let text = ''
      request.on('data', (part: Buffer) => (text += part.toString()))
      request.on('end', () => {
        const changes = JSON.parse(text) as { operation: string; key: { email: string }; record: unknown }[]
        for (const { operation, key, record } of changes) {
          got.push(key.email)
          if (operation === 'remove') held.delete(key.email)
          else held.set(key.email, record)
        }
        setTimeout(() => response.end('{}'), slow)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  })
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(root, { recursive: true, force: true })
  })

  const child = (rows: number, first: number): ChildProcess =>
    spawn(process.execPath, ['--import', 'jiti/register', new URL('./child.ts', import.meta.url).pathname], {
      env: { ...process.env, SYNC_ROOT: root, SYNC_URL: url, SYNC_ROWS: String(rows), SYNC_FIRST: String(first) },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  const end = (process: ChildProcess): Promise<string> =>
    new Promise((resolve) => {
      let text = ''
      process.stdout?.on('data', (part: Buffer) => (text += part.toString()))
      process.on('close', () => resolve(text))
    })

  it.each([1, 3, 7, 12])(
    'after %i calls loses nothing and leaves nobody behind',
    { timeout: 120_000 },
    async (calls) => {
      const first = child(400, 1)
      await new Promise<void>((resolve) => {
        server.on('request', () => {
          if (got.length >= calls * 20) resolve()
        })
      })
      first.kill('SIGKILL')
      await end(first)
      // Meanwhile half of them left and others came.
      slow = 0
      const summary = JSON.parse(await end(child(400, 201))) as { status: string; unknown: number; delivered: number }
      expect(summary.status).toBe('done')
      expect([...held.keys()].toSorted()).toEqual(
        persons(400, 201)
          .map((row) => row.email)
          .toSorted(),
      )
      // What the first process had journaled is not sent again: at most the window is.
      expect(JSON.parse(await end(child(400, 201)))).toMatchObject({ status: 'unchanged', requests: 0 })
      expect(readFileSync(join(root, 'child.log'), 'utf8')).toContain('possibly delivered')
    },
  )
})
