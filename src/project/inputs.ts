// What a compiled project was made from: files, folders (their listings), packages and environment variables that its code reads. A cached
// project counts only while all of them are as they were. On the path of a run with nothing to do: imports nothing but Node and core.
import { readFileSync, readdirSync, statSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../core/hash.ts'
import type { InputFile } from './compiled.ts'

// A file changed in the same instant as it was read can keep its size and time: so young a time proves nothing.
const youngMs = 2000

const hashListing = (folder: string): string => sha256(readdirSync(folder).toSorted().join('\n'))

const hashFile = (path: string): string => sha256(readFileSync(path))

const statOf = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false })

const environment = (name: string): string => sha256(process.env[name] ?? '\0')

/** Collects inputs as they are read. Each is noted before it is read: a change in between makes the noted one old, never new. */
export interface Inputs {
  /** A file's text; undefined when it is not there. */
  text(file: string): string | undefined
  /** Names in a folder, folders with a `/` at their end; none when it is not there. */
  list(folder: string): string[]
  /** An environment variable whose value the code reads while it is loaded. */
  variable(name: string): void
  all(): InputFile[]
}

/** Paths are relative to the root, with `/`. */
export const collectInputs = (root: string): Inputs => {
  const noted = new Map<string, InputFile>()
  const note = (file: string, bytes: number, modifiedMs: number, hash: string): void => {
    if (!noted.has(file)) noted.set(file, { file, bytes, modifiedMs, sha256: hash })
  }
  return {
    text: (file) => {
      const found = statOf(join(root, file))
      if (!found?.isFile()) {
        note(file, -1, 0, '')
        return undefined
      }
      const bytes = readFileSync(join(root, file))
      note(file, found.size, found.mtimeMs, sha256(bytes))
      return bytes.toString('utf8')
    },
    list: (folder) => {
      const name = folder.endsWith('/') ? folder : `${folder}/`
      const found = statOf(join(root, name))
      if (!found?.isDirectory()) {
        note(name, -1, 0, '')
        return []
      }
      note(name, 0, found.mtimeMs, hashListing(join(root, name)))
      const entries = readdirSync(join(root, name), { withFileTypes: true })
      return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).toSorted()
    },
    variable: (name) => note(`env:${name}`, 0, 0, environment(name)),
    all: () => [...noted.values()],
  }
}

/** Whether an input is as it was: by size and time where that is proof enough, else by content. */
export const isSame = (root: string, input: InputFile, madeMs: number): boolean => {
  if (input.file.startsWith('env:')) return environment(input.file.slice(4)) === input.sha256
  const path = join(root, input.file)
  const found = statOf(path)
  if (found === undefined || input.bytes < 0) return found === undefined && input.bytes < 0
  const folder = input.file.endsWith('/')
  if (folder !== found.isDirectory() || (!folder && found.size !== input.bytes)) return false
  if (found.mtimeMs === input.modifiedMs && input.modifiedMs < madeMs - youngMs) return true
  return (folder ? hashListing(path) : hashFile(path)) === input.sha256
}
