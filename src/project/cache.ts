// The compiled project in a file, `.cdp/cache/<target>.json`, so that a run with nothing to do loads no configuration, no parser and no
// query builder. Secrets are kept as references, never as values.
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageVersion } from '../core/package.ts'
import { env, isSecret } from '../core/secret.ts'
import type { CompiledProject } from './compiled.ts'
import { isSame } from './inputs.ts'

interface Kept {
  readonly format: 1
  readonly madeMs: number
  readonly project: CompiledProject
}

// Sources under development have no version of their own: the time of this file tells a build from the next.
export const madeBy = (): string => `${packageVersion()} ${statSync(new URL(import.meta.url)).mtimeMs}`

const fileOf = (root: string, target: string | undefined): string =>
  join(root, '.cdp', 'cache', target === undefined ? '_default.json' : `${target.replaceAll(/[^\w.-]/g, '_')}.json`)

/** The compiled project of a target (default: the first), when what it was made from is unchanged; otherwise undefined: load it anew. */
export const openCompiled = (root: string, target?: string): Promise<CompiledProject | undefined> => {
  const kept = read(fileOf(root, target))
  if (kept === undefined) return Promise.resolve(undefined)
  const { project, madeMs } = kept
  const good =
    project.madeBy === madeBy() &&
    project.root === root &&
    (target === undefined || project.target === target) &&
    project.inputs.every((input) => isSame(root, input, madeMs))
  return Promise.resolve(good ? project : undefined)
}

/** Keeps a compiled project. A folder that cannot be written to is no error: the next command compiles again. */
export const saveCompiled = (project: CompiledProject, target: string | undefined, madeMs: number): void => {
  const file = fileOf(project.root, target)
  const kept: Kept = { format: 1, madeMs, project }
  try {
    mkdirSync(join(file, '..'), { recursive: true })
    const part = `${file}.${process.pid}.part`
    writeFileSync(part, JSON.stringify(packSecrets(kept)))
    renameSync(part, file)
  } catch {
    // Read-only projects are compiled every time.
  }
}

const read = (file: string): Kept | undefined => {
  try {
    const kept: Kept = JSON.parse(readFileSync(file, 'utf8'), reviveSecret)
    return kept.format === 1 ? kept : undefined
  } catch {
    return undefined
  }
}

const mark = '$secret'

// A Secret's own toJSON would lose its fallback, so secrets are replaced before JSON sees them.
const packSecrets = (value: unknown): unknown => {
  if (isSecret(value))
    return { [mark]: value.name, ...(value.fallback === undefined ? {} : { fallback: value.fallback }) }
  if (Array.isArray(value)) return value.map(packSecrets)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, packSecrets(inner)]))
}

const reviveSecret = (_key: string, value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || !(mark in value) || typeof value[mark] !== 'string') return value
  return env(value[mark], 'fallback' in value && typeof value.fallback === 'string' ? value.fallback : undefined)
}
