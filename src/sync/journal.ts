// The journal of one run of a sync: what is about to be sent and what became of it, on the disk before anything is relied on.
// The warehouse is not held while a vendor is awaited, so this is where the truth is until it is folded into cdp.sync_log.
import { mkdir, open, readdir, rm, truncate, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import { CdpError, reasonOf } from '../core/errors.ts'
import type { Outcome } from './destination.ts'
import type { Mirror } from './mirror.ts'
import type { Seam } from './seam.ts'

/** Removals and all else are sent one after the other; each is counted by itself. */
export type Phase = 'remove' | 'write'

export interface Journal {
  /** Rows of a phase up to plan number `upTo` may be sent from now on. For destinations of state. */
  window(phase: Phase, upTo: number): void
  /** Row `n` goes out with this call. For messages. */
  intent(n: number, call: number): void
  outcome(n: number, call: number, outcome: Outcome): void
  /** Resolves when all of the above is on the disk, and in the mirror. Throws SYNC_JOURNAL. */
  flush(): Promise<void>
  /** Closes the part being written and begins another; undefined when nothing is in it. */
  rotate(): Promise<string | undefined>
  /** Marks an orderly end: rows without an outcome were not sent. */
  end(): Promise<void>
  close(): Promise<void>
}

export interface JournalFile {
  readonly path: string
  readonly epoch: number
  readonly part: number
}

const detailOf = (outcome: Outcome): Record<string, unknown> => {
  if (outcome.status === 'delivered') return { r: outcome.note, f: outcome.reference }
  if (outcome.status === 'pending') return { j: outcome.job }
  return outcome.status === 'retry' ? { r: outcome.reason, w: outcome.afterMs } : { r: outcome.reason }
}

/** Starts the journal of an epoch; entries are numbered from `firstSeq`. A stale one of the same number is overwritten. */
export const openJournal = async (options: {
  readonly folder: string
  readonly sync: string
  readonly epoch: number
  readonly firstSeq: number
  readonly clock: Clock
  readonly seam: Seam
  readonly mirror: Mirror | undefined
}): Promise<Journal> => {
  const { folder, sync, epoch, clock, seam, mirror } = options
  let seq = options.firstSeq
  let part = 1
  let lines = ''
  let dirty = false
  let closed = false
  const windows: Record<Phase, number> = { remove: 0, write: 0 }
  const windowLine = (phase: Phase): string => `{"k":"w","p":"${phase}","h":${windows[phase]}}\n`
  const pathOf = (number: number): string => join(folder, `${epoch}-${number}.ndjson`)
  const onDisk = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw new CdpError('SYNC_JOURNAL', { sync, path: pathOf(part), reason: reasonOf(error) }, { cause: error })
    }
  }
  const append = async (handle: FileHandle, text: string): Promise<void> => {
    seam('flush')
    await onDisk(async () => {
      await handle.write(text)
      await handle.datasync()
      await mirror?.write(text)
    })
    seam('flushed')
  }
  const start = async (): Promise<FileHandle> => {
    const handle = await onDisk(async () => {
      await mkdir(folder, { recursive: true })
      return open(pathOf(part), 'w', 0o600)
    })
    const head = `{"k":"h","sync":${JSON.stringify(sync)},"epoch":${epoch},"part":${part}}\n`
    try {
      await append(handle, `${head}${windowLine('remove')}${windowLine('write')}`)
    } catch (error) {
      await handle.close()
      throw error
    }
    dirty = false
    return handle
  }
  const write = async (): Promise<void> => {
    if (lines === '') return
    const text = lines
    lines = ''
    dirty = true
    await append(file, text)
  }
  let file = await start()
  // One writes at a time; all who ask meanwhile share the next write.
  let tail: Promise<unknown> = Promise.resolve()
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = tail.then(work)
    tail = turn.catch(() => undefined)
    return turn
  }
  let waiting: Promise<void> | undefined
  const flush = (): Promise<void> =>
    (waiting ??= alone(() => {
      waiting = undefined
      return write()
    }))

  return {
    window: (phase, upTo) => {
      windows[phase] = upTo
      lines += windowLine(phase)
    },
    intent: (n, call) => {
      lines += `{"k":"i","q":${seq++},"n":${n},"t":${clock.now()},"a":${call}}\n`
    },
    outcome: (n, call, outcome) => {
      const detail = JSON.stringify(detailOf(outcome)).slice(1, -1)
      lines += `{"k":"o","q":${seq++},"n":${n},"t":${clock.now()},"a":${call},"s":"${outcome.status}"${detail === '' ? '' : `,${detail}`}}\n`
    },
    flush,
    rotate: () =>
      alone(async () => {
        await write()
        if (!dirty) return undefined
        const [done, old] = [pathOf(part), file]
        part += 1
        file = await start()
        await old.close()
        return done
      }),
    end: async () => {
      lines += '{"k":"e"}\n'
      await flush()
    },
    close: async () => {
      if (closed) return
      closed = true
      await alone(() => file.close())
    },
  }
}

/** Journals on the disk, oldest first. */
export const findJournals = async (folder: string): Promise<JournalFile[]> => {
  const names = await readdir(folder).catch(() => [])
  return names
    .flatMap((name) => {
      const match = /^(\d+)-(\d+)\.ndjson$/.exec(name)
      return match === null ? [] : [{ path: join(folder, name), epoch: Number(match[1]), part: Number(match[2]) }]
    })
    .toSorted((a, b) => a.epoch - b.epoch || a.part - b.part)
}

/** Cuts a last line that its process did not finish: the engine's reader would take the good line after it for null. */
export const cutTornTail = async (path: string): Promise<void> => {
  const file = await open(path, 'r+')
  try {
    const { size } = await file.stat()
    const chunk = Buffer.alloc(64 * 1024)
    for (let end = size; end > 0;) {
      const start = Math.max(0, end - chunk.length)
      const { bytesRead } = await file.read(chunk, 0, end - start, start)
      const newline = chunk.subarray(0, bytesRead).lastIndexOf(10)
      if (newline >= 0) {
        await truncate(path, start + newline + 1)
        return
      }
      end = start
    }
    await truncate(path, 0)
  } finally {
    await file.close()
  }
}

export const removeFiles = async (paths: readonly string[], seam: Seam): Promise<void> => {
  for (const path of paths) {
    seam('clean')
    await rm(path, { force: true, recursive: true })
  }
}
