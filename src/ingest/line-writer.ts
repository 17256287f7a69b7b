// Lines into a file, buffered, with the writer's backpressure: constant memory whatever is written.
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { CdpError, reasonOf } from '../core/errors.ts'
import { codeOf } from './errno.ts'

export interface LineWriter {
  line(text: string): void
  bytes(line: Uint8Array): void
  /** Resolves when little is waiting to be written. */
  drained(): Promise<void>
  close(): Promise<void>
}

const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** WAREHOUSE_FULL for a full disk; what else the system throws as it is. */
export const writeError = (error: unknown): unknown =>
  full.has(codeOf(error) ?? '') ? new CdpError('WAREHOUSE_FULL', { reason: reasonOf(error) }, { cause: error }) : error

export const openLines = (path: string): LineWriter => {
  const stream = createWriteStream(path, { highWaterMark: 4 * 1024 * 1024 })
  let failure: unknown
  stream.on('error', (error) => (failure ??= writeError(error)))
  let buffer = Buffer.allocUnsafe(256 * 1024)
  let used = 0
  const flush = (): void => {
    if (used === 0) return
    stream.write(buffer.subarray(0, used))
    buffer = Buffer.allocUnsafe(256 * 1024)
    used = 0
  }
  const bytes = (line: Uint8Array): void => {
    if (used + line.length + 1 > buffer.length) flush()
    if (line.length + 1 > buffer.length) {
      stream.write(line.slice())
      buffer[used++] = 10
      return
    }
    buffer.set(line, used)
    used += line.length
    buffer[used++] = 10
  }
  return {
    bytes,
    line: (text) => bytes(Buffer.from(text, 'utf8')),
    drained: async () => {
      if (failure !== undefined) throw failure
      if (!stream.writableNeedDrain) return
      await new Promise<void>((done) => {
        stream.once('drain', done)
        stream.once('close', done)
      })
      if (failure !== undefined) throw failure
    },
    close: async () => {
      flush()
      stream.end()
      await finished(stream).catch((error: unknown) => {
        throw failure ?? writeError(error)
      })
      if (failure !== undefined) throw failure
    },
  }
}
