// One owner a sync: a file that says who delivers it. A second process is told; what a dead owner left is taken over.
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { CdpError } from '../core/errors.ts'
import type { Clock } from '../core/clock.ts'
import type { Seam } from './seam.ts'

export interface Owner {
  readonly host: string
  readonly pid: number
  /** When its process began, as the system counts: a pid that was given out again is not the owner. */
  readonly began: string
}

/** Who we are, and whether another owner still lives. */
export interface OwnerWorld {
  readonly self: Owner
  isAlive(owner: Owner): boolean
}

export interface Lease {
  release(): Promise<void>
}

interface LeaseFile extends Owner {
  readonly run: string
  /** Milliseconds since 1970, renewed while it is held. */
  readonly heartbeat: number
}

const heartbeatMs = 20_000
// A lease of another machine cannot be proved dead; this long without a heartbeat counts as dead.
const staleMs = 10 * 60_000

// Field 22 of /proc/<pid>/stat, counted after the name, which may hold spaces. Elsewhere only the pid tells.
const beganOf = (pid: number): string => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

export const thisWorld = (): OwnerWorld => ({
  self: { host: hostname(), pid: process.pid, began: beganOf(process.pid) },
  isAlive: (owner) => {
    try {
      process.kill(owner.pid, 0)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    }
    return owner.began === '' || owner.began === beganOf(owner.pid)
  },
})

const read = async (path: string): Promise<LeaseFile | undefined> => {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as LeaseFile
  } catch {
    // Gone, or torn by a crash: nobody holds it.
    return undefined
  }
}

/** Takes the lease, or throws SYNC_BUSY. The caller holds the warehouse, where only one writer can. */
export const takeLease = async (options: {
  readonly path: string
  readonly sync: string
  readonly run: string
  readonly clock: Clock
  readonly world: OwnerWorld
  readonly seam: Seam
}): Promise<Lease> => {
  const { path, sync, run, clock, world, seam } = options
  const content = (): string => JSON.stringify({ ...world.self, run, heartbeat: clock.now() } satisfies LeaseFile)
  // Written beside it and then put in place, so that nobody ever reads half of it.
  const own = `${path}.${world.self.pid}`
  const create = async (): Promise<boolean> => {
    seam('lease')
    try {
      await writeFile(own, content(), { mode: 0o600 })
      await link(own, path)
      return true
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
      throw error
    } finally {
      await rm(own, { force: true })
    }
  }
  await mkdir(dirname(path), { recursive: true })
  if (!(await create())) {
    const holder = await read(path)
    if (holder !== undefined && isHeld(holder, world, clock.now())) {
      throw new CdpError('SYNC_BUSY', { sync, holder: `pid ${holder.pid} on ${holder.host} (run ${holder.run})` })
    }
    // Only one of two that find a dead lease can move it away.
    const grave = `${own}.dead`
    await rename(path, grave).catch(() => undefined)
    await rm(grave, { force: true })
    if (!(await create())) throw new CdpError('SYNC_BUSY', { sync, holder: 'another run that has just begun' })
  }
  const beat = setInterval(() => {
    const renew = async (): Promise<void> => {
      // Whoever was taken for dead, by a clock that stood still, must not take the lease back.
      if (!isSame(await read(path), world.self, run)) {
        clearInterval(beat)
        return
      }
      await writeFile(own, content(), { mode: 0o600 })
      await rename(own, path)
    }
    renew().catch(() => undefined)
  }, heartbeatMs)
  beat.unref()
  return {
    release: async () => {
      clearInterval(beat)
      seam('lease')
      if (isSame(await read(path), world.self, run)) await rm(path, { force: true })
    },
  }
}

const isSame = (holder: LeaseFile | undefined, self: Owner, run: string): boolean =>
  holder?.pid === self.pid && holder.host === self.host && holder.began === self.began && holder.run === run

const isHeld = (holder: LeaseFile, world: OwnerWorld, now: number): boolean =>
  holder.host === world.self.host ? world.isAlive(holder) : now - holder.heartbeat < staleMs
