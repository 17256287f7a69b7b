// A result as NDJSON in a file: written beside it, flushed to the disk, then renamed, so that a reader finds all of it or none.
import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Column, Statement } from '../warehouse.ts'
import type { DuckDbSession } from './session.ts'
import { literal, quote } from './text.ts'

/**
 * One object a row, values as `stream` gives them: DECIMAL as its text, instants as `2026-10-01T08:00:00Z`, bytes as base64, JSON
 * embedded as it is, NaN and infinities as null, integers with all their digits. Inside lists and structs the engine's own
 * spelling is kept.
 */
export const unload = async (session: DuckDbSession, statement: Statement, path: string): Promise<number> => {
  const sql = typeof statement === 'string' ? statement : statement.sql
  const parameters = typeof statement === 'string' ? [] : statement.parameters
  const columns = await session.columns(statement)
  const names = columns.map((_, at) => `c${at}`)
  const list = columns.map((column, at) => `${spelled(`c${at}`, column)} as ${quote(column.name)}`)
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`
  await mkdir(dirname(path), { recursive: true })
  try {
    const { changed } = await session.run({
      sql: `copy (select ${list.join(', ')} from (${sql}\n) as t(${names.join(', ')})) to ${literal(temporary)} (format json, array false)`,
      parameters,
    })
    const file = await open(temporary, 'r+')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
    return changed
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

const spelled = (name: string, column: Column): string => {
  const { type } = column
  if (type.startsWith('DECIMAL(')) return `cast(${name} as varchar)`
  if (/^(TIMESTAMP|TIMESTAMP WITH TIME ZONE|TIMESTAMP_S|TIMESTAMP_MS|TIMESTAMP_NS)$/.test(type)) return instant(name)
  if (type === 'BLOB') return `base64(${name})`
  if (type === 'DOUBLE' || type === 'FLOAT') return `case when isfinite(${name}) then ${name} end`
  return name
}

const instant = (name: string): string =>
  `case when isfinite(${name}) then regexp_replace(strftime(${name}, '%Y-%m-%dT%H:%M:%S.%f'), '\\.?0*$', '') || 'Z' else cast(${name} as varchar) end`
