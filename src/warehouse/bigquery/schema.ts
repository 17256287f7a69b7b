// Schemas of the REST API as types in SQL's words.
import type { Column } from '../warehouse.ts'
import { quote } from './text.ts'

export interface Field {
  readonly name: string
  readonly type: string
  readonly mode?: string
  readonly fields?: readonly Field[]
  readonly rangeElementType?: { readonly type: string }
}

export interface TableSchema {
  readonly fields?: readonly Field[]
}

const words: Readonly<Record<string, string>> = {
  INTEGER: 'INT64',
  FLOAT: 'FLOAT64',
  BOOLEAN: 'BOOL',
}

/** `INT64`, `ARRAY<STRING>`, ``STRUCT<`a` INT64>``; NUMERIC without precision, as an expression has it. */
export const typeText = (field: Field): string => {
  const single = singleType(field)
  return field.mode === 'REPEATED' ? `ARRAY<${single}>` : single
}

const singleType = ({ type, fields, rangeElementType }: Field): string => {
  if (type === 'RECORD' || type === 'STRUCT') {
    return `STRUCT<${(fields ?? []).map((inner) => `${quote(inner.name)} ${typeText(inner)}`).join(', ')}>`
  }
  if (type === 'RANGE') return `RANGE<${rangeElementType?.type ?? 'DATE'}>`
  return words[type] ?? type
}

export const columnsOf = (schema: TableSchema | undefined): Column[] =>
  (schema?.fields ?? []).map((field) => ({ name: field.name, type: typeText(field) }))
