// What a warehouse's test supplies to the contract, and the words its cases share.
import { fail } from 'node:assert/strict'
import { isCdpError, type CdpError, type ErrorCode } from '../core/errors.ts'
import type {
  ColumnType,
  OpenOptions,
  RelationName,
  Row,
  Statement,
  Supports,
  Warehouse,
} from '../warehouse/warehouse.ts'

/** What a warehouse's test supplies; each case gets a fresh one. */
export interface WarehouseHarness {
  /** Opens the case's own warehouse, empty at first; a further call is a further opening of the same one. Writes unless told. */
  readonly open: (options?: Partial<Omit<OpenOptions, 'root'>>) => Promise<Warehouse>
  /** An empty folder for files. */
  readonly folder: string
}

export interface WarehouseCase {
  readonly title: string
  /** The capability it is about; left out for warehouses without it. */
  readonly needs?: keyof Supports
  run(harness: WarehouseHarness): Promise<void>
}

/** A case that needs one open warehouse. */
export const onOne = (
  title: string,
  work: (warehouse: Warehouse, harness: WarehouseHarness) => Promise<void>,
  needs?: keyof Supports,
): WarehouseCase => ({
  title,
  ...(needs ? { needs } : {}),
  run: async (harness) => {
    const warehouse = await harness.open()
    try {
      await work(warehouse, harness)
    } finally {
      await warehouse.close()
    }
  },
})

export const raw = (name: string): RelationName => ({ schema: 'raw', name })

/** Where a type does not carry the digits after the point, a decimal has no zeros at its end. */
export const asKept = (w: Warehouse, type: ColumnType, value: unknown): unknown =>
  type.startsWith('decimal') && !w.typeName(type).includes('(') ? String(value).replace(/\.?0+$/, '') : value

/** The one row of a result. */
export const one = async (warehouse: Warehouse, statement: Statement): Promise<Row> => {
  const rows = await warehouse.all(statement)
  return rows.length === 1 && rows[0] ? rows[0] : fail(`expected one row, got ${rows.length}`)
}

export const count = async (warehouse: Warehouse, relation: RelationName): Promise<unknown> =>
  (await one(warehouse, `select count(*) as n from ${warehouse.name(relation)}`))['n']

/** A relation `raw.<name>` with a column `n` of 0, 1, … , 2^doublings - 1. */
export const numbers = async (warehouse: Warehouse, name: string, doublings: number): Promise<RelationName> => {
  const target = warehouse.name(raw(name))
  await warehouse.run(`create table ${target} (n ${warehouse.typeName('integer')})`)
  await warehouse.run(`insert into ${target} values (0)`)
  for (let power = 0; power < doublings; power++) {
    await warehouse.run(`insert into ${target} select n + ${2 ** power} from ${target}`)
  }
  return raw(name)
}

/** The error that work ends with, which must carry this code. */
export const refusal = async (code: ErrorCode, work: Promise<unknown>): Promise<CdpError> => {
  const error = await work.then(
    () => fail(`${code} was expected, and nothing was thrown`),
    (thrown: unknown) => thrown,
  )
  if (isCdpError(error) && error.code === code) return error
  throw error
}
