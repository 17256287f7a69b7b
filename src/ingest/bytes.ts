// Bytes of a file, whether it is compressed or not. What the system or the compression refuses is STREAM_UNREADABLE.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { unreadable } from './unreadable.ts'

const chunkBytes = 1024 * 1024

/** The file's bytes in chunks, inflated when its name ends in `.gz`. */
export const chunksOf = async function* (path: string): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: chunkBytes })
  try {
    if (!path.endsWith('.gz')) {
      yield* file
      return
    }
    const inflated = createGunzip({ chunkSize: chunkBytes })
    file.on('error', (error) => inflated.destroy(error))
    yield* file.pipe(inflated)
  } catch (error) {
    throw unreadable(path, error)
  } finally {
    file.destroy()
  }
}

/** The first `limit` bytes, inflated; fewer when the file has no more. */
export const readBytes = async (path: string, limit: number): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunksOf(path)) {
    parts.push(chunk)
    size += chunk.length
    if (size >= limit) break
  }
  return Buffer.concat(parts).subarray(0, limit)
}

/**
 * SHA-256 of the file as it lies there, compressed or not. A compressed one is inflated too, to its end: the engine takes one that was
 * cut off for whole, and says nothing.
 */
export const hashFile = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  const chunks: AsyncIterable<Uint8Array> = createReadStream(path, { highWaterMark: chunkBytes })
  try {
    for await (const chunk of chunks) hash.update(chunk)
  } catch (error) {
    throw unreadable(path, error)
  }
  if (path.endsWith('.gz')) for await (const chunk of chunksOf(path)) void chunk
  return hash.digest('hex')
}
