// Pairs of whole numbers between the warehouse and memory: out in batches, in through a file the engine reads itself.
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Warehouse } from '../warehouse/warehouse.ts'
import type { Work } from './work.ts'

/** Calls `take` with each row of a SELECT of two whole numbers. In a transaction, because only there a stream sees work tables. */
export const eachPair = (warehouse: Warehouse, select: string, take: (a: number, b: number) => void): Promise<void> =>
  warehouse.transaction(async () => {
    for await (const batch of warehouse.stream(select)) {
      const [a, b] = batch.values
      if (!a || !b) continue
      for (let row = 0; row < batch.rowCount; row++) take(Number(a[row]), Number(b[row]))
    }
  })

// Where `load` can write: it takes a relation of the engine's schema, not a table of the session.
const landing = { schema: 'cdp', name: 'identity_work_pairs' } as const

/** Makes a work table (x, p) of pairs that `write` puts one by one. */
export const loadPairs = async (
  work: Work,
  table: string,
  write: (put: (x: number, p: number) => void) => void,
): Promise<void> => {
  const { warehouse } = work
  const folder = mkdtempSync(join(tmpdir(), 'cdp-identity-'))
  try {
    const file = join(folder, 'pairs.csv')
    writeFile(file, write)
    await warehouse.transaction(async () => {
      const integer = warehouse.typeName('integer')
      await warehouse.run(
        `create or replace table ${warehouse.name(landing)} (${warehouse.quote('x')} ${integer}, ${warehouse.quote('p')} ${integer})`,
      )
      await warehouse.load(
        landing,
        ['x', 'p'],
        `select x, p from read_csv(${literal(file)}, header = false, auto_detect = false, delim = ',', columns = {'x': 'BIGINT', 'p': 'BIGINT'})`,
      )
      await work.make(table, `select x, p from ${warehouse.name(landing)}`)
      await warehouse.run(`drop table ${warehouse.name(landing)}`)
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

// The reader is always DuckDB.
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

const writeFile = (file: string, write: (put: (x: number, p: number) => void) => void): void => {
  const out = openSync(file, 'w')
  try {
    let lines: string[] = []
    write((x, p) => {
      lines.push(`${x},${p}`)
      if (lines.length < 50_000) return
      writeSync(out, `${lines.join('\n')}\n`)
      lines = []
    })
    if (lines.length > 0) writeSync(out, `${lines.join('\n')}\n`)
  } finally {
    closeSync(out)
  }
}
