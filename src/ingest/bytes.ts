// Bytes of a file, whether it is compressed or not.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'

const chunkBytes = 1024 * 1024

/** The file's bytes in chunks, inflated when its name ends in `.gz`. */
export const chunksOf = (path: string): AsyncIterable<Uint8Array> => {
  const file = createReadStream(path, { highWaterMark: chunkBytes })
  if (!path.endsWith('.gz')) return file
  const inflated = createGunzip({ chunkSize: chunkBytes })
  file.on('error', (error) => inflated.destroy(error))
  return file.pipe(inflated)
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

/** SHA-256 of the file as it lies there, compressed or not. */
export const hashFile = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  const chunks: AsyncIterable<Uint8Array> = createReadStream(path, { highWaterMark: chunkBytes })
  for await (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}
