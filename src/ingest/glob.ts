// Paths with wildcards, resolved without a dependency: on the path of a run that has nothing to do.
// `*` and `?` stop at `/`, `**` is any number of folders, `[a-z]` and `{a,b}` are choices. Hidden files must be named.
import { readdirSync, statSync, type Dirent, type Stats } from 'node:fs'
import { isAbsolute, join, sep } from 'node:path'
import { codeOf } from './errno.ts'

export interface FoundFile {
  /** As it is kept in cdp.load_files: below the project with `/`, or absolute where the pattern is. */
  readonly file: string
  /** Absolute. */
  readonly path: string
  readonly bytes: number
  readonly modifiedMs: number
}

export const isGlob = (pattern: string): boolean => /[*?[{]/.test(pattern)

/** Size and time of a file, or undefined when there is none. Times are whole milliseconds. */
export const statFile = (path: string): { readonly bytes: number; readonly modifiedMs: number } | undefined => {
  const found = statOf(path)
  return found?.isFile() ? { bytes: found.size, modifiedMs: Math.round(found.mtimeMs) } : undefined
}

const absent = new Set(['ENOENT', 'ENOTDIR'])

const statOf = (path: string): Stats | undefined => {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    if (absent.has(codeOf(error) ?? '')) return undefined
    throw error
  }
}

/** Files of a path or glob, sorted by name. A literal path that is not there gives nothing. */
export const findFiles = (root: string, pattern: string): FoundFile[] => {
  const normal = sep === '\\' ? pattern.replaceAll('\\', '/') : pattern
  const wanted = normal.replace(/^(?:\.\/)+/, '')
  const literal = isAbsolute(wanted) ? wanted : join(root, wanted)
  const names = isGlob(wanted) && !statFile(literal) ? braces(wanted).flatMap((one) => walk(root, one)) : [wanted]
  return [...new Set(names)].toSorted(byBytes).flatMap((file) => {
    const path = isAbsolute(file) ? file : join(root, file)
    const stat = statFile(path)
    return stat ? [{ file, path, ...stat }] : []
  })
}

const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** `a{b,c}d` -> `abd`, `acd`; nested braces too. */
const braces = (pattern: string): string[] => {
  const match = /\{([^{}]*)\}/.exec(pattern)
  if (!match) return [pattern]
  const [before, after] = [pattern.slice(0, match.index), pattern.slice(match.index + match[0].length)]
  return (match[1] ?? '').split(',').flatMap((choice) => braces(before + choice + after))
}

const walk = (root: string, pattern: string): string[] => {
  const parts = pattern.split('/')
  const fixed = parts.findIndex((part) => isGlob(part))
  const base = parts.slice(0, fixed).join('/')
  const start = pattern.startsWith('/') && base === '' ? '/' : base
  return below(root, start, parts.slice(fixed))
}

const below = (root: string, folder: string, parts: readonly string[]): string[] => {
  const [part = '', ...rest] = parts
  const inside = (name: string): string => (folder === '' ? name : folder === '/' ? `/${name}` : `${folder}/${name}`)
  const entries = list(isAbsolute(folder) ? folder : join(root, folder))
  if (part === '**') {
    const deeper = entries.filter((entry) => !entry.name.startsWith('.') && isFolder(root, inside(entry.name), entry))
    return [...below(root, folder, rest), ...deeper.flatMap((entry) => below(root, inside(entry.name), parts))]
  }
  const match = matcher(part)
  const found = entries.filter((entry) => match(entry.name))
  if (rest.length === 0) return found.map((entry) => inside(entry.name))
  return found
    .filter((entry) => isFolder(root, inside(entry.name), entry))
    .flatMap((entry) => below(root, inside(entry.name), rest))
}

const list = (folder: string): Dirent[] => {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (absent.has(codeOf(error) ?? '')) return []
    throw error
  }
}

const isFolder = (root: string, name: string, entry: Dirent): boolean =>
  entry.isDirectory() ||
  (entry.isSymbolicLink() && (statOf(isAbsolute(name) ? name : join(root, name))?.isDirectory() ?? false))

const matcher = (part: string): ((name: string) => boolean) => {
  if (!isGlob(part)) return (name) => name === part
  const source = part.replaceAll(/\[!?[^\]]*\]|[*?]|[.+^$()|\\{}[\]]/g, (token) => {
    if (token === '*') return '.*'
    if (token === '?') return '.'
    return token.length > 1 ? token.replace('[!', '[^') : `\\${token}`
  })
  const pattern = new RegExp(`^${source}$`, 'su')
  return (name) => (part.startsWith('.') || !name.startsWith('.')) && pattern.test(name)
}
