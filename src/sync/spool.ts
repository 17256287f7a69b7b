// The plan on its way out: rows read back from the spool in order, a part of the file at a time.
import { open } from 'node:fs/promises'
import type { Operation } from './destination.ts'

export interface SpoolRow {
  /** Its number in the plan. */
  readonly n: number
  /** `same`: in a snapshot, a row at which nothing was to be sent. */
  readonly action: 'send' | 'poll' | 'same'
  readonly op: Operation
  readonly id: string
  /** Texts of JSON objects: an engine that reads them might order their members anew. */
  readonly key: string
  readonly record: string | null
  readonly ref: string | null
  readonly job: string | null
  /** Of a poll: the log entry that took it into its job, to keep the job's order. */
  readonly le: number | null
  readonly ls: number | null
}

const chunkBytes = 256 * 1024

/** The lines of a file as objects, some at a time. */
export const readLines = async function* <T>(path: string): AsyncGenerator<T[]> {
  const file = await open(path, 'r')
  try {
    const chunk = Buffer.alloc(chunkBytes)
    let rest: Buffer[] = []
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, chunkBytes)
      if (bytesRead === 0) break
      const part = chunk.subarray(0, bytesRead)
      const end = part.lastIndexOf(10)
      if (end < 0) {
        rest.push(Buffer.from(part))
        continue
      }
      const text = Buffer.concat([...rest, part.subarray(0, end)]).toString('utf8')
      rest = [Buffer.from(part.subarray(end + 1))]
      yield text.split('\n').map((line) => JSON.parse(line) as T)
    }
    const last = Buffer.concat(rest).toString('utf8').trim()
    if (last !== '') yield [JSON.parse(last) as T]
  } finally {
    await file.close()
  }
}
