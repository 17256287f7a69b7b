// What a configuration and a sync must look like, for zod. The types an editor shows are in the define files; this is their check at run time.
import { z } from 'zod'
import { hasBrand } from '../core/brand.ts'
import { isSecret, type Setting } from '../core/secret.ts'
import { definitionOf } from '../models/zod-problems.ts'

const setting = z.custom<Setting>((value) => typeof value === 'string' || isSecret(value), {
  message: 'must be text or env(…)',
})
const zone = z.string().refine(isZone, { message: 'must be a time zone such as Asia/Ho_Chi_Minh or UTC' })
const name = z.string().regex(/^[a-z][a-z0-9_]*$/, {
  message:
    'must be lower-case letters, digits and underscores, starting with a letter, because it is part of raw.<source>_<stream>',
})
const columnType = z.string().regex(/^(integer|double|boolean|date|timestamp|text|json|decimal\(\d+, ?\d+\))$/, {
  message: 'must be integer, decimal(18,2), double, boolean, date, timestamp, text or json',
})

function isZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

const scan = z.strictObject({
  kind: z.literal('scan'),
  path: setting,
  format: z.enum(['csv', 'ndjson', 'json', 'parquet', 'lines']).optional(),
  csv: z
    .strictObject({
      delimiter: z.string().optional(),
      quote: z.string().optional(),
      header: z.boolean().optional(),
      columns: z.array(z.string()).optional(),
    })
    .optional(),
})
const pages = z.looseObject({
  kind: z.literal('pages'),
  settings: z.array(z.unknown()).optional(),
  read: z.custom<unknown>((value) => typeof value === 'function', { message: 'must be a function' }),
})

const stream = z.strictObject({
  key: z.array(z.string()).min(1).optional(),
  cursor: z.string().optional(),
  full: z.boolean().optional(),
  types: z.record(z.string(), columnType).optional(),
  timeZone: zone.optional(),
  maxQuarantined: z.number().min(0).max(1).optional(),
  lines: z.boolean().optional(),
  from: z.discriminatedUnion('kind', [scan, pages]),
})

const source = z
  .custom<unknown>((value) => hasBrand('source', value), {
    message: 'must be a source, which is what a connector’s function returns',
  })
  .pipe(z.object({ streams: z.record(name, stream) }))

const warehouse = z.object(
  { module: z.string(), engine: z.string(), settings: z.record(z.string(), z.unknown()) },
  { error: 'must be a warehouse, such as duckdb({ path: "…" })' },
)

const filled = (value: object): boolean => Object.keys(value).length > 0

export const projectSchema = z.strictObject({
  name: z.string().min(1),
  region: z
    .string()
    .regex(/^[A-Z]{2}$/, { message: 'must be the two capital letters of a country, such as VN' })
    .default(''),
  timeZone: zone.default('UTC'),
  warehouses: z.record(z.string().regex(/^[\w-]+$/), warehouse).refine(filled, { message: 'must name at least one' }),
  sources: z.record(name, source),
  syncs: z.string().default('syncs'),
  models: z.string().default('models'),
  consent: z.string().optional(),
  requirePurpose: z.boolean().default(false),
  schedule: z
    .record(z.string(), z.strictObject({ run: z.string().optional(), sync: z.string().optional() }))
    .default({}),
})

const bound = z
  .union([z.number().int().nonnegative(), z.string()])
  .refine((value) => typeof value === 'number' || /^\d+(\.\d+)?%$/.test(value), {
    message: 'must be a count such as 100, or a percent such as "20%"',
  })

export const syncSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[\w.-]+$/, { message: 'must be letters, digits, dots, dashes and underscores' })
    .optional(),
  from: z.string(),
  to: z.custom<unknown>((value) => hasBrand('destination', value), {
    message: 'must be a destination, which is what a connector’s function returns',
  }),
  key: z.record(z.string(), z.string()).refine(filled, { message: 'must name at least one match key' }),
  map: z.record(z.string(), z.union([z.string(), z.strictObject({ value: z.json() })])).default({}),
  mode: z.enum(['upsert', 'update', 'insert', 'mirror', 'append']),
  remove: z.string().optional(),
  purpose: z.string().min(1).optional(),
  clear: z.array(z.string()).default([]),
  guard: z
    .strictObject({
      maxAdditions: bound.optional(),
      maxChanges: bound.optional(),
      maxRemovals: bound.optional(),
      allowEmpty: z.boolean().optional(),
    })
    .default({}),
  tags: z.array(z.string()).default([]),
  description: z.string().default(''),
})

/** Names an object of this schema may have; undefined: any. */
export const fieldNames = (schema: unknown): readonly string[] | undefined => {
  const def = definitionOf(schema)
  if (def === undefined) return undefined
  if (def.innerType !== undefined) return fieldNames(def.innerType)
  if (def.type === 'pipe') return fieldNames(def.in)
  if (def.type === 'union') {
    const all = (def.options ?? []).map(fieldNames)
    return all.includes(undefined) ? undefined : all.flatMap((names) => names ?? [])
  }
  if (def.type === 'intersection') {
    const [left, right] = [fieldNames(def.left), fieldNames(def.right)]
    return left && right ? [...left, ...right] : undefined
  }
  if (def.type !== 'object' || def.shape === undefined) return undefined
  const open = definitionOf(def.catchall)?.type
  return open === undefined || open === 'never' ? Object.keys(def.shape) : undefined
}

/** Names an object of this schema must have. */
export const requiredNames = (schema: unknown): readonly string[] => {
  const def = definitionOf(schema)
  if (def?.innerType !== undefined) return requiredNames(def.innerType)
  if (def?.type === 'pipe') return requiredNames(def.in)
  if (def?.type !== 'object') return []
  return Object.entries(def.shape ?? {})
    .filter(
      ([, field]) =>
        !['optional', 'default', 'prefault', 'catch', 'unknown', 'any'].includes(definitionOf(field)?.type ?? 'any'),
    )
    .map(([key]) => key)
}
