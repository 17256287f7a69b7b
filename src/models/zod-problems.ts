// What zod refuses, in words a person acts on: the path as written, near names for unknown keys. Used for headers and for the project.
import type { z } from 'zod'
import { didYouMean } from '../core/nearest.ts'

export interface ShapeProblem {
  /** Keys and indexes from the top to what is wrong; for an unknown key the key itself is the last. */
  readonly path: readonly (string | number)[]
  readonly message: string
}

export interface Definition {
  readonly type: string
  readonly shape?: Readonly<Record<string, unknown>>
  readonly catchall?: unknown
  readonly innerType?: unknown
  readonly element?: unknown
  readonly valueType?: unknown
  readonly options?: readonly unknown[]
  readonly left?: unknown
  readonly right?: unknown
  readonly in?: unknown
  readonly out?: unknown
}

// What every zod 4 schema shows of itself, whichever copy of zod made it.
export const definitionOf = (schema: unknown): Definition | undefined =>
  typeof schema === 'object' && schema !== null && 'def' in schema && isDefinition(schema.def) ? schema.def : undefined

const isDefinition = (value: unknown): value is Definition =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'

/** Keys an object may have at a path below a schema; empty where it may have any. */
export const knownKeys = (schema: unknown, path: readonly PropertyKey[]): string[] => {
  const definition = definitionOf(schema)
  if (definition === undefined) return []
  const { type, shape, innerType, element, valueType, options, in: input, out } = definition
  if (innerType) return knownKeys(innerType, path)
  if (type === 'pipe' && input && out) return [...knownKeys(input, path), ...knownKeys(out, path)]
  if (type === 'union' && options) return options.flatMap((option) => knownKeys(option, path))
  const [key, ...rest] = path
  if (key === undefined) return Object.keys(shape ?? {})
  const next = shape?.[String(key)] ?? element ?? valueType
  return next ? knownKeys(next, rest) : []
}

export const problemsOf = (schema: unknown, issues: readonly z.core.$ZodIssue[]): ShapeProblem[] =>
  issues.flatMap((issue): ShapeProblem[] => {
    const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))
    if (issue.code === 'unrecognized_keys') {
      const known = knownKeys(schema, path)
      const listed = known.length === 0 ? '' : ` Known: ${known.join(', ')}.`
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: `there is no "${key}" here.${didYouMean(key, known) || listed}`,
      }))
    }
    if (issue.code === 'invalid_union') {
      // The branch that got furthest is the one that was meant.
      const branches = issue.errors.toSorted((a, b) => depth(b) - depth(a))
      const nested = (branches[0] ?? []).map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }))
      if (nested.length > 0 && depth(branches[0] ?? []) > 0) return problemsOf(schema, nested)
    }
    return [{ path, message: messageOf(issue, path) }]
  })

const depth = (issues: readonly z.core.$ZodIssue[]): number => Math.max(0, ...issues.map((issue) => issue.path.length))

const messageOf = (issue: z.core.$ZodIssue, path: readonly (string | number)[]): string => {
  const name = path.length === 0 ? 'it' : `"${pathText(path)}"`
  if (issue.code === 'invalid_value') {
    const given = typeof issue.input === 'string' ? issue.input : undefined
    const near = given === undefined ? '' : didYouMean(given, issue.values.map(String))
    return `${name} must be ${issue.values
      .map((value) => String(value))
      .join(', ')
      .replace(/, ([^,]*)$/, ' or $1')}.${near}`
  }
  if (issue.code === 'invalid_key') return `${name} ${issue.issues[0]?.message ?? 'is no name here'}.`
  if (issue.code === 'invalid_type') {
    return issue.input === undefined ? `${name} is missing.` : `${name} must be ${withArticle(issue.expected)}.`
  }
  const { message } = issue
  return `${name} ${/^[A-Z]/.test(message) ? `is wrong: ${message[0]?.toLowerCase()}${message.slice(1)}` : message}`.replace(
    /[^.!?]$/,
    '$&.',
  )
}

const withArticle = (type: string): string => {
  const word = { array: 'list', record: 'map', object: 'map', string: 'text' }[type] ?? type
  return word === 'text' ? word : `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`
}

/** `sources.shop.streams[0]` */
export const pathText = (path: readonly (string | number)[]): string =>
  path.map((key, at) => (typeof key === 'number' ? `[${key}]` : `${at === 0 ? '' : '.'}${key}`)).join('')
