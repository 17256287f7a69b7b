// Rows of the REST API as the seam's values. The way from a field to its values is chosen once a result.
import { timestampText } from '../duckdb/value-text.ts'
import type { Batch, Column, Value } from '../warehouse.ts'
import { columnsOf, type Field, type TableSchema } from './schema.ts'

/** A value as the service sends it: scalars as text, lists and structs nested. */
type Raw = string | null | readonly { readonly v: Raw }[] | RawRow
export interface RawRow {
  readonly f: readonly { readonly v: Raw }[]
}

type Read = (raw: Raw) => Value

const text =
  (read: (value: string) => Value): Read =>
  (raw) =>
    raw === null ? null : read(raw as string)

export const integer = (value: string | number | bigint): Value => {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : BigInt(value)
}

const doubles: Readonly<Record<string, number>> = {
  Infinity: Infinity,
  '-Infinity': -Infinity,
  inf: Infinity,
  '-inf': -Infinity,
}

// The service writes 1.1 for NUMERIC 1.10; others keep the zeros.
export const decimal = (value: string): string => (value.includes('.') ? value.replace(/\.?0+$/, '') : value)

// A civil time has no zone; on every engine it is written as an instant of UTC.
const civil = (value: string): string =>
  `${value.replace(' ', 'T').replace(/\.?0+$/, (zeros) => (zeros.startsWith('.') || value.includes('.') ? '' : zeros))}Z`

const scalars: Readonly<Record<string, Read>> = {
  INTEGER: text(integer),
  INT64: text(integer),
  FLOAT: text((value) => doubles[value] ?? Number(value)),
  FLOAT64: text((value) => doubles[value] ?? Number(value)),
  BOOLEAN: text((value) => value === 'true'),
  BOOL: text((value) => value === 'true'),
  NUMERIC: text(decimal),
  BIGNUMERIC: text(decimal),
  BYTES: text((value) => new Uint8Array(Buffer.from(value, 'base64'))),
  // Asked for as whole microseconds.
  TIMESTAMP: text((value) => timestampText(BigInt(value), 6)),
  DATETIME: text(civil),
  TIME: text((value) => (value.includes('.') ? value.replace(/\.?0+$/, '') : value)),
}

const readerOf = (field: Field): Read => {
  const single =
    field.type === 'RECORD' || field.type === 'STRUCT'
      ? structs(field)
      : (scalars[field.type] ?? text((value) => value))
  if (field.mode !== 'REPEATED') return single
  return (raw) => ((raw ?? []) as readonly { readonly v: Raw }[]).map((item) => single(item.v))
}

const structs = (field: Field): Read => {
  const fields = (field.fields ?? []).map((inner) => ({ name: inner.name, read: readerOf(inner) }))
  return (raw) =>
    raw === null
      ? null
      : Object.fromEntries(fields.map(({ name, read }, at) => [name, read((raw as RawRow).f[at]?.v ?? null)]))
}

/** What is the same for every page of a result: its columns, and the function that turns rows into a batch. */
export const batchReader = (
  schema: TableSchema | undefined,
): { readonly columns: readonly Column[]; readonly read: (rows: readonly RawRow[]) => Batch } => {
  const columns = columnsOf(schema)
  const readers = (schema?.fields ?? []).map(readerOf)
  return {
    columns,
    read: (rows) => ({
      columns,
      rowCount: rows.length,
      values: readers.map((read, at) => rows.map((row) => read(row.f[at]?.v ?? null))),
    }),
  }
}
