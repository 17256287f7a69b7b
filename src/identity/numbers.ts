// Whole numbers from memory to the warehouse, through a file that the reader reads.
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Reader } from '../warehouse/warehouse.ts'

/** Takes a row of two or three whole numbers. */
export type Put = (a: number, b: number, c?: number) => void

/** `use` gets a SELECT over the reader of the rows that `write` puts; it is not called when there are none. */
export const writingNumbers = async (
  reader: Reader,
  columns: readonly string[],
  write: (put: Put) => void,
  use: (readerSelect: string) => Promise<void>,
): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'cdp-identity-'))
  try {
    const file = join(folder, 'numbers.csv')
    if (!writeFile(file, write)) return
    const types = columns.map((column) => `${reader.literal(column)}: 'BIGINT'`)
    await use(
      `select ${columns.map((column) => reader.quote(column)).join(', ')} from read_csv(${reader.literal(file)}, header = false, auto_detect = false, delim = ',', columns = {${types.join(', ')}})`,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const writeFile = (file: string, write: (put: Put) => void): boolean => {
  const out = openSync(file, 'w')
  let some = false
  try {
    let lines: string[] = []
    write((a, b, c) => {
      some = true
      lines.push(c === undefined ? `${a},${b}` : `${a},${b},${c}`)
      if (lines.length < 50_000) return
      writeSync(out, `${lines.join('\n')}\n`)
      lines = []
    })
    if (lines.length > 0) writeSync(out, `${lines.join('\n')}\n`)
  } finally {
    closeSync(out)
  }
  return some
}
