// Files of the sources, as lines: CSV by RFC 4180 with LF, NDJSON with one object a line.

import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** What one written file holds: its path inside the folder and its rows (without the header, wrong lines included). */
export interface Written {
  readonly path: string
  readonly rows: number
}

const CHUNK = 2000

function* chunks(lines: readonly string[]): Generator<string> {
  for (let at = 0; at < lines.length; at += CHUNK) yield `${lines.slice(at, at + CHUNK).join('\n')}\n`
}

const writeLines = async (dir: string, path: string, lines: readonly string[]): Promise<void> => {
  const file = join(dir, path)
  await mkdir(dirname(file), { recursive: true })
  await pipeline(Readable.from(chunks(lines)), createWriteStream(file))
}

const cell = (value: string | number): string => {
  const text = String(value)
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export const writeCsv = async (
  dir: string,
  path: string,
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): Promise<Written> => {
  await writeLines(dir, path, [header.join(','), ...rows.map((cells) => cells.map(cell).join(','))])
  return { path, rows: rows.length }
}

export const writeNdjson = async (dir: string, path: string, rows: readonly object[]): Promise<Written> => {
  await writeLines(
    dir,
    path,
    rows.map((row) => JSON.stringify(row)),
  )
  return { path, rows: rows.length }
}

export const writeJson = async (dir: string, path: string, value: unknown): Promise<void> =>
  writeLines(dir, path, [JSON.stringify(value, null, 2)])
