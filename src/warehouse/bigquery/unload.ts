// A result as NDJSON in a file: written beside it page by page, flushed to the disk, then renamed, so that a reader finds all or none.
import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Batch, Session, Statement, Value } from '../warehouse.ts'

/** Values as `stream` gives them: bytes as base64, JSON embedded as it is, NaN and infinities as null, integers with all their digits. */
export const unload = async (session: Session, statement: Statement, path: string): Promise<number> => {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`
  await mkdir(dirname(path), { recursive: true })
  try {
    let rows = 0
    const file = await open(temporary, 'w')
    try {
      for await (const batch of session.stream(statement)) {
        await file.appendFile(linesOf(batch))
        rows += batch.rowCount
      }
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
    return rows
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

// Makes the rename itself survive a loss of power; not every system can open a folder.
const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

const linesOf = ({ columns, rowCount, values }: Batch): string => {
  const names = columns.map(({ name }) => JSON.stringify(name))
  let text = ''
  for (let row = 0; row < rowCount; row++) {
    const fields = columns.map(({ type }, at) => {
      const value = values[at]?.[row] ?? null
      return `${names[at] ?? ''}:${type === 'JSON' && typeof value === 'string' ? value : jsonOf(value)}`
    })
    text += `{${fields.join(',')}}\n`
  }
  return text
}

const jsonOf = (value: Value): string => {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'))
  if (isList(value)) return `[${value.map(jsonOf).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, inner]) => `${JSON.stringify(key)}:${jsonOf(inner)}`)
      .join(',')}}`
  }
  return JSON.stringify(value)
}

const isList = (value: Value): value is readonly Value[] => Array.isArray(value)
