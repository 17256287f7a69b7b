// A sync's columns against those that `from` really has: what each key and field is made of, with its type.
import { CdpError } from '../core/errors.ts'
import { fingerprint } from '../core/hash.ts'
import type { Json } from '../core/json.ts'
import { didYouMean } from '../core/nearest.ts'
import type { Column, Warehouse } from '../warehouse/warehouse.ts'
import type { SyncInput, SyncSpec } from './spec.ts'

/** A match key or mapped field: a column of `from` (as `column`), or a constant. */
export interface Part {
  readonly name: string
  readonly column: string | undefined
  readonly type: string
  /** JSON text in NFC, of a constant. */
  readonly constant: string | undefined
}

export interface Shape {
  readonly keys: readonly Part[]
  readonly fields: readonly Part[]
  /** Columns of `from` that are read, each once. */
  readonly columns: readonly string[]
  /** Their types. */
  readonly types: Readonly<Record<string, string>>
  readonly hasPerson: boolean
  readonly isView: boolean
  /** What a field is made of, to tell a changed map from changed data: name -> column or constant. */
  readonly map: Readonly<Record<string, string>>
}

const sourceOf = (value: SyncSpec['map'][string]): string =>
  typeof value === 'string' ? `column ${value}` : `constant ${JSON.stringify(value.value)}`

const nfc = (value: Json): string => JSON.stringify(value).normalize('NFC')

/** Throws SYNC_FROM_MISSING, SYNC_COLUMN and SYNC_PERSON. Reads names and types only. */
export const shapeOf = async (warehouse: Warehouse, { spec }: SyncInput): Promise<Shape> => {
  const relation = (await warehouse.relations('models')).find(({ name }) => name === spec.from)
  if (relation === undefined) throw new CdpError('SYNC_FROM_MISSING', { sync: spec.id, from: spec.from })
  const columns = await warehouse.describe(`select * from ${warehouse.name({ schema: 'models', name: spec.from })}`)
  const found = new Map(columns.map((column) => [column.name.toLowerCase(), column]))
  const column = (name: string): Column => {
    const match = found.get(name.toLowerCase())
    if (match !== undefined) return match
    throw new CdpError('SYNC_COLUMN', {
      sync: spec.id,
      from: spec.from,
      column: name,
      near: didYouMean(name, found.keys()),
    })
  }
  const fromColumn = (name: string, source: string): Part => {
    const { name: real, type } = column(source)
    return { name, column: real, type, constant: undefined }
  }
  const keys = Object.entries(spec.key)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, source]) => fromColumn(name, source))
  const fields = Object.entries(spec.map).map(([name, value]) =>
    typeof value === 'string'
      ? fromColumn(name, value)
      : { name, column: undefined, type: 'constant', constant: value.value === null ? undefined : nfc(value.value) },
  )
  const hasPerson = found.has('person_id')
  if (spec.purpose !== undefined && !hasPerson) throw new CdpError('SYNC_PERSON', { sync: spec.id, from: spec.from })
  return {
    keys,
    fields,
    columns: [...new Set([...keys, ...fields].flatMap((part) => (part.column === undefined ? [] : [part.column])))],
    types: Object.fromEntries(columns.map(({ name, type }) => [name, type])),
    hasPerson,
    isView: relation.isView,
    map: Object.fromEntries(Object.entries(spec.map).map(([name, value]) => [name, sourceOf(value)])),
  }
}

/** Changes with the map, so that every row is then compared field by field once. */
export const mapFingerprint = (spec: SyncSpec): string => fingerprint([spec.key, spec.map, spec.clear])
